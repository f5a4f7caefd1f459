"""The members of one configuration beside what is known of its task: arrays (seed, axis, ...) in float64."""

from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import xarray
from jaxtyping import Bool, Float, Int

from analysis import approximation, closed_forms, laws
from analysis.bayes import Estimate
from analysis.collapse import kinds
from analysis.comparison import known, links, member_information
from analysis.comparison.known import PREDICTORS, Known
from analysis.comparison.variables import DIVERGED, LONGEST, NOT_BEGUN
from jaxbox.config import Configuration, Data, Task
from jaxbox.training.metrics import AXES


class _Setting(NamedTuple):
    """What all members of a configuration share."""

    task: Task
    data: Data
    probability: Float[np.ndarray, " N"] | None
    """Of each position; None where all are equal."""
    known: Known
    exact: Float[np.ndarray, "predictor N 2"]
    images: Float[np.ndarray, "N H W C"] | None
    targets: Float[np.ndarray, "N 2"]
    noisy: bool


@lru_cache(maxsize=1)
def _setting(task: Task, data: Data, folder: Path) -> _Setting:
    probability = None if laws.is_uniform(data) else known.probability(task, data)
    targets = known.lattice(task)
    noisy = known.is_noisy(task)
    images = known.evaluation_inputs(task, np.arange(len(targets))) if noisy else None
    facts, exact = known.known(task, folder, data), known.predictions(task, data)
    return _Setting(task, data, probability, facts, exact, images, targets, noisy)


def _setting_from_outside(task: Task, data: Data, results: xarray.Dataset) -> _Setting:
    """Of a task whose code is not ours: its targets are in the results, and nothing else is known."""
    targets = results["target"].values.astype(float)
    there = np.isfinite(targets).all(1)
    targets, probability = targets[there], None
    if data.law != "uniform":
        probability = results["probability"].values.astype(float)[there]
    exact = np.full((len(PREDICTORS), len(targets), 2), np.nan)
    facts = known.known(task, None, data)
    return _Setting(task, data, probability, facts, exact, None, targets, known.is_noisy(task))


def compare_members(configuration: Configuration, results: xarray.Dataset, folder: Path) -> dict[str, np.ndarray]:
    """Every variable but `label` and `fate`, of one configuration: arrays (seed, axis, ...) or (axis,)."""
    task, data = known.judged(configuration)
    outsiders = known.is_from_outside(task, data)
    setting = _setting_from_outside(task, data, results) if outsiders else _setting(task, data, folder)
    count = len(setting.targets)
    predictions = results["prediction"].values[:, :count].astype(float)
    begun, seen = results["last_step"].values >= 0, results["seen"].values[:, :count]
    axes = [_axis(setting, axis, predictions[..., axis], seen, begun) for axis in range(len(AXES))]
    arrays = {name: np.stack([of[name] for of in axes], axis=min(1, axes[0][name].ndim)) for name in axes[0]}
    frozen = begun & ~results["finite"].values
    arrays["kind"][frozen], arrays["constant_at"][frozen] = DIVERGED, ""
    arrays["broken_link"] = links.broken(arrays, begun)
    return arrays


def _axis(
    setting: _Setting,
    axis: int,
    predictions: Float[np.ndarray, "seed N"],
    seen: Bool[np.ndarray, "seed N"],
    begun: Bool[np.ndarray, " seed"],
) -> dict[str, np.ndarray]:
    """One axis of one configuration: arrays (seed, ...) or ()."""
    targets, exact = setting.targets[:, axis], _exact(setting, axis)
    finite: Any = np.isfinite(predictions).all(1)
    usable = np.where(finite[:, None], predictions, 0.0)
    errors = (usable - targets) ** 2
    mean, deviation = _mean(setting, errors)
    mse = np.where(finite, mean, np.inf)
    variance = _variance(setting, axis)
    with np.errstate(divide="ignore", invalid="ignore"):
        r2 = np.where(variance > 0, 1 - mse / variance, np.nan)
    kind, place = np.full(len(predictions), "none", dtype=LONGEST), np.full(len(predictions), "", dtype=LONGEST)
    rows = _representative(setting)
    if np.ptp(targets[rows]) > 0:  # where there is nothing to tell there is nothing to collapse
        kind, place = kinds(targets[rows], predictions[:, rows], seen[:, rows], exact["r2_bayes"])
    share = _linear_share(setting, usable)
    lattice = member_information.Lattice(setting.task, axis, setting.data)
    told = member_information.member_information(lattice, targets, usable, mse, setting.probability)
    worst = mse + links.STANDARD_ERRORS * deviation
    told["rate_distortion_low"] = member_information.bounds(lattice, worst, ["rate_distortion"])["rate_distortion"]
    squares = (usable[:, None] - setting.exact[None, ..., axis]) ** 2
    distance = squares.mean(-1) if setting.probability is None else squares @ setting.probability
    members = {"mse": mse, "mse_error": deviation, "r2": r2, "linear_share": share.value}
    members |= {"linear_share_error": share.standard_error, **told}
    members = {name: np.where(begun, np.where(finite | (name in ("mse", "r2")), values, np.nan), np.nan)
               for name, values in members.items()}  # fmt: skip
    members["distance_to"] = np.where((begun & finite)[:, None], distance, np.where(begun, np.inf, np.nan)[:, None])
    members["kind"], members["constant_at"] = np.where(begun, kind, NOT_BEGUN), np.where(begun, place, "")
    return exact | members


def _mean(setting: _Setting, values: Float[np.ndarray, "seed N"]) -> tuple[np.ndarray, np.ndarray]:
    """Means over positions under their law, with standard errors: 0 without noise, where they are no estimates."""
    count, probability = values.shape[1], setting.probability
    mean = values.mean(1) if probability is None else values @ probability
    if not setting.noisy:
        return mean, np.zeros(len(mean))
    if probability is None:
        return mean, values.std(1, ddof=1) / np.sqrt(count)
    return mean, np.sqrt((values - mean[:, None]) ** 2 @ probability**2)


def _variance(setting: _Setting, axis: int) -> float:
    targets, probability = setting.targets[:, axis], setting.probability
    if probability is None:
        return float(np.var(targets))
    return float(probability @ (targets - probability @ targets) ** 2)


def _representative(setting: _Setting) -> Int[np.ndarray, " N"]:
    """Positions, as many as there are, each as often as its law says: what the rules of collapse, which know of no
    probabilities, are to look at. All of them, once, where they are equally probable."""
    count = len(setting.targets)
    if setting.probability is None:
        return np.arange(count)
    ends = np.cumsum(setting.probability)
    return np.searchsorted(ends, (np.arange(count) + 0.5) / count * ends[-1])


def _linear_share(setting: _Setting, predictions: Float[np.ndarray, "seed N"]) -> Estimate:
    # Without noise every function on the lattice is linear, under any law.
    weighted = setting.probability is not None and setting.noisy
    if weighted or not closed_forms.has(setting.task, closed_forms.LINEAR):
        return Estimate(np.full(len(predictions), np.nan), np.full(len(predictions), np.nan))
    return approximation.linear_share(setting.task, setting.images, predictions.T)


def _exact(setting: _Setting, axis: int) -> dict[str, Any]:
    """What does not depend on the member."""
    variance, facts = _variance(setting, axis), setting.known
    with np.errstate(divide="ignore", invalid="ignore"):
        scores = np.where(variance > 0, 1 - facts.mse[:, axis] / variance, np.nan)
        errors = np.where(variance > 0, facts.mse_error[:, axis] / variance, np.nan)
    exact = {f"r2_{name}": score for name, score in zip(PREDICTORS, scores, strict=True)}
    exact |= {"r2_lmmse_error": errors[known.LMMSE], "r2_bayes_error": errors[known.BAYES]}
    return exact | {
        "entropy": facts.entropy[axis],
        "information_input": facts.information[axis],
        "information_input_error": facts.information_error[axis],
    }
