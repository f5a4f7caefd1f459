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
from typing import NamedTuple

import numpy as np
import xarray

from analysis.comparison.known import PREDICTORS
from analysis.comparison.maps import weights
from analysis.comparison.members import compare_members
from analysis.comparison.variables import DIVERGED, FATES, NOT_BEGUN, VARIABLES
from jaxbox.config import Plan, outside
from jaxbox.store.archive import folder_of, open_run, open_with_plan
from jaxbox.store.folder import RESULTS
from jaxbox.sweep.closing_table import labels

__all__ = ["DIVERGED", "FATES", "NOT_BEGUN", "VARIABLES", "Snapshot", "compare", "snapshot", "weights"]

Progress = Callable[[int, int], None]
"""Told how many of how many configurations are done."""


def compare(run: str | Path | xarray.Dataset, progress: Progress | None = None) -> xarray.Dataset:
    """VARIABLES for every member of a run: dimensions configuration, seed, axis and predictor, and the run's own
    coordinates on them. Asked again for the same results it answers at once, with the same Dataset: do not change it.
    Code from outside of the project that the run names is not executed, and nothing is known of a task made of it.

    Args:
        run: its folder, or what `open_run` returned.
        progress: called after each configuration.

    Raises:
        RunError: not a run, or a run without results yet.
    """
    return snapshot(run, progress).compared


class Snapshot(NamedTuple):
    """A run at one moment, while others may train it or make it grow."""

    results: xarray.Dataset
    plan: Plan
    compared: xarray.Dataset


def snapshot(run: str | Path | xarray.Dataset, progress: Progress | None = None) -> Snapshot:
    """The results of a run, the plan that they are of, and what `compare` finds of these very results.

    Arguments and errors as `compare`.
    """
    folder = folder_of(run)
    open_run(folder)  # refused under the name that it was given
    with outside.reading():
        return _snapshot(folder.absolute(), (folder / RESULTS).stat().st_mtime_ns, _Told(progress))


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
def _snapshot(folder: Path, stamp: int, progress: _Told) -> Snapshot:
    results, plan = open_with_plan(folder)
    configurations, found = plan.configurations, []
    for index, configuration in enumerate(configurations):
        found.append(compare_members(configuration, results.isel(configuration=index).load(), folder))
        progress(index + 1, len(configurations))
    arrays = {name: np.stack([row[name] for row in found]) for name in found[0]}
    arrays["label"] = np.array(labels(results))
    arrays["fate"] = _worse(arrays["kind"])
    return Snapshot(results, plan, _labelled(results, arrays))


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
