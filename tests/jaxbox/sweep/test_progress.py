"""What is said of a sweep's progress, on a made-up clock."""

import io
from functools import partial

import pytest
from rich.console import Console

from jaxbox.sweep import progress


@pytest.fixture
def clock(monkeypatch):
    """Seconds, in a list of one, which a test may set."""
    now = [1000.0]
    monkeypatch.setattr(progress.time, "monotonic", lambda: now[0])
    return now


def lines(capsys):
    return capsys.readouterr().err.splitlines()


def test_the_time_left_is_the_work_left_at_the_mean_speed(clock, capsys):
    report = progress.Report(total=4000)
    report.start("group 1 of 2 (cnn)")
    report.begin_chunk()
    clock[0] += 100
    report.advance(1000, 10)  # 10 a second
    clock[0] += 20
    report.advance(1000, 20)  # 50 a second; 2000 in 120 s so far
    assert lines(capsys) == [
        "group 1 of 2 (cnn), step 10: 25%, 10 seed-steps/s, 0:05:00 left",
        "group 1 of 2 (cnn), step 20: 50%, 17 seed-steps/s, 0:02:00 left",
    ]


def test_neither_compilation_nor_an_earlier_session_counts_as_speed(clock, capsys):
    report = progress.Report(total=4000)
    report.start("group 1 of 1 (mlp)")
    report.skip(2000)
    clock[0] += 50
    report.begin_chunk()
    clock[0] += 100
    report.advance(1000, 30)
    assert lines(capsys)[-1] == "group 1 of 1 (mlp), step 30: 75%, 10 seed-steps/s, 0:01:40 left"


def test_a_warning_ends_the_line_until_the_next_chunk(clock, capsys):
    report = progress.Report(total=4000)
    report.start("group 1 of 1 (cnn)")
    report.begin_chunk()
    for warning in ("", "of 4 members 1 are dying"):
        clock[0] += 100
        report.warning = partial(str, warning)
        report.advance(1000, 10)
    report.begin_chunk()
    clock[0] += 100
    report.advance(1000, 20)
    ends = [line.partition(" left")[2] for line in lines(capsys)]
    assert ends == ["", "; of 4 members 1 are dying", ""]


def test_plain_lines_are_rare(clock, capsys):
    report = progress.Report(total=100)
    for step in range(1, 51):
        clock[0] += 1
        report.advance(1, step)
    assert len(lines(capsys)) == 5  # the first, and one each 11 seconds


def test_a_live_bar_has_a_new_text_ten_times_a_second_and_at_the_end(clock):
    asked, began = [], clock[0]
    report = progress.Report(total=100)
    report.live = True
    report.warning = lambda: asked.append(clock[0]) or ""
    for step in range(1, 101):
        clock[0] = began + step / 64
        report.advance(1, step)
    assert len(asked) == 1 + 99 // 7 + 1  # the first, every seventh (7 / 64 is more than a tenth), and the last
    assert "step 100: 100%" in report.bar.tasks[0].description


@pytest.mark.parametrize("width", [30, 60, 80, 200])
def test_a_live_bar_shows_all_of_its_text_in_any_width(monkeypatch, width):
    monkeypatch.setattr(progress, "Console", lambda stderr: Console(file=io.StringIO(), width=width))
    report = progress.Report(total=10_000_000)
    report.live = True
    report.start("group 111 of 120 (a_model_of_my_own)")
    report.advance(64 * 50, 77_250)
    report.console.print(report.bar.get_renderable())
    shown = report.console.file.getvalue()
    text = report.bar.tasks[0].description
    assert text.split()[0] == "group"
    assert text.split()[-1] == "left"
    assert "".join(text.split()) in "".join(shown.replace("━", "").split())
