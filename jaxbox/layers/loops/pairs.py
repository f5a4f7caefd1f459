"""Convolution in a loop over pairs of output pixels, one below the other, which share products (`filters`)."""

import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Float

from jaxbox.layers.loops.filters import sums, two_outputs
from jaxbox.layers.loops.padding import Bias, Geometry, Images, Kernel, Maps, cut, output_size, padded


def forward(geometry: Geometry, images: Images, kernel: Kernel, bias: Bias) -> Maps:
    """The maps of outputs."""
    (stride, padding), size = geometry, kernel.shape[1]
    below, (rows, columns) = padded(geometry, images, size)
    met, weights = _sums_of_rows(below, rows // 2, size, stride), _sums_of_kernel(kernel, stride)
    of_products = two_outputs(size, stride).of_products
    maps = jnp.zeros((rows // 2, 2, columns, len(kernel), len(images)), images.dtype)

    def pair(number: Array, maps: Array) -> Array:
        row, column = jnp.divmod(number, columns)
        patch = _patch(met, row, stride * column, size)
        products = jnp.einsum("nfk,nkb->nfb", weights, patch)
        outputs = jnp.stack(sums(of_products, list(products))) + bias[None, :, None]
        return lax.dynamic_update_slice(maps, outputs[None, :, None], (row, 0, column, 0, 0))

    maps = lax.fori_loop(0, rows // 2 * columns, pair, maps)
    # Without the row that only makes a pair whole.
    maps = maps.reshape(rows, *maps.shape[2:])[: output_size(images.shape[1], size, stride, padding[0])]
    return jnp.transpose(maps, (3, 0, 1, 2))


def backward(
    geometry: Geometry, images: Images, kernel: Kernel, bias: Bias, gradient: Maps
) -> tuple[Images, Kernel, Bias]:
    """The gradients of images, kernel and bias, from that of the maps."""
    (stride, _), size, channels = geometry, kernel.shape[1], kernel.shape[-1]
    below, (rows, columns) = padded(geometry, images, size)
    met, weights = _sums_of_rows(below, rows // 2, size, stride), _sums_of_kernel(kernel, stride)
    both = jnp.transpose(gradient, (1, 2, 3, 0))
    both = jnp.pad(both, ((0, rows - len(both)), (0, 0), (0, 0), (0, 0))).reshape(rows // 2, 2, *both.shape[1:])
    filters = two_outputs(size, stride)
    ones, turned = jnp.ones(len(images), images.dtype), jnp.swapaxes(weights, 1, 2)

    def pair(number: Array, found: tuple[Array, Array, Array]) -> tuple[Array, Array, Array]:
        of_below, of_weights, of_bias = found
        row, column = jnp.divmod(number, columns)
        own = lax.dynamic_slice(both, (row, 0, column, 0, 0), (1, 2, 1, *both.shape[3:])).reshape(2, *both.shape[3:])
        # A product: as a stack of sums it would be put together number by number, which took 55 microseconds.
        of_products = jnp.tensordot(filters.of_products.T.astype(own.dtype), own, 1)
        of_weights = of_weights + jnp.einsum("nfb,nkb->nfk", of_products, _patch(met, row, stride * column, size))
        of_patch = jnp.einsum("nkf,nfb->nkb", turned, of_products)
        of_rows = jnp.stack(sums(filters.of_rows.T, list(of_patch))).reshape(-1, size, channels, len(images))
        start = 2 * stride * row, stride * column, 0, 0
        added = lax.dynamic_slice(of_below, start, of_rows.shape) + of_rows
        of_bias = of_bias + own[0] @ ones + own[1] @ ones
        return lax.dynamic_update_slice(of_below, added, start), of_weights, of_bias

    zeros = jnp.zeros_like(below), jnp.zeros_like(weights), jnp.zeros_like(bias)
    of_below, of_weights, of_bias = lax.fori_loop(0, rows // 2 * columns, pair, zeros)
    of_weights = of_weights.reshape(len(of_weights), len(kernel), size, channels)
    of_kernel = jnp.stack(sums(filters.of_kernel.T, list(of_weights)), axis=1)
    return cut(geometry, of_below, images.shape, size), of_kernel, of_bias


def _sums_of_rows(below: Float[Array, "h w C B"], pairs: int, size: int, stride: int) -> Float[Array, "pairs n w C B"]:
    """What is multiplied of the rows that each pair sees."""
    last = 2 * stride * (pairs - 1) + 1
    rows = [below[first : first + last : 2 * stride] for first in range(stride + size)]
    return jnp.stack(sums(two_outputs(size, stride).of_rows, rows), axis=1)


def _sums_of_kernel(kernel: Kernel, stride: int) -> Float[Array, "n F KC"]:
    """What is multiplied of the kernel's rows."""
    rows = [kernel[:, row] for row in range(kernel.shape[1])]
    found = jnp.stack(sums(two_outputs(len(rows), stride).of_kernel, rows))
    return found.reshape(*found.shape[:2], -1)


def _patch(met: Float[Array, "pairs n w C B"], pair: Array, column: Array, size: int) -> Float[Array, "n KC B"]:
    """What is multiplied of what lies below the kernel, for this pair of rows and from this column on."""
    shape = (1, met.shape[1], size, *met.shape[3:])
    return lax.dynamic_slice(met, (pair, 0, column, 0, 0), shape).reshape(shape[1], -1, shape[-1])
