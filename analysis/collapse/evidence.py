"""What the rules decide by, the same whether pairs came as arrays, as a stream, or as many members at once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from jaxtyping import Float

    from analysis.collapse.moments import Moments
    from analysis.collapse.places import Reference


class Errors(NamedTuple):
    """Squared errors on some pairs: their mean, its standard error, and the R2 there; (d,) each."""

    mse: Float[np.ndarray, " d"]
    standard_error: Float[np.ndarray, " d"]
    r2: Float[np.ndarray, " d"]


@dataclass(frozen=True)
class Evidence:
    """Of d coordinates, or d members: all pairs' moments, a subsample of pairs, and what is known beside them.

    `targets` has one row where all members have the same. `seen` and `unseen` are None where nothing says which pairs
    were trained on, NaN for members without unseen ones; `unseen_above` says by how many deviations of chance the
    unseen pairs' errors rank above those of the seen ones. `bayes_r2` is NaN where it is not known.
    """

    moments: Moments
    targets: Float[np.ndarray, "#d n"]
    predictions: Float[np.ndarray, "d n"]
    reference: Reference
    bayes_r2: Float[np.ndarray, " d"]
    seen: Errors | None = None
    unseen: Errors | None = None
    unseen_above: Float[np.ndarray, " d"] | None = None

    def row(self, place: int) -> tuple[Float[np.ndarray, " n"], Float[np.ndarray, " n"]]:
        """The subsample's targets and predictions of one coordinate."""
        return self.targets[place if len(self.targets) > 1 else 0], self.predictions[place]
