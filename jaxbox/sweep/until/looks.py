"""When a sweep looks, and how sure it must be at each look, so that all looks together are wrong as seldom as one may.

The schedule is fixed before the first seed: people may look whenever they like, but what they see decides nothing.
"""

import math
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any

import numpy as np
from jaxtyping import Bool, Float
from scipy.optimize import brentq
from scipy.signal import fftconvolve
from scipy.special import ndtr, ndtri
from scipy.stats import binom

from jaxbox.intervals import Interval, clopper_pearson

TOGETHER = 8
"""Seeds are added in multiples of this."""
ERROR = 0.05
"""How often a decision may be wrong."""
GRID = 2001
"""Cells of the density of the normal walk between looks."""
REACH = 9.0
"""Standard deviations that it spans."""
RATES = np.unique(np.r_[np.geomspace(5e-4, 0.05, 40), np.linspace(0.05, 0.5, 60)])
"""Where the error of a width is computed; it is the same at 1 - rate."""


def geometric(first: int, ratio: float, most: int) -> tuple[int, ...]:
    """Numbers of seeds, each about `ratio` times the one before, in multiples of TOGETHER; the last is `most`."""
    found = [min(first, most)]
    while found[-1] < most:
        following = TOGETHER * math.ceil(max(found[-1] * ratio, found[-1] + 1) / TOGETHER)
        found.append(min(following, most))
    return tuple(found)


@lru_cache
def levels(looks: Sequence[int]) -> tuple[float, ...]:
    """The confidence of the interval at each look, such that all hold at once but with probability ERROR.

    Lan and DeMets (1983, Biometrika 70), with the spending function ERROR log(1 + (e - 1) t) that is like Pocock's, t
    the share of the last look's seeds: by look t so much of the error is spent. What of it is new is found from the
    density of a normal walk that has not crossed before, by the recursion of Armitage, McPherson and Rowe (1969, JRSS A
    132). Statistics with independent increments that are nearly normal follow it, whatever is estimated.
    """
    shares = np.array(looks) / looks[-1]
    spent = np.diff(ERROR * np.log1p((np.e - 1) * shares), prepend=0.0)
    # In units in which the walk's variance is the number of seeds over the last look's.
    found, density, grid, before = [], np.array([1.0]), np.array([0.0]), 0.0
    for share, new in zip(shares, spent, strict=True):
        step = math.sqrt(share - before)
        alive = float(density.sum())

        def crosses(boundary: float, density=density, grid=grid, step=step) -> float:
            tails = ndtr((-boundary - grid) / step) + ndtr((grid - boundary) / step)
            return float(density @ tails)

        boundary = _root(lambda b, new=new, c=crosses: c(b) - new, REACH * math.sqrt(share))
        found.append(float(2 * ndtr(boundary / math.sqrt(share)) - 1))
        following = boundary * (2 * (np.arange(GRID) + 0.5) / GRID - 1)
        kernel = np.exp(-(((following[:, None] - grid) / step) ** 2) / 2)
        density = kernel @ density
        density *= (alive - new) / density.sum()
        grid, before = following, share
    return tuple(found)


def _root(function: Callable[[float], float], most: float) -> float:
    found: Any = brentq(function, 0.0, most)
    return float(found)


def width_looks(half: float, most: int) -> tuple[int, ...]:
    """The looks of a rule that stops once a rate is known to within `half`.

    From the least seeds that could do, in tenths more, to as many as the rate 1/2 needs.
    """
    z = ndtri(1 - ERROR / 2)
    first = TOGETHER * math.ceil(math.log(2 / ERROR) / (2 * half) / TOGETHER)
    # The exact interval is longer than the normal one by about 1 / n, and its level is a little higher.
    last = TOGETHER * math.ceil(1.3 * (z / (2 * half)) ** 2 / TOGETHER)
    return geometric(first, 1.1, min(most, max(first, last)))


@lru_cache
def width_confidence(half: float, looks: Sequence[int]) -> float:
    """The confidence of the exact intervals at all looks, such that the rule stops at one that misses in ERROR.

    At most, whatever the rate is. One level for all looks, as Pocock's (1977, Biometrika 64); the error is counted
    where it falls, at the look at which the rule stops, by the recursion of `levels` with the binomial law itself. So
    a look at which nothing can stop costs nothing: a boundary that holds at every look would take 1.6 times the seeds.
    """
    low, high = 0.9, 0.995
    if _error(half, looks, low) <= ERROR:
        return low
    for _ in range(7):
        middle = 1 - math.sqrt((1 - low) * (1 - high))
        low, high = (low, middle) if _error(half, looks, middle) <= ERROR else (middle, high)
    return high


def _error(half: float, looks: Sequence[int], confidence: float) -> float:
    """The largest probability, over all rates, that the interval at which the rule stops misses the rate."""
    ends = [clopper_pearson(np.arange(n + 1), n, confidence) for n in looks]
    stops = [narrow(found, half) for found in ends]
    stops[-1] = np.ones_like(stops[-1])
    return max(_missed(rate, looks, ends, stops) for rate in RATES)


def _missed(
    rate: float, looks: Sequence[int], ends: Sequence[Interval], stops: Sequence[Bool[np.ndarray, " events"]]
) -> float:
    alive, before, missed = np.array([1.0]), 0, 0.0
    for n, found, stop in zip(looks, ends, stops, strict=True):
        added = n - before
        alive = np.maximum(0.0, fftconvolve(alive, binom.pmf(np.arange(added + 1), added, rate)))
        missed += float(alive[stop & ((rate < found.low) | (rate > found.high))].sum())
        alive, before = np.where(stop, 0.0, alive), n
    return missed


def narrow(found: Interval, half: float) -> Bool[np.ndarray, " ..."]:
    """Whether intervals are at most 2 `half` long."""
    length: Float[np.ndarray, " ..."] = found.high - found.low
    return length <= 2 * half
