"""Selecting rows of a table, moving windows and adding them up, with gradients as fast as the things themselves.

JAX's own would scatter, which on CPU goes row by row, or pad once for each slice.
"""

from functools import partial, reduce
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from jaxtyping import Array, Float, Int

Index = Int[Any, "..."]
"""Integers that are known before tracing (NumPy) or not (JAX)."""

Bounds = tuple[tuple[int, int], tuple[int, int]]
"""The least and the greatest of some numbers, along the rows and along the columns."""


def take(table: Float[Array, "T ..."], index: Index) -> Float[Array, "n ..."]:
    """`table[index]`; the gradient is a matrix product."""
    return _take(len(table), table, index)


@partial(jax.custom_vjp, nondiff_argnums=(0,))
def _take(count: int, table: Float[Array, "T ..."], index: Index) -> Float[Array, "n ..."]:
    return table[index]


def _take_forward(count: int, table: Array, index: Index) -> tuple[Array, Index]:
    return table[index], index


def _take_backward(count: int, index: Index, gradient: Array) -> tuple[Array, None]:
    chosen = (jnp.arange(count)[:, None] == index).astype(gradient.dtype)
    return jnp.tensordot(chosen, gradient, 1, precision=lax.Precision.HIGHEST), None


_take.defvjp(_take_forward, _take_backward)


def place(
    values: Float[Array, "n k l C"], corner: tuple[Index, Index], bounds: Bounds, shape: tuple[int, int]
) -> Float[Array, "n h w C"]:
    """Maps of this shape, zero but for `values`, whose first pixel comes to lie on each map's corner.

    `bounds` are the least and the greatest corner of the rows and of the columns. The gradient is the same thing
    backwards, where JAX would scatter.
    """
    return _place((values.shape[1:3], bounds, shape), values, corner)


@partial(jax.custom_vjp, nondiff_argnums=(0,))
def _place(geometry: tuple, values: Array, corner: tuple[Index, Index]) -> Array:
    window, bounds, shape = geometry
    before = [max(high, 0) for _, high in bounds]
    after = [max(size - low - width, 0) for size, (low, _), width in zip(shape, bounds, window, strict=True)]
    padded = jnp.pad(values, ((0, 0), *zip(before, after, strict=True), (0, 0)))
    size = (*shape, values.shape[-1])
    cut = jax.vmap(lambda image, row, column: lax.dynamic_slice(image, (row, column, 0), size))
    return cut(padded, before[0] - jnp.asarray(corner[0]), before[1] - jnp.asarray(corner[1]))


def _place_forward(geometry: tuple, values: Array, corner: tuple[Index, Index]) -> tuple[Array, tuple[Index, Index]]:
    return _place(geometry, values, corner), corner


def _place_backward(geometry: tuple, corner: tuple[Index, Index], gradient: Array) -> tuple[Array, tuple[None, None]]:
    window, ((top, bottom), (left, right)), shape = geometry
    back = ((-bottom, -top), (-right, -left))
    return _place((shape, back, window), gradient, (-corner[0], -corner[1])), (None, None)


_place.defvjp(_place_forward, _place_backward)


def moving_sum(values: Float[Array, "..."], width: int, axis: int, whole: bool = False) -> Float[Array, "..."]:
    """The sum of each `width` neighbours along an axis, which gets shorter by width - 1.

    Args:
        whole: make all sums at once, by an operation that on CPU is not merged into what reads them; else each reader
            makes the sums that it needs.
    """
    return _moving_sum(width, axis, whole, values)


@partial(jax.custom_vjp, nondiff_argnums=(0, 1, 2))
def _moving_sum(width: int, axis: int, whole: bool, values: Array) -> Array:
    if whole:
        size = [width if dimension == axis else 1 for dimension in range(values.ndim)]
        return lax.reduce_window(values, np.zeros((), values.dtype), lax.add, size, [1] * values.ndim, "VALID")
    count = values.shape[axis] - width + 1
    parts = (lax.slice_in_dim(values, first, first + count, axis=axis) for first in range(width))
    return reduce(jnp.add, parts)


def _moving_sum_forward(width: int, axis: int, whole: bool, values: Array) -> tuple[Array, None]:
    return _moving_sum(width, axis, whole, values), None


def _moving_sum_backward(width: int, axis: int, whole: bool, _: None, gradient: Array) -> tuple[Array]:
    zeros = [(0, 0)] * gradient.ndim
    zeros[axis] = (width - 1, width - 1)
    return (_moving_sum(width, axis, False, jnp.pad(gradient, zeros)),)


_moving_sum.defvjp(_moving_sum_forward, _moving_sum_backward)
