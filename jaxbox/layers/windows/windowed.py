"""Batches of images that differ from one empty image in a small window only, and pointwise functions of them.

Nothing is approximated: README.md in this folder has the proof, and the vocabulary.
"""

import dataclasses
from collections.abc import Callable
from typing import Any

import jax.numpy as jnp
import numpy as np
from jax import lax
from jaxtyping import Array, Bool, Float, Int

from jaxbox.layers.windows.axis import Axis
from jaxbox.layers.windows.gather import gather_rows, gather_with_bounds, pair_index, place, take


@dataclasses.dataclass(frozen=True, eq=False)
class Windowed:
    """A batch of maps (B, H, W, C): a base that all share, and for each example a difference from it in a window.

    A position is two indices: of its row into the tables of the rows' axis, of its column into those of the columns'.
    """

    base: Float[Array, "row_classes column_classes C"]
    """The response to the empty image, once for each pair of base classes."""
    difference_at: Callable[[Int[Any, "n 2"]], Float[Array, "n k l C"]]
    """What the window of k x l pixels at each of some positions adds to the base; zero outside of the map. Computed for
    whoever asks, so that shared windows need never be in memory together. Unless windows are shared, the positions must
    be `examples`."""
    axes: tuple[Axis, Axis]
    """The rows and the columns of the map."""
    representatives: Int[Any, "T 2"]
    """The position that each window belongs to: one position a distinct window (NumPy), or the examples' own positions
    (traced), a window each."""
    examples: Int[Any, "B 2"]
    """The position of each example; a NumPy array if they are known before tracing."""
    uniform: bool = False
    """Whether there is one window only, with the same difference at each of its pixels."""

    @property
    def shape(self) -> tuple[int, int, int, int]:
        """(B, H, W, C) of the maps."""
        rows, columns = self.axes
        return len(self.examples), len(rows.base_class), len(columns.base_class), self.base.shape[-1]

    @property
    def shared(self) -> bool:
        """Whether examples share windows, a window for each pair of window classes; else each has its own."""
        return isinstance(self.representatives, np.ndarray)

    @property
    def all_positions(self) -> bool:
        """Whether the examples are known to be all positions, one row after the other."""
        counts = [len(axis.start) for axis in self.axes]
        every = np.indices(counts).reshape(2, -1).T
        return isinstance(self.examples, np.ndarray) and np.array_equal(self.examples, every)

    @property
    def row_representatives(self) -> Int[np.ndarray, "row_classes column_classes 2"]:
        """The representatives, for each class of rows those of each class of columns. Only for shared windows."""
        return self.representatives.reshape(self.axes[0].window_class.max() + 1, -1, 2)

    def window_index(self, positions: Int[Any, "n 2"]) -> Int[Any, " n"]:
        """Which of the T windows each position has. Only for shared windows."""
        rows, columns = self.axes
        return pair_index((rows.window_class, columns.window_class), positions)

    @property
    def difference(self) -> Float[Array, "T k l C"]:
        """What each window adds to the base."""
        return self.difference_at(self.representatives)

    def base_class_below(self, positions: Int[Any, "n 2"]) -> tuple[Int[Any, "n k"], Int[Any, "n l"]]:
        """The base classes of the rows, and of the columns, of the window at each position; -1 outside of the map."""
        rows, columns = (gather_rows(axis.base_class_below, positions[:, i]) for i, axis in enumerate(self.axes))
        return rows, columns

    def inside(self, positions: Int[Any, "n 2"]) -> Bool[Array, "n k l"]:
        """Which pixels of the window at each position lie on the map."""
        rows, columns = self.base_class_below(positions)
        return jnp.asarray((rows >= 0)[:, :, None] & (columns >= 0)[:, None, :])


def boxes(
    corners: tuple[Int[np.ndarray, " rows"], Int[np.ndarray, " columns"]],
    shape: tuple[int, int, int],
    box_size: int,
    background: float,
    difference: Any,
    examples: Int[Any, "B 2"],
) -> Windowed:
    """Images of one square box each, on an even background.

    Args:
        corners: the rows and the columns, in pixels, that the box's top-left pixel can have; each without gaps.
        shape: (H, W, C) of an image.
        box_size: side of the box, in pixels.
        background: value of the pixels around the box.
        difference: value of the box's pixels, less `background`; it may be traced.
        examples: for each image, which of the rows and which of the columns its box has.

    Raises:
        ValueError: `corners` leave out a row or a column, over which sums along the positions would slide.
    """
    if any((np.diff(starts) != 1).any() for starts in corners):
        raise ValueError("a box must be able to start at every row and every column between its first and its last")
    base_class = 0 if background else -1
    rows, columns = (
        Axis.of_images(base_class=np.full(size, base_class), start=starts, width=box_size)
        for size, starts in zip(shape[:2], corners, strict=True)
    )
    base = jnp.full((1, 1, shape[2]), background)
    window = jnp.full((1, box_size, box_size, shape[2]), difference)

    def only(positions: Int[Any, "n 2"]) -> Float[Array, "n k l C"]:
        return jnp.broadcast_to(window, (len(positions), *window.shape[1:]))

    return Windowed(base, only, (rows, columns), np.zeros((1, 2), int), examples, uniform=True)


def at_examples(difference: Float[Array, "B k l C"]) -> Callable[[Any], Float[Array, "B k l C"]]:
    """The `difference_at` of windows that are not shared: what each example's own window adds."""
    return lambda _: difference


def add_bias(windows: Windowed, bias: Float[Array, " C"]) -> Windowed:
    """The maps (B, H, W, C) with a number added to every pixel of each channel."""
    return dataclasses.replace(windows, base=windows.base + bias[None, None], axes=_distinct_from_outside(windows.axes))


def pointwise(windows: Windowed, function: Callable[[Array], Array]) -> Windowed:
    """The maps (B, H, W, C) of `function` of each number; it must keep an array's shape."""

    def difference_at(positions: Int[Any, "n 2"]) -> Float[Array, "n k l C"]:
        below = base_below(windows, positions)
        return function(below + windows.difference_at(positions)) - function(below)

    uniform = windows.uniform and windows.base.shape[:2] == (1, 1)
    axes = _distinct_from_outside(windows.axes)
    at = difference_at if windows.shared else at_examples(difference_at(windows.examples))
    return Windowed(function(windows.base), at, axes, windows.representatives, windows.examples, uniform)


def _distinct_from_outside(axes: tuple[Axis, Axis]) -> tuple[Axis, Axis]:
    """The axes of a map whose base need not be zero any more, while outside of the map zeros stay zeros."""
    rows, columns = (dataclasses.replace(axis, base_class=axis.base_class.clip(0)) for axis in axes)
    return rows, columns


def base_below(windows: Windowed, positions: Int[Any, "n 2"]) -> Float[Array, "n k l C"]:
    """The base at each pixel of the window at each position; outside of the map a value without meaning."""
    rows, columns = windows.base_class_below(positions)
    index = rows.clip(0)[:, :, None] * windows.base.shape[1] + columns.clip(0)[:, None, :]
    return take(windows.base.reshape(-1, windows.base.shape[-1]), index.reshape(-1)).reshape(*index.shape, -1)


def render_base(windows: Windowed) -> Float[Array, "H W C"]:
    """The base at every pixel: the response to the empty image."""
    rows, columns = (axis.base_class.clip(0) for axis in windows.axes)
    return take(take(windows.base, rows).swapaxes(0, 1), columns).swapaxes(0, 1)


def render(windows: Windowed) -> Float[Array, "B H W C"]:
    """The maps that the windows stand for."""
    rows, columns = windows.axes
    starts, bounds = gather_with_bounds((rows.start, columns.start), windows.examples)
    return render_base(windows)[None] + place(
        windows.difference_at(windows.examples), starts, bounds, windows.shape[1:3]
    )


def pixel_mean(windows: Windowed, function: Callable[[Array], Array]) -> Float[Array, "B C"]:
    """The mean over each map's pixels of `function` of each number; it must keep an array's shape."""
    below = base_below(windows, windows.representatives)
    inside = windows.inside(windows.representatives)
    added = jnp.where(inside[..., None], function(below + windows.difference) - function(below), 0)
    window = added.sum(axis=(1, 2))
    own = take(window, windows.window_index(windows.examples)) if windows.shared else window
    _, height, width, _ = windows.shape
    return (function(render_base(windows)).sum(axis=(0, 1))[None] + own) / (height * width)


def lit_units(windows: Windowed) -> Bool[Array, " C"]:
    """Which channels are above zero at some pixel of some example."""

    def lit(positions: Int[Any, "n 2"], used: Bool[Array, " n"]) -> Bool[Array, " C"]:
        values = base_below(windows, positions) + windows.difference_at(positions)
        seen = windows.inside(positions) & used[:, None, None]
        # On CPU a maximum of floats takes a third of the time of a disjunction.
        return ((values > 0) & seen[..., None]).astype(jnp.float32).max(axis=(0, 1, 2)) > 0

    of_base = jnp.any((render_base(windows) > 0) & _outside_some_window(windows)[..., None], axis=(0, 1))
    count = len(windows.representatives)
    if not windows.shared:
        return of_base | lit(windows.representatives, jnp.ones(count, bool))
    used = jnp.zeros(count, bool).at[windows.window_index(windows.examples)].set(True)
    rows = windows.row_representatives
    return of_base | lax.map(lambda row: lit(*row), (jnp.asarray(rows), used.reshape(rows.shape[:2]))).any(axis=0)


def all_values(windows: Windowed) -> Float[Array, "n C"]:
    """Every number of each channel in some window or in the response to the empty image, some of them repeated."""
    # Outside of the map a window has none: there it gets one that is there anyway.
    positions = windows.representatives
    values = base_below(windows, positions) + windows.difference
    values = jnp.where(windows.inside(positions)[..., None], values, windows.base[0, 0])
    channels = values.shape[-1]
    return jnp.concatenate([values.reshape(-1, channels), windows.base.reshape(-1, channels)])


def _outside_some_window(windows: Windowed) -> Bool[Any, "H W"]:
    """Which pixels of the map lie outside of at least one example's window."""
    covers = []
    for i, axis in enumerate(windows.axes):
        start, pixels = gather_rows(axis.start, windows.examples[:, i])[:, None], np.arange(len(axis.base_class))[None]
        covers.append(((pixels >= start) & (pixels < start + axis.width)).astype(jnp.float32))
    return covers[0].T @ covers[1] < len(windows.examples)
