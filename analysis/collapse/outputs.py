"""Outputs that are worth a look of their own: stuck at a value for some examples, or copies of another output."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from analysis.collapse import ranks
from analysis.collapse.places import CHANCE

if TYPE_CHECKING:
    from jaxtyping import Bool, Float


def fails_where_repeated(targets: Float[np.ndarray, " n"], predictions: Float[np.ndarray, " n"], value: float) -> bool:
    """Whether the pairs whose prediction is `value` are predicted worse than the rest.

    Not where most of their targets are one value too. Worse: the median squared error is over twice the rest's, and
    larger by more than chance, in their ranks. Under 5% of the rest, there is nothing to compare.
    """
    same = predictions == value
    if ranks.mode(targets[None, same]).share[0] > 0.5:
        return False
    if np.mean(same) > 0.95:
        return True
    errors = np.abs(predictions - targets)
    worse = np.median(errors[same]) > np.sqrt(2) * np.median(errors[~same])
    return bool(worse and ranks.above(errors[None], same[None])[0] > CHANCE)


def copies(predictions: Float[np.ndarray, "d n"], targets: Float[np.ndarray, "d n"]) -> list[int | None]:
    """For each coordinate the first one of which its output is an affine copy, but for float32 rounding; or None.

    Constant outputs are no copies, nor are those whose targets are such copies too.
    """
    some, truth = (_correlations(values) ** 2 > 1 - 1e-6 for values in (predictions, targets))
    able: Bool[np.ndarray, "d d"] = np.tril(some & ~truth, -1)
    return [
        next((int(other) for other in np.flatnonzero(row) if _is_copy(predictions[one], predictions[other])), None)
        for one, row in enumerate(able)
    ]


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
