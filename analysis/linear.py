"""The best linear predictors of the box's centre, in closed form.

With u(c) the indicator of the columns that a box at c covers, a linear predictor of x must solve z . u(c) = x(c).

- `ramp`, the thread's: z_j = (coordinate of column j) / b^2, exact because the box's area is constant.
- `minimum_norm`, the least weights that are exact, is a staircase: with j counted from the first covered column, k = j
  div b, r = j mod b, and n_r covered columns of residue r, z_j = spacing (k - (n_r - 1)/2) along x and
  a_i = (1/n_r) / sum_r (1/n_r) along y, since a . v = 1. It is the pseudo-inverse of the images, in O(W).
- `lmmse`, the best under noise (Kay, Fundamentals of Statistical Signal Processing I, ch. 12), is kernel ridge
  regression on all N images with penalty N s2, s2 the noise's variance. The Gram matrix is T_y kron T_x, whose
  eigenvalues are products: with y^ the deviation of x from its mean in the eigenbasis,
      weights = sum over positions of  Q [ y^ / (t_y t_x + N s2) ]  times the position's image,
      mse = 1/N sum y^2 N s2 / (t_y t_x + N s2),
  over (even, odd) modes only (see `analysis.moments`). As s2 -> 0 it becomes `minimum_norm`.

Under another law of the positions that is a product over the axes, `lmmse` is `analysis.weighted_ridge`; the weights of
the other two are the same, being exact at every position, and their error under noise is another.

Under the uniform law weights of the last two sum to zero over the image, so a background (255, 1 - x, standardised)
leaves the intercept at the mean target: under inputs s x + o the weights are divided by s, and that is all.
`fit_ols` and `fit_ridge` (scikit-learn) are the same on finite samples; `expected_mse` judges any linear predictor.
"""

import dataclasses
from typing import NamedTuple

import numpy as np
from jaxtyping import Float
from sklearn.linear_model import LinearRegression, Ridge

from analysis import closed_forms, laws, weighted_ridge
from analysis.laws import UNIFORM
from analysis.moments import (
    Modes,
    axis_modes,
    axis_targets,
    box_pictures,
    box_sums,
    channel,
    target_mean,
    target_variance,
)
from jaxbox import task as tasks
from jaxbox.config import Data, Task


@dataclasses.dataclass(frozen=True, eq=False)
class LinearPredictor:
    """(x, y) = intercept + sum of weights times pixels, pixels averaged over channels.

    Averaging loses nothing: channels are exchangeable, so optimal weights are equal. As a layer over H W C inputs, each
    channel's weights are `weights / C`. `weights[..., 0]` and `weights[..., 1]` are H x W pictures.
    """

    weights: Float[np.ndarray, "H W 2"]
    intercept: Float[np.ndarray, "2"]
    mse: Float[np.ndarray, "2"]
    """Mean squared error of (x, y) over the law of the positions and the noise, in squared target units."""

    def predict(self, images: Float[np.ndarray, "n H W C"]) -> Float[np.ndarray, "n 2"]:
        """Predictions (x, y) for *inputs*, images as the network sees them (`jaxbox.task.inputs`). O(n H W C).

        Raises:
            ValueError: images of another shape, or not finite.
        """
        images = _checked("images", images, (None, *self.weights.shape[:2], None))
        return np.tensordot(images.mean(axis=3), self.weights, axes=2) + self.intercept


def ramp(task: Task, data: Data = UNIFORM) -> LinearPredictor:
    """The thread's hand-made weights, scaled by 1/b^2 and shifted, so that they are right on clean images. O(H W).

    Raises:
        ValueError: a task that cannot be run or has no closed form under the law of the data.
    """
    closed_forms.require(task, closed_forms.LINEAR, data)
    scale, offset = tasks.input_scale(task)
    x, y = (_pixel_coordinates(task, axis) for axis in (0, 1))
    weights = np.stack(np.broadcast_arrays(x, y[:, None]), axis=-1) / (closed_forms.box_side(task) ** 2 * scale)
    return _predictor(task, weights, -offset * weights.sum(axis=(0, 1)), data)


def minimum_norm(task: Task, free_intercept: bool = True, data: Data = UNIFORM) -> LinearPredictor:
    """The least-norm weights that are exact on clean images. O(H W) to write down, O(H + W) to compute.

    With a free intercept, the norm is that of the weights alone: scikit-learn's LinearRegression on the N images. A
    background is absorbed by the intercept, so it changes nothing. `free_intercept=False` counts the intercept in the
    norm, in which the background does matter: there gradient descent on clean images ends, from zero weights and bias.
    The two differ only where the mean target is not 0 (unequal margins). `mse` is under the task's noise, which
    these weights ignore.

    Raises:
        ValueError: a task that cannot be run or has no closed form under the law of the data.
    """
    closed_forms.require(task, closed_forms.LINEAR, data)
    scale, offset = tasks.input_scale(task)
    rows, columns = _staircase(task, 1), _staircase(task, 0)
    weights = np.empty((2, task.height, task.width))
    np.multiply.outer(rows.level / scale, columns.step, out=weights[0])
    np.multiply.outer(rows.step / scale, columns.level, out=weights[1])
    weights = np.moveaxis(weights, 0, -1)
    if free_intercept and not laws.is_uniform(data):
        return _predictor(task, weights, target_mean(task), data)
    if free_intercept:
        squares = np.array([rows.level @ rows.level * (columns.step @ columns.step),
                            rows.step @ rows.step * (columns.level @ columns.level)])  # fmt: skip
        return LinearPredictor(weights, target_mean(task), _exact_mse(task, squares / scale**2))
    # The least-norm image whose product with every input is a constant, `total`, when a bias of 1/C is counted.
    flat = scale * np.multiply.outer(rows.level, columns.level) * rows.ones * columns.ones + offset
    area = 2 * scale * offset * closed_forms.box_side(task) ** 2 + offset**2 * task.height * task.width
    total = scale**2 * rows.ones * columns.ones + area
    bias = target_mean(task) / (1 + task.channels * total)
    return _predictor(task, weights + task.channels * bias * flat[..., None], bias, data)


def lmmse(task: Task, data: Data = UNIFORM) -> LinearPredictor:
    """The linear predictor of least expected squared error under noise and law; `minimum_norm` without noise.

    O(H^3 + W^3) time, O(H W + H^2 + W^2) memory.

    Raises:
        ValueError: a task that cannot be run or has no closed form under the law of the data.
    """
    closed_forms.require(task, closed_forms.LINEAR, data)
    seen, mean = channel(task), target_mean(task, data)
    if seen.variance == 0:
        return minimum_norm(task, data=data)
    if seen.scale == 0:
        return LinearPredictor(np.zeros((task.height, task.width, 2)), mean, target_variance(task, data))
    if not laws.is_uniform(data):
        return _weighted_lmmse(task, data)
    penalty = tasks.position_count(task) * seen.variance / (task.channels * seen.scale**2)
    (along_y, along_x), (x, y) = axis_modes(task), axis_targets(task)
    for_x, mse_x = _shrunk(along_y[0], along_x[1], x - mean[0], penalty)
    for_y, mse_y = _shrunk(along_x[0], along_y[1], y - mean[1], penalty)
    weights = box_pictures(task, np.stack([for_x, for_y.T])) / seen.scale
    return LinearPredictor(np.moveaxis(weights, 0, -1), mean, np.array([mse_x, mse_y]))


def fit_ols(task: Task, images: Float[np.ndarray, "n H W C"], targets: Float[np.ndarray, "n 2"]) -> LinearPredictor:
    """Ordinary least squares on a sample of *inputs*, of least norm if n <= H W. O(n H W min(n, H W)).

    `mse` is the expected one on the task, not the residual of the sample.

    Raises:
        ValueError: fewer than 2 examples, shapes that disagree with the task or each other, or NaN.
    """
    return _fitted(task, LinearRegression(), images, targets)


def fit_ridge(
    task: Task, images: Float[np.ndarray, "n H W C"], targets: Float[np.ndarray, "n 2"], penalty: float
) -> LinearPredictor:
    """Least squares plus `penalty` |weights|^2, weights over pixels averaged over channels; see `fit_ols`.

    On all N clean unit images, penalty N s2 gives `lmmse` under white noise of variance s2 C.

    Raises:
        ValueError: as `fit_ols`, or a penalty that is not positive and finite.
    """
    if not 0 < penalty < np.inf:
        raise ValueError(f"penalty is {penalty}; it must be greater than 0 and finite (fit_ols has none)")
    return _fitted(task, Ridge(alpha=penalty), images, targets)


def expected_mse(predictor: LinearPredictor, task: Task, data: Data = UNIFORM) -> Float[np.ndarray, "2"]:
    """Mean squared error of any linear predictor over all positions and the noise, exactly. O(H W).

    E = mean over positions, by their law, of (E[prediction | position] - target)^2
        + variance of a pixel * |weights|^2 / C.

    Raises:
        ValueError: weights of another image size, or not finite.
    """
    closed_forms.require(task, closed_forms.LINEAR, data)
    weights = _checked("weights", predictor.weights, (task.height, task.width, 2))
    seen, (x, y) = channel(task), axis_targets(task)
    sums = np.moveaxis(box_sums(task, np.moveaxis(weights, -1, 0)), 0, -1)
    mean = seen.scale * sums + seen.offset * weights.sum(axis=(0, 1)) + predictor.intercept
    targets = np.stack(np.broadcast_arrays(x, y[:, None]), axis=-1)
    noise = seen.variance / task.channels * np.square(weights).sum(axis=(0, 1))
    squares = np.square(mean - targets)
    if laws.is_uniform(data):
        return squares.mean(axis=(0, 1)) + noise
    return np.tensordot(laws.probability(task, data), squares, axes=2) + noise


def _pixel_coordinates(task: Task, axis: int) -> Float[np.ndarray, " pixels"]:
    """The coordinate of each column (axis 0) or row (axis 1): the target of a box centred there."""
    first = np.zeros(((task.width, task.height)[axis], 2), int)
    first[:, axis] = np.arange(len(first))
    last = first.copy()
    last[:, axis] += 1 - closed_forms.box_side(task)
    # Of the boxes that begin or end with this pixel one lies as far beyond it as the other before it.
    return (tasks.targets(task, first) + tasks.targets(task, last))[:, axis] / 2


class _Staircase(NamedTuple):
    """One axis, along all its pixels: `level` . u = 1 and `step` . u = target - mean; `ones` is 1 / |level|^2."""

    level: Float[np.ndarray, " pixels"]
    step: Float[np.ndarray, " pixels"]
    ones: float


def _staircase(task: Task, axis: int) -> _Staircase:
    targets, size = axis_targets(task)[axis], (task.width, task.height)[axis]
    start = (task.margin_left, task.margin_top)[axis]
    covered = len(targets) + closed_forms.box_side(task) - 1
    flight, residue = np.divmod(np.arange(covered), closed_forms.box_side(task))
    copies = (covered - 1 - residue) // closed_forms.box_side(task) + 1
    ones = np.sum(1 / copies[: closed_forms.box_side(task)])
    spacing = (targets[-1] - targets[0]) / max(len(targets) - 1, 1)
    outside = (start, size - start - covered)
    step = spacing * (flight - (copies - 1) / 2)
    return _Staircase(np.pad(1 / (copies * ones), outside), np.pad(step, outside), float(ones))


def _exact_mse(task: Task, squared_norm: Float[np.ndarray, "2"]) -> Float[np.ndarray, "2"]:
    """`expected_mse` of weights that sum to zero and are exact on clean images."""
    seen = channel(task)
    shrinkage = 1 - seen.scale / tasks.input_scale(task).scale
    return shrinkage**2 * target_variance(task) + seen.variance / task.channels * squared_norm


def _shrunk(
    even: Modes, odd: Modes, deviation: Float[np.ndarray, " P_odd"], penalty: float
) -> tuple[Float[np.ndarray, "P_even P_odd"], float]:
    """Kernel ridge coefficients of a coordinate that varies along the odd axis only, and their expected error."""
    signal = np.outer(even.vectors.sum(axis=0), odd.vectors.T @ deviation)
    total = np.outer(even.values, odd.values) + penalty
    count = len(even.vectors) * len(odd.vectors)
    return even.vectors @ (signal / total) @ odd.vectors.T, np.sum(signal**2 * penalty / total) / count


def _weighted_lmmse(task: Task, data: Data) -> LinearPredictor:
    seen, mean, (x, y) = channel(task), target_mean(task, data), axis_targets(task)
    penalty = seen.variance / (task.channels * seen.scale**2)
    along_x, along_y = (weighted_ridge.axis(p, closed_forms.box_side(task)) for p in laws.along_axes(task, data))
    for_x = weighted_ridge.fit(along_y, along_x, x - mean[0], penalty)
    for_y = weighted_ridge.fit(along_x, along_y, y - mean[1], penalty)
    pictures = box_pictures(task, np.stack([for_x.coefficients, for_y.coefficients.T]))
    weights = np.moveaxis(pictures, 0, -1) / seen.scale
    intercept = mean + np.array([for_x.intercept, for_y.intercept]) - seen.offset * weights.sum(axis=(0, 1))
    return LinearPredictor(weights, intercept, np.array([for_x.minimum, for_y.minimum]))


def _fitted(
    task: Task, model: LinearRegression | Ridge, images: Float[np.ndarray, "n H W C"], targets: Float[np.ndarray, "n 2"]
) -> LinearPredictor:
    closed_forms.require(task, closed_forms.LINEAR)
    images = _checked("images", images, (None, task.height, task.width, task.channels))
    targets = _checked("targets", targets, (len(images), 2))
    if len(images) < 2:
        raise ValueError(f"images has {len(images)} example; it must have at least 2")
    model.fit(images.mean(axis=3).reshape(len(images), -1), targets)
    return _predictor(task, model.coef_.T.reshape(task.height, task.width, 2), np.asarray(model.intercept_))


def _predictor(
    task: Task, weights: Float[np.ndarray, "H W 2"], intercept: Float[np.ndarray, "2"], data: Data = UNIFORM
) -> LinearPredictor:
    unjudged = LinearPredictor(weights, intercept, np.full(2, np.inf))
    return dataclasses.replace(unjudged, mse=expected_mse(unjudged, task, data))


def _checked(name: str, values: Float[np.ndarray, "..."], shape: tuple[int | None, ...]) -> Float[np.ndarray, "..."]:
    """`values` in float64, if they are finite and of this shape; None stands for any length."""
    values = np.asarray(values, dtype=np.float64)
    wanted = tuple(have if want is None else want for want, have in zip(shape, values.shape, strict=False))
    if values.ndim != len(shape) or values.shape != wanted:
        allowed = ", ".join("any" if length is None else str(length) for length in shape)
        raise ValueError(f"{name} has shape {values.shape}; it must be ({allowed})")
    if not np.isfinite(values).all():
        raise ValueError(f"{name} has NaN or infinite values; they must be finite")
    return values
