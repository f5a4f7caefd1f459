"""Predictions at every position, and measures of them. The image loop is outermost, so that noise, which all members
share, is drawn once for all of them."""

import contextlib
from collections.abc import Callable, Mapping
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx
from jax import lax
from jaxtyping import Array, Bool, Float, Int

from jaxbox import config, task
from jaxbox.config import Configuration, Task, tables
from jaxbox.layers import Inside, LitUnits, looking_inside
from jaxbox.task import Draws
from jaxbox.training import member, metrics, outputs, probes, sampling
from jaxbox.training.member import State, Weights
from jaxbox.training.metrics import Evaluated

SEED = 2**31 - 1
"""What the evaluation's images draw, their noise for one, is drawn from this seed, the same for every member."""

MapMembers = Callable[..., Any]
"""(function of one member, values with a leading members' axis) -> its results, with that axis."""
Inner = list[Float[Array, "*members 4 N _"]]
"""What each ReLU layer has inside."""


def single_member(function: Callable[..., Any], *values: Any) -> Any:
    """The `MapMembers` of one member without a members' axis: calls the function."""
    return function(*values)


def draws(task_: Task, index: Int[Any, " n"]) -> Draws:
    """What the evaluation's images at these position indices draw, at any level of noise."""
    return task.draw_images(task_, sampling.example_keys(jax.random.key(SEED), jnp.asarray(index)))


def predict(
    configuration: Configuration,
    weights: Weights,
    floats: Mapping[str, Any] | None = None,
    map_members: MapMembers = single_member,
) -> tuple[Float[Array, "*members 2 N"], list[Bool[Array, "*members _"]], Inner]:
    """(x, y) in target units at every evaluation position, for each ReLU layer which units are ever above zero, and if
    it is probed what it has `layers.Inside` at every position.

    Windows go through the network at once, most of them being shared; images in blocks of about the batch size, so
    that memory does not grow with the lattice.

    Args:
        configuration: of all members.
        weights: of each member.
        floats: float fields, by dotted path, that replace those of `configuration`, of each member.
        map_members: how to go over the members' axis of `weights` and `floats`.
    """
    count = task.position_count(configuration.task)
    windows = tables.uses_windows(configuration)

    probed = configuration.probe != "none"

    def block(index: Int[Any, " n"]) -> tuple[Array, list[Array], list[Array]]:
        drawn = draws(configuration.task, index)

        def predict_one(weights: Weights, floats: Mapping[str, Any]) -> tuple[Array, list[Array], list[Array]]:
            own = config.replace(configuration, floats)
            network: Any = member.merge(own, weights)
            with looking_inside() if probed else contextlib.nullcontext():
                called = network(task.example(own.task, index, drawn, windows)[0])
            return outputs.predictions(own, called).T, kept(network, LitUnits), kept(network, Inside)

        return map_members(predict_one, weights, floats or {})

    if windows:
        return block(np.arange(count))
    blocks = -(-count // configuration.batch_size)
    size = -(-count // blocks)
    starts = jnp.arange(blocks) * size
    predictions, lit, inside = lax.map(lambda start: block(jnp.minimum(start + jnp.arange(size), count - 1)), starts)
    predictions = jnp.moveaxis(predictions, 0, -2)
    predictions = predictions.reshape(*predictions.shape[:-2], -1)[..., :count]
    inside = [jnp.moveaxis(layer, 0, -3) for layer in inside]
    inside = [layer.reshape(*layer.shape[:-3], -1, layer.shape[-1])[..., :count, :] for layer in inside]
    return predictions, [units.any(axis=0) for units in lit], inside


def kept(network: Any, kind: type[nnx.Variable]) -> list[Array]:
    """What layers have kept in variables of this kind, in the order in which they were called."""
    found = [variable for _, variable in nnx.to_flat_state(nnx.state(network, kind))]
    return [variable[...] for variable in sorted(found, key=lambda variable: variable.call)]


def measure(
    configuration: Configuration,
    state: State,
    prediction: Float[Array, "2 N"],
    lit: list[Bool[Array, " _"]],
    seen: Bool[Array, " N"],
    step: Int[Array, ""],
    inside: list[Float[Array, "4 N _"]],
) -> dict[str, Array]:
    """Every row of `probes.curves` and `metrics.FINALS`, of one member.

    Args:
        prediction, lit, inside: of `predict`.
        seen: which positions are in the training set.
        step: how many updates were made.
    """
    # NumPy computes what depends on the targets alone: left to XLA, whether it is folded into a constant, and with it
    # the last bit, can differ from one compilation to the next.
    targets = task.targets(configuration.task, task.positions(configuration.task)).astype(np.float32)
    # A law that is uniform costs nothing: plain means, as if there were no law.
    even = configuration.data.law == "uniform"
    probability = None if even else task.probability(configuration.task, configuration.data, jnp)
    found = Evaluated(prediction.T, targets, probability, seen, lit, state.failed_step, step, inside)
    rows = probes.curves(configuration.probe) | metrics.FINALS
    return {name: row.function(found) for name, row in rows.items()}


def evaluate(
    configuration: Configuration,
    state: State,
    seen: Bool[Array, "*members N"],
    step: Int[Array, "*members"],
    floats: Mapping[str, Any] | None = None,
    map_members: MapMembers = single_member,
    map_live: MapMembers | None = None,
) -> dict[str, Array]:
    """What `measure` returns, of members whose predictions are made by `predict`.

    Args:
        map_live: goes over the members that are to predict, if those are not all.
    """
    prediction, lit, inside = predict(configuration, state.weights, floats, map_live or map_members)
    read = tables.row("data.law", configuration.data.law).reads
    of_law = {path: value for path, value in (floats or {}).items() if path in read}

    def measure_one(of_law: Mapping[str, Any], *values: Any) -> dict[str, Array]:
        return measure(config.replace(configuration, of_law), *values)

    return map_members(measure_one, of_law, state, prediction, lit, seen, step, inside)
