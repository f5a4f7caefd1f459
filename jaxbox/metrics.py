"""What is measured of one member, on the device: from predictions at every evaluation position to a few numbers.

Per axis, with s^2 = Var(prediction) / Var(target), rho the correlation and beta = bias / sd(target),
R2 = 1 - MSE / Var(target) and MSE / Var(target) = (1 - rho^2) + (rho - s)^2 + beta^2
(Murphy, Monthly Weather Review 116, 1988).
"""

from typing import Any

import jax.numpy as jnp
from jaxtyping import Array, Bool, Float

SPLITS = ("all", "seen", "unseen")
AXES = ("x", "y")


def split_mse(
    predictions: Float[Array, "N 2"], targets: Float[Any, "N 2"], seen: Bool[Array, " N"]
) -> Float[Array, "3 2"]:
    """Mean squared error per split (SPLITS) and axis, in squared target units; NaN where a split is empty."""
    # Sums along rows: on CPU they are several times faster than along columns. A product would be TF32 on some GPUs.
    errors = jnp.square(predictions.T - targets.T)
    sums = [errors.sum(axis=1), jnp.where(seen, errors, 0).sum(axis=1), jnp.where(seen, 0, errors).sum(axis=1)]
    count = seen.sum(dtype=jnp.int32)
    return jnp.stack(sums) / jnp.stack([jnp.full_like(count, len(seen)), count, len(seen) - count])[:, None]


def moments(predictions: Float[Array, "N 2"], targets: Float[Any, "N 2"]) -> dict[str, Float[Array, " 2"]]:
    """r2, variance_ratio, correlation and bias per axis over all positions.

    The correlation of a constant prediction is 0; all but the bias are NaN where the target is constant.
    """
    target_variance = targets.var(axis=0)
    target = (targets - targets.mean(axis=0)).T
    errors = predictions.T - targets.T
    prediction = predictions.T - predictions.T.mean(axis=1, keepdims=True)
    variance = jnp.mean(prediction**2, axis=1)
    scale = jnp.sqrt(jnp.where(variance > 0, variance, 1)) * jnp.sqrt(target_variance)
    correlation = jnp.where(variance > 0, jnp.mean(prediction * target, axis=1) / scale, 0)
    return {
        "r2": 1 - jnp.mean(errors**2, axis=1) / target_variance,
        "variance_ratio": variance / target_variance,
        "correlation": jnp.where(target_variance > 0, correlation, jnp.nan),
        "bias": jnp.mean(errors, axis=1),
    }
