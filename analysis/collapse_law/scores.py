"""How good predicted rates of collapse are: distance from what was found, from a member's fate, and calibration."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from jaxbox.intervals.rates import wilson

BINS = (0.0, 0.05, 0.2, 0.4, 0.6, 0.8, 0.95, 1.0)
"""Edges of the predicted rates that are compared with what was found, finer where a rate is told best."""


@dataclass(frozen=True)
class Scores:
    """Of one predictor: mean absolute error of the rate; what of it chance alone would make if the predictions were
    exact; the Brier score (Monthly Weather Review 78, 1950) of a single member's fate, and the least that any
    predictor of a setting's rate could have had."""

    absolute_error: float
    chance_error: float
    brier: float
    least_brier: float


def scores(
    predicted: Float[np.ndarray, " settings"], lost: Int[np.ndarray, " settings"], members: Int[np.ndarray, " settings"]
) -> Scores:
    """Judge predicted rates by how many of each setting's members were lost.

    Raises:
        ValueError: no setting, or one without members.
    """
    if not len(predicted) or members.min() < 1:
        raise ValueError("settings are missing, or have no members; each must have one or more")
    found = lost / members
    return Scores(
        float(np.mean(np.abs(predicted - found))),
        float(np.mean([_chance_error(*pair) for pair in zip(predicted, members, strict=True)])),
        float(np.sum(members * (predicted - found) ** 2 + members * found * (1 - found)) / np.sum(members)),
        float(np.sum(members * found * (1 - found)) / np.sum(members)),
    )


def _chance_error(rate: float, members: int) -> float:
    """E|K/n - p| of a binomial K: 2 m (1 - p)^(n - m + 1) p^m C(n, m) / n, m = floor(n p) + 1 (de Moivre)."""
    from scipy.stats import binom

    least = int(np.floor(members * rate)) + 1
    return float(2 * rate * (1 - rate) * binom.pmf(least - 1, members - 1, rate)) if 0 < rate < 1 else 0.0


@dataclass(frozen=True)
class Bin:
    """The settings that were given a rate between two edges: their number, mean prediction, and rate found."""

    low: float
    high: float
    settings: int
    predicted: float
    found: float
    interval: tuple[float, float]


def calibration(
    predicted: Float[np.ndarray, " settings"], lost: Int[np.ndarray, " settings"], members: Int[np.ndarray, " settings"]
) -> list[Bin]:
    """Predicted against found, in `BINS`, those that are empty left out; a found rate has its 95% Wilson interval,
    which takes members for independent, and so is too narrow where settings of a bin differ."""
    place = np.clip(np.searchsorted(BINS, predicted, side="right") - 1, 0, len(BINS) - 2)
    found = []
    for number in np.unique(place).tolist():
        own = place == number
        rate = wilson(int(lost[own].sum()), int(members[own].sum()))
        mean = float(np.average(predicted[own], weights=members[own]))
        value, low, high = map(float, rate)
        found.append(Bin(BINS[number], BINS[number + 1], int(own.sum()), mean, value, (low, high)))
    return found
