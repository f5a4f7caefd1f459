"""How a comparison is decided: its difference with an interval, and what that says of the claim."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from analysis.claims.claim import Comparison
from analysis.claims.statistics import STATISTICS
from jaxbox import intervals
from jaxbox.intervals import Interval, Table
from jaxbox.sweep.until import Subject
from jaxbox.sweep.until.looks import TOGETHER

TRUE, FALSE = "true", "false"


@dataclasses.dataclass(frozen=True)
class Compared(Subject):
    """A comparison of a claim in a setting, as what a sweep is to decide."""

    placed: Any = None
    """Of `runs.Placed`."""


def difference(
    statistic: str, values: Sequence[np.ndarray], comparison: Comparison, confidence: float = 0.95
) -> Interval:
    """The first side's statistic less the second's, at the same seeds, or less the level.

    Shares of networks by Tango's interval, or Clopper and Pearson's where there is one side; else interquartile means
    by Yuen and Dixon's.

    Args:
        values: of one or two sides, seed by seed.
    """
    if STATISTICS[statistic].rate:
        if len(values) == 2:
            return intervals.paired_rates(Table.of(values[0].astype(bool), values[1].astype(bool)), confidence)
        found = intervals.clopper_pearson(values[0].astype(bool).sum(), len(values[0]), confidence)
    else:
        scores = [each.astype(float) for each in values]
        found = intervals.paired_means(
            scores[0], scores[1] if len(scores) == 2 else np.zeros(len(scores[0])), confidence
        )
    level = comparison.level if len(values) == 1 else 0.0
    return Interval(*(np.asarray(each) - level for each in found))


def value(statistic: str, values: np.ndarray) -> float:
    """The statistic of one side: the share, or the interquartile mean."""
    if STATISTICS[statistic].rate:
        return float(values.astype(bool).mean())
    return float(intervals.paired_means(values.astype(float), np.zeros(len(values))).value)


def answer(comparison: Comparison, margin: float, found: Interval) -> str:
    """Whether an interval of a difference settles a comparison: true, false, or empty if neither; see `Measured`."""
    low, high = float(found.low), float(found.high)
    if comparison.direction == "less":
        low, high = -high, -low
    if comparison.direction == "equal":
        if -margin < low and high < margin:
            return TRUE
        return FALSE if low > 0 or high < 0 else ""
    if high < margin:
        return FALSE
    return TRUE if low > 0 else ""


def seeds_to_decide(comparison: Comparison, margin: float, found: Interval, seeds: int) -> int | None:
    """How many seeds would decide it, were the difference as it was found; None where no number would.

    An interval is as long as the square root of the seeds is small, and has to get away from 0, or from the margin.
    """
    value, half = float(found.value), (float(found.high) - float(found.low)) / 2
    if comparison.direction == "less":
        value = -value
    away = margin - abs(value) if comparison.direction == "equal" else margin - value
    distance = max(away, abs(value) if comparison.direction == "equal" else value)
    if not math.isfinite(half) or distance <= 0:
        return None
    return TOGETHER * math.ceil(max(seeds + 1, seeds * (half / distance) ** 2) / TOGETHER)
