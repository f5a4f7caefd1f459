"""Predictions at every position, or at a sample of them (`strata`). The image loop is outermost, so that noise, which
all members share, is drawn once for all of them."""

import contextlib
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx
from jax import lax
from jaxtyping import Array, Bool, Float, Int

from jaxbox import config, task
from jaxbox.config import Configuration, Task, tables
from jaxbox.layers import Inside, LitUnits, first_derivatives_only, looking_inside
from jaxbox.task import Draws
from jaxbox.training import measuring, member, outputs, sampling, strata
from jaxbox.training.member import State, Weights

SEED = 2**31 - 1
"""What the evaluation's images draw, their noise for one, is drawn from this seed, the same for every member."""

MapMembers = Callable[..., Any]
"""(function of one member, values with a leading members' axis) -> its results, with that axis."""
Inner = list[Float[Array, "*members 4 N _"]]
"""What each ReLU layer has inside."""
Whole = Bool[Array, ""]
"""Whether an evaluation is to look at all positions rather than at the sample; the same for all members."""


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
    whole: Whole | None = None,
) -> tuple[Float[Array, "*members 2 N"], list[Bool[Array, "*members _"]], Inner]:
    """(x, y) in target units at every evaluation position, for each ReLU layer which units are ever above zero, and if
    it is probed what it has `layers.Inside` at every position.

    Windows go through the network at once, most of them being shared; images in blocks of about the batch size, so
    that memory does not grow with the lattice.

    Of a sample it is all that at the sample's positions, in its order, and the rest of N means nothing.

    Args:
        configuration: of all members.
        weights: of each member.
        floats: float fields, by dotted path, that replace those of `configuration`, of each member.
        map_members: how to go over the members' axis of `weights` and `floats`.
        whole: at all positions, or at the sample; None where there is none.
    """
    count = task.position_count(configuration.task)
    windows = tables.uses_windows(configuration)

    probed = configuration.probe != "none"

    def block(index: Int[Any, " n"]) -> tuple[Array, list[Array], list[Array]]:
        drawn = draws(configuration.task, index)

        def predict_one(weights: Weights, floats: Mapping[str, Any]) -> tuple[Array, list[Array], list[Array]]:
            own = config.replace(configuration, floats)
            network: Any = member.merge(own, weights)
            with first_derivatives_only(), looking_inside() if probed else contextlib.nullcontext():
                called = network(task.example(own.task, index, drawn, windows)[0])
            return outputs.predictions(own, called).T, kept(network, LitUnits), kept(network, Inside)

        return map_members(predict_one, weights, floats or {})

    if windows:
        return block(np.arange(count))
    if whole is None:
        size = _block_size(count, configuration.batch_size)
        starts = jnp.arange(-(-count // size)) * size
        found = lax.map(lambda start: block(jnp.minimum(start + jnp.arange(size), count - 1)), starts)
    else:
        found = _map_first(block, *_blocks(configuration, whole))
    predictions, lit, inside = found
    predictions = jnp.moveaxis(predictions, 0, -2)
    predictions = predictions.reshape(*predictions.shape[:-2], -1)[..., :count]
    inside = [jnp.moveaxis(layer, 0, -3) for layer in inside]
    inside = [layer.reshape(*layer.shape[:-3], -1, layer.shape[-1])[..., :count, :] for layer in inside]
    return predictions, [units.any(axis=0) for units in lit], inside


def _block_size(count: int, most: int) -> int:
    """Of blocks that are as few as they can be and nearly equal."""
    return -(-count // -(-count // most))


def _blocks(configuration: Configuration, whole: Whole) -> tuple[Int[Array, "blocks size"], Int[Array, ""]]:
    """The positions in each block, and how many blocks to go through: of all positions, or of the sample alone.

    Sizes are those that suit the sample, since all positions are looked at only once in a while.
    """
    count, sample = task.position_count(configuration.task), strata.sample(configuration).index
    size = _block_size(len(sample), configuration.batch_size)
    blocks, own = -(-count // size), -(-len(sample) // size)
    rows = [np.resize(each, (blocks, size)) for each in (np.arange(count), sample)]
    return jnp.where(whole, *rows), jnp.where(whole, blocks, own)


def _map_first(function: Callable[[Any], Any], rows: Int[Array, "n _"], count: Int[Array, ""]) -> Any:
    """`lax.map` over the first `count` of the rows, which may be a tracer; the other results are zeros."""
    shapes = jax.eval_shape(function, rows[0])
    zeros = jax.tree.map(lambda leaf: jnp.zeros((len(rows), *leaf.shape), leaf.dtype), shapes)

    def body(row: Int[Array, ""], found: Any) -> Any:
        return jax.tree.map(lambda all_, own: all_.at[row].set(own), found, function(rows[row]))

    return lax.fori_loop(0, count, body, zeros)


def kept(network: Any, kind: type[nnx.Variable]) -> list[Array]:
    """What layers have kept in variables of this kind, in the order in which they were called."""
    found = [variable for _, variable in nnx.to_flat_state(nnx.state(network, kind))]
    return [variable[...] for variable in sorted(found, key=lambda variable: variable.call)]


def evaluate(
    configuration: Configuration,
    state: State,
    seen: Bool[Array, "*members N"],
    step: Int[Array, "*members"],
    floats: Mapping[str, Any] | None = None,
    map_members: MapMembers = single_member,
    whole: Whole | None = None,
    map_live: MapMembers | None = None,
) -> dict[str, Array]:
    """What `measuring.measure` returns, of members whose predictions are made by `predict`.

    Args:
        whole: whether from all positions or, all but the last time, from the sample; None: from all, always.
        map_live: goes over the members that are to predict, if those are not all.
    """
    prediction, lit, inside = predict(configuration, state.weights, floats, map_live or map_members, whole)
    read = tables.row("data.law", configuration.data.law).reads
    of_law = {path: value for path, value in (floats or {}).items() if path in read}

    def measure_one(of_law: Mapping[str, Any], *values: Any) -> dict[str, Array]:
        own = config.replace(configuration, of_law)
        if whole is None:
            return measuring.measure(own, *values)
        of_sample = partial(measuring.measure, own, sample=strata.sample(configuration))
        return lax.cond(whole, partial(measuring.measure, own), of_sample, *values)

    return map_members(measure_one, of_law, state, prediction, lit, seen, step, inside)
