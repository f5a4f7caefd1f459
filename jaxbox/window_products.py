"""What convolutions and dense layers make of windows: products of the base, and of the windows, with the kernel."""

import dataclasses
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from jaxtyping import Array, Float, Int

from jaxbox import convolution
from jaxbox.axis import Axis
from jaxbox.convolution import Padding
from jaxbox.gather import Index, moving_sum, place, take
from jaxbox.windows import Windowed, full_base, offset, pair, render


def saves(windows: Windowed, kernel_size: int, stride: int, padding: tuple[Padding, Padding]) -> bool:
    """Whether the convolution of windows takes fewer products than that of the maps."""
    axes = _convolved(windows.axes, kernel_size, stride, padding)
    count = len(windows.examples)
    distinct = len(_places("product", axes, windows.examples)) if windows.shared else count
    frame, zeros = _frames(windows.axes, axes, kernel_size, stride)
    ours = distinct * convolution.cost(frame, kernel_size, stride, zeros)
    return ours < count * convolution.cost(windows.shape[1:3], kernel_size, stride, padding)


def convolve(
    windows: Windowed, kernel: Float[Array, "F K K C"], stride: int, padding: tuple[Padding, Padding]
) -> Windowed:
    """Cross-correlation with a square kernel, as `convolution.convolve`.

    Windows are laid into frames of k + s - 1 pixels that begin with pixel K - s under the first kernel that meets the
    window, the earliest at which the window can begin: then all are convolved alike.
    """
    size = kernel.shape[1]
    axes = _convolved(windows.axes, size, stride, padding)
    places = _places("kind", axes, windows.examples)
    sources = _places("product", axes, windows.examples) if windows.shared else places
    frame, zeros = _frames(windows.axes, axes, size, stride)
    frames = place(windows.differences(sources), *offset("shift", axes, sources), frame)
    difference = convolution.convolve(frames, kernel, stride, zeros)
    if isinstance(sources, np.ndarray):
        difference = take(difference, pair("product", axes, places))
    result = Windowed(_convolve_base(windows, kernel, stride, padding), difference, axes, places, windows.examples)
    return dataclasses.replace(result, difference=jnp.where(result.inside[..., None], difference, 0))


def _convolved(
    axes: tuple[Axis, Axis], kernel_size: int, stride: int, padding: tuple[Padding, Padding]
) -> tuple[Axis, Axis]:
    rows, columns = (axis.convolved(kernel_size, stride, zeros) for axis, zeros in zip(axes, padding, strict=True))
    return rows, columns


def _places(name: str, axes: tuple[Axis, Axis], examples: Int[Any, "B 2"]) -> Index:
    """A position for each pair of kinds, or of products; the examples' own where those are fewer."""
    first = [np.unique(getattr(axis, name), return_index=True)[1] for axis in axes]
    places = np.stack(np.meshgrid(*first, indexing="ij"), axis=-1).reshape(-1, 2)
    return places if len(places) < len(examples) else jnp.asarray(examples)


def _frames(
    old: tuple[Axis, Axis], new: tuple[Axis, Axis], kernel_size: int, stride: int
) -> tuple[tuple[int, int], tuple[Padding, Padding]]:
    """The pixels of a frame's rows and columns, and the zeros around them under the kernels that meet it."""
    rows, columns = (axis.width + stride - 1 for axis in old)
    before = kernel_size - stride
    above, left = (
        (before, stride * (axis.width - 1) + kernel_size - pixels - before)
        for axis, pixels in zip(new, (rows, columns), strict=True)
    )
    return (rows, columns), (above, left)


def _convolve_base(
    windows: Windowed, kernel: Float[Array, "F K K C"], stride: int, padding: tuple[Padding, Padding]
) -> Float[Array, "rows columns F"]:
    """One output pixel for each pair of the new grounds."""
    rows, columns = (
        axis.under_kernels(kernel.shape[1], stride, zeros) for axis, zeros in zip(windows.axes, padding, strict=True)
    )
    base = jnp.pad(windows.base, ((0, 1), (0, 1), (0, 0)))  # index -1, outside of the map, finds the zeros
    bands = take(base, rows.reshape(-1) % len(base)).reshape(*rows.shape, *base.shape[1:])
    patches = take(jnp.moveaxis(bands, 2, 0), columns.reshape(-1) % base.shape[1])
    patches = patches.reshape(*columns.shape, *rows.shape, -1)
    return jnp.einsum("xuytc,ftuc->yxf", patches, kernel)


def dense(windows: Windowed, kernel: Float[Array, "F inputs"]) -> Float[Array, "B F"]:
    """`kernel` times everything that an example's map holds."""
    batch, height, width, channels = windows.shape
    rows, columns = windows.axes
    if not windows.shared and 2 * rows.width * columns.width > height * width:
        return render(windows).reshape(batch, -1) @ kernel.T
    maps = kernel.reshape(-1, height, width, channels)
    method = _dense_uniform if windows.uniform else _dense_shared if windows.shared else _dense_each
    return jnp.tensordot(maps, full_base(windows), 3) + method(windows, maps)


def _dense_uniform(windows: Windowed, maps: Float[Array, "F H W C"]) -> Float[Array, "B F"]:
    """A table of the kernel's sums over every window, and each example's entry of it."""
    sums, whole = maps @ windows.difference[0, 0, 0], _whole_table_saves(windows, len(maps))
    for dimension, axis in enumerate(windows.axes, start=1):
        first, last = int(axis.corner[0]), int(axis.corner[-1])
        reached = lax.slice_in_dim(sums, first, last + axis.width, axis=dimension)
        sums = moving_sum(reached, axis.width, dimension, whole)
    table = sums.reshape(len(maps), -1)
    if windows.everywhere:
        return table.T
    return table[:, windows.examples @ np.array([sums.shape[2], 1])].T


def _whole_table_saves(windows: Windowed, features: int) -> bool:
    """Whether adding up the kernel over all windows takes less time than over those of the examples alone.

    Measured on CPU: all at once are added five times as fast, after a start that costs 16,000 additions.
    """
    (rows, columns), batch = windows.axes, len(windows.examples)
    table = len(rows.corner) * len(columns.corner) * (rows.width + columns.width)
    examples = batch * rows.width * columns.width
    return windows.everywhere or features * examples > features * table // 5 + 16_000


def _dense_shared(windows: Windowed, maps: Float[Array, "F H W C"]) -> Float[Array, "B F"]:
    """A table of the outputs at every position, one row of positions after the other, and each example's entry."""
    rows, columns = windows.axes
    by_row = windows.difference.reshape(rows.kind.max() + 1, -1, *windows.difference.shape[1:])
    # Outside of the map the difference is zero, whatever part of the kernel it meets.
    below_rows, below_columns = (
        np.clip(axis.corner[:, None] + np.arange(axis.width), 0, len(axis.ground) - 1) for axis in windows.axes
    )

    def row(place: tuple[Array, Array]) -> Float[Array, "columns F"]:
        kind, pixels = place
        products = jnp.einsum("xtuc,ftwc->xuwf", by_row[kind], jnp.take(maps, pixels, axis=1))
        return products[columns.kind[:, None], np.arange(columns.width), below_columns].sum(axis=1)

    table = lax.map(row, (jnp.asarray(rows.kind), jnp.asarray(below_rows)))
    if windows.everywhere:
        return table.reshape(-1, table.shape[-1])
    return table[windows.examples[:, 0], windows.examples[:, 1]]


def _dense_each(windows: Windowed, maps: Float[Array, "F H W C"]) -> Float[Array, "B F"]:
    """The sum over each window of its pixels times the part of the kernel below it, one feature after the other."""
    (row, column), bounds = offset("corner", windows.axes, windows.places)
    zeros = [
        (max(-low, 0), max(high + axis.width - len(axis.ground), 0))
        for (low, high), axis in zip(bounds, windows.axes, strict=True)
    ]
    start, size = (row + zeros[0][0], column + zeros[1][0]), windows.difference.shape[1:]
    cut = jax.vmap(lambda image, row, column: lax.dynamic_slice(image, (row, column, 0), size), (None, 0, 0))

    def feature(kernel: Float[Array, "H W C"]) -> Float[Array, " B"]:
        products = windows.difference * cut(jnp.pad(kernel, (*zeros, (0, 0))), *start)
        # A product sums the channels: on CPU a sum over the last axis goes number by number.
        return products.sum(axis=(1, 2)) @ jnp.ones(size[-1], products.dtype)

    return lax.map(feature, maps).T
