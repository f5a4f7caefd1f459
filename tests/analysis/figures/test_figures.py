"""Every figure of the table, on every odd run: what it must be, and that nothing of it is cut off or covered."""

import itertools
import re
import shlex

import numpy as np
import pandas
import pytest
from matplotlib.axis import Tick
from matplotlib.text import Text

from analysis import comparison
from analysis.comparison import members
from analysis.figures import FIGURES, contract, fates, saving
from jaxbox.plotting import ONE_COLUMN, TWO_COLUMNS
from jaxbox.sweep import arguments

NAMES = list(FIGURES)
RUNS = ("mixed", "map", "many", "noisy", "interrupted", "one", "diverged", "single")


def numbers_of(name, run):
    """The figure's numbers, or the refusal."""
    try:
        return contract.load(name).numbers(run)
    except contract.Unfilled as error:
        return error


# The slow ones are drawn by tests of their own figures, where they matter.
@pytest.mark.parametrize(
    "run", [pytest.param(run, marks=[pytest.mark.slow] if run in ("many", "one", "single") else []) for run in RUNS]
)
@pytest.mark.parametrize("name", NAMES)
def test_every_figure_meets_every_run(name, run, tiny_run):
    found = numbers_of(name, tiny_run(run))
    if isinstance(found, contract.Unfilled):
        check_refusal(found)
        return
    for variable in found.data_vars:
        assert {"units", "description"} <= set(found[variable].attrs), variable
    assert re.search(r"\d", found.attrs["caption"]), "a caption says how many"
    widths = {"one": ONE_COLUMN, "two": TWO_COLUMNS} if run == "mixed" else {"one": ONE_COLUMN}
    for width, inches in widths.items():
        canvas = saving.draw(contract.load(name), found, width)
        assert canvas.get_figwidth() == inches
        canvas.draw_without_rendering()
        check_words(canvas)


@pytest.fixture
def every_fate(monkeypatch):
    """Members that end in all the ways there are."""
    real = members.kinds

    def kinds(targets, predictions, *others):
        kind, place = real(targets, predictions, *others)
        names = np.resize([fate for fate in comparison.FATES if fate != "diverged"], len(kind))
        return np.where(kind == "diverged", kind, np.roll(names, int(1e3 * abs(predictions[0, 0])))), place

    monkeypatch.setattr(members, "kinds", kinds)
    comparison._snapshot.cache_clear()
    yield
    comparison._snapshot.cache_clear()


@pytest.mark.parametrize("name", NAMES)
def test_there_is_room_for_every_fate(name, tiny_run, every_fate):
    found = numbers_of(name, tiny_run("mixed"))
    if not isinstance(found, contract.Unfilled):
        canvas = saving.draw(contract.load(name), found, "one")
        canvas.draw_without_rendering()
        check_words(canvas)


def test_fates_are_told_apart_in_grey():
    looks = [fates.LOOKS[fate] for fate in comparison.FATES]
    for name in ("marker", "linestyle"):
        assert len({str(look[name]) for look in looks}) == len(looks)


def check_refusal(error):
    assert len(str(error).splitlines()) == 1
    commands = re.findall(r"python -m jaxbox.sweep (.*)", str(error))
    assert commands or "needs the checkpoints" in str(error), "what would fill it, unless the run is only a part of one"
    for command in commands:
        if "--resume" not in command:
            arguments.parse(shlex.split(command))


def check_words(canvas):
    """Panels with their ticks, and all words, are inside of the canvas; titles and labels lie on no other."""
    ticks = {text for tick in canvas.findobj(Tick) for text in tick.findobj(Text)}
    words = [text for text in canvas.findobj(Text) if text.get_visible() and text.get_text().strip()]
    words = [text for text in words if text not in ticks]
    boxes = [(text.get_text(), text.get_window_extent()) for text in words]
    boxes += [(axes.get_title(), axes.get_tightbbox()) for axes in canvas.axes]
    for name, box in boxes:
        assert min(box.x0, box.y0) >= -1, f"{name!r} is cut off"
        assert box.x1 <= canvas.bbox.x1 + 1, f"{name!r} is cut off"
        assert box.y1 <= canvas.bbox.y1 + 1, f"{name!r} is cut off"
    outer = [text for text in words if text.axes is None or text in (text.axes.title, text.axes.xaxis.label)]
    for one, other in itertools.combinations(outer, 2):
        overlap = one.get_window_extent().overlaps(other.get_window_extent())
        assert not overlap, f"{one.get_text()!r} lies on {other.get_text()!r}"


@pytest.mark.parametrize("name", NAMES)
def test_the_files_hold_the_numbers_and_the_caption(name, tiny_run, tmp_path, monkeypatch):
    # Pictures in all formats are written by the next test, and of every figure by those of the report.
    monkeypatch.setattr(saving, "SUFFIXES", (".svg",))
    found = numbers_of(name, tiny_run("noisy" if name == "noise" else "rates"))
    if isinstance(found, contract.Unfilled):
        return
    paths = saving.save(saving.draw(contract.load(name), found), found, tmp_path, name)
    assert [path.name for path in paths] == [f"{name}.csv", f"{name}.svg"]
    table = pandas.read_csv(paths[0])
    for variable in found.data_vars:
        values = found[variable].values.ravel()
        if values.dtype.kind in "fiu":
            kept = table[variable].dropna().to_numpy(float)
            np.testing.assert_allclose(np.sort(kept), np.sort(values[~np.isnan(values.astype(float))]), rtol=1e-12)
    assert found.attrs["caption"].split(".")[0].split("'")[0] in re.sub(r"\s+", " ", paths[1].read_text())


def test_the_same_numbers_are_the_same_files(tiny_run, tmp_path):
    figure = contract.load("collapse_rate")
    numbers = figure.numbers(tiny_run("rates"))
    once, again = (saving.save(saving.draw(figure, numbers), numbers, tmp_path / name, "rates") for name in "ab")
    assert [path.name for path in once] == [f"rates{suffix}" for suffix in (".csv", ".pdf", ".png", ".svg")]
    assert [path.read_bytes() for path in once] == [path.read_bytes() for path in again]


def test_a_row_of_the_csv_says_what_it_is_of(tiny_run):
    table = saving.table(contract.load("curves").numbers(tiny_run("mixed")))
    assert {"configuration", "seed", "step", "loss", "fate"} <= set(table)
    assert not table[["configuration", "seed", "step"]][table["loss"].notnull()].isnull().any(axis=None)
