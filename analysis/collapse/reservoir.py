"""A random subsample of at most 4,096 pairs, for what needs the pairs themselves: ranks, repeated values, information.

Which rows of n are in it follows from n alone. Every row draws a number, and those with the smallest stay: the same
rows whatever the blocks are (a reservoir; Vitter 1985, ACM TOMS 11, 37).
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from jaxtyping import Float, Int

# A share is known to .8 percent points, a median to 2% of the spread; one estimate of information takes 11 ms.
SAMPLE = 4_096


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
