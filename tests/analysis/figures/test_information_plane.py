"""The information plane: members from raw predictions, R(D) from Blahut and Arimoto's iteration."""

import dataclasses

import numpy as np
import pytest
from sklearn.metrics import mutual_info_score

from analysis.comparison import compare
from analysis.figures import information_plane, saving
from analysis.figures.information_plane import measuring
from jaxbox.config import Configuration, Task
from jaxbox.store import open_run


@pytest.fixture(scope="module")
def numbers(tiny_run):
    return information_plane.numbers(tiny_run("mixed"))


def rate_distortion(places, slope):
    """(D, R) where the curve has this slope, by Blahut's iteration on a fine grid of predictions."""
    kernel = np.exp(-slope * (places[:, None] - np.linspace(places[0], places[-1], 201)) ** 2)
    weights = np.full(kernel.shape[1], 1 / kernel.shape[1])
    for _ in range(3000):
        weights = weights * (kernel / (kernel @ weights)[:, None]).mean(0)
    density = kernel @ weights
    squares = (places[:, None] - np.linspace(places[0], places[-1], 201)) ** 2
    error = np.mean((kernel * squares) @ weights / density)
    return error, -slope * error - np.mean(np.log(density))


def test_members_are_where_their_predictions_put_them(numbers, tiny_run):
    run = open_run(tiny_run("mixed")).load()
    error = ((run["prediction"].astype(float) - run["target"].astype(float)) ** 2).mean("position")
    drawn = numbers["mse"].notnull()
    # Five places in six pixels: the spacing is 2 / 6.
    np.testing.assert_allclose(numbers["mse"].where(drawn), (error * 9).where(drawn), rtol=1e-5)
    assert (drawn == (compare(tiny_run("mixed"))["fate"] != "diverged")).all()
    configuration, seed, axis = np.argwhere(drawn.values)[-1]
    chosen = {"configuration": configuration, "seed": seed, "axis": axis}
    codes = [
        np.unique(run[name].isel(chosen, missing_dims="ignore"), return_inverse=True)[1]
        for name in ("target", "prediction")
    ]
    assert float(numbers["information"].isel(chosen)) == pytest.approx(mutual_info_score(*codes), abs=1e-9)
    assert set(np.unique(numbers["panel_of"])) == {"5 × 5 places"}


def test_curve_is_rate_distortion_and_the_thread_crosses_it_where_it_is_said_to(numbers):
    own = numbers.isel(panel=0)
    for slope in (0.3, 1.0, 3.0):
        error, rate = rate_distortion(np.arange(5.0), slope)
        assert np.interp(error, own["distortion"], own["rate_distortion"]) == pytest.approx(rate, abs=2e-3)
    slopes = np.geomspace(0.5, 20, 60)
    curve = np.array([rate_distortion(np.arange(5.0), slope) for slope in slopes])[::-1]
    at = float(own["false_below"])
    assert np.interp(at, *curve.T) == pytest.approx(np.log(5) - 0.5 * np.log(2 * np.pi * np.e * at), abs=2e-3)
    assert float(own["impossible_below"]) == pytest.approx(1 / (2 * np.pi * np.e))
    assert float(own["entropy"]) == float(own["information_input"]) == pytest.approx(np.log(5))
    assert float(own["variance"]) == pytest.approx(np.var(np.arange(5)))


def test_drawn_is_what_the_numbers_say(numbers):
    axes = saving.draw(information_plane, numbers).axes[0]
    lines = {line.get_label(): line for line in axes.lines}
    for name in measuring.CURVES:
        np.testing.assert_array_equal(lines[name].get_xydata().T, [numbers["distortion"][0], numbers[name][0]])
    for fate in ("none", "dead"):
        mine = (numbers["fate"] == fate) & numbers["mse"].notnull()
        expected = np.stack([numbers[name].values[mine.values] for name in ("mse", "information")])
        np.testing.assert_array_equal(lines[fate].get_xydata().T, expected)
    edges = [patch.get_xy()[0] + patch.get_width() for patch in axes.patches]
    assert edges == pytest.approx([float(numbers["false_below"][0]), float(numbers["impossible_below"][0])])


def test_intervals_are_drawn_where_information_is_estimated(numbers):
    estimated = numbers.assign(
        information_low=numbers["information"] - 0.1, information_high=numbers["information"] + 0.2
    )
    axes = saving.draw(information_plane, estimated).axes[0]
    ends = np.concatenate([np.array(bars.get_segments())[:, :, 1] for bars in axes.collections])
    np.testing.assert_allclose(ends[:, 1] - ends[:, 0], 0.3)
    assert len(ends) == int(numbers["mse"].notnull().sum())


def test_axes_share_a_panel_only_where_their_bounds_are_equal():
    square, wide = Task(), Task(height=12)
    titles = [measuring._place(Configuration(task), axis).title for task in (square, wide) for axis in (0, 1)]
    assert titles == ["13 × 13 places", "13 × 13 places", "13 × 9 places, x", "13 × 9 places, y"]
    noisy = dataclasses.replace(square, noise="white", noise_level=0.5)
    assert measuring._place(Configuration(noisy), 0).title == "13 × 13 places (box 4, 16 × 16), white noise 0.5"


@pytest.mark.parametrize(
    ("name", "points"), [("interrupted", 8), ("diverged", 0), ("single", 2), ("noisy", 0), ("many", None)]
)
def test_odd_runs_are_drawn(tiny_run, name, points):
    found = information_plane.numbers(tiny_run(name))
    if points is not None:
        assert int(found["mse"].notnull().sum()) == points
        assert f"of {points} points" in found.attrs["caption"]
    for width in saving.WIDTHS:
        saving.draw(information_plane, found, width).draw_without_rendering()
