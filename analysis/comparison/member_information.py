"""I(Y;Yhat) of trained members on one axis, with its interval, and every bound that their error puts on it.

Without noise a network is a function of the position, so that counts over the lattice are exact: they tell apart
predictions that differ in the last digit. Under noise there is one noisy image of each position, and the estimate is
from nearest neighbours. That estimate falls short where the truth is near H(Y), because the few images of one place
cannot be told from a continuum. What it misses for a prediction that still tells all places apart (the target, blurred
uniformly over most of a spacing, for which I = H) is measured, and added to the upper end of the interval in proportion
to the estimate: near 0 it misses nothing.
"""

from collections.abc import Iterable

import numpy as np
from jaxtyping import Float

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
from jaxbox.config import Task

FEWEST_PAIRS = 100
"""Under noise fewer say nothing: the interval is then all that the entropy allows."""
Z95 = 1.96
BLUR, DRAWS = 0.8, 8
"""Spacings, and how many predictions, of the measurement of what the estimate misses."""


def member_information(
    task: Task,
    axis: int,
    targets: Float[np.ndarray, " N"],
    predictions: Float[np.ndarray, "seed N"],
    mse: Float[np.ndarray, " seed"],
) -> dict[str, Float[np.ndarray, " seed"]]:
    """In nats: information, its interval and its exact value, the bounds at each member's MSE, and the Gaussian value.

    Args:
        axis: 0 for x, 1 for y.
        mse: squared target units; infinite where a member diverged, which says nothing: its bounds are 0.
    """
    exact = not known.is_noisy(task)
    found = _counted(targets, predictions) if exact else _estimated(targets, predictions, known.entropy(task)[axis])
    value, error, low, high = found
    return {
        "information": value,
        "information_error": error,
        "information_low": low,
        "information_high": high,
        "information_exact": value if exact else np.full(len(value), np.nan),
        "gaussian": np.array([gaussian_information(targets, row).joint for row in predictions]),
        **bounds(task, axis, mse),
    }


BOUNDS = {
    "rate_distortion": rate_distortion,
    "discrete_shannon": discrete_shannon_bound,
    "dithered": dithered_bound,
    "thread_bound": shannon_bound,
}
"""By variable of the comparison."""


def bounds(
    task: Task, axis: int, mse: Float[np.ndarray, " n"], names: Iterable[str] = tuple(BOUNDS)
) -> dict[str, Float[np.ndarray, " n"]]:
    """What any prediction with this error must know, by these BOUNDS, in nats; NaN for a task of unknown lattice."""
    if np.isnan(known.entropy(task)[axis]):
        return {name: np.full(len(mse), np.nan) for name in names}
    positions, spacing = lattice(task, axis)
    # From the variance on all that holds at the variance does, and infinity is not accepted.
    usable = np.where(np.isfinite(mse), mse, 1e6 * max(positions, 1) ** 2 * spacing**2)
    return {name: BOUNDS[name](usable, positions, spacing) for name in names}


def lattice(task: Task, axis: int) -> tuple[int, float]:
    """How many places an axis has, and how far apart they are, in target units; 1 where there is only one."""
    places = np.unique(known.lattice(task)[:, axis])
    return len(places), float(places[1] - places[0]) if len(places) > 1 else 1.0


def _counted(
    targets: Float[np.ndarray, " N"], predictions: Float[np.ndarray, "seed N"]
) -> tuple[Float[np.ndarray, " seed"], ...]:
    """H(Y) + H(Yhat) - H(Y, Yhat) of each member from counts, no error, and itself as both ends of the interval."""
    places = np.unique(targets, return_inverse=True)[1]
    value = np.array([_entropy(places) + _entropy(labels) - _entropy(places + (places.max() + 1) * labels)
                      for labels in (np.unique(row, return_inverse=True)[1] for row in predictions)])  # fmt: skip
    value = np.maximum(value, 0.0)
    return value, np.zeros(len(value)), value, value


def _entropy(labels: np.ndarray) -> float:
    counts = np.bincount(labels)
    share = counts[counts > 0] / len(labels)
    return float(-np.sum(share * np.log(share)))


def _estimated(
    targets: Float[np.ndarray, " N"], predictions: Float[np.ndarray, "seed N"], entropy: float
) -> tuple[Float[np.ndarray, " seed"], ...]:
    if len(targets) < FEWEST_PAIRS or np.ptp(targets) == 0:
        nothing = np.full(len(predictions), np.nan)
        return nothing, nothing, np.zeros(len(predictions)), np.full(len(predictions), entropy)
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
