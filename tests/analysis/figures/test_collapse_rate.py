"""Rates of collapse: counts by hand, SciPy's Wilson intervals, and the three ways in which they are drawn."""

import numpy as np
import pytest
from scipy import stats

from analysis.comparison import compare
from analysis.figures import collapse_rate, rate_layouts, saving
from jaxbox import store


def wilson(events, trials):
    interval = stats.binomtest(int(events), int(trials)).proportion_ci(0.95, method="wilson")
    return events / trials, interval.low, interval.high


@pytest.mark.parametrize("name", ["mixed", "rates", "map"])
def test_rates_are_counts_with_wilson_intervals(name, tiny_run):
    numbers, fates = collapse_rate.numbers(tiny_run(name)), compare(tiny_run(name))["fate"].values
    assert set(numbers["kind"].values) == set(fates.flat) - {"none"}
    for place, of in enumerate(fates):
        for kind in numbers["kind"].values:
            one = numbers.isel(configuration=place).sel(kind=kind)
            assert one["members"] == (of == kind).sum()
            expected = wilson((of == kind).sum(), len(of))
            np.testing.assert_allclose([one["rate"], one["low"], one["high"]], expected, atol=1e-12)


def test_dead_members_are_those_with_a_constant_prediction(tiny_run):
    numbers, run = collapse_rate.numbers(tiny_run("rates")), store.open_run(tiny_run("rates"))
    constant = np.ptp(run["prediction"].values, axis=2).max(-1) < 1e-6
    dead = numbers["members"].sel(kind="dead").values
    assert (dead >= constant.sum(1)).all()
    assert dead.sum() > 0


def test_layouts(tiny_run):
    layouts = {
        name: collapse_rate.numbers(tiny_run(name)).attrs for name in ("mixed", "rates", "map", "single", "many")
    }
    assert {name: attrs["layout"] for name, attrs in layouts.items()} == {
        **{"mixed": "list", "rates": "lines", "map": "map", "single": "list", "many": "lines"}
    }
    assert layouts["rates"]["across"] == ["optimizer.learning_rate"]
    assert layouts["map"]["across"] == ["optimizer.learning_rate", "optimizer.momentum"]


def test_a_number_crossed_with_names_is_lines_for_each(tiny_run):
    """Three rates of two models, a fourth rate of one: no more crossed, so listed."""
    compared = compare(tiny_run("map")).assign_coords({"optimizer.name": ("configuration", ["sgd"] * 3 + ["adam"] * 3)})
    varied = ["optimizer.name", "optimizer.learning_rate"]
    assert collapse_rate.choose_layout(compared, varied) == ("lines", ["optimizer.learning_rate"])
    assert collapse_rate.choose_layout(compared.isel(configuration=slice(5)), varied) == ("list", [])
    numbers = collapse_rate.numbers(tiny_run("map"))
    assert list(rate_layouts._series(numbers, ["optimizer.momentum"])) == ["momentum=0", "momentum=0.9"]


def points(container):
    line, _, (bars,) = container.lines
    return np.array(line.get_data()), np.array(bars.get_segments())


def test_lines_are_the_rates_and_their_intervals(tiny_run):
    numbers = collapse_rate.numbers(tiny_run("rates"))
    canvas = saving.draw(collapse_rate, numbers, "two")
    for place, panel in enumerate(canvas.axes):
        of = numbers.isel(kind=place)
        (rates, shares), bars = points(panel.containers[0])
        np.testing.assert_array_equal(rates, [0.003, 0.03, 0.3, 3.0])
        np.testing.assert_array_equal(shares, of["rate"])
        np.testing.assert_allclose(bars[:, :, 1], np.stack([of["low"], of["high"]], axis=1), atol=1e-12)
        assert panel.get_xscale() == "log"


def test_a_list_has_a_row_a_configuration(tiny_run):
    numbers = collapse_rate.numbers(tiny_run("mixed"))
    canvas = saving.draw(collapse_rate, numbers, "two")
    names = [text.get_text().replace("\n", " ") for text in canvas.axes[0].get_yticklabels()]
    assert names == numbers["label"].values.tolist()
    for place, panel in enumerate(canvas.axes):
        (shares, rows), bars = points(panel.containers[0])
        np.testing.assert_array_equal(shares, numbers["rate"].values[:, place])
        np.testing.assert_array_equal(rows, range(7))
        np.testing.assert_allclose(bars[:, 0, 0], numbers["low"].values[:, place], atol=1e-12)


def test_a_map_has_a_cell_a_configuration(tiny_run):
    numbers = collapse_rate.numbers(tiny_run("map"))
    canvas = saving.draw(collapse_rate, numbers, "two")
    for place, panel in enumerate(canvas.axes):
        of = numbers.isel(kind=place)
        texts = {text.get_position(): text.get_text() for text in panel.texts}
        assert len(texts) == 6
        for index in range(6):
            one = of.isel(configuration=index)
            cell = [0.01, 1.0, 30.0].index(one["optimizer.learning_rate"]), [0.0, 0.9].index(one["optimizer.momentum"])
            ends = f"{100 * one['low'].item():.0f}–{100 * one['high'].item():.0f}"
            assert texts[cell] == f"{100 * one['rate'].item():.0f}\n{ends}"
            assert panel.get_images()[0].get_array()[cell[::-1]] == one["rate"]


def test_without_any_collapse_and_without_a_beginning(tiny_run):
    numbers = collapse_rate.numbers(tiny_run("interrupted"))
    assert numbers["kind"].values.tolist() == ["none"]
    assert numbers["rate"].values[0, 0] == 1
    assert numbers["begun"].values.tolist() == [4, 0]
    assert numbers[["rate", "low", "high"]].isel(configuration=1).to_array().isnull().all()
    canvas = saving.draw(collapse_rate, numbers, "one")
    assert [text.get_text() for text in canvas.axes[0].texts] == ["not begun"]
