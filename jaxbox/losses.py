"""Losses: (the configuration's loss, predictions, targets) -> loss of each example. Rows: `config.tables.LOSSES`."""

from typing import Protocol, runtime_checkable

import jax.numpy as jnp
from jaxtyping import Array, Float

from jaxbox.config import Loss


@runtime_checkable
class LossFunction(Protocol):
    """What a row of the table of losses must be; the batch's mean is what training minimises."""

    def __call__(
        self, loss: Loss, predictions: Float[Array, "B outputs"], targets: Float[Array, "B outputs"]
    ) -> Float[Array, " B"]:
        """The loss of each example; floats of `loss` may be traced."""
        ...


def mse(loss: Loss, predictions: Float[Array, "B outputs"], targets: Float[Array, "B outputs"]) -> Float[Array, " B"]:
    """Squared error in squared target units, averaged over the outputs, as Keras and PyTorch do."""
    return jnp.mean(jnp.square(predictions - targets), axis=-1)
