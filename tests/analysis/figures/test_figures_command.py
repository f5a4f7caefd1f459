"""The command: what it draws, where, and what it refuses in one line."""

import shutil

import pytest

from analysis.figures import FIGURES, __main__, contract, curves
from jaxbox import store


def draw(*words):
    return __main__.main([str(word) for word in words])


def test_it_lists_every_figure(capsys):
    assert draw("--list") == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == list(FIGURES)
    with pytest.raises(SystemExit) as stop:
        draw("--help")
    assert not stop.value.code
    assert FIGURES["curves"].summary in capsys.readouterr().out


def test_it_draws_one_figure_and_says_where(tiny_run, tmp_path, capsys):
    assert draw("dead_units", tiny_run("one"), "--width", "one", "--out", tmp_path) == 0
    out, err = capsys.readouterr()
    caption, *paths = out.splitlines()
    assert "6 members" in caption
    assert paths == [str(tmp_path / f"dead_units{suffix}") for suffix in (".csv", ".pdf", ".png", ".svg")]
    assert all(path.exists() for path in tmp_path.iterdir())
    assert not err


def test_all_leaves_out_what_a_run_cannot_fill(tiny_run, monkeypatch, capsys):
    monkeypatch.setattr(__main__, "FIGURES", {name: FIGURES[name] for name in ("profiles", "collapse_rate")})
    path = tiny_run("single")
    assert draw("all", path) == 0
    err = capsys.readouterr().err
    assert sorted(file.name for file in (path / "figures").iterdir()) == [
        f"collapse_rate{suffix}" for suffix in (".csv", ".pdf", ".png", ".svg")
    ]
    (line,) = err.splitlines()
    assert line.startswith("skipped: figure: profiles needs two configurations")
    monkeypatch.setattr(__main__, "FIGURES", {"profiles": FIGURES["profiles"]})
    assert draw("all", path) == 2, "nothing was drawn"


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("", "figure: nothing is not allowed"),
        ("curves", "run: nothing is not allowed"),
        ("curve RUN", "(did you mean curves?)"),
        ("curves nowhere", "run: nowhere is not a folder"),
        ("curves EMPTY", "is not a run: it has no configuration.json"),
        ("curves NO_RESULTS", "has no results yet; go on with it: python -m jaxbox.sweep --resume"),
        ("all NO_RESULTS", "has no results yet"),
        ("curves RUN --width three", "width: three is not allowed; it must be one or two"),
        ("curves RUN --wide two", "option: '--wide' is not one; did you mean --width?"),
        ("profiles RUN", "profiles needs two configurations"),
        ("curves RUN --out FILE", "out: FILE cannot be written"),
    ],
)
def test_refusals_are_one_line(words, message, tiny_run, tmp_path, capsys):
    (tmp_path / "file").touch()
    (tmp_path / "empty").mkdir()
    shutil.copytree(tiny_run("single"), tmp_path / "none", ignore=shutil.ignore_patterns("results.zarr"))
    places = {"RUN": tiny_run("single"), "EMPTY": tmp_path / "empty", "NO_RESULTS": tmp_path / "none"}
    places = {name: str(path) for name, path in places.items()} | {"FILE": str(tmp_path / "file")}
    assert draw(*(places.get(word, word) for word in words.split())) == 2
    out, err = capsys.readouterr()
    assert not out
    (line,) = err.splitlines()
    assert line.startswith("analysis.figures: ")
    assert message.replace("FILE", places["FILE"]) in line


def test_a_run_that_has_not_begun_is_refused_by_every_figure(tiny_run, tmp_path):
    whole = tiny_run("single")
    run = store.open_run(whole).load()
    store.create(tmp_path / "run", store.load_plan(whole))
    store.save_results(tmp_path / "run", [run.assign(last_step=run["last_step"] * 0 - 1)])
    for name in ("curves", "predictions", "collapse_rate", "dead_units", "profiles"):
        with pytest.raises(contract.Unfilled, match="go on with it: python"):
            contract.load(name).numbers(tmp_path / "run")


def test_progress_is_said_where_it_takes_long(tiny_run, monkeypatch, tmp_path, capsys):
    monkeypatch.setattr(__main__, "PATIENCE", -1.0)
    path = shutil.copytree(tiny_run("diverged"), tmp_path / "run")
    __main__._compare(path)
    assert capsys.readouterr().err.splitlines() == [
        "analysis.figures: 1 of 2 configurations compared with closed forms"
    ]


def test_an_interruption_stops_in_one_line(tiny_run, monkeypatch, capsys):
    def interrupted(run):
        raise KeyboardInterrupt

    monkeypatch.setattr(curves, "numbers", interrupted)
    assert draw("curves", tiny_run("single")) == 130
    assert capsys.readouterr().err == "analysis.figures: stopped\n"
