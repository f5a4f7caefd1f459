"""The command: refusals in one line, nothing of the user's replaced, and where the page is."""

import json
import shutil

import pytest

from analysis.report import __main__ as command
from analysis.report import folder
from jaxbox.config import RunError


def refused(words, capsys):
    assert command.main(words) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.count("\n") == 1
    return printed.err


def test_refusals_are_one_line(tiny_run, tmp_path, capsys):
    file = tmp_path / "file"
    file.write_text("mine")
    run = str(tiny_run("single"))
    assert "run: nothing is not allowed" in refused([], capsys)
    assert "is not a folder" in refused([str(tmp_path / "none")], capsys)
    assert "is not a run" in refused([str(tmp_path)], capsys)
    assert f"out: {file} is a file" in refused([run, "--out", str(file)], capsys)
    assert "cannot be written" in refused([run, "--out", str(file / "inside")], capsys)
    assert "option: '--outt'" in refused([run, "--outt", "x"], capsys)
    assert file.read_text() == "mine"


def test_a_run_without_results_says_how_to_go_on(tiny_run, tmp_path, capsys):
    shutil.copytree(tiny_run("single"), tmp_path / "run")
    shutil.rmtree(tmp_path / "run" / "results.zarr")
    assert "no results yet" in refused([str(tmp_path / "run")], capsys)
    assert not (tmp_path / "run" / "report").exists()


def test_help_exits_with_0(capsys):
    with pytest.raises(SystemExit) as stopped:
        command.main(["--help"])
    assert not stopped.value.code
    assert "python -m analysis.report" in capsys.readouterr().out


def test_it_says_where_the_page_is_and_goes_beside_the_run(tiny_run, tmp_path, capsys, few_figures):
    run = tmp_path / "run"
    shutil.copytree(tiny_run("single"), run)
    assert command.main([str(run)]) == 0
    printed = capsys.readouterr()
    assert printed.out == f"{run / 'report' / 'index.html'}\n"
    assert printed.err == ""
    for name in (
        "index.html",
        "report.md",
        "summary.csv",
        "configurations.csv",
        "members.csv",
        "figures/predictions.svg",
    ):
        assert (run / "report" / name).stat().st_size


def test_foreign_files_stay_and_earlier_ones_are_replaced(tiny_run, tmp_path, capsys, few_figures):
    mine = tmp_path / "figures" / "mine.pdf"
    mine.parent.mkdir()
    mine.write_text("mine")
    assert command.main([str(tiny_run("single")), "--out", str(tmp_path)]) == 0
    page = (tmp_path / "index.html").read_bytes()
    stale = tmp_path / "figures" / "noise.svg"
    stale.write_text("of an earlier report")
    listed = json.loads((tmp_path / "report.json").read_text())
    assert "figures/noise.svg" not in listed["files"]
    (tmp_path / "report.json").write_text(json.dumps({"files": [*listed["files"], "figures/noise.svg", "../precious"]}))
    (tmp_path.parent / "precious").write_text("mine")
    (tmp_path / "index.html").write_text("old")
    assert command.main([str(tiny_run("single")), "--out", str(tmp_path)]) == 0
    assert (tmp_path / "index.html").read_bytes() == page
    assert mine.read_text() == "mine"
    assert not stale.exists()
    assert (tmp_path.parent / "precious").read_text() == "mine"
    assert json.loads((tmp_path / "report.json").read_text()) == listed
    capsys.readouterr()
    stale.write_text("mine")
    assert "figures/noise.svg is not of an earlier report" in refused(
        [str(tiny_run("single")), "--out", str(tmp_path)], capsys
    )
    assert stale.read_text() == "mine"


@pytest.mark.parametrize("name", ["index.html", "members.csv", "figures/noise.pdf", "report.json"])
def test_a_file_that_is_not_a_report_s_is_not_replaced(tiny_run, tmp_path, capsys, name):
    file = tmp_path / name
    file.parent.mkdir(exist_ok=True)
    file.write_text("mine")
    assert f"out: {file} is not of an earlier report" in refused(
        [str(tiny_run("single")), "--out", str(tmp_path)], capsys
    )
    assert file.read_text() == "mine"


def test_a_report_that_was_interrupted_can_be_made_again(tiny_run, tmp_path, capsys, monkeypatch, few_figures):
    def stop(self, name, text):
        if name == folder.PAGE:
            raise KeyboardInterrupt
        usual(self, name, text)

    usual = folder.Folder.write
    monkeypatch.setattr(folder.Folder, "write", stop)
    words = [str(tiny_run("single")), "--out", str(tmp_path)]
    assert command.main(words) == 130
    assert capsys.readouterr().err == "analysis.report: stopped\n"
    assert not (tmp_path / "index.html").exists()
    monkeypatch.setattr(folder.Folder, "write", usual)
    assert command.main(words) == 0


def test_a_disk_that_fills_up_is_one_line(tmp_path, monkeypatch):
    own = folder.Folder(tmp_path)

    def full(*_, **__):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("pathlib.Path.write_text", full)
    with pytest.raises(RunError, match="cannot be written: No space left"):
        own.write("index.html", "text")


def test_a_bar_comes_only_to_those_who_wait(monkeypatch, capsys):
    waiting = command.Waiting(2)
    monkeypatch.setattr(type(waiting._bar.console), "is_terminal", True)
    waiting.advance(1, 2)
    assert not waiting._bar.live.is_started
    waiting._begun -= 2 * command.QUIET_SECONDS
    waiting.advance()
    assert waiting._bar.live.is_started
    waiting.stop()
    assert not waiting._bar.live.is_started
