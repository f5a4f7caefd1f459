"""I(Y;Yhat) of members against scikit-learn's counts and against integrals, and the bounds where they must meet."""

import numpy as np
import pytest
from sklearn.metrics import mutual_info_score

from analysis import information
from analysis.comparison import member_information
from analysis.comparison.member_information import Lattice
from jaxbox.config import Task

CLEAN = Task(height=9, width=13, box_size=4)
NOISY = Task(height=16, width=16, box_size=4, noise="white", noise_level=0.5)


def places(task, axis):
    count, spacing = member_information.spaced(task, axis)
    return count, spacing


def targets_of(task, axis):
    from analysis.comparison import known

    return known.lattice(task)[:, axis]


@pytest.mark.parametrize("axis", [0, 1])
def test_without_noise_counts_are_scikit_learns_and_exact(axis):
    targets = targets_of(CLEAN, axis)
    random = np.random.default_rng(0)
    predictions = np.stack([
        targets, np.zeros_like(targets), np.sign(targets), np.round(random.standard_normal(len(targets))),
        random.standard_normal(len(targets)), -2 * targets + 1,
    ])  # fmt: skip
    mse = ((predictions - targets) ** 2).mean(1)
    found = member_information.member_information(Lattice(CLEAN, axis), targets, predictions, mse)
    labels = np.unique(targets, return_inverse=True)[1]
    for row, value in zip(predictions, found["information"], strict=True):
        expected = mutual_info_score(labels, np.unique(row, return_inverse=True)[1])
        assert value == pytest.approx(expected, abs=1e-12)
    entropy = np.log((10, 6)[axis])
    assert found["information"][[0, 4, 5]] == pytest.approx(entropy)  # all that there is, noise that tells all apart
    assert found["information"][1] == 0
    for name in ("information_low", "information_high", "information_exact"):
        np.testing.assert_array_equal(found[name], found["information"])
    assert (found["information_error"] == 0).all()


def true_information(count, deviation):
    """I between one of `count` places one apart and it plus Gaussian noise, by integration."""
    grid = np.linspace(-10 * deviation - 1, count + 10 * deviation, 20_001)
    densities = np.exp(-0.5 * ((grid[:, None] - np.arange(count)) / deviation) ** 2)
    density = densities.mean(1) / deviation / np.sqrt(2 * np.pi)
    logarithm = np.log(np.maximum(density, 1e-300))
    return -np.sum(density * logarithm) * (grid[1] - grid[0]) - 0.5 * np.log(2 * np.pi * np.e * deviation**2)


@pytest.mark.parametrize(
    "deviation", [0.05, 1.0, *(pytest.param(deviation, marks=pytest.mark.slow) for deviation in (0.3, 4.0))]
)
def test_under_noise_the_interval_holds_the_truth(deviation):
    targets = targets_of(NOISY, 0)
    count, spacing = places(NOISY, 0)
    random = np.random.default_rng(2)
    predictions = targets + deviation * spacing * random.standard_normal((60, len(targets)))
    mse = ((predictions - targets) ** 2).mean(1)
    found = member_information.member_information(Lattice(NOISY, 0), targets, predictions, mse)
    truth = min(true_information(count, deviation), np.log(count)) - 1e-4  # the integral's own error
    missed = np.mean((found["information_low"] > truth) | (found["information_high"] < truth))
    # 95% of 60, with three standard errors of such a count.
    assert missed <= 0.05 + 3 * np.sqrt(0.05 * 0.95 / 60)
    assert np.isnan(found["information_exact"]).all()
    assert (found["information_error"] > 0).all()
    assert (found["information_high"] <= np.log(count)).all()
    assert (found["information_low"] >= 0).all()


def test_under_noise_too_few_pairs_say_nothing():
    task = Task(height=8, width=8, box_size=2, noise="white", noise_level=0.5)
    targets = targets_of(task, 0)
    found = member_information.member_information(Lattice(task, 0), targets, targets[None] * 0.5, np.array([0.1]))
    assert np.isnan(found["information"]).all()
    assert np.isnan(found["information_error"]).all()
    assert (found["information_low"], found["information_high"]) == (0, np.log(7))


def test_bounds_are_those_of_the_formulas_and_nothing_where_a_member_diverged():
    count, spacing = places(CLEAN, 0)
    mse = np.array([0.0, 0.01 * spacing**2, 2 * spacing**2, 1e9, np.inf])
    found = member_information.bounds(Lattice(CLEAN, 0), mse)
    for name, function in (
        ("rate_distortion", information.rate_distortion),
        ("discrete_shannon", information.discrete_shannon_bound),
        ("dithered", information.dithered_bound),
        ("thread_bound", information.shannon_bound),
    ):
        np.testing.assert_array_equal(found[name][:4], function(mse[:4], count, spacing))
    assert [found[name][-1] for name in ("rate_distortion", "discrete_shannon", "dithered")] == [0, 0, 0]
    assert found["thread_bound"][-1] < 0


def test_the_lattice_is_that_of_the_targets():
    for axis, expected in ((0, 10), (1, 6)):
        count, spacing = places(CLEAN, axis)
        distinct = np.unique(targets_of(CLEAN, axis))
        assert (count, spacing) == (expected, pytest.approx(np.diff(distinct).mean()))
    assert places(Task(height=4, width=9, box_size=4), 1) == (1, 1.0)
