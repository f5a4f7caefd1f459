"""I(Y;Yhat) of trained members on one axis, with its interval, and every bound that their error puts on it.

Without noise a network is a function of the position, so that counts over the lattice are exact: they tell apart
predictions that differ in the last digit. Under noise there is one noisy image of each position, and the estimate is
from nearest neighbours. That estimate falls short where the truth is near H(Y), because the few images of one place
cannot be told from a continuum. What it misses for a prediction that still tells all places apart (the target, blurred
uniformly over most of a spacing, for which I = H) is measured, and added to the upper end of the interval in proportion
to the estimate: near 0 it misses nothing. Under another law than the uniform one counts are weighted by it; distances
of neighbours are not, so that the interval then is all that the entropy allows.
"""

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from analysis import laws
from analysis.comparison import known
from analysis.information import (
    discrete_shannon_bound,
    dithered_bound,
    gaussian_information,
    mutual_information,
    rate_distortion,
    shannon_bound,
    with_standard_error,
)
from analysis.laws import UNIFORM
from jaxbox.config import Data, Task

FEWEST_PAIRS = 100
"""Under noise fewer say nothing: the interval is then all that the entropy allows."""
Z95 = 1.96
BLUR, DRAWS = 0.8, 8
"""Spacings, and how many predictions, of the measurement of what the estimate misses."""


class Lattice(NamedTuple):
    """The places of one axis, 0 for x and 1 for y, under the law of the data."""

    task: Task
    axis: int
    data: Data = UNIFORM

    @property
    def entropy(self) -> float:
        """In nats; NaN where it is not known."""
        return float(known.entropy(self.task, self.data)[self.axis])


def member_information(
    lattice: Lattice,
    targets: Float[np.ndarray, " N"],
    predictions: Float[np.ndarray, "seed N"],
    mse: Float[np.ndarray, " seed"],
    probability: Float[np.ndarray, " N"] | None = None,
) -> dict[str, Float[np.ndarray, " seed"]]:
    """In nats: information, its interval and its exact value, the bounds at each member's MSE, and the Gaussian value.

    Args:
        mse: squared target units; infinite where a member diverged, which says nothing: its bounds are 0.
        probability: of each position, if they are not equally probable.
    """
    exact, entropy = not known.is_noisy(lattice.task), lattice.entropy
    if exact:
        value, error, low, high = _counted(targets, predictions, probability)
    elif probability is None:
        value, error, low, high = _estimated(targets, predictions, entropy)
    else:
        value, error, low, high = _unknown(len(predictions), entropy)
    return {
        "information": value,
        "information_error": error,
        "information_low": low,
        "information_high": high,
        "information_exact": value if exact else np.full(len(value), np.nan),
        "gaussian": np.array([_gaussian(targets, row, probability) for row in predictions]),
        **bounds(lattice, mse),
    }


BOUNDS = {
    "rate_distortion": rate_distortion,
    "discrete_shannon": discrete_shannon_bound,
    "dithered": dithered_bound,
    "thread_bound": shannon_bound,
}
"""By variable of the comparison."""


def bounds(
    lattice: Lattice, mse: Float[np.ndarray, " n"], names: Iterable[str] = tuple(BOUNDS)
) -> dict[str, Float[np.ndarray, " n"]]:
    """What any prediction with this error must know, by these BOUNDS, in nats; NaN for a task of unknown lattice."""
    if np.isnan(lattice.entropy):
        return {name: np.full(len(mse), np.nan) for name in names}
    positions, spacing = spaced(lattice.task, lattice.axis)
    along = None if laws.is_uniform(lattice.data) else laws.along_axes(lattice.task, lattice.data)[lattice.axis]
    # From the variance on all that holds at the variance does, and infinity is not accepted.
    usable = np.where(np.isfinite(mse), mse, 1e6 * max(positions, 1) ** 2 * spacing**2)
    return {name: BOUNDS[name](usable, positions, spacing, along) for name in names}


def spaced(task: Task, axis: int) -> tuple[int, float]:
    """How many places an axis has, and how far apart they are, in target units; 1 where there is only one."""
    places = np.unique(known.lattice(task)[:, axis])
    return len(places), float(places[1] - places[0]) if len(places) > 1 else 1.0


def _counted(
    targets: Float[np.ndarray, " N"],
    predictions: Float[np.ndarray, "seed N"],
    probability: Float[np.ndarray, " N"] | None,
) -> tuple[Float[np.ndarray, " seed"], ...]:
    """H(Y) + H(Yhat) - H(Y, Yhat) of each member from counts, no error, and itself as both ends of the interval."""
    places = np.unique(targets, return_inverse=True)[1]
    value = np.array([sum(sign * _entropy(each, probability) for sign, each in
                          ((1, places), (1, labels), (-1, places + (places.max() + 1) * labels)))
                      for labels in (np.unique(row, return_inverse=True)[1] for row in predictions)])  # fmt: skip
    value = np.maximum(value, 0.0)
    return value, np.zeros(len(value)), value, value


def _entropy(labels: np.ndarray, probability: Float[np.ndarray, " N"] | None) -> float:
    counts = np.bincount(labels, probability)
    share = counts[counts > 0] / (len(labels) if probability is None else probability.sum())
    return float(-np.sum(share * np.log(share)))


def _gaussian(targets: np.ndarray, predictions: np.ndarray, probability: Float[np.ndarray, " N"] | None) -> float:
    """-ln(1 - correlation^2) / 2, 0 for a constant."""
    if probability is None:
        return gaussian_information(targets, predictions).joint
    if np.ptp(predictions) == 0 or np.ptp(targets) == 0:
        return 0.0
    (own, both), (_, other) = np.cov(targets, predictions, aweights=probability, ddof=0)
    return float(-0.5 * np.log1p(-min(both**2 / (own * other), np.nextafter(1.0, 0.0))))


def _unknown(count: int, entropy: float) -> tuple[Float[np.ndarray, " seed"], ...]:
    """An interval that is all that the entropy allows."""
    nothing = np.full(count, np.nan)
    return nothing, nothing, np.zeros(count), np.full(count, entropy)


def _estimated(
    targets: Float[np.ndarray, " N"], predictions: Float[np.ndarray, "seed N"], entropy: float
) -> tuple[Float[np.ndarray, " seed"], ...]:
    if len(targets) < FEWEST_PAIRS or np.ptp(targets) == 0:
        return _unknown(len(predictions), entropy)
    estimates = [with_standard_error(mutual_information, targets, row) for row in predictions]
    value = np.array([float(each.joint.value) for each in estimates])
    error = np.array([float(each.joint.standard_error) for each in estimates])
    missed = _shortfall(targets, entropy) * np.clip(value / entropy, 0.0, 1.0)
    low, high = value - Z95 * error, value + Z95 * error + missed
    # What is told cannot be less than nothing, nor more than there is to tell.
    return value, error, np.clip(low, 0.0, entropy), np.clip(high, 0.0, entropy)


def _shortfall(targets: Float[np.ndarray, " N"], entropy: float) -> float:
    """H less the mean estimate for predictions whose information is H."""
    # Another seed than the estimate's own dither, which would otherwise be the blur itself.
    random, spacing = np.random.default_rng(1), np.diff(np.unique(targets)).min()
    blurred = (targets + BLUR * spacing * random.uniform(-0.5, 0.5, len(targets)) for _ in range(DRAWS))
    return max(entropy - float(np.mean([mutual_information(targets, row).joint for row in blurred])), 0.0)
