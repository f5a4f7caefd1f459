"""Losses that compare each output with its target: the output is the prediction."""

from collections.abc import Callable

import jax.numpy as jnp
import optax
from jaxtyping import Array, Float

from jaxbox.config import Loss

Numbers = Float[Array, "B numbers"]


class Pointwise:
    """A loss made from a function of single numbers, averaged over an example's numbers as Keras and PyTorch do."""

    def __init__(self, function: Callable[[Loss, Numbers, Numbers], Numbers]):
        self.function = function
        self.__doc__ = function.__doc__

    def __call__(self, loss: Loss, outputs: Numbers, targets: Numbers) -> Float[Array, " B"]:
        return jnp.mean(self.function(loss, outputs, targets), axis=-1)

    def outputs(self, numbers: int) -> int:
        """One for each number."""
        return numbers

    def predictions(self, outputs: Numbers) -> Numbers:
        """The outputs themselves."""
        return outputs


@Pointwise
def mse(loss: Loss, predictions: Numbers, targets: Numbers) -> Numbers:
    """Squared error."""
    return jnp.square(predictions - targets)


@Pointwise
def mae(loss: Loss, predictions: Numbers, targets: Numbers) -> Numbers:
    """Absolute error; its best constant is the median."""
    return jnp.abs(predictions - targets)


@Pointwise
def huber(loss: Loss, predictions: Numbers, targets: Numbers) -> Numbers:
    """Half the squared error up to `loss.delta`, then a line of that slope (Huber, 1964).

    MSE / 2 for a large delta, delta times MAE for a small one.
    """
    return optax.losses.huber_loss(predictions, targets, delta=loss.delta)


@Pointwise
def log_cosh(loss: Loss, predictions: Numbers, targets: Numbers) -> Numbers:
    """ln cosh of the error: half its square where it is small, |error| - ln 2 where it is large."""
    return optax.losses.log_cosh(predictions, targets)


@Pointwise
def mse_msle(loss: Loss, predictions: Numbers, targets: Numbers) -> Numbers:
    """Squared error + `loss.alpha` times that of logarithms of what is `loss.epsilon` larger, as the thread has it.

    NaN where a prediction or a target is less than -epsilon.
    """
    logarithms = jnp.log(predictions + loss.epsilon) - jnp.log(targets + loss.epsilon)
    return jnp.square(predictions - targets) + loss.alpha * jnp.square(logarithms)
