"""The table of measures: what is measured of one member on the device, one row a measure.

Results, the loop over chunks and runs/README.md follow this table. Per axis, with s^2 = Var(prediction) / Var(target),
rho the correlation and beta = bias / sd(target), R2 = 1 - MSE / Var(target) and
MSE / Var(target) = (1 - rho^2) + (rho - s)^2 + beta^2 (Murphy, Monthly Weather Review 116, 1988). Means and variances
over positions are under the law of the data.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import jax.numpy as jnp
import numpy as np
from jax import lax
from jaxtyping import Array, Bool, Float, Int, PyTree

from jaxbox.training.strata import Sample, standard_error

SPLITS = ("all", "seen", "unseen")
AXES = ("x", "y")

Predictions = Float[Array, "N 2"]
Targets = Float[Any, "N 2"]
Law = Float[Any, " N"] | None
"""Probabilities of the positions, which weigh every mean; None: all are equal, and every mean is a plain one."""


class Evaluated(NamedTuple):
    """What a measure is made from: a member's (x, y) predictions and the targets at all N positions, how probable each
    is (None: all equally), which positions are in its training set, which units of each ReLU layer are ever above zero,
    the step whose update froze it (-1: none), the step of this evaluation, and what each ReLU layer has
    `layers.Inside` at all positions (no layer, unless a probe asks for it).

    Of a sample of positions it is that of these alone, and `probability` weighs them so that means are estimates of
    those over all positions; `target_variance`, (2,), is that over all (None: of the targets here)."""

    predictions: Predictions
    targets: Targets
    probability: Law
    seen: Bool[Array, " N"]
    lit: list[Bool[Array, " _"]]
    failed_step: Int[Array, ""]
    step: Int[Array, ""]
    inside: list[Float[Array, "4 N _"]]
    sample: Sample | None = None
    target_variance: Any = None


class Stepped(NamedTuple):
    """What a measure of training steps is made from: a batch's loss, the Euclidean norm of its gradient, the gradient
    itself, and what is added to the parameters."""

    loss: Float[Array, ""]
    gradient_norm: Float[Array, ""]
    gradient: PyTree[Array]
    updates: PyTree[Array]


class Measure(NamedTuple):
    """A row: a function of what is measured, dimensions after configuration and seed, units, and a description."""

    function: Callable[..., Array]
    dims: tuple[str, ...]
    units: str
    description: str
    dtype: Any = np.float32


def split_mse(
    predictions: Predictions, targets: Targets, seen: Bool[Array, " N"], probability: Law = None
) -> Float[Array, "3 2"]:
    """Mean squared error per split (SPLITS) and axis, in squared target units; NaN where a split is empty, or all of it
    of probability 0."""
    # Sums along rows: on CPU they are several times faster than along columns. A product would be TF32 on some GPUs.
    errors = jnp.square(predictions.T - targets.T)
    chosen = seen[None]
    if probability is not None:
        errors = errors * probability[None]
    sums = [errors.sum(axis=1), jnp.where(chosen, errors, 0).sum(axis=1), jnp.where(chosen, 0, errors).sum(axis=1)]
    if probability is not None:
        parts = jnp.stack([jnp.ones_like(seen), seen, ~seen])
        return jnp.stack(sums) / jnp.where(parts, probability[None], 0).sum(axis=1)[:, None]
    count = seen.sum(dtype=jnp.int32)
    return jnp.stack(sums) / jnp.stack([jnp.full_like(count, len(seen)), count, len(seen) - count])[:, None]


def uniform_mse(predictions: Predictions, targets: Targets, shares: Law = None) -> Float[Array, " 2"]:
    """Mean squared error per axis over all positions, each counted alike, in squared target units.

    Args:
        shares: of a sample of positions, which part of all each stands for.
    """
    # Apart from all else: joined with the sums of `split_mse` it would change the last bits of these.
    predictions = lax.optimization_barrier(predictions)
    return mean(jnp.square(predictions.T - targets.T), shares)


def r2(
    predictions: Predictions,
    targets: Targets,
    probability: Law = None,
    variance: Float[Any, " 2"] | None = None,
) -> Float[Array, " 2"]:
    """1 - MSE / Var(target) per axis; NaN where the target is constant.

    Args:
        variance: of the target, if it is not that of these `targets`.
    """
    mse = mean((predictions.T - targets.T) ** 2, probability)
    return 1 - mse / (target_variance(targets, probability) if variance is None else variance)


def r2_standard_error(found: Evaluated) -> Float[Array, " 2"]:
    """Of `r2` per axis as an estimate from a sample of positions: that of MSE / Var(target); 0 of all positions."""
    if found.sample is None:
        return jnp.zeros(2)
    assert found.probability is not None
    errors = (found.predictions.T - found.targets.T) ** 2
    return standard_error(errors, found.probability, found.sample) / found.target_variance


def variance_ratio(predictions: Predictions, targets: Targets, probability: Law = None) -> Float[Array, " 2"]:
    """Var(prediction) / Var(target) per axis; NaN where the target is constant."""
    return _variance(predictions, probability) / target_variance(targets, probability)


def correlation(predictions: Predictions, targets: Targets, probability: Law = None) -> Float[Array, " 2"]:
    """Correlation of prediction and target per axis: 0 for a constant prediction, NaN where the target is constant."""
    variance, of_target = _variance(predictions, probability), target_variance(targets, probability)
    target = (targets - targets.mean(axis=0, keepdims=True)).T
    scale = jnp.sqrt(jnp.where(variance > 0, variance, 1)) * jnp.sqrt(of_target)
    covariance = mean(_centred(predictions, probability) * target, probability)
    found = jnp.where(variance > 0, covariance / scale, 0)
    return jnp.where(of_target > 0, found, jnp.nan)


def bias(predictions: Predictions, targets: Targets, probability: Law = None) -> Float[Array, " 2"]:
    """Mean of prediction - target per axis, in target units."""
    return mean(predictions.T - targets.T, probability)


def dead_fraction(lit: list[Bool[Array, " _"]]) -> Float[Array, " layers"]:
    """The fraction of dead units of each ReLU layer; one NaN if there is no such layer."""
    return of_layers([1 - jnp.mean(units, dtype=jnp.float32) for units in lit])


def of_layers(values: list[Float[Array, ""]]) -> Float[Array, " layers"]:
    """A number a ReLU layer; one NaN if there is no such layer."""
    return jnp.stack(values) if values else jnp.full(1, jnp.nan)


def mean(values: Float[Array, "rows N"], probability: Law) -> Float[Array, " rows"]:
    """Of each row over the N positions, as probable as they are."""
    return jnp.mean(values, axis=1) if probability is None else jnp.sum(values * probability[None], axis=1)


def _centred(predictions: Predictions, probability: Law) -> Float[Array, "2 N"]:
    if probability is None:
        return predictions.T - predictions.T.mean(axis=1, keepdims=True)
    # From one of them, so that what is constant is 0: probabilities add up to 1 within rounding only.
    shifted = predictions.T - predictions.T[:, :1]
    return shifted - mean(shifted, probability)[:, None]


def _variance(predictions: Predictions, probability: Law) -> Float[Array, " 2"]:
    return mean(_centred(predictions, probability) ** 2, probability)


def target_variance(targets: Targets, probability: Law) -> Float[Any, " 2"]:
    """Var(target) per axis, in squared target units."""
    return targets.var(axis=0) if probability is None else _variance(jnp.asarray(targets), probability)


def _shares(found: Evaluated) -> Law:
    return None if found.sample is None else found.sample.shares.astype(np.float32)


STEP_MEASURES = {
    "loss": Measure(
        lambda stepped: stepped.loss,
        ("step",),
        "loss",
        "training loss, mean over the steps since the previous evaluation",
    ),
    "gradient_norm": Measure(
        lambda stepped: stepped.gradient_norm,
        ("step",),
        "loss per unit of parameter",
        "Euclidean norm of the gradient, mean over the steps since the previous evaluation",
    ),
}
"""Of `Stepped`, averaged over the steps since the evaluation before."""

CURVES = {
    "mse": Measure(
        lambda found: split_mse(found.predictions, found.targets, found.seen, found.probability),
        ("step", "split", "axis"),
        "squared target units",
        "mean squared error over all positions, those in the seed's training set, those not in it",
    ),
    "mse_uniform": Measure(
        lambda found: uniform_mse(found.predictions, found.targets, _shares(found)),
        ("step", "axis"),
        "squared target units",
        "mean squared error over all positions, each counted alike, whatever the law",
    ),
    "r2": Measure(
        lambda found: r2(found.predictions, found.targets, found.probability, found.target_variance),
        ("step", "axis"),
        "1",
        "1 - MSE / variance of the target, over all positions",
    ),
    "variance_ratio": Measure(
        lambda found: variance_ratio(found.predictions, found.targets, found.probability),
        ("step", "axis"),
        "1",
        "variance of the prediction / variance of the target, over all positions",
    ),
    "correlation": Measure(
        lambda found: correlation(found.predictions, found.targets, found.probability),
        ("step", "axis"),
        "1",
        "correlation of prediction and target over all positions; 0 for a constant prediction",
    ),
    "bias": Measure(
        lambda found: bias(found.predictions, found.targets, found.probability),
        ("step", "axis"),
        "target units",
        "mean of prediction - target over all positions",
    ),
    "dead_fraction": Measure(
        lambda found: dead_fraction(found.lit),
        ("step", "layer"),
        "1",
        "fraction of a ReLU layer's channels that are zero on every image looked at; NaN: no such layer",
    ),
}
"""Of `Evaluated`, at each evaluation."""

SAMPLED = {
    "r2_standard_error": Measure(
        r2_standard_error,
        ("step", "axis"),
        "1",
        "standard error of r2 where only a sample of the positions was looked at; 0 where all were",
    ),
}
"""Of `Evaluated`, where evaluations on the way look at a sample of the positions (`strata`)."""

FINALS = {
    "finite": Measure(
        lambda found: found.failed_step < 0,
        (),
        "1",
        "whether every number of the member stayed finite up to its last step",
        bool,
    ),
    "failed_step": Measure(
        lambda found: found.failed_step,
        (),
        "step",
        "step whose update was not finite and froze the member; -1: none",
        np.int32,
    ),
    "last_step": Measure(
        lambda found: found.step, (), "step", "step of the last evaluation of all positions; -1: none yet", np.int32
    ),
    "prediction": Measure(
        lambda found: found.predictions,
        ("position", "axis"),
        "target units",
        "prediction at last_step, on every position of the lattice",
    ),
    "seen": Measure(
        lambda found: found.seen, ("position",), "1", "whether the position is in the seed's training set", bool
    ),
}
"""Of `Evaluated`, at the last evaluation only: some are large."""

DROPPED = Measure(
    lambda found: jnp.int32(-1),
    (),
    "step",
    "step of the evaluation at which the member's fate was sealed, its last (--drop dead); -1: none",
    np.int32,
)
"""The row `dropped_step` of runs that drop members, said by `training.sealing`."""

MEASURES = STEP_MEASURES | CURVES
"""What has a value at each evaluation."""
