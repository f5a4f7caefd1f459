"""An estimate of the best linear predictor of any task, where `analysis.linear` has no closed form.

Ridge regression is fitted on fresh images (other sizes, circles, noise each time) and judged on other fresh ones. Its
error there is that of one linear predictor, so in expectation no less than the best one's: with d inputs and n images
about d / n of it too large. Its error on the images of the fit is too small by about as much: the two enclose it.
Where an image is a function of its position there is nothing to estimate: least squares on all positions is exact.
"""

import dataclasses
from collections.abc import Iterable, Iterator
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Key

from analysis import laws
from analysis.bayes import Estimate
from analysis.laws import UNIFORM
from jaxbox import task as tasks
from jaxbox.config import Data, Task

IMAGES_PER_INPUT = 100
"""By default: 1% of the error is that of the fit."""
FEWEST_IMAGES = 20_000
"""By default, however few the inputs are: the standard error of R2 is then under .01."""
PENALTIES = np.logspace(-9, 0, 10)
"""Candidates, in units of n times the inputs' mean variance."""
BLOCK_PIXELS = 2**20


class LinearEstimate(NamedTuple):
    """Of (x, y), in squared target units and as R2. `fitted` is the mean squared error on the images of the fit."""

    mse: Estimate
    r2: Estimate
    fitted: Float[np.ndarray, "2"]


def image_count(task: Task) -> int:
    """How many images the estimate is made from by default, and as many to judge it."""
    return max(FEWEST_IMAGES, IMAGES_PER_INPUT * task.height * task.width * task.channels)


def best_linear(task: Task, key: Key[Array, ""], images: int | None = None, data: Data = UNIFORM) -> LinearEstimate:
    """How well a linear predictor can do, by trying. Standard errors are those of the judging images.

    Time grows as images (H W C)^2, memory as (H W C)^2.

    Args:
        key: of all images, their positions included.
        images: to fit on, and as many to judge; by default `image_count`.
        data: with the law of the positions, by default all equally probable.

    Raises:
        ValueError: fewer than 2 images; the task cannot be run.
    """
    count = image_count(task) if images is None else images
    if count < 2:
        raise ValueError(f"images is {count}; it must be at least 2")
    to_fit, to_judge = jax.random.split(key)
    weights, intercept, fitted = _ridge(fresh(task, to_fit, count, data))
    judged = fresh(task, to_judge, count, data)
    squares = np.concatenate([(inputs @ weights + intercept - targets) ** 2 for inputs, targets in judged])
    mse = Estimate(squares.mean(0), squares.std(0, ddof=1) / np.sqrt(count))
    variance = laws.target_variance(task, data)
    with np.errstate(divide="ignore", invalid="ignore"):
        r2 = Estimate(*(np.where(variance > 0, each, np.nan) for each in (1 - mse[0] / variance, mse[1] / variance)))
    return LinearEstimate(mse, r2, fitted)


def least_error(task: Task, data: Data = UNIFORM) -> Float[np.ndarray, "2"]:
    """The best linear predictor's mean squared error, in squared target units, of a task that draws nothing.

    By least squares on all positions, weighted by their law, from the triangle of a QR decomposition, to which blocks
    are added one after the other (Golub and Van Loan, Matrix Computations, ch. 5). Time grows as N (H W C)^2.

    Raises:
        ValueError: the task cannot be run.
    """
    pixels = task.height * task.width * task.channels
    triangle, root = np.empty((0, pixels + 3)), np.sqrt(laws.probability(task, data)).reshape(-1, 1)
    size = max(1, BLOCK_PIXELS // pixels)
    for index in np.split(np.arange(len(root)), range(size, len(root), size)):
        keys = jax.random.split(jax.random.key(0), len(index))  # of nothing
        images = tasks.example(task, index, tasks.draw_images(task, keys))[0]
        targets = tasks.targets(task, tasks.position(task, index))
        rows = np.hstack([np.asarray(images, np.float64).reshape(len(index), -1), np.ones((len(index), 1)), targets])
        triangle = np.asarray(np.linalg.qr(np.vstack([triangle, root[index] * rows]), mode="r"))
    left, right = triangle[:, :-2], triangle[:, -2:]
    # Pixels are float32: what tells images apart by less than their rounding is no difference.
    solution = np.linalg.lstsq(left, right, rcond=float(np.finfo(np.float32).eps))[0]
    return ((left @ solution - right) ** 2).sum(0)


def fresh(
    task: Task, key: Key[Array, ""], count: int, data: Data = UNIFORM
) -> Iterator[tuple[Float[np.ndarray, "n HWC"], Float[np.ndarray, "n 2"]]]:
    """Inputs, one row an image, and (x, y) in target units, of `count` independent examples in float64, in blocks."""
    size = min(count, max(1, BLOCK_PIXELS // (task.height * task.width * task.channels)))
    everywhere = jnp.ones(tasks.position_count(task), bool)
    # Judged on all positions, whichever are trained on.
    data = dataclasses.replace(data, split=UNIFORM.split)
    for start in range(0, count, size):
        where, draws = jax.random.split(jax.random.fold_in(key, start))
        index = tasks.draw(task, data, where, size, everywhere)
        images = tasks.example(task, index, tasks.draw_images(task, jax.random.split(draws, size)))[0]
        targets = tasks.targets(task, tasks.position(task, np.asarray(index)))
        # The last block is cut rather than compiled anew.
        yield np.asarray(images, np.float64).reshape(size, -1)[: count - start], targets[: count - start]


def _ridge(
    examples: Iterable[tuple[Float[np.ndarray, "n d"], Float[np.ndarray, "n 2"]]],
) -> tuple[Float[np.ndarray, "d 2"], Float[np.ndarray, "2"], Float[np.ndarray, "2"]]:
    """Weights, intercept and mean squared error of the fit, for the best of PENALTIES.

    That is the one of least RSS / (n - degrees of freedom)^2 (Golub, Heath and Wahba 1979, Technometrics 21).
    """
    count, mean, second = _second_moments(examples)
    inputs = len(mean) - 2
    values, vectors = np.linalg.eigh(second[:inputs, :inputs])
    values, crossed = np.maximum(values, 0.0), vectors.T @ second[:inputs, inputs:]
    total = np.diag(second)[inputs:]
    penalties = PENALTIES[:, None, None] * max(values.mean(), np.finfo(float).tiny)
    shrunk = values[:, None] + penalties
    rest = total - np.sum(crossed**2 * (shrunk + penalties) / shrunk**2, axis=1)
    rest = np.maximum(rest, np.finfo(float).eps * total)  # less is rounding
    freedom = 1 + np.sum(values[:, None] / shrunk, axis=(1, 2))
    best = np.argmin(rest.sum(-1) / (count - freedom) ** 2)
    weights = vectors @ (crossed / shrunk[best])
    return weights, mean[inputs:] - mean[:inputs] @ weights, rest[best] / count


def _second_moments(
    examples: Iterable[tuple[Float[np.ndarray, "n d"], Float[np.ndarray, "n 2"]]],
) -> tuple[int, Float[np.ndarray, " d+2"], Float[np.ndarray, "d+2 d+2"]]:
    """How many examples, the mean of (inputs, targets), and the sum of products of their deviations from it."""
    count, mean, second = 0, np.float64(0.0), np.float64(0.0)
    for block in map(np.hstack, examples):
        own, total = block.mean(0), count + len(block)
        deviation, difference = block - own, own - mean
        # Merged as Chan, Golub and LeVeque (1983) do.
        second = second + deviation.T @ deviation + np.outer(difference, difference) * count * len(block) / total
        count, mean = total, mean + difference * len(block) / total
    return count, np.asarray(mean), np.asarray(second)
