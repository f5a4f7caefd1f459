"""Losses that are negative logarithms of a likelihood, whose outputs say more than a prediction."""

from collections.abc import Callable

import jax
import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Float

from jaxbox.config import Loss

Numbers = Float[Array, "B numbers"]

SMALLEST_VARIANCE = 1e-6
"""In squared units of the targets' own scale; where PyTorch's GaussianNLLLoss puts it, too. Examples without noise can
be predicted exactly, and their likelihood would have no bound."""


class MeanAndVariance:
    """A loss of a normal distribution for each number: half the outputs are means, half give variances.

    The variance is softplus(output) + SMALLEST_VARIANCE: positive, ln 2 at the start, and linear in what is large.
    """

    def __init__(self, function: Callable[[Loss, Numbers, Numbers, Numbers], Numbers]):
        self.function = function

    def __call__(
        self, loss: Loss, outputs: Float[Array, "B outputs"], targets: Float[Array, "B numbers"]
    ) -> Float[Array, " B"]:
        mean, width = jnp.split(outputs, 2, axis=-1)
        variance = jax.nn.softplus(width) + SMALLEST_VARIANCE
        return jnp.mean(self.function(loss, mean, variance, targets), axis=-1)

    def outputs(self, numbers: int) -> int:
        """Two for each number: all means, then what gives all variances."""
        return 2 * numbers

    def predictions(self, outputs: Float[Array, "B outputs"]) -> Float[Array, "B numbers"]:
        """The means."""
        return jnp.split(outputs, 2, axis=-1)[0]


@MeanAndVariance
def gaussian_nll(loss: Loss, mean: Numbers, variance: Numbers, targets: Numbers) -> Numbers:
    """(ln variance + squared error / variance) / 2, without ln(2 pi) / 2 (Nix and Weigend, 1994)."""
    return (jnp.log(variance) + jnp.square(mean - targets) / variance) / 2


@MeanAndVariance
def beta_nll(loss: Loss, mean: Numbers, variance: Numbers, targets: Numbers) -> Numbers:
    """`gaussian_nll` times variance^`loss.beta`, through which no gradient flows (Seitzer et al., 2022).

    Beta = 0 is `gaussian_nll`; at beta = 1 the means have the gradient of squared error.
    """
    return lax.stop_gradient(variance**loss.beta) * gaussian_nll.function(loss, mean, variance, targets)


class CrossEntropy:
    """-sum of target * ln probability over the classes; the outputs are logits, their softmax is the prediction."""

    def __call__(
        self, loss: Loss, outputs: Float[Array, "B classes"], targets: Float[Array, "B classes"]
    ) -> Float[Array, " B"]:
        return -jnp.sum(targets * jax.nn.log_softmax(outputs, axis=-1), axis=-1)

    def outputs(self, numbers: int) -> int:
        """One for each class."""
        return numbers

    def predictions(self, outputs: Float[Array, "B classes"]) -> Float[Array, "B classes"]:
        """Probabilities."""
        return jax.nn.softmax(outputs, axis=-1)


cross_entropy = CrossEntropy()
