"""What is known of a task without training, as one table of numbers: exact predictors, entropy, I(Y;X).

What has to be estimated has a standard error (`analysis.comparison.estimates`). What a task has neither a closed form
nor an estimate for is NaN.
"""

import dataclasses
from pathlib import Path

import jax.numpy as jnp
import numpy as np
from jaxtyping import Float

from analysis import bayes, closed_forms, laws, linear
from analysis.comparison import estimates
from analysis.laws import UNIFORM
from jaxbox import task as tasks
from jaxbox.config import Configuration, Data, Task, flatten, outside
from jaxbox.task import scenes
from jaxbox.training import evaluation

LINEAR_PREDICTORS = {"ramp": linear.ramp, "minimum_norm": linear.minimum_norm, "lmmse": linear.lmmse}
PREDICTORS = (*LINEAR_PREDICTORS, "bayes")
"""Exact predictors: the thread's weights, the least that are right without noise, the best linear, the best of all."""
LMMSE, BAYES = PREDICTORS.index("lmmse"), PREDICTORS.index("bayes")
# 16 MiB of pixels at a time; the float64 copies made of them are a few times that.
BLOCK_PIXELS = 2**21


@dataclasses.dataclass(frozen=True, eq=False)
class Known:
    """All arrays are over (x, y); in squared target units, or in nats. NaN: not known of the task."""

    mse: Float[np.ndarray, "predictor 2"]
    """Expected squared error of PREDICTORS over positions, noise and what the scene draws. An estimate of the best
    linear one's is that of a predictor fitted on finitely many images: in expectation not too small, and up to
    1 / `linear_estimate.IMAGES_PER_INPUT` of it too large."""
    mse_error: Float[np.ndarray, "predictor 2"]
    """Its standard error: 0 where it is exact."""
    information: Float[np.ndarray, "2"]
    """I(x;X) and I(y;X)."""
    information_error: Float[np.ndarray, "2"]
    entropy: Float[np.ndarray, "2"]
    """H(x) and H(y), which add up to H(Y)."""


def known(task: Task, folder: Path | None = None, data: Data = UNIFORM) -> Known:
    """The table of a task.

    Args:
        folder: of the run, where the estimates are kept; they are not where it cannot be written.
        data: with the law of the positions.
    """
    mse, error = np.full((len(PREDICTORS), 2), np.nan), np.zeros((len(PREDICTORS), 2))
    information, information_error = np.full(2, np.nan), np.zeros(2)
    if closed_forms.has(task, closed_forms.LINEAR, data):
        mse[:-1] = [predictor(task, data=data).mse for predictor in LINEAR_PREDICTORS.values()]
    elif not is_from_outside(task, data):
        mse[LMMSE], error[LMMSE] = estimates.best_linear(task, folder, data, is_noisy(task))
    if closed_forms.has(task, closed_forms.BAYES, data):
        if is_noisy(task):
            mse[BAYES], error[BAYES], information, information_error = estimates.bayes_optimal(task, folder, data)
        else:
            mse[BAYES], information = 0.0, entropy(task, data)
    return Known(mse, error, information, information_error, entropy(task, data))


def judged(configuration: Configuration) -> tuple[Task, Data]:
    """What a configuration's members are judged on: its task, and its data less all that is about training only.

    Where it is the same, what is known of both is the same.
    """
    law = configuration.data.law
    if outside.is_outside(law):  # of whose code nothing is executed, to be told what it reads
        return configuration.task, configuration.data
    return configuration.task, Data(law=law, **laws.options(configuration.data))


def is_from_outside(task: Task, data: Data) -> bool:
    """Whether some of it is code from outside of the project, which is not executed when a run is read."""
    return any(outside.is_outside(value) for _, value in (*flatten(task), *flatten(data)))


def is_noisy(task: Task) -> bool:
    """Whether a network sees more in an image than the position: then its output is no function of the position.

    That is noise, or what the scene draws.
    """
    if outside.is_outside(task.noise) or outside.is_outside(task.scene):  # of whose code nothing is executed
        return True
    return scenes.draws(task) or (task.noise != "none" and task.noise_level > 0)


def lattice(task: Task) -> Float[np.ndarray, "N 2"]:
    """The targets (x, y) of all positions, in float64."""
    return np.asarray(tasks.targets(task, tasks.positions(task)), np.float64)


def probability(task: Task, data: Data) -> Float[np.ndarray, " N"]:
    """Of each position under the law, in float64."""
    return tasks.probability(task, data)


def entropy(task: Task, data: Data = UNIFORM) -> Float[np.ndarray, "2"]:
    """H(x) and H(y) in nats: ln P of each axis where its places are equally likely."""
    if not closed_forms.has(task, closed_forms.ENTROPY, data):
        return np.full(2, np.nan)
    return laws.axis_entropies(task, data)


def predictions(task: Task, data: Data = UNIFORM) -> Float[np.ndarray, "predictor N 2"]:
    """What each of PREDICTORS says of the very images that members are evaluated on, position by position.

    NaN for a best linear predictor without a closed form: how good it is is kept, its weights are not.
    """
    count, pixels = tasks.position_count(task), task.height * task.width * task.channels
    found = np.full((len(PREDICTORS), count, 2), np.nan)
    exact = {}
    if closed_forms.has(task, closed_forms.LINEAR, data):
        exact = {name: make(task, data=data).predict for name, make in LINEAR_PREDICTORS.items()}
    if closed_forms.has(task, closed_forms.BAYES, data):
        exact["bayes"] = lambda images: bayes.posterior_mean(task, images, data)
    size = max(1, BLOCK_PIXELS // pixels)
    for start in range(0, count, size):
        index = np.arange(start, min(start + size, count))
        images = evaluation_inputs(task, index)
        for place, name in enumerate(PREDICTORS):
            if name in exact:
                found[place, index] = exact[name](images)
    return found


def evaluation_inputs(task: Task, index: np.ndarray) -> Float[np.ndarray, "n H W C"]:
    """The inputs that every member is evaluated on at these position indices, noise and scale included, in float64."""
    places = jnp.asarray(index)
    return np.asarray(tasks.example(task, places, evaluation.draws(task, index))[0], np.float64)
