"""What convolutions and dense layers make of windows: products of the base, and of the windows, with the kernel."""

import dataclasses
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from jaxtyping import Array, Float, Int

from jaxbox.layers import convolution
from jaxbox.layers.convolution import Padding
from jaxbox.layers.windows.axis import Axis
from jaxbox.layers.windows.gather import Tables, gather_with_bounds, moving_sum, pair_index, place, take
from jaxbox.layers.windows.windowed import Windowed, at_examples, render, render_base

FEW_FEATURES = 2
"""Up to so many, as the linear model has, a base of zeros is left out: a step takes .86 of the time at 100 x 100. With
64 it takes .96 to 1, but then a batch's gradient is summed in another order: what was published has other last bits."""


def saves(windows: Windowed, kernel_size: int, stride: int, padding: tuple[Padding, Padding]) -> bool:
    """Whether convolving the windows takes fewer products than convolving the maps that they stand for.

    Products with the base are not counted. Sizes in pixels, padding of the rows and of the columns.
    """
    axes = rows, columns = _convolved_axes(windows.axes, kernel_size, stride, padding)
    count = len(windows.examples)
    source_classes = rows.source_class, columns.source_class
    distinct = len(_representatives(source_classes, windows.examples)) if windows.shared else count
    frame, zeros = _frame_geometry(windows.axes, axes, kernel_size, stride)
    ours = distinct * convolution.cost(frame, kernel_size, stride, zeros)
    return ours < count * convolution.cost(windows.shape[1:3], kernel_size, stride, padding)


def convolve(
    windows: Windowed, kernel: Float[Array, "F K K C"], stride: int, padding: tuple[Padding, Padding]
) -> Windowed:
    """Cross-correlation of the maps (B, H, W, C) with a square kernel, as `convolution.convolve`: (B, h, w, F).

    Along each axis a window of k pixels begins at one of s = stride pixels of the first kernel that meets it: K - s to
    K - 1. A frame of k + s - 1 pixels whose first lies at pixel K - s of that kernel therefore holds the window
    wherever it begins. All windows are placed into such frames, and frames are convolved alike.

    Raises:
        ValueError: the kernel is too large for `convolution.convolve`.
    """
    size = kernel.shape[1]
    axes = rows, columns = _convolved_axes(windows.axes, size, stride, padding)
    source_classes = rows.source_class, columns.source_class
    representatives = _representatives((rows.window_class, columns.window_class), windows.examples)
    sources = _representatives(source_classes, windows.examples) if windows.shared else representatives
    frame, zeros = _frame_geometry(windows.axes, axes, size, stride)
    source = windows.difference_at(sources)
    starts, bounds = gather_with_bounds((rows.frame_offset, columns.frame_offset), sources)
    frames = place(source, starts, bounds, frame)
    convolved = convolution.convolve(frames, kernel, stride, zeros)

    def difference_at(positions: Int[Any, "n 2"]) -> Float[Array, "n k l F"]:
        known = isinstance(sources, np.ndarray)
        own = take(convolved, pair_index(source_classes, positions)) if known else convolved
        return jnp.where(result.inside(positions)[..., None], own, 0)

    base = _convolve_base(windows, kernel, stride, padding)
    result = Windowed(base, difference_at, axes, representatives, windows.examples)
    return result if result.shared else dataclasses.replace(result, difference_at=at_examples(result.difference))


def _convolved_axes(
    axes: tuple[Axis, Axis], kernel_size: int, stride: int, padding: tuple[Padding, Padding]
) -> tuple[Axis, Axis]:
    rows, columns = (axis.convolved(kernel_size, stride, zeros) for axis, zeros in zip(axes, padding, strict=True))
    return rows, columns


def _representatives(classes: Tables, examples: Int[Any, "B 2"]) -> Int[Any, "T 2"]:
    """One position for each pair of classes (NumPy); if there are more pairs than examples, `examples` (JAX)."""
    first = [np.unique(table, return_index=True)[1] for table in classes]
    positions = np.stack(np.meshgrid(*first, indexing="ij"), axis=-1).reshape(-1, 2)
    return positions if len(positions) <= len(examples) else jnp.asarray(examples)


def _frame_geometry(
    old: tuple[Axis, Axis], new: tuple[Axis, Axis], kernel_size: int, stride: int
) -> tuple[tuple[int, int], tuple[Padding, Padding]]:
    """The pixels of a frame's rows and columns, and the zeros around them below the kernels that meet the window."""
    rows, columns = (axis.width + stride - 1 for axis in old)
    before = kernel_size - stride
    above, left = (
        (before, stride * (axis.width - 1) + kernel_size - pixels - before)
        for axis, pixels in zip(new, (rows, columns), strict=True)
    )
    return (rows, columns), (above, left)


def _convolve_base(
    windows: Windowed, kernel: Float[Array, "F K K C"], stride: int, padding: tuple[Padding, Padding]
) -> Float[Array, "row_classes column_classes F"]:
    """The new base: one output pixel for each pair of new base classes."""
    rows, columns = (
        axis.base_class_below_kernel(kernel.shape[1], stride, zeros)
        for axis, zeros in zip(windows.axes, padding, strict=True)
    )
    base = jnp.pad(windows.base, ((0, 1), (0, 1), (0, 0)))  # class -1, outside of the map, finds the zeros
    bands = take(base, rows.reshape(-1) % len(base)).reshape(*rows.shape, *base.shape[1:])
    patches = take(jnp.moveaxis(bands, 2, 0), columns.reshape(-1) % base.shape[1])
    patches = patches.reshape(*columns.shape, *rows.shape, -1)
    return jnp.einsum("xuytc,ftuc->yxf", patches, kernel)


def dense(windows: Windowed, kernel: Float[Array, "F inputs"]) -> Float[Array, "B F"]:
    """`kernel` times the flattened map of each example; its H W C inputs are in row-major order."""
    batch, height, width, channels = windows.shape
    rows, columns = windows.axes
    if not windows.shared and 2 * rows.width * columns.width > height * width:
        return render(windows).reshape(batch, -1) @ kernel.T
    maps = kernel.reshape(-1, height, width, channels)
    method = _dense_uniform if windows.uniform else _dense_shared if windows.shared else _dense_each
    added = method(windows, maps)
    if len(maps) <= FEW_FEATURES and any((axis.base_class < 0).all() for axis in windows.axes):
        return added  # to zeros, whose products the compiler would make, and their gradient
    return jnp.tensordot(maps, render_base(windows), 3)[None] + added


def _dense_uniform(windows: Windowed, maps: Float[Array, "F H W C"]) -> Float[Array, "B F"]:
    """What the windows add to the outputs: the kernel's sum over the window of each position, looked up."""
    sums, materialize = maps @ windows.difference[0, 0, 0], _materializing_is_faster(windows, len(maps))
    for dimension, axis in enumerate(windows.axes, start=1):
        first, last = int(axis.start[0]), int(axis.start[-1])
        reached = lax.slice_in_dim(sums, first, last + axis.width, axis=dimension)
        sums = moving_sum(reached, axis.width, dimension, materialize)
    table = sums.reshape(len(maps), -1)
    if windows.all_positions:
        return table.T
    # A product of integers would be made apart, and its two factors before it.
    row, column = windows.examples[:, 0], windows.examples[:, 1]
    return table[:, row * sums.shape[2] + column].T


def _materializing_is_faster(windows: Windowed, features: int) -> bool:
    """Whether adding up the kernel over the windows of all positions takes less time than over the examples' alone.

    Measured on CPU: all at once are added five times as fast, after a start that costs 16,000 additions.
    """
    (rows, columns), batch = windows.axes, len(windows.examples)
    table = len(rows.start) * len(columns.start) * (rows.width + columns.width)
    examples = batch * rows.width * columns.width
    return windows.all_positions or features * examples > features * table // 5 + 16_000


def _dense_shared(windows: Windowed, maps: Float[Array, "F H W C"]) -> Float[Array, "B F"]:
    """What shared windows add to the outputs: made for all positions, a column of them at a time, then looked up.

    A column, not a row: then what a product sums over, a row of a window with its channels, lies together in memory.
    """
    rows, columns = windows.axes
    distinct = windows.row_representatives[:, 0, 0]
    # Outside of the map the difference is zero, whatever part of the kernel it meets.
    below_rows, below_columns = (
        np.clip(axis.start[:, None] + np.arange(axis.width), 0, len(axis.base_class) - 1) for axis in windows.axes
    )

    def own(number: Int[Any, ""]) -> Float[Array, "T_rows k l C"]:
        return windows.difference_at(jnp.stack([distinct, jnp.full(len(distinct), number)], axis=1))

    def column(own_now: Array, position: tuple[Array, Array]) -> tuple[Array, Float[Array, "rows F"]]:
        following, pixels = position
        below = jnp.take(maps, pixels, axis=2).transpose(2, 3, 1, 0)
        products = _product(own_now.reshape(len(distinct) * rows.width, -1), below.reshape(-1, below[0, 0].size))
        products = products.reshape(len(distinct), rows.width, *below.shape[2:])
        sums = products[rows.window_class[:, None], np.arange(rows.width), below_rows].sum(axis=1)
        return own(following), sums

    # The windows of the next column are made beside the products of this one: XLA would make the product's operand in
    # one go with its change of shape, number by number, in twice the time.
    count = len(columns.start)
    following = np.minimum(np.arange(count) + 1, count - 1)
    _, table = lax.scan(column, own(np.int32(0)), (jnp.asarray(following), jnp.asarray(below_columns)))
    if windows.all_positions:
        return table.swapaxes(0, 1).reshape(-1, table.shape[-1])
    return table[windows.examples[:, 1], windows.examples[:, 0]]


def _product(left: Float[Array, "m k"], right: Float[Array, "k n"]) -> Float[Array, "m n"]:
    """A matrix product; on CPU one of 26 columns takes a third more time than one of 32."""
    columns = right.shape[1]
    return (left @ jnp.pad(right, ((0, 0), (0, -columns % 8))))[:, :columns]


def _dense_each(windows: Windowed, maps: Float[Array, "F H W C"]) -> Float[Array, "B F"]:
    """What the examples' own windows add to the outputs: pixels times the kernel below, one feature after the other."""
    rows, columns = windows.axes
    (row, column), bounds = gather_with_bounds((rows.start, columns.start), windows.representatives)
    zeros = [
        (max(-low, 0), max(high + axis.width - len(axis.base_class), 0))
        for (low, high), axis in zip(bounds, windows.axes, strict=True)
    ]
    start, size = (row + zeros[0][0], column + zeros[1][0]), windows.difference.shape[1:]
    cut = jax.vmap(lambda image, row, column: lax.dynamic_slice(image, (row, column, 0), size), (None, 0, 0))

    def feature(kernel: Float[Array, "H W C"]) -> Float[Array, " B"]:
        products = windows.difference * cut(jnp.pad(kernel, (*zeros, (0, 0))), *start)
        # A product sums the channels: on CPU a sum over the last axis goes number by number.
        return products.sum(axis=(1, 2)) @ jnp.ones(size[-1], products.dtype)

    return lax.map(feature, maps).T
