"""A run beside its closed forms: every member's numbers, the exact ones, and which kind of collapse it is.

Without noise a trained network is a function on the whole lattice, so that I(Y;Yhat) follows from counts, exactly.
Under noise it is estimated from nearest neighbours, with an interval. For every member and axis

    H(Y) >= I(Y;X) >= I(Y;Yhat) >= R(MSE) >= discrete Shannon bound >= dithered bound

must hold within the errors of what is estimated. A link that does not is named in `broken_link`: an error of an
estimate or of the code, never of the member, which stays where it is.
"""

from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import xarray
from jaxtyping import Bool, Float

from analysis import approximation, closed_forms, known, links, member_information
from analysis.bayes import Estimate
from analysis.collapse import kinds
from analysis.known import PREDICTORS, Known
from analysis.maps import weights
from jaxbox.config import Configuration, Task
from jaxbox.store.archive import folder_of, open_run
from jaxbox.store.folder import RESULTS, load_plan
from jaxbox.sweep.closing_table import labels
from jaxbox.training.metrics import AXES

__all__ = ["FATES", "VARIABLES", "compare", "weights"]

DIVERGED, NOT_BEGUN = "diverged", ""
FATES = (
    *(DIVERGED, "dead", "partly dead", "shrunk", "jitter", "nonlinear", "inverted", "offset", "memorised"),
    *("noise-limited", "none"),
)
"""Kinds of `analysis.collapse` and `diverged`, the worst first: a member's fate is the worse kind of its two axes."""
LONGEST = f"<U{max(map(len, FATES))}"
"""The type of arrays of kinds and places."""


class Variable(NamedTuple):
    """Dimensions, units, and a description."""

    dims: tuple[str, ...]
    units: str
    description: str


_MEMBER, _EXACT, _TASK = ("configuration", "seed", "axis"), ("configuration", "axis"), ("configuration",)
VARIABLES = {
    "mse": Variable(_MEMBER, "squared target units", "mean squared error at the last evaluation, in float64"),
    "mse_error": Variable(_MEMBER, "squared target units", "its standard error; 0 without noise: all positions"),
    "r2": Variable(_MEMBER, "1", "1 - MSE / variance of the target; -inf: diverged"),
    "r2_ramp": Variable(_EXACT, "1", "R2 of the thread's hand-made weights"),
    "r2_minimum_norm": Variable(_EXACT, "1", "R2 of the least weights that are exact without noise"),
    "r2_lmmse": Variable(_EXACT, "1", "R2 of the best linear predictor"),
    "r2_bayes": Variable(_EXACT, "1", "R2 of the best possible predictor"),
    "r2_bayes_error": Variable(_EXACT, "1", "its standard error; 0 where it is exact"),
    "distance_to": Variable(
        (*_MEMBER, "predictor"), "squared target units", "mean squared difference of the predictions over positions"
    ),
    "linear_share": Variable(
        _MEMBER, "1", "share of the prediction's variance that its best linear approximation explains; NaN: constant"
    ),
    "linear_share_error": Variable(_MEMBER, "1", "its standard error; 0 without noise, where every function is linear"),
    "information": Variable(_MEMBER, "nats", "I(Y;Yhat): from counts without noise, from nearest neighbours under it"),
    "information_error": Variable(_MEMBER, "nats", "its standard error; 0 from counts"),
    "information_low": Variable(_MEMBER, "nats", "lower end of its 95% interval"),
    "information_high": Variable(_MEMBER, "nats", "upper end of its 95% interval, what the estimate misses included"),
    "information_exact": Variable(_MEMBER, "nats", "I(Y;Yhat) where counts decide it; NaN where it is estimated"),
    "rate_distortion": Variable(_MEMBER, "nats", "R(MSE): what any prediction with this error must know"),
    "discrete_shannon": Variable(_MEMBER, "nats", "Shannon's bound on a lattice, at this MSE"),
    "dithered": Variable(_MEMBER, "nats", "Shannon's bound for the dithered target, at this MSE"),
    "gaussian": Variable(_MEMBER, "nats", "-ln(1 - correlation^2) / 2: not a bound on a lattice"),
    "thread_bound": Variable(_MEMBER, "nats", "the thread's bound, false below its limit on a lattice"),
    "entropy": Variable(_EXACT, "nats", "H(Y) of the axis"),
    "information_input": Variable(_EXACT, "nats", "I(Y;X) of the axis: what the image says"),
    "information_input_error": Variable(_EXACT, "nats", "its standard error; 0 where it is exact"),
    "kind": Variable(_MEMBER, "1", "kind of collapse; empty: not begun"),
    "constant_at": Variable(_MEMBER, "1", "where a constant prediction is; empty: not constant"),
    "broken_link": Variable(_MEMBER, "1", "link of the information chain that does not hold; empty: all hold"),
    "fate": Variable(_MEMBER[:2], "1", "the worse kind of both axes; empty: not begun"),
    "label": Variable(_TASK, "1", "the configuration in words: what varies"),
}
"""Every variable of `compare`."""
Progress = Callable[[int, int], None]
"""Told how many of how many configurations are done."""


def compare(run: str | Path | xarray.Dataset, progress: Progress | None = None) -> xarray.Dataset:
    """VARIABLES for every member of a run: dimensions configuration, seed, axis and predictor, and the run's own
    coordinates on them. Asked again for the same results it answers at once, with the same Dataset: do not change it.

    Args:
        run: its folder, or what `open_run` returned.
        progress: called after each configuration.

    Raises:
        RunError: not a run, or a run without results yet.
    """
    folder = folder_of(run)
    results = open_run(folder)
    stamp = (folder / RESULTS / "zarr.json").stat().st_mtime_ns if (folder / RESULTS / "zarr.json").exists() else 0
    return _compared(folder.absolute(), stamp, _Told(progress), results.sizes["seed"])


class _Told:
    """Progress that is equal to every other: it is no part of what a comparison depends on."""

    def __init__(self, function: Progress | None):
        self.function = function

    def __call__(self, done: int, total: int) -> None:
        if self.function:
            self.function(done, total)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Told)

    def __hash__(self) -> int:
        return 0


@lru_cache(maxsize=4)
def _compared(folder: Path, stamp: int, progress: _Told, seeds: int) -> xarray.Dataset:
    results, configurations = open_run(folder), load_plan(folder).configurations
    found = []
    for index, configuration in enumerate(configurations):
        found.append(_configuration(configuration, results.isel(configuration=index).load(), folder))
        progress(index + 1, len(configurations))
    arrays = {name: np.stack([row[name] for row in found]) for name in found[0]}
    arrays["label"] = np.array(labels(results))
    arrays["fate"] = _worse(arrays["kind"])
    return _labelled(results, arrays)


def _labelled(results: xarray.Dataset, arrays: dict[str, np.ndarray]) -> xarray.Dataset:
    own = [name for name, values in results.coords.items() if set(values.dims) <= {"configuration", "seed", "axis"}]
    compared = xarray.Dataset(
        {name: (variable.dims, arrays[name]) for name, variable in VARIABLES.items()},
        {name: results.coords[name] for name in own} | {"predictor": list(PREDICTORS)},
        results.attrs,
    )
    for name, variable in VARIABLES.items():
        compared[name].attrs = {"units": variable.units, "description": variable.description}
    return compared


def _worse(kind: np.ndarray) -> np.ndarray:
    """The fate of each member: (..., axis) -> (...)."""
    order = {name: place for place, name in enumerate((*FATES, NOT_BEGUN))}
    places = np.vectorize(order.__getitem__, otypes=[int])(kind).min(-1)
    return np.array((*FATES, NOT_BEGUN))[places]


class _Setting(NamedTuple):
    """What all members of a configuration share."""

    task: Task
    known: Known
    exact: Float[np.ndarray, "predictor N 2"]
    images: Float[np.ndarray, "N H W C"] | None
    targets: Float[np.ndarray, "N 2"]


@lru_cache(maxsize=1)
def _setting(task: Task, folder: Path) -> _Setting:
    targets = known.lattice(task)
    images = known.evaluation_inputs(task, np.arange(len(targets))) if known.is_noisy(task) else None
    return _Setting(task, known.known(task, folder), known.predictions(task), images, targets)


def _configuration(configuration: Configuration, results: xarray.Dataset, folder: Path) -> dict[str, np.ndarray]:
    """Every variable but `label` and `fate`, of one configuration: arrays (seed, axis, ...) or (axis,)."""
    setting = _setting(known.without_training(configuration.task), folder)
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
    mse = np.where(finite, errors.mean(1), np.inf)
    deviation = errors.std(1, ddof=1) / np.sqrt(len(targets)) if setting.images is not None else np.zeros(len(mse))
    variance = np.var(targets)
    with np.errstate(divide="ignore", invalid="ignore"):
        r2 = np.where(variance > 0, 1 - mse / variance, np.nan)
    kind, place = np.full(len(predictions), "none", dtype=LONGEST), np.full(len(predictions), "", dtype=LONGEST)
    if variance > 0:  # where there is nothing to tell there is nothing to collapse
        kind, place = kinds(targets, predictions, seen, exact["r2_bayes"])
    share = _linear_share(setting, usable)
    told = member_information.member_information(setting.task, axis, targets, usable, mse)
    worst = mse + links.STANDARD_ERRORS * deviation
    told["rate_distortion_low"] = member_information.bounds(setting.task, axis, worst)["rate_distortion"]
    distance = ((usable[:, None] - setting.exact[None, ..., axis]) ** 2).mean(-1)
    members = {"mse": mse, "mse_error": deviation, "r2": r2, "linear_share": share.value}
    members |= {"linear_share_error": share.standard_error, **told}
    members = {name: np.where(begun, np.where(finite | (name in ("mse", "r2")), values, np.nan), np.nan)
               for name, values in members.items()}  # fmt: skip
    members["distance_to"] = np.where((begun & finite)[:, None], distance, np.where(begun, np.inf, np.nan)[:, None])
    members["kind"], members["constant_at"] = np.where(begun, kind, NOT_BEGUN), np.where(begun, place, "")
    return exact | members


def _linear_share(setting: _Setting, predictions: Float[np.ndarray, "seed N"]) -> Estimate:
    if not closed_forms.has(setting.task, closed_forms.LINEAR):
        return Estimate(np.full(len(predictions), np.nan), np.full(len(predictions), np.nan))
    return approximation.linear_share(setting.task, setting.images, predictions.T)


def _exact(setting: _Setting, axis: int) -> dict[str, Any]:
    """What does not depend on the member."""
    variance, facts = np.var(setting.targets[:, axis]), setting.known
    with np.errstate(divide="ignore", invalid="ignore"):
        scores = np.where(variance > 0, 1 - facts.mse[:, axis] / variance, np.nan)
        error = np.where(variance > 0, facts.mse_error[-1, axis] / variance, np.nan)
    exact = {f"r2_{name}": score for name, score in zip(PREDICTORS, scores, strict=True)}
    exact |= {"r2_bayes_error": error, "entropy": facts.entropy[axis]}
    return exact | {
        "information_input": facts.information[axis],
        "information_input_error": facts.information_error[axis],
    }
