"""Rates with intervals: at a number of trials that is fixed in advance, or at every number at once."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from scipy.special import betaincinv, betaln, lambertw, ndtri, xlog1py, xlogy

if TYPE_CHECKING:  # the signatures alone need it, and `analysis.diagnose` is to run on NumPy and SciPy
    from jaxtyping import Float
    from numpy.typing import ArrayLike

# Halvings of an interval of length at most 1: the ends of a sequence are right to the last digit of 1.
HALVINGS = 53


class Interval(NamedTuple):
    """An estimate and the ends of its confidence interval, three arrays of one shape."""

    value: Float[np.ndarray, "*shape"]
    low: Float[np.ndarray, "*shape"]
    high: Float[np.ndarray, "*shape"]


def wilson(events: ArrayLike, trials: ArrayLike, confidence: float = 0.95) -> Interval:
    """Rates events / trials with Wilson's score interval (1927, JASA 22), for numbers of trials fixed in advance.

    `events` and `trials` broadcast. A diverged member is a trial like any other: the caller says if it is an event.

    Raises:
        ValueError: counts not whole, `trials` under 1, `events` outside 0 to trials, confidence outside (0, 1).
    """
    z = ndtri((1 + require_confidence(confidence)) / 2)
    events, trials = _counts("events", events, trials)
    centre = (events + z**2 / 2) / (trials + z**2)
    half = z / (trials + z**2) * np.sqrt(events * (trials - events) / trials + z**2 / 4)
    # Without an event, and with nothing but events, an end is 0 or 1, which rounding would miss.
    low = np.where(events == 0, 0.0, centre - half)
    return Interval(events / trials, low, np.where(events == trials, 1.0, centre + half))


def clopper_pearson(events: ArrayLike, trials: ArrayLike, confidence: float = 0.95) -> Interval:
    """Rates with Clopper and Pearson's exact interval (1934, Biometrika 26), for numbers of trials fixed in advance.

    It misses the rate with probability (1 - confidence) / 2 at most on each side, whatever the rate is. Arguments and
    errors as `wilson`.
    """
    tail = (1 - require_confidence(confidence)) / 2
    events, trials = _counts("events", events, trials)
    # The Beta distribution of an end without event, or with nothing but events, has no mass; the end is 0 or 1.
    low = betaincinv(np.maximum(events, 0.5), trials - events + 1, tail)
    high = betaincinv(events + 1, np.maximum(trials - events, 0.5), 1 - tail)
    return Interval(events / trials, np.where(events == 0, 0.0, low), np.where(events == trials, 1.0, high))


def rate_sequence(successes: ArrayLike, trials: ArrayLike, confidence: float = 0.95, expected: float = 64) -> Interval:
    """Rates with an interval that holds at every number of trials at once: look, and stop, whenever you like.

    Where the rate is p, the likelihood ratio of a mixture over rates q ~ Beta(a, b) to p itself is a martingale from 1,
    so with probability `confidence` it never reaches 1 / alpha, alpha = 1 - confidence (Ville 1939; Robbins 1970,
    Ann. Math. Stat. 41). The interval is all p, with s successes and f failures, that

        log Beta(a + s, b + f) - log Beta(a, b) - s log p - f log(1 - p) < log(1 / alpha).

    As in Howard et al. (2021, Ann. Stat. 49) the mixture is centred at p: a = r p, b = r (1 - p). Its logarithm is
    convex in p, a sum of log(r + i / p) and log(r + j / (1 - p)), and at most 0 at p = s / n: an interval. All r > 0
    are valid; r = expected / (-1 - W(-alpha^2 / e)), W the lower branch of Lambert's function, some .12 `expected` at
    95%, makes the normal approximation's width smallest at `expected` trials.

    `successes` and `trials` broadcast. `expected`: trials, to be chosen before the first look. A diverged member is a
    trial like any other: the caller says whether it is a success.

    Raises:
        ValueError: as `wilson`; `expected` not positive and finite.
    """
    alpha = 1 - require_confidence(confidence)
    successes, trials = _counts("successes", successes, trials)
    if not 0 < expected < np.inf:
        raise ValueError(f"expected is {expected}; it must be positive and finite")
    weight = mixture_weight(expected, alpha)
    rate = successes / trials
    low, high = (_end(outside, successes, trials, weight, -np.log(alpha)) for outside in (0.0, 1.0))
    return Interval(rate, low, high)


def mixture_weight(expected: float, alpha: float) -> float:
    """The r of a mixture that is tightest at `expected` trials, as in `rate_sequence`."""
    return float(expected / (-1 - lambertw(-(alpha**2) / np.e, -1).real))


def running(found: Interval) -> Interval:
    """What a sequence of intervals, along the last axis, leaves at each place: the overlap of all up to there.

    Where all of them hold at once, as those of `rate_sequence` do, the truth is in their overlap.
    """
    low, high = np.maximum.accumulate(found.low, -1), np.minimum.accumulate(found.high, -1)
    return Interval(found.value, low, high)


def _end(outside: float, successes: np.ndarray, trials: np.ndarray, weight: float, limit: float) -> np.ndarray:
    """One end of a sequence's interval, by bisection between `outside`, 0 or 1, and the rate, which is inside."""
    outer, inner = np.full(trials.shape, outside), successes / trials
    for _ in range(HALVINGS):
        middle = (outer + inner) / 2
        inside = _log_ratio(middle, successes, trials - successes, weight) < limit
        outer, inner = np.where(inside, outer, middle), np.where(inside, middle, inner)
    return outer


def _log_ratio(rate: np.ndarray, successes: np.ndarray, failures: np.ndarray, weight: float) -> np.ndarray:
    # At 0 and 1, where only an interval without length asks, Beta is infinite: any rate next to them does.
    rate = np.clip(rate, np.finfo(float).tiny, 1 - np.finfo(float).epsneg)
    a, b = weight * rate, weight * (1 - rate)
    mixture = betaln(a + successes, b + failures) - betaln(a, b)
    return mixture - xlogy(successes, rate) - xlog1py(failures, -rate)


def _counts(name: str, events: ArrayLike, trials: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
    some, of = np.broadcast_arrays(np.asarray(events, float), np.asarray(trials, float))
    for label, wrong, values, allowed in (
        ("trials", ~((of >= 1) & (of == np.floor(of)) & np.isfinite(of)), of, "a whole number of at least 1"),
        (name, ~((some >= 0) & (some <= of) & (some == np.floor(some))), some, "a whole number from 0 to trials"),
    ):
        if wrong.any():
            raise ValueError(f"{label} is {values[wrong].flat[0]:g}; it must be {allowed}")
    return some, of


def require_confidence(confidence: float) -> float:
    """The confidence, or ValueError where it is none."""
    if not 0 < confidence < 1:
        raise ValueError(f"confidence is {confidence}; it must be between 0 and 1")
    return confidence
