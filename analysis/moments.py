"""First and second moments of the box task, on which everything linear rests.

A clean image is v(r) outer u(c), a row indicator times a column indicator, and row and column are independent and
uniform over an unbroken range. Hence, along each axis, with P positions of a box of side b:

- Two indicators overlap in T_ij = max(b - |i - j|, 0) pixels, so the Gram matrix of all images is T_y kron T_x.
  T has full rank P and commutes with a reflection of the axis: its eigenvectors are even or odd.
- The mean image is even about the centre of the positions, and a coordinate less its mean is odd. What is linear in
  the image therefore splits: the coordinate's deviation lives on (even, odd) modes, and the mean, the background of
  the inputs and the bias on (even, even) ones. The two never meet.
- Under another law the row and the column are independent still if the law is a product, but not even about the
  centre: only the Gram matrix stays as it is (`analysis.weighted_ridge`).
- Noise and input scale act as one channel: E[input | pixel] = scale pixel + offset, with a variance that is the same
  for lit and dark pixels. For salt and pepper that needs 0 and 1 to be equally likely, which they are.
"""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float
from scipy.linalg import toeplitz

from analysis import closed_forms, laws
from analysis.laws import UNIFORM
from jaxbox import task as tasks
from jaxbox.config import Data, Task, look_up


class Channel(NamedTuple):
    """From a clean pixel X to the pixel that a network sees: scale X + offset, plus noise of this variance."""

    scale: float
    offset: float
    variance: float


class Modes(NamedTuple):
    """Eigenvalues (n,) and orthonormal eigenvectors (P, n) of one axis' Gram matrix."""

    values: Float[np.ndarray, " n"]
    vectors: Float[np.ndarray, "P n"]


# E[pixel | clean pixel] and its variance in [0, 1] pixels, by kind of noise.
CHANNELS = {
    "none": lambda level: Channel(1.0, 0.0, 0.0),
    "white": lambda level: Channel(1.0, 0.0, level**2),
    "salt_pepper": lambda level: Channel(1 - level, level / 2, level / 2 * (1 - level / 2)),
}


def channel(task: Task) -> Channel:
    """The task's noise followed by its input scale."""
    closed_forms.require(task, closed_forms.LINEAR)
    scale, offset = tasks.input_scale(task)
    noise = look_up(CHANNELS, task.noise, "task.noise")(task.noise_level)
    return Channel(scale * noise.scale, scale * noise.offset + offset, scale**2 * noise.variance)


def axis_targets(task: Task) -> tuple[Float[np.ndarray, " P_x"], Float[np.ndarray, " P_y"]]:
    """The x of every column and the y of every row that the box can take."""
    closed_forms.require(task, closed_forms.LINEAR)
    rows, columns = tasks.position_shape(task)
    column = np.stack([task.margin_left + np.arange(columns), np.full(columns, task.margin_top)], axis=-1)
    row = np.stack([np.full(rows, task.margin_left), task.margin_top + np.arange(rows)], axis=-1)
    return tasks.targets(task, column)[:, 0], tasks.targets(task, row)[:, 1]


def target_mean(task: Task, data: Data = UNIFORM) -> Float[np.ndarray, "2"]:
    """Mean (x, y) under the law of the data."""
    if laws.is_uniform(data):
        # The midpoint, because a sum over positions would leave 1e-17 where symmetry says 0.
        return np.array([(axis[0] + axis[-1]) / 2 for axis in axis_targets(task)])
    return np.array([p @ axis for p, axis in zip(laws.along_axes(task, data), axis_targets(task), strict=True)])


def target_variance(task: Task, data: Data = UNIFORM) -> Float[np.ndarray, "2"]:
    """Variance of (x, y) under the law; if uniform spacing^2 (P^2 - 1) / 12. Exactly 0 on an axis with one position."""
    if laws.is_uniform(data):
        return np.array([np.var(axis - axis[0]) for axis in axis_targets(task)])
    of_axes = zip(laws.along_axes(task, data), axis_targets(task), target_mean(task, data), strict=True)
    return np.array([p @ (axis - mean) ** 2 if len(axis) > 1 else 0.0 for p, axis, mean in of_axes])


def r_squared(task: Task, mse: Float[np.ndarray, "2"], data: Data = UNIFORM) -> Float[np.ndarray, "2"]:
    """1 - mse / Var, of x and of y.

    Raises:
        ValueError: a coordinate is constant, so that R2 is undefined.
    """
    variance = target_variance(task, data)
    if not variance.all():
        rows, columns = tasks.position_shape(task)
        raise ValueError(f"task: {columns} columns and {rows} rows of positions; R2 needs at least 2 of each")
    return 1 - mse / variance


def gram(positions: int, box_size: int) -> Float[np.ndarray, "P P"]:
    """T_ij = max(b - |i - j|, 0): in how many pixels of an axis two boxes overlap."""
    return toeplitz(np.maximum(box_size - np.arange(positions), 0)).astype(float)


def gram_modes(positions: int, box_size: int) -> tuple[Modes, Modes]:
    """The even and the odd modes of T_ij = max(b - |i - j|, 0), ascending. O(P^3).

    The parity is exact, also where eigenvalues nearly coincide, because each half is diagonalised by itself.
    """
    overlaps = gram(positions, box_size)
    identity = np.eye(positions)
    even = (identity + identity[::-1])[:, : (positions + 1) // 2]
    odd = (identity - identity[::-1])[:, : positions // 2]
    return _half(overlaps, even), _half(overlaps, odd)


def axis_modes(task: Task) -> tuple[tuple[Modes, Modes], tuple[Modes, Modes]]:
    """`gram_modes` along y and along x; once for both where they have as many positions."""
    rows, columns = tasks.position_shape(task)
    along_y = gram_modes(rows, closed_forms.box_side(task))
    return along_y, along_y if rows == columns else gram_modes(columns, closed_forms.box_side(task))


def box_sums(task: Task, pictures: Float[np.ndarray, "n H W"]) -> Float[np.ndarray, "n P_y P_x"]:
    """The sum of each picture over the box, at every position. O(n H W), whatever the box."""
    closed_forms.require(task, closed_forms.BAYES)
    rows = slice(task.margin_top, task.height - task.margin_bottom)
    columns = slice(task.margin_left, task.width - task.margin_right)
    return _window_sums(
        _window_sums(pictures[:, rows, columns], closed_forms.box_side(task), 1), closed_forms.box_side(task), 2
    )


def box_pictures(task: Task, coefficients: Float[np.ndarray, "n P_y P_x"]) -> Float[np.ndarray, "n H W"]:
    """The adjoint of `box_sums`: the sum of all clean images, each times its coefficient."""
    closed_forms.require(task, closed_forms.LINEAR)
    beyond = closed_forms.box_side(task) - 1
    around = np.pad(coefficients, ((0, 0), (beyond, beyond), (beyond, beyond)))
    covered = _window_sums(_window_sums(around, closed_forms.box_side(task), 1), closed_forms.box_side(task), 2)
    vertical, horizontal = (task.margin_top, task.margin_bottom), (task.margin_left, task.margin_right)
    return np.pad(covered, ((0, 0), vertical, horizontal))


def _half(gram: Float[np.ndarray, "P P"], basis: Float[np.ndarray, "P n"]) -> Modes:
    basis = basis / np.linalg.norm(basis, axis=0)
    values, vectors = np.linalg.eigh(basis.T @ gram @ basis)
    return Modes(values, basis @ vectors)


def _window_sums(values: Float[np.ndarray, "..."], size: int, axis: int) -> Float[np.ndarray, "..."]:
    sums = np.insert(np.cumsum(values, axis), 0, 0.0, axis)
    stop = sums.shape[axis]
    return sums.take(range(size, stop), axis) - sums.take(range(stop - size), axis)
