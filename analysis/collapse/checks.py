"""What is no array of pairs is refused: the argument's name, the value, and what is allowed."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from jaxtyping import Float
    from numpy.typing import ArrayLike

LARGEST = 1e150
"""The squares of larger numbers, and sums of them, may not be finite in float64."""


def numbers(name: str, values: ArrayLike) -> np.ndarray:
    """An array of real numbers, of whatever precision it has."""
    try:
        result = np.asarray(values)
    except ValueError:  # rows of different lengths
        raise ValueError(f"{name} has rows of different lengths; it must be numbers (n,) or (n, d)") from None
    if result.dtype == object:
        with contextlib.suppress(TypeError, ValueError):
            result = result.astype(float)
    if result.dtype.kind not in "fiub":
        raise ValueError(f"{name} is of type {result.dtype}; it must be real numbers")
    if result.ndim not in (1, 2) or (result.ndim == 2 and result.shape[1] == 0):
        raise ValueError(f"{name} has shape {result.shape}; it must be (n,) or (n, d)")
    return result


def pairs_of(
    names: tuple[str, str], targets: ArrayLike, predictions: ArrayLike, start: int
) -> tuple[Float[np.ndarray, "n d"], Float[np.ndarray, "n d"]]:
    """Targets and predictions as float64, (n, d) both; `start` is the number of the first row, for the message."""
    both = [numbers(name, values) for name, values in zip(names, (targets, predictions), strict=True)]
    same_shape(names, *both)
    some, others = (np.atleast_2d(np.asarray(values, float).T).T for values in both)
    for name, values in zip(names, (some, others), strict=True):
        wrong = np.argwhere(~(np.abs(values) <= LARGEST))
        if len(wrong):
            row, column = wrong[0]
            found = f"{values[row, column]} in row {row + start} (from 0), coordinate {column}"
            raise ValueError(f"{name} is {found}; it must be finite and within {LARGEST:g}")
    return some, others


def same_shape(names: tuple[str, str], some: np.ndarray, others: np.ndarray) -> None:
    """Refuse arrays of other lengths or widths; (n,) and (n, 1) are the same."""
    if len(some) != len(others) or some[:1].size != others[:1].size:
        raise ValueError(f"{names[1]} has shape {others.shape}; it must be that of {names[0]}, {some.shape}")


def best_possible(bayes_r2: ArrayLike | None, count: int) -> Float[np.ndarray, " d"]:
    """The best R2 of each coordinate or member, NaN where it is not known."""
    if bayes_r2 is None:
        return np.full(count, np.nan)
    try:
        result = np.asarray(bayes_r2, float)
    except (TypeError, ValueError):
        raise ValueError(f"bayes_r2 is {bayes_r2!r}; it must be one number or {count}") from None
    if result.shape not in ((), (count,)):
        raise ValueError(f"bayes_r2 has shape {result.shape}; it must be one number or {count}")
    if (result > 1).any():
        raise ValueError(f"bayes_r2 is {result.max():g}; it must be at most 1")
    return np.broadcast_to(result, count).astype(float)
