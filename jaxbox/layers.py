"""The layers that models are made of. A batch is images or windows; a layer returns what it got.

Kernels keep the features first and what is summed over last, so that their gradients are products of
row-major matrices as they lie: for a layer of 2 features that is four to seven times faster on CPU.
"""

from collections.abc import Callable

import jax
import jax.numpy as jnp
from flax import nnx
from jaxtyping import Array, Bool, Float

from jaxbox import convolution, window_products, windows
from jaxbox.windows import Windowed

ACTIVATIONS: dict[str, Callable[[Array], Array]] = {
    "relu": jax.nn.relu,
    "sigmoid": jax.nn.sigmoid,
    "tanh": jnp.tanh,
    "gelu": jax.nn.gelu,
}


def output_size(size: int, kernel_size: int, stride: int, padding: str) -> int:
    """Pixels of an axis after a convolution.

    Raises:
        ValueError: nothing is left of the axis.
    """
    zeros = convolution.axis_padding(size, kernel_size, stride, padding)
    return convolution.output_size(size, kernel_size, stride, zeros)


Batch = Float[Array, "B ..."] | Windowed
"""Images, maps or vectors, one an example; or windows that stand for images or maps."""


class Conv(nnx.Module):
    """Strided convolution with bias: (B, H, W, C) -> (B, h, w, F). Glorot-uniform kernel (F, K, K, C), zero bias."""

    def __init__(self, channels: int, features: int, kernel_size: int, stride: int, padding: str, rngs: nnx.Rngs):
        glorot = nnx.initializers.glorot_uniform(in_axis=-1, out_axis=0)
        self.kernel = nnx.Param(glorot(rngs.params(), (features, kernel_size, kernel_size, channels)))
        self.bias = nnx.Param(jnp.zeros(features))
        self.stride, self.padding = stride, padding

    def __call__(self, batch: Batch) -> Batch:
        kernel, bias = self.kernel[...], self.bias[...]
        rows, columns = (
            convolution.axis_padding(size, kernel.shape[1], self.stride, self.padding) for size in batch.shape[1:3]
        )
        if isinstance(batch, Windowed):
            if window_products.saves(batch, kernel.shape[1], self.stride, (rows, columns)):
                return windows.add(window_products.convolve(batch, kernel, self.stride, (rows, columns)), bias)
            batch = windows.render(batch)
        return convolution.convolve(batch, kernel, self.stride, (rows, columns)) + bias


class Dense(nnx.Module):
    """Affine map of all that an example holds: (B, ...) -> (B, F). Glorot-uniform kernel (F, inputs), zero bias."""

    def __init__(self, inputs: int, features: int, rngs: nnx.Rngs):
        self.kernel = nnx.Param(nnx.initializers.glorot_uniform(-1, -2)(rngs.params(), (features, inputs)))
        self.bias = nnx.Param(jnp.zeros(features))

    def __call__(self, batch: Batch) -> Float[Array, "B F"]:
        if isinstance(batch, Windowed):
            return window_products.dense(batch, self.kernel[...]) + self.bias[...]
        return batch.reshape(batch.shape[0], -1) @ self.kernel[...].T + self.bias[...]


class Activation(nnx.Module):
    """A pointwise function by name; a relu also leaves which of its units are lit (see `lit_units`)."""

    def __init__(self, name: str):
        self.name = name

    def __call__(self, batch: Batch) -> Batch:
        function = ACTIVATIONS[self.name]
        output = windows.pointwise(batch, function) if isinstance(batch, Windowed) else function(batch)
        if self.name == "relu":
            self.lit = nnx.Intermediate(lit_units(output))
        return output


def lit_units(batch: Batch) -> Bool[Array, " C"]:
    """Which units (channels) of a layer are above zero on some example, at some place."""
    if isinstance(batch, Windowed):
        return windows.lit_units(batch)
    # On CPU a maximum of floats takes the batch as it lies, where a disjunction would first copy it transposed.
    return (batch > 0).astype(jnp.float32).max(axis=tuple(range(batch.ndim - 1))) > 0
