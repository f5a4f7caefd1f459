"""Batches of images that differ from one empty image in a small window only, and what layers make of them. Exactly.

A noiseless image is a box on an empty background, so every layer's map is the response to the empty
image (the *base*) but for a small window, and two facts hold along each axis by itself:

1. Base: pixels whose receptive fields reach equally far over the image's borders have the same base.
   They share a number, their *ground*; the base is kept once for each pair of grounds.
2. Window: what it holds beyond the base depends on the box's position only through its *kind*, the
   alignment with the strides and the grounds below it (-1 outside of the map). It is kept once for
   each pair of kinds, until there are more pairs than examples.

Proof, layer by layer. A convolution is linear: conv(base + difference) = conv(base) + conv(difference).
A pixel's new base follows from the grounds under the kernel. The second term is zero but where the
kernel meets the window, at most (k + K - 2) / s + 1 pixels, and follows from the kind, its alignment
with the stride and which of those pixels exist. A pointwise f turns the difference into
f(base + difference) - f(base), and zero stays zero. Nothing is approximated.
"""

import dataclasses
from collections.abc import Callable
from typing import Any

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Int

from jaxbox.axis import Axis
from jaxbox.gather import Bounds, Index, place, take


@dataclasses.dataclass(frozen=True, eq=False)
class Windowed:
    """A batch of maps: a base shared by all, and for each example a difference from it in a window.

    `places` are the positions (index of the row, of the column) that the windows belong to: one of each pair of
    kinds, known before tracing; or the examples' own, not known before, and then each example has a window to itself.
    `uniform` says that a difference is the same everywhere in its window.
    """

    base: Float[Array, "rows columns C"]
    difference: Float[Array, "T k l C"]
    axes: tuple[Axis, Axis]
    places: Index
    examples: Int[Any, "B 2"]
    uniform: bool = False

    @property
    def shape(self) -> tuple[int, int, int, int]:
        """(B, H, W, C) of the maps."""
        rows, columns = self.axes
        return len(self.examples), len(rows.ground), len(columns.ground), self.base.shape[-1]

    @property
    def shared(self) -> bool:
        """Whether examples of one kind share a window."""
        return isinstance(self.places, np.ndarray)

    @property
    def everywhere(self) -> bool:
        """Whether the examples are known to be all positions, one row after the other."""
        counts = [len(axis.corner) for axis in self.axes]
        every = np.indices(counts).reshape(2, -1).T
        return isinstance(self.examples, np.ndarray) and np.array_equal(self.examples, every)

    def window(self, places: Index) -> Index:
        """The number of the window of each of these positions, while windows are shared."""
        return pair("kind", self.axes, places)

    def differences(self, places: Index) -> Float[Array, "n k l C"]:
        """The window of each of these positions; of the examples' own, once each has one to itself."""
        return take(self.difference, self.window(places)) if self.shared else self.difference

    @property
    def covered(self) -> tuple[Index, Index]:
        """Along the rows and along the columns, the ground below each pixel of each window; -1 outside of the map."""
        rows, columns = (look_up(axis.covered, self.places[:, i]) for i, axis in enumerate(self.axes))
        return rows, columns

    @property
    def inside(self) -> Bool[Array, "T k l"]:
        """Which pixels of each window lie on the map."""
        rows, columns = self.covered
        return jnp.asarray((rows >= 0)[:, :, None] & (columns >= 0)[:, None, :])


def look_up(table: np.ndarray, index: Index) -> Index:
    """`table[index]`, before tracing if that can be."""
    return table[index] if isinstance(index, np.ndarray) else jnp.asarray(table)[index]


def pair(name: str, axes: tuple[Axis, Axis], places: Index) -> Index:
    """The number of each place's pair of kinds, or of products."""
    rows, columns = (look_up(getattr(axis, name), places[:, i]) for i, axis in enumerate(axes))
    return rows * (getattr(axes[1], name).max() + 1) + columns


def offset(name: str, axes: tuple[Axis, Axis], places: Index) -> tuple[tuple[Index, Index], Bounds]:
    """What each axis holds under this name for each of the places, and the least and the greatest that it holds."""
    tables = [getattr(axis, name) for axis in axes]
    rows, columns = (look_up(table, places[:, i]) for i, table in enumerate(tables))
    bounds = [(int(table.min()), int(table.max())) for table in tables]
    return (rows, columns), (bounds[0], bounds[1])


def boxes(
    corners: tuple[Int[np.ndarray, " rows"], Int[np.ndarray, " columns"]],
    shape: tuple[int, int, int],
    box_size: int,
    background: float,
    difference: float,
    examples: Int[Any, "B 2"],
) -> Windowed:
    """Images (H, W, C) of one box on a background: the rows and columns that its first pixel can have, the index into
    those of each example's row and column, and what the box adds to the background."""
    ground = 0 if background else -1
    rows, columns = (
        Axis(np.full(size, ground), at, box_size, *[np.zeros(len(at), int)] * 3)
        for size, at in zip(shape[:2], corners, strict=True)
    )
    base = jnp.full((1, 1, shape[2]), background)
    window = jnp.full((1, box_size, box_size, shape[2]), difference)
    return Windowed(base, window, (rows, columns), np.zeros((1, 2), int), examples, uniform=True)


def add(windows: Windowed, bias: Float[Array, " C"]) -> Windowed:
    """The same number added to every pixel of a channel."""
    return dataclasses.replace(windows, base=windows.base + bias, axes=_grounded(windows.axes))


def pointwise(windows: Windowed, function: Callable[[Array], Array]) -> Windowed:
    """`function` of each number."""
    below = base_below(windows)
    difference = function(below + windows.difference) - function(below)
    uniform = windows.uniform and windows.base.shape[:2] == (1, 1)
    axes = _grounded(windows.axes)
    return Windowed(function(windows.base), difference, axes, windows.places, windows.examples, uniform)


def _grounded(axes: tuple[Axis, Axis]) -> tuple[Axis, Axis]:
    """The axes of a map whose base need not be zero any more."""
    rows, columns = (dataclasses.replace(axis, ground=axis.ground.clip(0)) for axis in axes)
    return rows, columns


def base_below(windows: Windowed) -> Float[Array, "T k l C"]:
    """The base below each window; any value where the window lies outside of the map."""
    rows, columns = windows.covered
    index = rows.clip(0)[:, :, None] * windows.base.shape[1] + columns.clip(0)[:, None, :]
    return take(windows.base.reshape(-1, windows.base.shape[-1]), index.reshape(-1)).reshape(*index.shape, -1)


def full_base(windows: Windowed) -> Float[Array, "H W C"]:
    """The response to the empty image."""
    rows, columns = (axis.ground.clip(0) for axis in windows.axes)
    return take(take(windows.base, rows).swapaxes(0, 1), columns).swapaxes(0, 1)


def render(windows: Windowed) -> Float[Array, "B H W C"]:
    """The maps themselves."""
    corner, bounds = offset("corner", windows.axes, windows.examples)
    return full_base(windows) + place(windows.differences(windows.examples), corner, bounds, windows.shape[1:3])


def lit_units(windows: Windowed) -> Bool[Array, " C"]:
    """Which channels are above zero in some example, at some pixel."""
    values = base_below(windows) + windows.difference
    used = jnp.ones(len(values), bool)
    if windows.shared:
        used = jnp.zeros(len(values), bool).at[windows.window(windows.examples)].set(True)
    seen = windows.inside & used[:, None, None]
    in_a_window = jnp.any((values > 0) & seen[..., None], axis=(0, 1, 2))
    return in_a_window | jnp.any((full_base(windows) > 0) & _uncovered(windows)[..., None], axis=(0, 1))


def _uncovered(windows: Windowed) -> Bool[Any, "H W"]:
    """Which pixels of the map lie outside of some example's window."""
    covers = []
    for i, axis in enumerate(windows.axes):
        start, pixels = look_up(axis.corner, windows.examples[:, i])[:, None], np.arange(len(axis.ground))
        covers.append(((pixels >= start) & (pixels < start + axis.width)).astype(jnp.float32))
    return covers[0].T @ covers[1] < len(windows.examples)
