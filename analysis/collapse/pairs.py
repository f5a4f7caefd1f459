"""What needs the pairs themselves: ranks, repeated values, information. On a random subsample of at most 4,096.

Which rows of n are in the subsample follows from n alone. Every row draws a number, and those with the smallest stay:
the same rows whatever the blocks are (a reservoir; Vitter 1985, ACM TOMS 11, 37).
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from scipy.special import ndtri

from analysis.neighbours import kraskov

if TYPE_CHECKING:
    from jaxtyping import Bool, Float, Int

# A share is known to .8 percent points, a median to 2% of the spread; one estimate of information takes 11 ms.
SAMPLE = 4_096
# Independent pairs behind the null level of information: its spread is known to 7%.
SHUFFLES = 100


class Reservoir:
    """The subsample of all rows so far, each a target and a prediction per coordinate."""

    def __init__(self) -> None:
        self._random = np.random.default_rng(0)
        self.seen = 0
        self._keys = np.empty(0)
        self._numbers = np.empty(0, int)
        self._rows: Float[np.ndarray, "n 2d"] | None = None

    def update(self, rows: Float[np.ndarray, "n 2d"]) -> None:
        """Draw a number for each of some more rows and keep those with the smallest, in their order."""
        keys, numbers = self._random.random(len(rows)), np.arange(self.seen, self.seen + len(rows))
        self.seen += len(rows)
        able = slice(None) if len(self._keys) < SAMPLE else keys < self._keys.max()
        before = rows[:0] if self._rows is None else self._rows
        keys, numbers = np.append(self._keys, keys[able]), np.append(self._numbers, numbers[able])
        kept = np.sort(np.argsort(keys, kind="stable")[:SAMPLE])
        self._keys, self._numbers = keys[kept], numbers[kept]
        self._rows = np.concatenate([before, rows[able]])[kept]

    @property
    def rows(self) -> Float[np.ndarray, "n 2d"]:
        """What is kept."""
        return np.empty((0, 0)) if self._rows is None else self._rows

    @property
    def numbers(self) -> Int[np.ndarray, " n"]:
        """Which rows these are, counted from 0."""
        return self._numbers


@lru_cache(maxsize=16)
def sampled(count: int) -> Int[np.ndarray, " n"]:
    """Which of `count` rows a reservoir keeps."""
    reservoir = Reservoir()
    reservoir.update(np.empty((count, 0)))
    return reservoir.numbers


class Runs(NamedTuple):
    """Along the last axis, in ascending order: the order, the sorted values, and where each run of equals is."""

    order: Int[np.ndarray, "d n"]
    values: Float[np.ndarray, "d n"]
    first: Int[np.ndarray, "d n"]
    last: Int[np.ndarray, "d n"]


def runs(values: Float[np.ndarray, "d n"]) -> Runs:
    """Sort, and find the runs of equal values."""
    order = np.argsort(values, axis=-1, kind="stable")
    ordered = np.take_along_axis(values, order, -1)
    places = np.arange(values.shape[-1])
    new = ordered[..., 1:] != ordered[..., :-1]
    edge = np.ones((*values.shape[:-1], 1), bool)
    first = np.maximum.accumulate(np.where(np.concatenate([edge, new], -1), places, 0), -1)
    ends = np.where(np.concatenate([new, edge], -1), places, places[-1])
    return Runs(order, ordered, first, np.minimum.accumulate(ends[..., ::-1], -1)[..., ::-1])


def ranks(values: Float[np.ndarray, "d n"]) -> Float[np.ndarray, "d n"]:
    """From 0 along the last axis; equal values share the mean of their ranks."""
    found = runs(values)
    result = np.empty(values.shape)
    np.put_along_axis(result, found.order, (found.first + found.last) / 2, -1)
    return result


def rank_correlation(
    targets: Float[np.ndarray, "#d n"], predictions: Float[np.ndarray, "d n"]
) -> Float[np.ndarray, " d"]:
    """Spearman's; 0 where the predictions are constant."""
    some, others = (ranks(values) - (values.shape[-1] - 1) / 2 for values in (targets, predictions))
    scale = np.sqrt(np.vecdot(some, some) * np.vecdot(others, others))
    return np.divide(np.vecdot(some, others), scale, out=np.zeros_like(scale), where=scale > 0)


class Mode(NamedTuple):
    """The most frequent value, its share of all, and the share that each of the other values has on average."""

    value: Float[np.ndarray, " d"]
    share: Float[np.ndarray, " d"]
    others: Float[np.ndarray, " d"]


def mode(values: Float[np.ndarray, "d n"]) -> Mode:
    """Of each coordinate; `others` is 0 where there are none."""
    found, count = runs(values), values.shape[-1]
    length = found.last - found.first + 1
    place, distinct = length.argmax(-1)[:, None], (found.first == np.arange(count)).sum(-1)
    most = np.take_along_axis(length, place, -1)[:, 0]
    value = np.take_along_axis(found.values, place, -1)[:, 0]
    return Mode(value, most / count, (count - most) / np.maximum(distinct - 1, 1) / count)


def information(targets: Float[np.ndarray, " n"], predictions: Float[np.ndarray, " n"]) -> float:
    """I(Y;Yhat) in nats, of the ranks: 0 if either side is constant, not clipped at 0.

    A strictly rising map of Y or of Yhat changes no information, so each side becomes normal scores, which heavy tails
    do not disturb. Ties are broken at random: that is noise narrower than the gap to the next value, from which Y can
    still be read off, so again I is the same. Needs pairs exponential in I: above some 5 nats it is too low.
    """
    if np.ptp(targets) == 0 or np.ptp(predictions) == 0:
        return 0.0
    random = np.random.default_rng(0)
    some, others = (_scores(values, random) for values in (targets, predictions))
    return kraskov(some, others, min(3, len(some) - 1))


@lru_cache(maxsize=16)
def information_level(count: int) -> float:
    """What `information` of independent pairs stays under, but for some 5 in 10,000: mean + 3.29 deviations.

    Ranks without ties are a random order whatever the laws of Y and Yhat, so one level holds for all pairs of a number.
    """
    random, some = np.random.default_rng(1), _scores(np.arange(count), np.random.default_rng(0))
    found = [kraskov(some, random.permutation(some), min(3, count - 1)) for _ in range(SHUFFLES)]
    return float(np.mean(found) + 3.29 * np.std(found))


def _scores(values: Float[np.ndarray, " n"], random: np.random.Generator) -> Float[np.ndarray, "n 1"]:
    order = np.lexsort((random.random(len(values)), values))
    scores = np.empty((len(values), 1))
    scores[order, 0] = ndtri((np.arange(len(values)) + 0.5) / len(values))
    return scores


def fails_where_repeated(targets: Float[np.ndarray, " n"], predictions: Float[np.ndarray, " n"], value: float) -> bool:
    """Whether the pairs whose prediction is `value` are predicted worse than the rest.

    Not where most of their targets are one value too. Worse: the median squared error is over twice the rest's, and
    larger by the rank test of Mann and Whitney (1947) at 99.95%. Under 5% of the rest, there is nothing to compare.
    """
    same = predictions == value
    if mode(targets[None, same]).share[0] > 0.5:
        return False
    if np.mean(same) > 0.95:
        return True
    errors = np.abs(predictions - targets)
    n, m = same.sum(), (~same).sum()
    above = ranks(errors[None])[0][same].mean() - (n + m - 1) / 2
    worse = np.median(errors[same]) > np.sqrt(2) * np.median(errors[~same])
    return bool(worse and above > 3.29 * np.sqrt(m * (n + m + 1) / (12 * n)))


def copies(predictions: Float[np.ndarray, "d n"], targets: Float[np.ndarray, "d n"]) -> list[int | None]:
    """For each coordinate the first one of which its output is an affine copy, but for float32 rounding; or None.

    Constant outputs are no copies, nor are those whose targets are such copies too.
    """
    some, truth = (_correlations(values) ** 2 > 1 - 1e-6 for values in (predictions, targets))
    able: Bool[np.ndarray, "d d"] = np.tril(some & ~truth, -1)
    first = [next((int(j) for j in np.flatnonzero(row) if _is_copy(predictions[i], predictions[j])), None)
             for i, row in enumerate(able)]  # fmt: skip
    return first


def _correlations(values: Float[np.ndarray, "d n"]) -> Float[np.ndarray, "d d"]:
    centred = values - values.mean(-1, keepdims=True)
    norm = np.sqrt(np.vecdot(centred, centred))[:, None]
    unit = np.divide(centred, norm, out=np.zeros_like(centred), where=norm > 0)
    return unit @ unit.T


def _is_copy(some: Float[np.ndarray, " n"], other: Float[np.ndarray, " n"]) -> bool:
    a, b = some - some.mean(), other - other.mean()
    slope = a @ b / (b @ b)
    rounding = float32_spacing(np.abs(some).max()) + abs(slope) * float32_spacing(np.abs(other).max())
    return bool(np.std(a - slope * b) <= rounding)


def float32_spacing(values: Float[np.ndarray, "*shape"] | float) -> Float[np.ndarray, "*shape"]:
    """The distance from a number to float32's next larger one, of the numbers that float32 has."""
    limit = np.finfo(np.float32).max / 2
    return np.spacing(np.minimum(np.abs(values), limit).astype(np.float32)).astype(float)
