"""The rows and columns that a convolution's kernel meets, in maps that have the batch last in memory."""

import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Float

from jaxbox.layers.stride_one import Padding

Images = Float[Array, "B H W C"]
Kernel = Float[Array, "F K K C"]
Maps = Float[Array, "B h w F"]
Bias = Float[Array, " F"]
Geometry = tuple[int, tuple[Padding, Padding]]
"""Stride, and the padding of rows and columns."""


def output_size(size: int, kernel_size: int, stride: int, padding: Padding) -> int:
    """Pixels of an axis of `size` pixels after a convolution."""
    return (size + sum(padding) - kernel_size) // stride + 1


def padded(geometry: Geometry, images: Images, kernel_size: int) -> tuple[Float[Array, "h w C B"], tuple[int, int]]:
    """What the kernel meets, the batch last, and how many rows and columns of outputs there are: with zeros below, an
    even number of rows."""
    below = _with_zeros(_margins(geometry, images.shape, kernel_size), jnp.transpose(images, (1, 2, 3, 0)))
    rows, columns = (output_size(size, kernel_size, geometry[0], (0, 0)) for size in below.shape[:2])
    return below, (rows, columns)


def cut(geometry: Geometry, below: Float[Array, "h w C B"], shape: tuple[int, ...], kernel_size: int) -> Images:
    """The images of `shape` (B, H, W, C) in what `padded` has made of them, the batch first."""
    (top, bottom), (left, right) = _margins(geometry, shape, kernel_size)
    images = _with_zeros(((-top, -bottom), (-left, -right)), below)
    return jnp.transpose(images, (3, 0, 1, 2))


def _with_zeros(margins: tuple[Padding, Padding], maps: Float[Array, "h w C B"]) -> Float[Array, "H W C B"]:
    zeros = ((*margins[0], 0), (*margins[1], 0), (0, 0, 0), (0, 0, 0))
    return lax.pad(maps, jnp.zeros((), maps.dtype), zeros)


def _margins(geometry: Geometry, shape: tuple[int, ...], kernel_size: int) -> tuple[Padding, Padding]:
    """Zeros before and after rows and columns, to fit the kernels exactly; less than none where pixels are not met."""
    stride, padding = geometry
    margins = []
    for size, zeros, together in zip(shape[1:3], padding, (2, 1), strict=True):
        made = -(-output_size(size, kernel_size, stride, zeros) // together) * together
        margins.append((zeros[0], (made - 1) * stride + kernel_size - size - zeros[0]))
    return margins[0], margins[1]
