"""The layers that models are made of, and the only place that decides how a product is computed.

A convolution is slices and matrix products, so that `jax.vmap` over members gives batched matrix
products. The generic convolution would become a grouped one, which is slow on every backend, and
whose gradient inside a scan XLA leaves uncanonicalised on CPU.

Kernels keep the features first and what is summed over last, so that their gradients are products of
row-major matrices as they lie: for a layer of 2 features that is four to seven times faster on CPU.
"""

from collections.abc import Callable

import jax
import jax.numpy as jnp
from flax import nnx
from jax import lax
from jaxtyping import Array, Float

ACTIVATIONS: dict[str, Callable[[Array], Array]] = {
    "relu": jax.nn.relu,
    "sigmoid": jax.nn.sigmoid,
    "tanh": jnp.tanh,
    "gelu": jax.nn.gelu,
}


FEW_PIXELS = 16
"""At most so many output pixels are computed one by one; measured on CPU, where it saves a fifth of the thread's
step at 16 x 16 and a twentieth at 32 x 32. Compile time grows with it."""


def axis_padding(size: int, kernel_size: int, stride: int, padding: str) -> tuple[int, int, int]:
    """(output size, zeros before, zeros after) along one axis, with TensorFlow's meaning of SAME and VALID.

    Raises:
        ValueError: nothing is left of the axis.
    """
    if padding == "VALID":
        if kernel_size > size:
            raise ValueError(f"kernel_size {kernel_size} is larger than the {size} pixels that are left")
        return (size - kernel_size) // stride + 1, 0, 0
    output_size = -(-size // stride)
    total = max((output_size - 1) * stride + kernel_size - size, 0)
    return output_size, total // 2, total - total // 2


def convolve(
    images: Float[Array, "B H W C"], kernel: Float[Array, "F K K C"], stride: int, padding: str
) -> Float[Array, "B h w F"]:
    """Cross-correlation of images with a square kernel.

    Many output pixels: one product of all patches with the kernel. Few: a product for each, of the part of its
    patch that lies in the image, since there padding is a large share of the patches (half of them where a 4 x 4
    map becomes 2 x 2).
    """
    rows = axis_padding(images.shape[1], kernel.shape[0], stride, padding)[0]
    columns = axis_padding(images.shape[2], kernel.shape[1], stride, padding)[0]
    method = _by_pixel if rows * columns <= FEW_PIXELS else _by_patches
    return method(images, kernel, stride, padding)


def _by_patches(
    images: Float[Array, "B H W C"], kernel: Float[Array, "F K K C"], stride: int, padding: str
) -> Float[Array, "B h w F"]:
    batch, height, width, channels = images.shape
    features, size = kernel.shape[:2]
    rows, *pad_rows = axis_padding(height, size, stride, padding)
    columns, *pad_columns = axis_padding(width, size, stride, padding)
    padded = jnp.pad(images, ((0, 0), pad_rows, pad_columns, (0, 0)))

    def shifted(row: int, column: int) -> Float[Array, "B h w C"]:
        stop = (batch, row + (rows - 1) * stride + 1, column + (columns - 1) * stride + 1, channels)
        return lax.slice(padded, (0, row, column, 0), stop, (1, stride, stride, 1))

    patches = jnp.concatenate([shifted(row, column) for row in range(size) for column in range(size)], axis=-1)
    product = patches.reshape(-1, size * size * channels) @ kernel.reshape(features, -1).T
    return product.reshape(batch, rows, columns, features)


def _by_pixel(
    images: Float[Array, "B H W C"], kernel: Float[Array, "F K K C"], stride: int, padding: str
) -> Float[Array, "B h w F"]:
    features, size = kernel.shape[:2]
    outputs = []
    for image_rows, kernel_rows in _overlaps(images.shape[1], size, stride, padding):
        # Rows are cut before columns: the gradient then adds up windows within a band, and bands after that.
        band, band_kernel = images[:, image_rows], kernel[:, kernel_rows]
        windows = [
            (band[:, :, image_columns], band_kernel[:, :, kernel_columns])
            for image_columns, kernel_columns in _overlaps(images.shape[2], size, stride, padding)
        ]
        products = [part.reshape(len(part), -1) @ weights.reshape(features, -1).T for part, weights in windows]
        outputs.append(jnp.stack(products, axis=1))
    return jnp.stack(outputs, axis=1)


def _overlaps(size: int, kernel_size: int, stride: int, padding: str) -> list[tuple[slice, slice]]:
    """For each output pixel of an axis, the part of the image under the kernel and the part of the kernel above it."""
    count, before, _ = axis_padding(size, kernel_size, stride, padding)
    starts = [index * stride - before for index in range(count)]
    cuts = [(max(start, 0), min(start + kernel_size, size), start) for start in starts]
    return [(slice(low, high), slice(low - start, high - start)) for low, high, start in cuts]


class Conv(nnx.Module):
    """Strided convolution with bias: (B, H, W, C) -> (B, h, w, F). Glorot-uniform kernel (F, K, K, C), zero bias."""

    def __init__(self, channels: int, features: int, kernel_size: int, stride: int, padding: str, rngs: nnx.Rngs):
        glorot = nnx.initializers.glorot_uniform(in_axis=-1, out_axis=0)
        self.kernel = nnx.Param(glorot(rngs.params(), (features, kernel_size, kernel_size, channels)))
        self.bias = nnx.Param(jnp.zeros(features))
        self.stride, self.padding = stride, padding

    def __call__(self, images: Float[Array, "B H W C"]) -> Float[Array, "B h w F"]:
        return convolve(images, self.kernel[...], self.stride, self.padding) + self.bias[...]


class Dense(nnx.Module):
    """Affine map of all that an example holds: (B, ...) -> (B, F). Glorot-uniform kernel (F, inputs), zero bias."""

    def __init__(self, inputs: int, features: int, rngs: nnx.Rngs):
        self.kernel = nnx.Param(nnx.initializers.glorot_uniform(-1, -2)(rngs.params(), (features, inputs)))
        self.bias = nnx.Param(jnp.zeros(features))

    def __call__(self, values: Float[Array, "B ..."]) -> Float[Array, "B F"]:
        return values.reshape(values.shape[0], -1) @ self.kernel[...].T + self.bias[...]


class Activation(nnx.Module):
    """A pointwise function by name; a relu also leaves its output for the measure of dead units."""

    def __init__(self, name: str):
        self.name = name

    def __call__(self, values: Float[Array, "B ..."]) -> Float[Array, "B ..."]:
        output = ACTIVATIONS[self.name](values)
        if self.name == "relu":
            self.output = nnx.Intermediate(output)
        return output
