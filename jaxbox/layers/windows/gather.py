"""Lookup, placement and moving sums whose gradients cost what the forward pass costs.

The gradients that JAX derives would scatter, which on CPU goes row by row, or pad once for each slice.
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
"""The smallest and the largest of some numbers: first the rows' two, then the columns'."""

Tables = tuple[Int[np.ndarray, " rows"], Int[np.ndarray, " columns"]]
"""A number for each position along the rows, and one for each position along the columns."""


def gather_rows(table: Int[np.ndarray, "n ..."], index: Int[Any, " m"]) -> Int[Any, "m ..."]:
    """`table[index]`: a NumPy array, found before tracing, if the index is one; else a JAX array."""
    return table[index] if isinstance(index, np.ndarray) else jnp.asarray(table)[index]


def pair_index(classes: Tables, positions: Int[Any, "n 2"]) -> Int[Any, " n"]:
    """One number for the class of each position's row and that of its column, counted row class by row class."""
    rows, columns = (gather_rows(table, positions[:, i]) for i, table in enumerate(classes))
    return rows * (classes[1].max() + 1) + columns


def gather_with_bounds(tables: Tables, positions: Int[Any, "n 2"]) -> tuple[tuple[Index, Index], Bounds]:
    """The numbers of each position's row and column, and the bounds of the tables, which are known before tracing."""
    rows, columns = (gather_rows(table, positions[:, i]) for i, table in enumerate(tables))
    bounds = [(int(table.min()), int(table.max())) for table in tables]
    return (rows, columns), (bounds[0], bounds[1])


def take(table: Float[Array, "T ..."], index: Int[Any, " n"]) -> Float[Array, "n ..."]:
    """`table[index]`; the gradient is a matrix product."""
    return _take(len(table), table, index)


@partial(jax.custom_vjp, nondiff_argnums=(0,))
def _take(count: int, table: Float[Array, "T ..."], index: Index) -> Float[Array, "n ..."]:
    return table[index]


def _take_forward(count: int, table: Array, index: Index) -> tuple[Array, Index]:
    return table[index], index


def _take_backward(count: int, index: Index, gradient: Array) -> tuple[Array, None]:
    chosen = (jnp.arange(count)[:, None] == index[None]).astype(gradient.dtype)
    return jnp.tensordot(chosen, gradient, 1, precision=lax.Precision.HIGHEST), None


_take.defvjp(_take_forward, _take_backward)


def place(
    values: Float[Array, "n k l C"], starts: tuple[Index, Index], bounds: Bounds, shape: tuple[int, int]
) -> Float[Array, "n h w C"]:
    """Maps of zeros with `values` written into them; what falls outside of a map is cut off.

    The gradient cuts the windows out again, which is the same operation with the sizes exchanged and `starts` negated.

    Args:
        values: one window of k x l pixels for each map.
        starts: the row, and the column, of each map that its window's first pixel gets; may lie outside of the map.
        bounds: of `starts`. They set how wide the padding is, so they must be known before tracing.
        shape: (h, w) of a map.
    """
    return _place((values.shape[1:3], bounds, shape), values, starts)


@partial(jax.custom_vjp, nondiff_argnums=(0,))
def _place(geometry: tuple, values: Array, starts: tuple[Index, Index]) -> Array:
    window, bounds, shape = geometry
    before = [max(high, 0) for _, high in bounds]
    after = [max(size - low - width, 0) for size, (low, _), width in zip(shape, bounds, window, strict=True)]
    padded = jnp.pad(values, ((0, 0), *zip(before, after, strict=True), (0, 0)))
    size = (*shape, values.shape[-1])
    cut = jax.vmap(lambda image, row, column: lax.dynamic_slice(image, (row, column, 0), size))
    return cut(padded, before[0] - jnp.asarray(starts[0]), before[1] - jnp.asarray(starts[1]))


def _place_forward(geometry: tuple, values: Array, starts: tuple[Index, Index]) -> tuple[Array, tuple[Index, Index]]:
    return _place(geometry, values, starts), starts


def _place_backward(geometry: tuple, starts: tuple[Index, Index], gradient: Array) -> tuple[Array, tuple[None, None]]:
    window, ((top, bottom), (left, right)), shape = geometry
    back = ((-bottom, -top), (-right, -left))
    return _place((shape, back, window), gradient, (-starts[0], -starts[1])), (None, None)


_place.defvjp(_place_forward, _place_backward)


def moving_sum(values: Float[Array, "..."], width: int, axis: int, materialize: bool = False) -> Float[Array, "..."]:
    """The sum of every `width` consecutive numbers along an axis, which gets shorter by width - 1.

    Args:
        materialize: write all sums to memory at once, with an operation that XLA on CPU does not fuse into its
            consumers. Otherwise the additions are fused, and each consumer makes only the sums that it reads.
    """
    return _moving_sum(width, axis, materialize, values)


@partial(jax.custom_vjp, nondiff_argnums=(0, 1, 2))
def _moving_sum(width: int, axis: int, materialize: bool, values: Array) -> Array:
    if materialize:
        size = [width if dimension == axis else 1 for dimension in range(values.ndim)]
        return lax.reduce_window(values, np.zeros((), values.dtype), lax.add, size, [1] * values.ndim, "VALID")
    count = values.shape[axis] - width + 1
    parts = (lax.slice_in_dim(values, first, first + count, axis=axis) for first in range(width))
    return reduce(jnp.add, parts)


def _moving_sum_forward(width: int, axis: int, materialize: bool, values: Array) -> tuple[Array, None]:
    return _moving_sum(width, axis, materialize, values), None


def _moving_sum_backward(width: int, axis: int, materialize: bool, _: None, gradient: Array) -> tuple[Array]:
    zeros = [(0, 0)] * gradient.ndim
    zeros[axis] = (width - 1, width - 1)
    return (_moving_sum(width, axis, False, jnp.pad(gradient, zeros)),)


_moving_sum.defvjp(_moving_sum_forward, _moving_sum_backward)
