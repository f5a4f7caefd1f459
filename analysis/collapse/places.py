"""Where a constant is, which says why it is one."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from jaxtyping import Float, Shaped

CHANCE = 3.29
"""Standard deviations: 99.9% of a normal law lies within."""


class Reference(NamedTuple):
    """The training targets, where a constant would be learned; (d,) each. The median may be a subsample's."""

    count: Float[np.ndarray, " d"]
    mean: Float[np.ndarray, " d"]
    deviation: Float[np.ndarray, " d"]
    median: Float[np.ndarray, " d"]
    median_count: Float[np.ndarray, " d"]
    low: Float[np.ndarray, " d"]
    high: Float[np.ndarray, " d"]


def place(known: Reference, constant: Float[np.ndarray, " d"]) -> Shaped[np.ndarray, " d"]:
    """Where a constant is: mean, median, zero, minimum or maximum of the targets, or elsewhere.

    A learned mean or median is off by its sampling error, and by what costs one point of R2 (a tenth of the standard
    deviation) in an optimiser that does not settle. Beyond the extreme of n uniform targets is less than 6.9 / n of the
    range, but once in 1,000. An exact 0 is a unit's: no mean that is learned ends there.
    """
    spread = known.deviation
    from_mean, from_median = np.abs(constant - known.mean), np.abs(constant - known.median)
    edge = np.maximum(6.9 / known.count, 0.01) * (known.high - known.low)
    # The standard error of a normal sample's median is sqrt(pi / 2) that of its mean.
    chance = CHANCE * spread / np.sqrt([known.count, known.median_count * 2 / np.pi])
    near = np.minimum(from_mean, from_median) <= 0.1 * spread
    places = [
        ("zero", constant == 0),
        ("mean", from_mean <= chance[0]),
        ("median", from_median <= chance[1]),
        ("mean", near & (from_mean <= from_median)),
        ("median", near),
        ("minimum", np.abs(constant - known.low) <= edge),
        ("maximum", np.abs(constant - known.high) <= edge),
        ("zero", np.abs(constant) <= 0.01 * spread),
    ]
    return np.select([is_there for _, is_there in places], [name for name, _ in places], "elsewhere")
