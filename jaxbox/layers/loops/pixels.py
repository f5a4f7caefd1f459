"""Convolution in a loop over output pixels: for maps of few channels."""

from typing import Any

import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Float

from jaxbox.layers.loops.padding import Bias, Geometry, Images, Kernel, Maps, cut, padded


def forward(geometry: Geometry, images: Images, kernel: Kernel, bias: Bias) -> Maps:
    """The maps of outputs."""
    below, (rows, columns) = padded(geometry, images, kernel.shape[1])
    weights = kernel.reshape(len(kernel), -1)

    def pixel(_: None, number: Array) -> tuple[None, Float[Array, "F B"]]:
        patch = _patch(geometry, below, kernel, number, columns)
        return None, weights @ patch.reshape(weights.shape[1], -1) + bias[:, None]

    maps = lax.scan(pixel, None, jnp.arange(rows * columns))[1]
    return jnp.transpose(maps.reshape(rows, columns, *maps.shape[1:]), (3, 0, 1, 2))


def backward(
    geometry: Geometry, images: Images, kernel: Kernel, bias: Bias, gradient: Maps
) -> tuple[Images, Kernel, Bias]:
    """The gradients of images, kernel and bias, from that of the maps."""
    below, (rows, columns) = padded(geometry, images, kernel.shape[1])
    features, by_pixel = len(kernel), jnp.transpose(gradient, (1, 2, 3, 0)).reshape(rows * columns, len(kernel), -1)
    transposed, ones = kernel.reshape(features, -1).T, jnp.ones(len(images), images.dtype)

    def pixel(number: Array, found: tuple[Array, Array, Array]) -> tuple[Array, Array, Array]:
        of_below, of_kernel, of_bias = found
        own = lax.dynamic_index_in_dim(by_pixel, number, 0, keepdims=False)
        patch = _patch(geometry, below, kernel, number, columns)
        start = _start(geometry, number, columns)
        added = lax.dynamic_slice(of_below, start, patch.shape) + (transposed @ own).reshape(patch.shape)
        of_kernel = of_kernel + own @ patch.reshape(-1, patch.shape[-1]).T
        # A sum over the batch would have XLA turn the whole gradient first; a product takes it as it lies.
        return lax.dynamic_update_slice(of_below, added, start), of_kernel, of_bias + own @ ones

    zeros = jnp.zeros_like(below), jnp.zeros_like(transposed.T), jnp.zeros_like(bias)
    of_below, of_kernel, of_bias = lax.fori_loop(0, rows * columns, pixel, zeros)
    of_images = cut(geometry, of_below, images.shape, kernel.shape[1])
    return of_images, of_kernel.reshape(kernel.shape), of_bias


def _start(geometry: Geometry, number: Array, columns: int) -> tuple[Any, ...]:
    row, column = jnp.divmod(number, columns)
    return geometry[0] * row, geometry[0] * column, 0, 0


def _patch(
    geometry: Geometry, below: Float[Array, "h w C B"], kernel: Kernel, number: Array, columns: int
) -> Float[Array, "K K C B"]:
    """What lies below the kernel of this output pixel."""
    return lax.dynamic_slice(below, _start(geometry, number, columns), (*kernel.shape[1:], below.shape[-1]))
