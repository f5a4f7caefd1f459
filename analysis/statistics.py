"""Numbers over seeds, each with its interval: rates, medians, interquartile means, differences, profiles.

Scores are arrays (configurations..., seeds), in any unit in which more is better; seed s is the same in every
configuration. **A diverged member is -inf or NaN, which mean the same: below every finite score, never averaged in.**
Each function says what that does to its result. NumPy and SciPy only: no run, no JAX.

Intervals: Wilson (1927) for a rate at a fixed number of seeds; `rate_sequence` where people look again and again; the
percentile bootstrap (Efron 1979) for everything over seeds, because BCa is undefined on ties, and many scores are ties.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Literal

import numpy as np
from scipy.stats import trim_mean

from jaxbox.intervals.rates import Interval, require_confidence
from jaxbox.intervals.rates import rate_sequence as rate_sequence  # with what it is beside, for whoever analyses
from jaxbox.intervals.rates import wilson as wilson

if TYPE_CHECKING:  # the signatures alone need it, and `diagnose` is to run on NumPy and SciPy
    from jaxtyping import Float, Int, Shaped
    from numpy.typing import ArrayLike

# So many numbers are resampled at a time, 32 MB: more configurations take longer, not more memory.
BATCH = 4_000_000


def quantile(scores: Shaped[np.ndarray, "*shape seeds"], probability: float) -> Float[np.ndarray, "*shape"]:
    """The quantile over seeds, linear between order statistics (type 7 of Hyndman and Fan 1996, NumPy's own).

    Diverged members rank lowest, and between -inf and a finite score is -inf.

    Raises:
        ValueError: `scores` without a seed, or with +inf; `probability` outside 0 to 1.
    """
    ordered = np.sort(_scores("scores", scores), axis=-1)
    if not 0 <= probability <= 1:
        raise ValueError(f"probability is {probability}; it must be from 0 to 1")
    # .29 of 100 is 29, not a rounding less, which would be next to what diverged.
    return _between(ordered, round(probability * (ordered.shape[-1] - 1), 9))


def median(
    scores: Shaped[np.ndarray, "*shape seeds"], confidence: float = 0.95, resamples: int = 2_000, seed: int = 0
) -> Interval:
    """The median over seeds with its percentile bootstrap interval (Efron 1979, Ann. Stat. 7), in the scores' unit.

    The same resampled seeds serve every configuration: which are computed together matters to rounding alone.
    Diverged members rank lowest, in resamples too: value and ends are -inf where they, or one of the two in the middle,
    diverged. One seed says nothing of the spread: from -inf to inf. Under some ten seeds the interval is too narrow.

    Raises:
        ValueError: `scores` without a seed, or with +inf; confidence outside (0, 1); `resamples` too few to place the
            ends, 2 / (1 - confidence) at least; a `seed` that is not a whole number from 0.
    """
    return _over_seeds(_median, _scores("scores", scores), confidence, resamples, seed)


def interquartile_mean(
    scores: Shaped[np.ndarray, "*shape seeds"], confidence: float = 0.95, resamples: int = 2_000, seed: int = 0
) -> Interval:
    """The mean of the middle half: of n seeds, floor(n / 4) are cut from each end (Agarwal et al. 2021, NeurIPS).

    Diverged members are among the lowest: those that are cut do nothing, and with one in the middle half the mean is
    -inf, in resamples too. Interval, one seed and errors as `median`.
    """
    return _over_seeds(_interquartile_mean, _scores("scores", scores), confidence, resamples, seed)


def _median(scores: Float[np.ndarray, "*shape seeds"]) -> Float[np.ndarray, "*shape"]:
    return _between(np.sort(scores, axis=-1), (scores.shape[-1] - 1) / 2)


def _interquartile_mean(scores: Float[np.ndarray, "*shape seeds"]) -> Float[np.ndarray, "*shape"]:
    return np.asarray(trim_mean(scores, 0.25, axis=-1))


STATISTICS = {"median": _median, "interquartile_mean": _interquartile_mean}


def paired_difference(
    first: Shaped[np.ndarray, "*shape seeds"],
    second: Shaped[np.ndarray, "*shape seeds"],
    statistic: Literal["median", "interquartile_mean"] = "interquartile_mean",
    confidence: float = 0.95,
    resamples: int = 2_000,
    seed: int = 0,
) -> Interval:
    """The first configuration's statistic less the second's, at the same seeds, which are resampled jointly.

    What a seed adds to both cancels in every resample. Where diverged members make the first statistic -inf and not
    the second, the difference is -inf; the other way round inf; where both are, they are equal: 0. Interval, one seed
    and errors as `median`, and:

    Raises:
        ValueError: shapes that differ; a `statistic` of another name.
    """
    both = _scores("first", first), _scores("second", second)
    if both[0].shape != both[1].shape:
        raise ValueError(f"second has shape {both[1].shape}; it must be the first's, {both[0].shape}")
    if statistic not in STATISTICS:
        raise ValueError(f"statistic is {statistic}; it must be one of {', '.join(STATISTICS)}")

    def difference(pair: np.ndarray) -> np.ndarray:
        some, other = STATISTICS[statistic](pair)
        return np.subtract(some, other, out=np.zeros(np.shape(some)), where=np.not_equal(some, other))

    return _over_seeds(difference, np.stack(both), confidence, resamples, seed)


def probability_of_improvement(
    first: Shaped[np.ndarray, "*shape n"],
    second: Shaped[np.ndarray, "*shape m"],
    paired: bool = True,
    confidence: float = 0.95,
    resamples: int = 2_000,
    seed: int = 0,
) -> Interval:
    """How often a seed of the first beats a seed of the second, ties one half: U / (n m) of Mann and Whitney (1947).

    As in Agarwal et al. (2021) all n m pairs count. `paired`: entry i of both is the same seed, resampled jointly;
    otherwise each is resampled alone, and n may differ from m. A diverged member loses to every finite score and ties
    with another diverged one. One seed says nothing of the spread: 0 to 1. Interval and errors as `median`, and:

    Raises:
        ValueError: leading shapes that differ; numbers of seeds that differ although `paired`.
    """
    some, other = _scores("first", first), _scores("second", second)
    n, m = some.shape[-1], other.shape[-1]
    if some.shape[:-1] != other.shape[:-1] or (paired and n != m):
        allowed = some.shape if paired else (*some.shape[:-1], "any")
        raise ValueError(f"second has shape {other.shape}; it must be {allowed}" + " when paired" * paired)
    some, other = some[..., :, None], other[..., None, :]
    wins = (some > other) + 0.5 * (some == other)

    def draw(randoms: list[np.random.Generator], count: int) -> np.ndarray:
        times = _times(randoms[0], n, count)
        others = times if paired else _times(randoms[1], m, count)
        return ((wins @ others.T) * times.T).sum(-2) / (n * m)

    result = _percentile(wins.mean((-2, -1)), draw, wins.size, confidence, resamples, seed)
    return result if min(n, m) > 1 else Interval(result.value, np.zeros(wins.shape[:-2]), np.ones(wins.shape[:-2]))


def performance_profile(
    scores: Shaped[np.ndarray, "*shape seeds"], thresholds: Float[np.ndarray, " T"], confidence: float = 0.95
) -> Interval:
    """The share of seeds with a score above each threshold, (*shape, T), with a band that holds at all of them at once.

    The band is the share plus and minus sqrt(log(2 / alpha) / (2 n)), alpha = 1 - confidence: Dvoretzky, Kiefer and
    Wolfowitz (1956, Ann. Math. Stat. 27) with Massart's constant (1990, Ann. Prob. 18); valid at every n and for
    every law, ties included; for each configuration by itself. Diverged members are above no threshold. `thresholds`
    in the scores' unit.

    Raises:
        ValueError: `scores` without a seed, or with +inf; `thresholds` not one row of finite numbers; confidence
            outside (0, 1).
    """
    scores, thresholds = _scores("scores", scores), np.asarray(thresholds, float)
    if thresholds.ndim != 1 or not np.isfinite(thresholds).all():
        raise ValueError(f"thresholds is {thresholds.tolist()}; it must be one row of finite numbers")
    share = (scores[..., None] > thresholds).mean(-2)
    half = np.sqrt(np.log(2 / (1 - require_confidence(confidence))) / (2 * scores.shape[-1]))
    return Interval(share, np.maximum(share - half, 0.0), np.minimum(share + half, 1.0))


def _between(ordered: Float[np.ndarray, "*shape seeds"], place: float) -> Float[np.ndarray, "*shape"]:
    """The value at a place, from 0, between order statistics; -inf next to -inf, where NumPy's would be NaN."""
    below, above = ordered[..., int(np.floor(place))], ordered[..., int(np.ceil(place))]
    rise = np.subtract(above, below, out=np.zeros(below.shape), where=below > -np.inf)
    return below + (place % 1) * rise


def _over_seeds(
    statistic: Callable[[np.ndarray], np.ndarray], scores: np.ndarray, confidence: float, resamples: int, seed: int
) -> Interval:
    """A statistic (..., seeds) -> (...) and its bootstrap interval, the same resampled seeds in all of `scores`."""
    seeds = scores.shape[-1]

    def draw(randoms: list[np.random.Generator], count: int) -> np.ndarray:
        return statistic(scores[..., randoms[0].integers(seeds, size=(count, seeds))])

    value = statistic(scores)
    result = _percentile(value, draw, scores.size, confidence, resamples, seed)
    return result if seeds > 1 else Interval(value, np.full(value.shape, -np.inf), np.full(value.shape, np.inf))


def _percentile(
    value: np.ndarray,
    draw: Callable[[list[np.random.Generator], int], np.ndarray],
    size: int,
    confidence: float,
    resamples: int,
    seed: int,
) -> Interval:
    """Leaves out (1 - confidence) / 2 of the draws on each side; a draw takes `size` numbers and comes in batches.

    The ends are draws themselves, the outer neighbours: nothing is interpolated, so -inf stays what it is.
    """
    if not isinstance(seed, int | np.integer) or seed < 0:
        raise ValueError(f"seed is {seed}; it must be a whole number from 0")
    least = int(np.ceil(2 / (1 - require_confidence(confidence)) - 1e-9))
    if not isinstance(resamples, int | np.integer) or resamples < least:
        raise ValueError(f"resamples is {resamples}; it must be a whole number of at least {least}")
    # Each kind of draw has a generator of its own, so that the size of the batches changes nothing.
    randoms, batch = np.random.default_rng(seed).spawn(2), max(1, BATCH // max(1, size))
    counts = [min(batch, resamples - start) for start in range(0, resamples, batch)]
    draws = np.concatenate([draw(randoms, count) for count in counts], axis=-1)
    low = np.quantile(draws, (1 - confidence) / 2, axis=-1, method="lower")
    return Interval(value, low, np.quantile(draws, (1 + confidence) / 2, axis=-1, method="higher"))


def _times(random: np.random.Generator, seeds: int, count: int) -> Int[np.ndarray, "count seeds"]:
    """How often each seed is in each of `count` resamples."""
    return random.multinomial(seeds, np.full(seeds, 1 / seeds), size=count)


def _scores(name: str, values: ArrayLike) -> Float[np.ndarray, "*shape seeds"]:
    scores = np.asarray(values, float)
    if scores.ndim == 0 or scores.shape[-1] == 0:
        raise ValueError(f"{name} has shape {scores.shape}; its last axis must be the seeds, at least 1")
    if np.isposinf(scores).any():
        raise ValueError(f"{name} has inf in it; it must be finite, or -inf or NaN where a member diverged")
    return np.where(np.isnan(scores), -np.inf, scores)
