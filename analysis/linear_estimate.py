"""An estimate of the best linear predictor of any task, where `analysis.linear` has no closed form.

Ridge regression is fitted on fresh images (other sizes, circles, noise each time) and judged on other fresh ones. Its
error there is that of one linear predictor, so in expectation no less than the best one's: with d inputs and n images
about d / n of it too large. Its error on the images of the fit is too small by about as much: the two enclose it.
"""

from typing import NamedTuple

import jax
import numpy as np
from jaxtyping import Array, Float, Int, Key
from sklearn.linear_model import RidgeCV

from analysis.bayes import Estimate
from jaxbox import task as tasks
from jaxbox.config import Task

IMAGES_PER_INPUT = 20
PENALTIES = np.logspace(-9, 0, 10)
"""Candidates, in units of n times the inputs' mean variance; cross-validation on the images of the fit chooses."""
BLOCK_PIXELS = 2**21


class LinearEstimate(NamedTuple):
    """Of (x, y), in squared target units and as R2. `fitted` is the mean squared error on the images of the fit."""

    mse: Estimate
    r2: Estimate
    fitted: Float[np.ndarray, "2"]


def best_linear(task: Task, key: Key[Array, ""], images: int | None = None) -> LinearEstimate:
    """How well a linear predictor can do, by trying. Standard errors are those of the judging images.

    Args:
        key: of all images, their positions included.
        images: to fit on, and as many to judge; by default IMAGES_PER_INPUT times H W C.

    Raises:
        ValueError: fewer than 2 images.
    """
    count = IMAGES_PER_INPUT * task.height * task.width * task.channels if images is None else images
    if count < 2:
        raise ValueError(f"images is {count}; it must be at least 2")
    to_fit, to_judge = jax.random.split(key)
    inputs, targets = fresh(task, to_fit, count)
    scale = max(count * float(inputs.var(axis=0).mean()), float(np.finfo(float).tiny))
    model = RidgeCV(alphas=PENALTIES * scale).fit(inputs, targets)
    fitted = np.mean((model.predict(inputs) - targets) ** 2, axis=0)
    inputs, targets = fresh(task, to_judge, count)
    squares = (model.predict(inputs) - targets) ** 2
    mse = Estimate(squares.mean(0), squares.std(0, ddof=1) / np.sqrt(count))
    variance = tasks.targets(task, tasks.positions(task)).var(axis=0)
    with np.errstate(divide="ignore", invalid="ignore"):
        r2 = Estimate(*(np.where(variance > 0, each, np.nan) for each in (1 - mse[0] / variance, mse[1] / variance)))
    return LinearEstimate(mse, r2, fitted)


def fresh(task: Task, key: Key[Array, ""], count: int) -> tuple[Float[np.ndarray, "n HWC"], Float[np.ndarray, "n 2"]]:
    """Inputs, one row an image, and (x, y) in target units, of independent examples in float64."""
    where, draws = jax.random.split(key)
    index = tasks.draw_index(task, where, count)
    keys = jax.random.split(draws, count)
    size = max(1, BLOCK_PIXELS // (task.height * task.width * task.channels))
    blocks = [slice(start, start + size) for start in range(0, count, size)]
    inputs = np.concatenate([_inputs(task, index[block], keys[block]) for block in blocks])
    return inputs, tasks.targets(task, tasks.position(task, np.asarray(index)))


def _inputs(task: Task, index: Int[Array, " n"], keys: Key[Array, " n"]) -> Float[np.ndarray, "n HWC"]:
    images = tasks.example(task, index, tasks.draw_images(task, keys))[0]
    return np.asarray(images, np.float64).reshape(len(index), -1)
