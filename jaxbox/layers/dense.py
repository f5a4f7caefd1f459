"""The dense layer, on images or on windows."""

import jax.numpy as jnp
from flax import nnx
from jaxtyping import Array, Float

from jaxbox.layers.batch import Batch
from jaxbox.layers.windows import products
from jaxbox.layers.windows.windowed import Windowed


class Dense(nnx.Module):
    """Affine map of all that an example holds: (B, ...) -> (B, F). Glorot-uniform kernel (F, inputs), zero bias.

    The kernel keeps its features first, for the reason that `Conv` gives.

    Args:
        inputs: numbers that an example holds, H W C of a map.
        features: F.
        rngs: the stream `params` draws the kernel.
    """

    def __init__(self, inputs: int, features: int, rngs: nnx.Rngs):
        self.kernel = nnx.Param(nnx.initializers.glorot_uniform(-1, -2)(rngs.params(), (features, inputs)))
        self.bias = nnx.Param(jnp.zeros(features))

    def __call__(self, batch: Batch) -> Float[Array, "B F"]:
        """The F outputs of each example of (B, ...), flattened row by row, or of windows."""
        if isinstance(batch, Windowed):
            return products.dense(batch, self.kernel[...]) + self.bias[...][None]
        return batch.reshape(batch.shape[0], -1) @ self.kernel[...].T + self.bias[...][None]
