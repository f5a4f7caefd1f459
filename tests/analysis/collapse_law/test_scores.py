"""Scores against enumeration and simulation."""

import numpy as np
import pytest
from scipy.stats import binom

from analysis.collapse_law.scores import BINS, calibration, scores


@pytest.mark.parametrize("rate", [0.0, 0.02, 0.25, 0.5, 0.9, 1.0])
def test_the_error_of_chance_is_that_of_every_outcome_weighed(rate):
    members = 7
    counts = np.arange(members + 1)
    expected = np.sum(binom.pmf(counts, members, rate) * np.abs(counts / members - rate))
    found = scores(np.array([rate]), np.array([3]), np.array([members]))
    assert found.chance_error == pytest.approx(expected, abs=1e-12)


def test_brier_is_the_mean_over_single_members():
    predicted, lost, members = np.array([0.2, 0.7]), np.array([1, 3]), np.array([4, 5])
    fates = [1, 0, 0, 0, 1, 1, 1, 0, 0]
    said = np.repeat(predicted, members)
    found = scores(predicted, lost, members)
    assert found.brier == pytest.approx(np.mean((said - fates) ** 2))
    best = np.repeat(lost / members, members)
    assert found.least_brier == pytest.approx(np.mean((best - fates) ** 2))
    assert found.absolute_error == pytest.approx((abs(0.2 - 0.25) + abs(0.7 - 0.6)) / 2)


def test_calibration_puts_each_setting_into_one_bin():
    predicted = np.array([0.0, 0.01, 0.05, 0.5, 1.0])
    lost, members = np.array([0, 1, 2, 5, 10]), np.full(5, 10)
    bins = calibration(predicted, lost, members)
    assert [each.settings for each in bins] == [2, 1, 1, 1]
    assert [each.low for each in bins] == [BINS[0], BINS[1], BINS[3], BINS[-2]]
    assert bins[0].found == pytest.approx(1 / 20)
    assert bins[0].predicted == pytest.approx(0.005)
    assert bins[0].interval[0] < 1 / 20 < bins[0].interval[1]


def test_no_setting_is_refused():
    with pytest.raises(ValueError, match="settings are missing"):
        scores(np.array([]), np.array([], int), np.array([], int))
