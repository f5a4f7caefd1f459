"""The labelled results of a run: which variables there are, and how members' arrays become one Dataset."""

from collections.abc import Mapping
from typing import Any, NamedTuple

import jax
import numpy as np
import xarray
from jaxtyping import PyTree

from jaxbox import task
from jaxbox.config import Configuration, Plan
from jaxbox.metrics import AXES, SPLITS

MEMBER = ("configuration", "seed")


class Variable(NamedTuple):
    """Dimensions after configuration and seed, units, and a description."""

    dims: tuple[str, ...]
    units: str
    description: str
    dtype: Any = np.float32


MEASURES = {
    "loss": Variable(("step",), "loss", "training loss, mean over the steps since the previous evaluation"),
    "gradient_norm": Variable(
        ("step",), "loss per unit of parameter", "Euclidean norm of the gradient, mean since the previous evaluation"
    ),
    "mse": Variable(("step", "split", "axis"), "squared target units", "mean squared error over evaluation positions"),
    "r2": Variable(("step", "axis"), "1", "1 - MSE / variance of the target, all positions"),
    "variance_ratio": Variable(("step", "axis"), "1", "variance of the prediction / variance of the target"),
    "correlation": Variable(("step", "axis"), "1", "correlation of prediction and target; 0 for a constant"),
    "bias": Variable(("step", "axis"), "target units", "mean of prediction - target"),
    "dead_fraction": Variable(
        ("step", "layer"),
        "1",
        "fraction of a ReLU layer's channels that are zero on every evaluation image; NaN: no layer",
    ),
}
FINALS = {
    "finite": Variable((), "1", "whether every number of the member is finite up to its last step", bool),
    "failed_step": Variable((), "step", "step whose update was not finite and froze the member; -1: none", np.int32),
    "last_step": Variable((), "step", "step of the last evaluation; -1: none yet", np.int32),
    "prediction": Variable(("position", "axis"), "target units", "prediction at the last evaluated step"),
    "seen": Variable(("position",), "1", "whether the position is in the seed's training set", bool),
}
TARGETS = {
    "target": Variable(("position", "axis"), "target units", "centre of the box"),
    "column": Variable(("position",), "pixel", "column of the box's left edge; -1: no such position", np.int32),
    "row": Variable(("position",), "pixel", "row of the box's top edge; -1: no such position", np.int32),
    "replicates": Variable(
        (), "1", "whether seeds are independent replicates; else all trained on the batches of seed 0", bool
    ),
    "seconds": Variable((), "s", "wall time of the configuration's members, its share of its group's"),
}
COORDINATES = {
    "configuration": "index of the configuration; the fields that vary are coordinates on it",
    "seed": "independent replicate: initial weights, training set, batch order; the same in every configuration",
    "step": "updates made",
    "axis": "coordinate of the box's centre",
    "split": "evaluation positions: all, in the seed's training set, not in it",
    "layer": "ReLU layer, counted from the input",
    "position": "index of the box's position on the lattice, row by row",
}


def allocate(configuration: Configuration, measures: Mapping[str, Any], members: int) -> dict[str, np.ndarray]:
    """Empty arrays for a chunk of members: (members, evaluations, ...) for MEASURES and (members, ...) for FINALS.

    Args:
        measures: one evaluation's, (filled members, ...), anything with shapes.
    """
    steps = len(configuration.evaluation_steps())
    arrays = {}
    for name, variable in (MEASURES | FINALS).items():
        over_steps = (steps,) if "step" in variable.dims else ()
        arrays[name] = _empty((members, *over_steps, *measures[name].shape[1:]), variable.dtype)
    return arrays


def like(configuration: Configuration) -> PyTree[Any]:
    """The structure of what `allocate` returns."""
    return {name: np.zeros(1) for name in MEASURES | FINALS}


def record(arrays: dict[str, np.ndarray], measures: Mapping[str, Any], evaluation: int) -> None:
    """Put the MEASURES of one evaluation, (filled members, ...), into the arrays of `allocate`."""
    for name, values in jax.device_get({name: measures[name] for name in MEASURES}).items():
        arrays[name][:, evaluation] = values[: len(arrays[name])]


def finish(arrays: dict[str, np.ndarray], measures: Mapping[str, Any]) -> None:
    """Put the FINALS of an evaluation into the arrays: they are large, and only the last ones are kept."""
    for name, values in jax.device_get({name: measures[name] for name in FINALS}).items():
        arrays[name][:] = values[: len(arrays[name])]


def _empty(shape: tuple[int, ...], dtype: Any) -> np.ndarray:
    fill = np.nan if np.issubdtype(dtype, np.floating) else -1 if np.issubdtype(dtype, np.integer) else False
    return np.full(shape, fill, dtype)


def dataset(
    plan: Plan, members: Mapping[tuple[int, int], Mapping[str, np.ndarray]], seconds: Mapping[int, float]
) -> xarray.Dataset:
    """One Dataset of a run, NaN (or False, -1) where a member has not got to.

    Args:
        members: (configuration, seed) -> the member's arrays of `allocate`, without the members' axis.
        seconds: wall time by configuration.
    """
    sizes = _sizes(plan, members)
    steps = sorted({step for c in plan.configurations for step in c.evaluation_steps()})
    arrays = {
        name: (dims, _empty(tuple(sizes[dim] for dim in dims), variable.dtype))
        for name, variable in (MEASURES | FINALS | TARGETS).items()
        for dims in [(("configuration",) if name in TARGETS else MEMBER) + variable.dims]
    }
    where = [np.searchsorted(steps, c.evaluation_steps()) for c in plan.configurations]
    for (index, seed), values in members.items():
        for name, value in values.items():
            rows = (where[index],) if name in MEASURES else ()
            cut = (slice(size) for size in value.shape[len(rows) :])
            arrays[name][1][(index, seed, *rows, *cut)] = value
    for index, configuration in enumerate(plan.configurations):
        _place_targets(arrays, index, configuration)
        arrays["replicates"][1][index] = not configuration.shared_batches
        arrays["seconds"][1][index] = seconds.get(index, np.nan)
    return _labelled(plan, arrays, steps)


def _sizes(plan: Plan, members: Mapping[tuple[int, int], Mapping[str, np.ndarray]]) -> dict[str, int]:
    layers = max((values["dead_fraction"].shape[-1] for values in members.values()), default=0)
    return {
        "configuration": len(plan.configurations),
        "seed": plan.seeds,
        "step": len({step for c in plan.configurations for step in c.evaluation_steps()}),
        "axis": len(AXES),
        "split": len(SPLITS),
        "layer": layers,
        "position": max(task.position_count(c.task) for c in plan.configurations),
    }


def _place_targets(arrays: dict[str, Any], index: int, configuration: Configuration) -> None:
    positions = task.positions(configuration.task)
    arrays["target"][1][index, : len(positions)] = task.targets(configuration.task, positions)
    arrays["column"][1][index, : len(positions)] = positions[:, 0]
    arrays["row"][1][index, : len(positions)] = positions[:, 1]


def _labelled(plan: Plan, arrays: Mapping[str, Any], steps: list[int]) -> xarray.Dataset:
    coordinates: dict[str, Any] = {"step": steps, "axis": list(AXES), "split": list(SPLITS)}
    for name in ("configuration", "seed", "layer", "position"):
        sizes = {dim: n for dims, array in arrays.values() for dim, n in zip(dims, array.shape, strict=True)}
        coordinates[name] = np.arange(sizes[name])
    for path, values in plan.varied().items():
        plain = [str(value) if isinstance(value, tuple) else value for value in values]
        coordinates[path] = ("configuration", np.array(plain))
    labelled = xarray.Dataset({name: (dims, array) for name, (dims, array) in arrays.items()}, coordinates)
    for name, variable in (MEASURES | FINALS | TARGETS).items():
        labelled[name].attrs = {"units": variable.units, "description": variable.description}
    for name, description in COORDINATES.items():
        labelled[name].attrs["description"] = description
    return labelled
