"""The table of losses: (configuration's loss, predictions, targets) -> loss of each example."""

from collections.abc import Callable

import jax.numpy as jnp
from jaxtyping import Array, Float

from jaxbox.config import Loss


def mse(loss: Loss, predictions: Float[Array, "B 2"], targets: Float[Array, "B 2"]) -> Float[Array, " B"]:
    """Squared error, averaged over the two outputs, as Keras and PyTorch do."""
    return jnp.mean(jnp.square(predictions - targets), axis=-1)


LOSSES: dict[str, Callable[..., Array]] = {"mse": mse}
