"""Dead units over the steps: NumPy's quartiles of the run's own numbers, fate by fate."""

import numpy as np
import pytest

from analysis.comparison import compare
from analysis.figures import contract, dead_units, saving
from jaxbox import store


def test_quartiles_over_the_seeds_of_a_fate(tiny_run):
    path = tiny_run("mixed")
    numbers, run, fates = dead_units.numbers(path), store.open_run(path), compare(path)["fate"].values
    # Linear networks have no ReLU; of the convolutional ones those that collapse, and the first of the others.
    assert numbers["configuration"].values.tolist() == [3, 5, 6]
    dead = run["dead_fraction"].values
    for place, configuration in enumerate([3, 5, 6]):
        for fate in numbers["fate"].values:
            own = dead[configuration, fates[configuration] == fate]
            one = numbers.isel(configuration=place).sel(fate=fate)
            assert one["members"] == len(own)
            for name, share in (("low", 0.25), ("median", 0.5), ("high", 0.75)):
                if len(own):
                    np.testing.assert_allclose(one[name].values, np.quantile(own, share, axis=0).T, atol=1e-12)
                else:
                    assert one[name].isnull().all()


def test_lines_and_bands_are_the_numbers(tiny_run):
    numbers = dead_units.numbers(tiny_run("one"))
    canvas = saving.draw(dead_units, numbers, "one")
    assert [axes.get_title() for axes in canvas.axes] == ["layer 1", "layer 2"]
    for layer, axes in enumerate(canvas.axes):
        for place, (line, band) in enumerate(zip(axes.get_lines(), axes.collections, strict=True)):
            of = numbers.isel(configuration=0, fate=place, layer=layer)
            np.testing.assert_array_equal(line.get_data(), [of["step"], of["median"]])
            corners = {tuple(corner) for corner in band.get_paths()[0].vertices}
            for name in ("low", "high"):
                assert set(zip(of["step"].values, of[name].values, strict=True)) <= corners


def test_a_run_without_relu_is_refused(tiny_run):
    with pytest.raises(contract.Unfilled, match="needs a network with ReLU layers"):
        dead_units.numbers(tiny_run("diverged"))


def test_quartiles_of_values_that_differ():
    dead = np.random.default_rng(0).random((2, 1, 3, 9))
    dead[1, :, 2] = np.nan  # not evaluated
    fate = np.array([["dead"] * 5 + ["none"] * 4, ["none"] * 9])
    found = dead_units._quartiles(dead, fate, ["none", "dead"])
    expected = np.quantile(dead[0, 0, :, :5], [0.25, 0.5, 0.75], axis=1)
    np.testing.assert_allclose([found[name][1][0, 1, 0] for name in ("low", "median", "high")], expected)
    np.testing.assert_allclose(found["median"][1][1, 0, 0, :2], np.median(dead[1, 0, :2], axis=1))
    assert np.isnan(found["median"][1][1, 0, 0, 2])
    assert np.isnan(found["median"][1][1, 1]).all(), "no member of that fate"
    assert found["members"][1].tolist() == [[4, 5], [9, 0]]
