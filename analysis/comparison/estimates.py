"""What of a task takes a while to know, kept in a file beside the run so that it is computed once.

By Monte Carlo those are the Bayes-optimal predictor's error with I(Y;X), and, where it has no closed form, the best
linear predictor's error, which is exact where images draw nothing. Each is kept under a fingerprint of the task, the
law of its positions, and how it was made.
"""

import dataclasses
import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jax
import numpy as np
from jaxtyping import Float

from analysis import bayes, laws, linear_estimate
from jaxbox import task as tasks
from jaxbox.config import Data, RunError, Task
from jaxbox.store import files

SAMPLES = 20_000
"""Noisy images of the estimates of Bayes: R2 to about .001."""
MOST_INPUTS = 1024
"""Pixels times channels up to which the best linear predictor is estimated: 7 s on one core, growing as their cube."""
CACHE = "known.json"
"""In the run's folder."""
SHAPES = ((4, 2), (2, 2))
"""Of what is kept: of Bayes, of the best linear predictor."""


def bayes_optimal(task: Task, folder: Path | None, data: Data) -> Float[np.ndarray, "4 2"]:
    """MSE of Bayes and I(.;X), each followed by its standard error; in squared target units and nats.

    Args:
        folder: of the run.
        data: with the law of the positions.

    Raises:
        ConfigurationError: the task has no Bayes-optimal predictor.
    """

    def compute() -> list[bayes.Estimate]:
        return list(bayes.mmse_and_information(task, jax.random.key(0), SAMPLES, data))

    return _once(folder, _fingerprint(task, data, samples=SAMPLES), compute)


def best_linear(task: Task, folder: Path | None, data: Data, drawn: bool) -> Float[np.ndarray, "2 2"]:
    """MSE of the best linear predictor and its standard error (`analysis.linear_estimate`), in squared target units.

    NaN, and an error of 0, of more than MOST_INPUTS inputs. An error of 0 is also that of least squares on all
    positions, of which there must not be more than images would be drawn.

    Args:
        drawn: whether an image draws anything beside its position.
        folder: of the run.
        data: with the law of the positions.
    """
    if task.height * task.width * task.channels > MOST_INPUTS:
        return np.array([[np.nan] * 2, [0.0] * 2])
    images = linear_estimate.image_count(task)
    if not drawn and tasks.position_count(task) <= images:
        images = 0

    def compute() -> list[bayes.Estimate]:
        if not images:
            return [bayes.Estimate(linear_estimate.least_error(task, data), np.zeros(2))]
        return [linear_estimate.best_linear(task, jax.random.key(0), images, data).mse]

    return _once(folder, _fingerprint(task, data, best_linear=images), compute)


def _once(folder: Path | None, key: str, compute: Callable[[], list[bayes.Estimate]]) -> np.ndarray:
    """Values, each followed by its standard error: what is kept under the key, or else computed and kept."""
    kept = _kept(folder)
    if key not in kept:
        kept[key] = [np.asarray(row).tolist() for estimate in compute() for row in estimate]
        _keep(folder, kept)
    return np.array(kept[key])


def _fingerprint(task: Task, data: Data, **images: int) -> str:
    of = {"task": dataclasses.asdict(task), **images}
    if not laws.is_uniform(data):  # so that what was kept before there were laws is still found
        of["law"] = [data.law, *laws.options(data).values()]
    text = json.dumps(of, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


def _kept(folder: Path | None) -> dict[str, Any]:
    """What the file holds; nothing where it is missing or is not what was written."""
    try:
        kept = json.loads((folder / CACHE).read_text()) if folder else {}
        intact = isinstance(kept, dict) and all(np.shape(rows) in SHAPES for rows in kept.values())
    except (OSError, ValueError):
        return {}
    return kept if intact else {}


def _keep(folder: Path | None, kept: dict[str, Any]) -> None:
    try:
        if folder:
            files.write_json(folder / CACHE, kept)
    except RunError:
        pass  # a run that may only be read is computed anew each time
