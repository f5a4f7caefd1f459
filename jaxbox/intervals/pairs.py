"""Differences of two configurations at the same seeds, with intervals: of rates, and of interquartile means.

Members of one seed share their initial weights and batches, so that what a seed adds to both cancels.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from scipy.special import gammaln, ndtri, stdtrit, xlogy

from jaxbox.intervals.rates import Interval, mixture_weight, require_confidence

if TYPE_CHECKING:  # the signatures alone need it
    from jaxtyping import Bool, Float

HALVINGS = 40
"""Of an interval of length at most 2, whose ends are then right to 1e-12."""
THIRDS = 60
"""Steps of the search for the least of a convex function, each of which leaves two thirds."""
WORST = -1.0
"""An R2 under this counts as this: as far under the mean predictor as a perfect one is above it. So the scores are
bounded, and what has diverged, the worst of all, has a place among them."""


class Table(NamedTuple):
    """What became of the seeds of a pair: an event in the first only, in the second only, and how many seeds."""

    first: int
    second: int
    seeds: int

    @classmethod
    def of(cls, first: Bool[np.ndarray, " seeds"], second: Bool[np.ndarray, " seeds"]) -> Table:
        """Of the events of two configurations, seed by seed."""
        return cls(int((first & ~second).sum()), int((second & ~first).sum()), len(first))

    @property
    def difference(self) -> float:
        """The first's rate less the second's."""
        return (self.first - self.second) / self.seeds


def paired_rates(table: Table, confidence: float = 0.95) -> Interval:
    """The first's rate less the second's with Tango's score interval (1998, Stat. Med. 17), for fixed seeds.

    All differences d for which |first - second - n d| is at most z standard deviations, these with the rate of the
    seeds in which only the second has an event that is most likely given d. It is an interval from -1 to 1, and has
    a length where no seed differs, too.
    """
    z = ndtri((1 + require_confidence(confidence)) / 2)
    first, second, n = table

    def outside(difference: float) -> bool:
        b = (2 * n - first + second) * difference - first - second
        c = -second * difference * (1 - difference)
        likely = (np.sqrt(max(0.0, b * b - 8 * n * c)) - b) / (4 * n)
        variance = n * (2 * likely + difference * (1 - difference))
        return abs(first - second - n * difference) > z * np.sqrt(max(variance, 0.0))

    return _between(table.difference, outside)


def paired_rates_sequence(table: Table, confidence: float = 0.95, expected: float = 64) -> Interval:
    """The same with an interval that holds at every number of seeds at once.

    As `rate_sequence`, for the three outcomes of a seed: only the first, only the second, or no difference (Lindon and
    Malek 2022, NeurIPS 35): with the mixture Dirichlet(r p) the ratio

        log B(r p + counts) - log B(r p) - sum(counts log p)

    stays under log(1 / alpha) at the true p with probability `confidence`. The interval is all differences
    d = p1 - p2 of which some p is inside; the ratio is convex in p. `expected` as in `rate_sequence`.
    """
    alpha = 1 - require_confidence(confidence)
    weight = mixture_weight(expected, alpha)
    first, second, n = table
    counts = np.array([first, second, n - first - second], float)

    def outside(difference: float) -> bool:
        low, high = max(0.0, -difference), (1 - difference) / 2

        def of(rate: float) -> float:
            return _log_ratio(np.array([rate + difference, rate, 1 - 2 * rate - difference]), counts, weight)

        return _least(of, low, high) >= -np.log(alpha)

    return _between(table.difference, outside)


def paired_means(
    first: Float[np.ndarray, " seeds"], second: Float[np.ndarray, " seeds"], confidence: float = 0.95
) -> Interval:
    """The first's interquartile mean of R2 less the second's, with an interval for a fixed number of seeds.

    Yuen and Dixon (1973, Biometrika 60), for pairs: Student's t on the differences of the winsorised scores, with as
    many degrees of freedom as seeds are left, less one. R2 under WORST counts as WORST; see there.
    Under four seeds nothing is cut; with one, or two that are left, little is known: the interval says so.
    """
    value, error, kept = _trimmed(first, second)
    if kept < 2:
        return Interval(np.array(value), np.array(-np.inf), np.array(np.inf))
    half = float(stdtrit(kept - 1, (1 + require_confidence(confidence)) / 2)) * error
    return Interval(np.array(value), np.array(value - half), np.array(value + half))


def paired_means_sequence(
    first: Float[np.ndarray, " seeds"],
    second: Float[np.ndarray, " seeds"],
    confidence: float = 0.95,
    expected: float = 64,
) -> Interval:
    """The same with an interval for every number of seeds at once, where these are many: asymptotically.

    Waudby-Smith et al. (2024, Ann. Stat. 52), Theorem 2.2, with the standard error of `paired_means`:
    the half-width is error sqrt((1 + r / n) log((n + r) / (r alpha^2))), r chosen by `expected`.
    """
    alpha, n = 1 - require_confidence(confidence), len(first)
    value, error, kept = _trimmed(first, second)
    weight = mixture_weight(expected, alpha)
    half = np.inf if kept < 2 else error * np.sqrt((1 + weight / n) * np.log((n + weight) / (weight * alpha**2)))
    return Interval(np.array(value), np.array(value - half), np.array(value + half))


def _trimmed(first: np.ndarray, second: np.ndarray) -> tuple[float, float, int]:
    """(difference of interquartile means, its standard error, seeds that are left of each)."""
    n = len(first)
    cut = n // 4
    kept = n - 2 * cut
    means, winsorised = [], []
    for scores in (first, second):
        scores = np.where(np.isnan(scores), WORST, np.maximum(scores, WORST))
        ordered = np.sort(scores)
        means.append(ordered[cut : n - cut].mean())
        winsorised.append(np.clip(scores, ordered[cut], ordered[n - cut - 1]))
    spread = np.var(winsorised[0] - winsorised[1], ddof=1) if n > 1 else 0.0
    return float(means[0] - means[1]), float(np.sqrt((n - 1) * spread / max(1, kept * (kept - 1)))), kept


def _between(value: float, outside: Callable[[float], bool]) -> Interval:
    """The interval around `value` whose outside is outside, by bisection towards -1 and towards 1."""
    ends = []
    for end in (-1.0, 1.0):
        outer, inner = end, value
        if not outside(outer):
            inner = outer
        for _ in range(HALVINGS):
            middle = (outer + inner) / 2
            outer, inner = (middle, inner) if outside(middle) else (outer, middle)
        ends.append(inner)
    return Interval(np.array(value), np.array(ends[0]), np.array(ends[1]))


def _least(function: Callable[[float], float], low: float, high: float) -> float:
    """The least value of a convex function, by ternary search."""
    for _ in range(THIRDS):
        third = (high - low) / 3
        if function(low + third) < function(high - third):
            high -= third
        else:
            low += third
    return function((low + high) / 2)


def _log_ratio(rates: np.ndarray, counts: np.ndarray, weight: float) -> float:
    """Of the mixture's likelihood to that of these rates."""
    rates = np.maximum(rates, np.finfo(float).tiny)
    mixture = _log_beta(weight * rates + counts) - _log_beta(weight * rates)
    return float(mixture - xlogy(counts, rates).sum())


def _log_beta(values: np.ndarray) -> float:
    """The logarithm of the multivariate Beta function."""
    return float(gammaln(values).sum() - gammaln(values.sum()))
