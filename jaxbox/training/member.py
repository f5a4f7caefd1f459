"""One member: initial state, one training step. Pure functions that know no vmap and no files.

The configuration's float fields may be tracers. Everything random follows from the member's seed
and the step, so that a member is the same alone, in any population, and after a resume.
"""

import dataclasses
from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import optax
from flax import nnx
from jax import lax
from jaxtyping import Array, Bool, Float, Int, Key, PyTree

from jaxbox import config, models, optimizers, schedules, task
from jaxbox.config import Configuration, Static, tables
from jaxbox.layers import Extent, Inside, LitUnits
from jaxbox.training import blocks, metrics, outputs, probes, sampling
from jaxbox.training.sampling import Drawn, Examples

KEPT = nnx.Not(nnx.Any(nnx.Param, nnx.RngState, nnx.Intermediate, LitUnits, Inside, Extent))
"""What a network keeps from one call to the next that is no parameter, such as a normalisation's running statistics.
Random streams are not kept: they follow from the seed and the step."""


class Weights(NamedTuple):
    """The numbers of a network: its parameters, and what else it keeps (see KEPT; empty for most)."""

    params: PyTree[Array]
    variables: PyTree[Array]


class State(NamedTuple):
    """What training changes. `failed_step` is the step whose update was not finite, or -1; from then on the weights
    stay as they are, and the optimiser's state means nothing."""

    params: PyTree[Array]
    variables: PyTree[Array]
    optimizer_state: PyTree[Array]
    failed_step: Int[Array, ""]

    @property
    def weights(self) -> Weights:
        """The network's numbers."""
        return Weights(self.params, self.variables)


def build(configuration: Configuration, key: Key[Array, ""]) -> nnx.Module:
    """A freshly initialised network."""
    constructor: models.Constructor = tables.load("model.name", configuration.model.name)
    # A network that asks for another stream than that of its parameters (dropout) gets one; `merge` sets it anew.
    count = outputs.output_count(configuration)
    return constructor(configuration.model, configuration.task, count, rngs=nnx.Rngs(key, params=key))


def weights_of(network: nnx.Module) -> Weights:
    """The numbers of a network as plain dictionaries."""
    params, variables = nnx.state(network, nnx.Param, KEPT)
    return Weights(nnx.to_pure_dict(params), nnx.to_pure_dict(variables))


def initialize(configuration: Configuration, seed: Int[Array, ""]) -> State:
    """The state before the first step."""
    weights = weights_of(build(configuration, sampling.keys_of(configuration, seed).initial))
    optimizer_state = _rule(configuration, jnp.int32(0)).init(weights.params)
    return State(weights.params, weights.variables, optimizer_state, jnp.int32(-1))


def merge(configuration: Configuration, weights: Weights, streams: Key[Array, ""] | None = None) -> nnx.Module:
    """The network with these numbers: for training, if it is given a key for its random streams, else for evaluation.

    Where modes differ (dropout, batch normalisation) they are set on the whole network, as `nnx.Module.train` and
    `eval` do.
    """
    graph, params, random, variables = nnx.split(_template(configuration), nnx.Param, nnx.RngState, ...)
    nnx.replace_by_pure_dict(params, weights.params)
    nnx.replace_by_pure_dict(variables, weights.variables)
    nnx.replace_by_pure_dict(random, _streams(random, jax.random.key(0) if streams is None else streams))
    network = nnx.merge(graph, params, random, variables)
    if streams is None:
        network.eval()
    else:
        network.train()
    return network


def _template(configuration: Configuration) -> nnx.Module:
    """A network of this configuration, whose numbers do not matter.

    One with traced options of its own may compute with these while it is built, and keep the results: it is built in
    earnest (the compiler drops the numbers that nobody uses). Every other is only traced.
    """
    own = set(config.field_types(type(configuration.model), "model.").items()) - set(config.field_types().items())
    if any(kind is float for _, kind in own):
        return build(configuration, jax.random.key(0))
    return nnx.eval_shape(lambda: build(configuration, jax.random.key(0)))


def abstract_state(static: Static) -> State:
    """Shapes and types of a member's state, with float fields traced as they are in training."""
    floats = {path: jax.ShapeDtypeStruct((), jnp.float32) for path in config.traced(static.configuration)}
    return jax.eval_shape(lambda floats: initialize(static.with_traced(floats), jnp.uint32(0)), floats)


def _streams(random: Any, key: Key[Array, ""]) -> PyTree[Array]:
    """Every random stream of a network at its start, each with a key of its own."""
    leaves, tree = jax.tree.flatten(nnx.to_pure_dict(random))
    new = [
        jax.random.fold_in(key, number) if jnp.issubdtype(leaf.dtype, jax.dtypes.prng_key) else jnp.zeros_like(leaf)
        for number, leaf in enumerate(leaves)
    ]
    return jax.tree.unflatten(tree, new)


def own_motion(configuration: Configuration, state: State, step: Int[Array, ""]) -> PyTree[Array]:
    """What the optimiser would add to the parameters at this step if they had no gradient: momentum."""
    nothing = jax.tree.map(jnp.zeros_like, state.params)
    return _rule(configuration, step).update(nothing, state.optimizer_state, state.params)[0]


def _rule(configuration: Configuration, step: Int[Array, ""]) -> optax.GradientTransformation:
    """The update rule with the learning rate of this step."""
    rule: optimizers.Rule = tables.load("optimizer.name", configuration.optimizer.name)
    rate: Any = schedules.learning_rate(configuration, step)
    optimizer = dataclasses.replace(configuration.optimizer, learning_rate=rate)
    return optimizers.partly_frozen(optimizer, optimizers.clipped(optimizer, rule(optimizer)))


Progress = tuple[Any, PyTree[Array], dict[str, Float[Array, "..."]]]
"""What steps change: what their function carries, the order of `Drawn`, and what has been measured, added up."""
Step = Callable[[Any, Examples, sampling.Keys, Int[Array, ""]], tuple[Any, dict[str, Float[Array, "..."]]]]
"""(carried, examples, keys, step) -> (carried, measures of the step)."""


def train(
    configuration: Configuration,
    state: State,
    data: Drawn,
    seed: Int[Array, ""],
    first: Int[Array, ""],
    last: Int[Array, ""],
) -> tuple[State, Drawn, dict[str, Float[Array, "..."]]]:
    """Steps first to last - 1. Returns the state, the data, and `probes.step_measures` averaged over the steps.

    `first` and `last` must be the same for all members of a population: the loop and the epochs follow them.

    Args:
        data: of `sampling.prepare` at `first`, or as training up to `first` has left it.
    """
    begin = state, data.order, no_measures(configuration, state)
    state, order, totals = take_steps(configuration, partial(train_step, configuration), seed, data, begin, first, last)
    return state, data._replace(order=order), jax.tree.map(lambda total: total / (last - first), totals)


def take_steps(
    configuration: Configuration,
    take: Step,
    seed: Int[Array, ""],
    data: Drawn,
    begin: Progress,
    first: Int[Array, ""],
    last: Int[Array, ""],
) -> Progress:
    """`take` steps first to last - 1, each with its examples."""
    keys = sampling.keys_of(configuration, seed)

    def body(step: Int[Array, ""], progress: Progress) -> Progress:
        carried, order, totals = progress
        with jax.named_scope("examples"):
            new, examples = sampling.batch(configuration, keys, data._replace(order=order), step)
        carried, measures = take(carried, examples, keys, step)
        return carried, new.order, jax.tree.map(jnp.add, totals, measures)

    return lax.fori_loop(first, last, body, begin)


def no_measures(configuration: Configuration, state: State) -> dict[str, Float[Array, "..."]]:
    """What is measured of a step, before the first."""
    nothing = metrics.Stepped(jnp.float32(0), jnp.float32(0), state.params, state.params)
    shapes = jax.eval_shape(partial(probes.of_step, configuration.probe), nothing)
    return jax.tree.map(lambda leaf: jnp.zeros(leaf.shape, leaf.dtype), shapes)


def train_step(
    configuration: Configuration, state: State, examples: Examples, keys: sampling.Keys, step: Int[Array, ""]
) -> tuple[State, dict[str, Float[Array, "..."]]]:
    """One update. If a number of it is not finite the weights stay as they are, and are marked, for good."""
    new, optimizer_state, stepped = update(configuration, state, examples, keys, step)
    # An optimiser's state needs no look: it overflows with the gradient's norm, or makes an update that is not finite
    # (but for a weight decay so strong that its square overflows first: 1e19 over the weights' size).
    finite = all_finite((stepped.loss, stepped.gradient_norm, new))
    running = state.failed_step < 0
    kept = jax.tree.map(lambda new, old: jnp.where(finite & running, new, old), new, state.weights)
    failed_step = jnp.where(running & ~finite, step, state.failed_step)
    return State(kept.params, kept.variables, optimizer_state, failed_step), probes.of_step(
        configuration.probe, stepped
    )


def update(
    configuration: Configuration, state: State, examples: Examples, keys: sampling.Keys, step: Int[Array, ""]
) -> tuple[Weights, PyTree[Array], metrics.Stepped]:
    """The weights and the optimiser's state after one update, whatever numbers it has, and what can be said of it."""
    windows = tables.uses_windows(configuration)
    with jax.named_scope("examples"):
        draws = task.draw_images(configuration.task, examples.keys)
        inputs, targets = task.example(configuration.task, examples.index, draws, windows, examples.taught)
    loss_function = outputs.loss_function(configuration)

    def batch_loss(params: PyTree[Array], batch: blocks.Examples) -> tuple[Float[Array, ""], PyTree[Array]]:
        weights = Weights(params, state.variables)
        network: Any = merge(configuration, weights, jax.random.fold_in(keys.streams, step))
        loss = loss_function(configuration.loss, network(batch[0]), batch[1]).mean()
        return loss, weights_of(network).variables

    size = blocks.images_per_block(configuration, merge(configuration, state.weights), inputs)
    (loss, variables), gradient = blocks.loss_and_gradient(batch_loss, state.params, (inputs, targets), size)
    with jax.named_scope("update"):
        norm = optax.tree.norm(gradient)
        updates, optimizer_state = _rule(configuration, step).update(gradient, state.optimizer_state, state.params)
        new = Weights(optax.apply_updates(state.params, updates), variables)
    return new, optimizer_state, metrics.Stepped(loss, norm, gradient, updates)


def all_finite(tree: PyTree[Array]) -> Bool[Array, ""]:
    """Whether every number is finite: zero times a number that is not finite is NaN, and so is a sum with NaN.

    On CPU a sum of floats takes a third of the time of a conjunction.
    """
    return jnp.isfinite(sum(jnp.sum(leaf * 0) for leaf in jax.tree.leaves(tree)))
