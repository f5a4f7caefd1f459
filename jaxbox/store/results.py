"""The labelled results of a run: how members' arrays become one Dataset. Their variables are the table of measures."""

import itertools
import math
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

import jax
import numpy as np
import xarray
from jaxtyping import Int, PyTree

from jaxbox import task
from jaxbox.config import Configuration, Plan
from jaxbox.training.metrics import AXES, DROPPED, FINALS, MEASURES, SAMPLED, SPLITS, Measure
from jaxbox.training.probes import EARLY, all_measures

MEMBER = ("configuration", "seed")
USUAL_LAYERS = 3
"""Taken for the depth of networks that nobody has traced yet."""


class Variable(NamedTuple):
    """Dimensions after configuration, units, and a description, of what all seeds of a configuration share."""

    dims: tuple[str, ...]
    units: str
    description: str
    dtype: Any = np.float32


STEPS = ", in pixels unless the scene says otherwise; -1: no such position"
OF_CONFIGURATION = {
    "target": Variable(("position", "axis"), "target units", "centre of the box"),
    "probability": Variable(
        ("position",), "1", "of the position under the law of the data, by which measures are weighted"
    ),
    "column": Variable(("position",), "step of the lattice", f"column of the box's left edge{STEPS}", np.int32),
    "row": Variable(("position",), "step of the lattice", f"row of the box's top edge{STEPS}", np.int32),
    "replicates": Variable(
        (), "1", "whether seeds are independent replicates; else all trained on the batches of seed 0", bool
    ),
    "seconds": Variable((), "s", "wall time of the configuration's members, its share of its group's"),
}
VARIABLES: dict[str, Measure | Variable] = {
    **MEASURES,
    **FINALS,
    "dropped_step": DROPPED,
    **OF_CONFIGURATION,
    **EARLY,
    **SAMPLED,
}
"""Every variable of a run; those of a probe or of a sample, and `dropped_step`, are in runs only that have asked for
it."""
COORDINATES = {
    "configuration": "index of the configuration; the fields that vary are coordinates on it",
    "seed": "independent replicate: initial weights, training set, batch order; the same in every configuration",
    "step": "updates made",
    "axis": "coordinate of the box's centre",
    "split": "evaluation positions: all, in the seed's training set, not in it",
    "layer": "ReLU layer, counted from the input",
    "kernel": "array of weights with two axes or more, in the order of the network's parameters",
    "position": "index of the box's position on the lattice, row by row",
}


def dims_of(name: str) -> tuple[str, ...]:
    """All dimensions of a variable."""
    return (MEMBER[:1] if name in OF_CONFIGURATION else MEMBER) + VARIABLES[name].dims


def allocate(
    configuration: Configuration, measures: Mapping[str, Any], members: int, drops: bool = False
) -> dict[str, np.ndarray]:
    """Empty arrays for a chunk of members: (members, evaluations, ...) for what has steps, and (members, ...).

    Args:
        measures: one evaluation's, (filled members, ...), anything with shapes.
        drops: whether members can be dropped.
    """
    steps = (configuration.evaluation_count(),)
    return {
        name: _empty((members, *(steps if _has_steps(name) else ()), *measures[name].shape[1:]), row.dtype)
        for name, row in all_measures(configuration, drops=drops).items()
    }


def _has_steps(name: str) -> bool:
    return "step" in VARIABLES[name].dims


def like(configuration: Configuration, windows: bool | None = None, drops: bool = False) -> PyTree[Any]:
    """The structure and types of what `allocate` returns; `windows` as in `training.strata.samples`."""
    return {name: np.zeros(1, row.dtype) for name, row in all_measures(configuration, windows, drops).items()}


def lengths(measures: Iterable[Mapping[str, np.ndarray]]) -> dict[str, int]:
    """How many layers and kernels the networks have, of which these are the members' arrays, at most."""
    found = {"layer": 0, "kernel": 0}
    for arrays in measures:
        for name, dim in (("dead_fraction", "layer"), ("gradient_alignment", "kernel")):
            if name in arrays:
                found[dim] = max(found[dim], arrays[name].shape[-1])
    return found


def lengthen(arrays: Mapping[str, np.ndarray], evaluations: int) -> dict[str, np.ndarray]:
    """Arrays of `allocate` with room for this many evaluations, those of a run that has grown being more."""
    found = dict(arrays)
    for name in filter(_has_steps, arrays):
        shape = (len(arrays[name]), evaluations - arrays[name].shape[1], *arrays[name].shape[2:])
        found[name] = np.concatenate([arrays[name], _empty(shape, arrays[name].dtype)], axis=1)
    return found


class Rows(NamedTuple):
    """Some members of a chunk, and at which places of the filled members each of them is."""

    members: Int[np.ndarray, " n"]
    places: Int[np.ndarray, " n"]


def record(
    arrays: dict[str, np.ndarray], measures: Mapping[str, Any], evaluation: int, rows: Rows | None = None
) -> None:
    """Put what has steps of one evaluation, (filled members, ...), into the arrays of `allocate`.

    Args:
        rows: of which members; of all, in their own order, if left out.
    """
    for name, values in jax.device_get({name: measures[name] for name in arrays if _has_steps(name)}).items():
        members, places = rows or _all(arrays[name])
        arrays[name][members, evaluation] = values[places]


def finish(arrays: dict[str, np.ndarray], measures: Mapping[str, Any], rows: Rows | None = None) -> None:
    """Put what has no steps of an evaluation into the arrays: it is large, and only the last is kept. As `record`."""
    for name, values in jax.device_get({name: measures[name] for name in arrays if not _has_steps(name)}).items():
        members, places = rows or _all(arrays[name])
        arrays[name][members] = values[places]


def _all(array: np.ndarray) -> tuple[slice, slice]:
    # What slices take is no copy; predictions are large.
    return slice(None), slice(len(array))


def _empty(shape: tuple[int, ...], dtype: Any) -> np.ndarray:
    fill = np.nan if np.issubdtype(dtype, np.floating) else -1 if np.issubdtype(dtype, np.integer) else False
    return np.full(shape, fill, dtype)


def dataset(
    plan: Plan,
    members: Mapping[tuple[int, int], Mapping[str, np.ndarray]],
    seconds: Mapping[int, float],
    attributes: Mapping[str, str] | None = None,
    block: range | None = None,
    sizes: Mapping[str, int] | None = None,
    with_sampled: bool | None = None,
    drops: bool = False,
) -> xarray.Dataset:
    """One Dataset of a block of a run's configurations, NaN (or False, -1) where a member has not got to.

    Args:
        members: (configuration, seed) -> the member's arrays of `allocate`, without the members' axis.
        seconds: wall time by configuration.
        attributes: of the whole run, such as its name.
        block: the indices of the configurations; all if left out.
        sizes: `lengths` of the whole run; of these members if left out.
        with_sampled: whether the whole run has members that are `sampled`; whether these are if left out.
        drops: whether the run drops members.
    """
    with_sampled = sampled(members.values()) if with_sampled is None else with_sampled
    block = range(len(plan.configurations)) if block is None else block
    sizes = lengths(members.values()) if sizes is None else sizes
    sizes, steps = _sizes(plan) | dict(sizes) | {"configuration": len(block)}, _steps(plan)
    arrays = {
        name: _empty(tuple(sizes[dim] for dim in dims_of(name)), variable.dtype)
        for name, variable in _variables(plan, with_sampled, drops).items()
    }
    evaluations = {index: np.searchsorted(steps, plan.configurations[index].evaluation_steps()) for index in block}
    place_of = {seed: place for place, seed in enumerate(itertools.chain.from_iterable(plan.seeds))}
    for (index, seed), values in members.items():
        for name, value in values.items():
            # A run that has grown asks for evaluations that this member has not got to.
            rows = (evaluations[index][: len(value)],) if _has_steps(name) else ()
            cut = (slice(size) for size in value.shape[len(rows) :])
            arrays[name][(block.index(index), place_of[seed], *rows, *cut)] = value
    for row, index in enumerate(block):
        configuration = plan.configurations[index]
        _place_targets(arrays, row, configuration)
        arrays["replicates"][row] = not configuration.data.shared_batches
        arrays["seconds"][row] = seconds.get(index, np.nan)
    return _labelled(plan, arrays, sizes, steps, block).assign_attrs(attributes or {})


def dataset_bytes(plan: Plan, sizes: Mapping[str, int] | None = None, with_sampled: bool = True) -> int:
    """Bytes of the Dataset of a run, which is padded to its largest configuration.

    Args:
        sizes: `lengths`, not known before networks are traced.
        with_sampled: as in `dataset`.
    """
    sizes = _sizes(plan) | dict(sizes or {})
    return sum(
        math.prod(sizes[dim] for dim in dims_of(name)) * np.dtype(row.dtype).itemsize
        for name, row in _variables(plan, with_sampled, drops=False).items()
    )


def _variables(plan: Plan, sampled: bool, drops: bool) -> dict[str, Measure | Variable]:
    """Those that a run of this plan has."""
    probed = any(configuration.probe != "none" for configuration in plan.configurations)
    lacking = {*(() if probed else EARLY), *(() if sampled else SAMPLED), *(() if drops else ("dropped_step",))}
    return {name: row for name, row in VARIABLES.items() if name not in lacking}


def sampled(measures: Iterable[Mapping[str, np.ndarray]]) -> bool:
    """Whether one of these members' arrays is of evaluations that look at a sample of the positions."""
    return any(SAMPLED.keys() & arrays.keys() for arrays in measures)


def _steps(plan: Plan) -> list[int]:
    return sorted({step for c in plan.configurations for step in c.evaluation_steps()})


def _sizes(plan: Plan) -> dict[str, int]:
    return {
        "configuration": len(plan.configurations),
        "seed": plan.seed_count,
        "step": len(_steps(plan)),
        "axis": len(AXES),
        "split": len(SPLITS),
        "layer": USUAL_LAYERS,
        "kernel": USUAL_LAYERS,
        "position": max(task.position_count(c.task) for c in plan.configurations),
    }


def _place_targets(arrays: dict[str, np.ndarray], index: int, configuration: Configuration) -> None:
    positions = task.positions(configuration.task)
    arrays["target"][index, : len(positions)] = task.targets(configuration.task, positions)
    arrays["probability"][index, : len(positions)] = task.probability(configuration.task, configuration.data)
    arrays["column"][index, : len(positions)] = positions[:, 0]
    arrays["row"][index, : len(positions)] = positions[:, 1]


def _labelled(
    plan: Plan, arrays: Mapping[str, np.ndarray], sizes: Mapping[str, int], steps: list[int], block: range
) -> xarray.Dataset:
    coordinates: dict[str, Any] = {"step": steps, "axis": list(AXES), "split": list(SPLITS)}
    used = {dim for name in arrays for dim in dims_of(name)}
    coordinates |= {name: np.arange(sizes[name]) for name in ("layer", "kernel", "position") if name in used}
    coordinates["configuration"] = np.array(block)
    coordinates["seed"] = np.concatenate(list(map(np.array, plan.seeds)))
    for path, values in plan.varied().items():
        plain = [str(value) if isinstance(value, tuple) else value for value in values[block.start : block.stop]]
        coordinates[path] = ("configuration", np.array(plain))
    labelled = xarray.Dataset({name: (dims_of(name), array) for name, array in arrays.items()}, coordinates)
    for name in arrays:
        labelled[name].attrs = {"units": VARIABLES[name].units, "description": VARIABLES[name].description}
    for name, description in COORDINATES.items():
        if name in used:
            labelled[name].attrs["description"] = description
    return labelled
