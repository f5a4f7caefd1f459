"""Pairs block by block: what is kept of them are a few numbers and a subsample."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from analysis.collapse.checks import pairs_of
from analysis.collapse.moments import Moments
from analysis.collapse.reservoir import Reservoir

if TYPE_CHECKING:
    from numpy.typing import ArrayLike


class Accumulator:
    """Pairs of d coordinates in blocks: what is kept is a few numbers and 4,096 pairs. Block sizes do not matter."""

    def __init__(self, names: tuple[str, str] = ("targets", "predictions")) -> None:
        self._names, self._reservoir = names, Reservoir()
        self.moments: Moments | None = None

    @property
    def count(self) -> int:
        """Pairs so far."""
        return self._reservoir.seen

    def update(self, targets: ArrayLike, predictions: ArrayLike) -> None:
        """Take some more pairs, (n,) or (n, d).

        Raises:
            ValueError: shapes that differ from each other or in d from before, or a number that is not finite.
        """
        some, others = pairs_of(self._names, targets, predictions, self.count)
        if self.moments is not None and some.shape[1] != len(self.moments.products):
            raise ValueError(f"{self._names[0]} has {some.shape[1]} columns; it must have {len(self.moments.products)}")
        if not len(some):
            return
        block = Moments.of(np.ascontiguousarray(some.T), np.ascontiguousarray(others.T))
        self.moments = block if self.moments is None else self.moments.merge(block)
        self._reservoir.update(np.hstack([some, others]))

    @property
    def sample(self) -> tuple[np.ndarray, np.ndarray]:
        """Targets and predictions (d, n) of the subsample."""
        some, others = np.hsplit(self._reservoir.rows, 2)
        return np.ascontiguousarray(some.T), np.ascontiguousarray(others.T)
