"""One member: initial state, one training step. Pure functions that know no vmap and no files.

The configuration's float fields may be tracers. Everything random follows from the member's seed
and the step, so that a member is the same alone, in any population, and after a resume.
"""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import optax
from flax import nnx
from jax import lax
from jaxtyping import Array, Bool, Float, Int, Key, PyTree

from jaxbox import config, layers, losses, models, optimizers, sampling, task
from jaxbox.config import Configuration
from jaxbox.sampling import Data, Examples


class State(NamedTuple):
    """What training changes. `failed_step` is the step whose update was not finite, or -1; from then on the parameters
    stay as they are, and the optimiser's state means nothing."""

    params: PyTree[Array]
    optimizer_state: PyTree[Array]
    failed_step: Int[Array, ""]


def check(configuration: Configuration) -> None:
    """Refuse a configuration that has no program.

    Raises:
        ConfigurationError: a field out of range or a name in no table.
    """
    config.check(configuration)
    task.check(configuration.task)
    config.choose(models.MODELS, configuration.model.name, "model.name")
    config.choose(layers.ACTIVATIONS, configuration.model.activation, "model.activation")
    config.choose(losses.LOSSES, configuration.loss.name, "loss.name")
    config.choose(optimizers.OPTIMIZERS, configuration.optimizer.name, "optimizer.name")
    try:
        parameters = jax.eval_shape(lambda: initialize(configuration, jnp.uint32(0))).params
    except (TypeError, ValueError) as error:
        raise config.ConfigurationError(f"model: this network does not fit these images: {error}") from None
    for path, leaf in jax.tree.leaves_with_path(parameters):
        if not leaf.size:
            text = jax.tree_util.keystr(path)
            raise config.ConfigurationError(f"model: {text} has shape {leaf.shape}; the images are too small for it")


def build(configuration: Configuration, key: Key[Array, ""]) -> nnx.Module:
    """A freshly initialised network."""
    constructor = models.MODELS[configuration.model.name]
    return constructor(configuration.model, configuration.task, rngs=nnx.Rngs(params=key))


def initialize(configuration: Configuration, seed: Int[Array, ""]) -> State:
    """The state before the first step."""
    network = build(configuration, sampling.keys_of(configuration, seed).initial)
    params = nnx.to_pure_dict(nnx.state(network, nnx.Param))
    return State(params, _optimizer(configuration).init(params), jnp.int32(-1))


def merge(configuration: Configuration, params: PyTree[Array]) -> nnx.Module:
    """The network with these parameters."""
    abstract = nnx.eval_shape(lambda: build(configuration, jax.random.key(0)))
    graph, state = nnx.split(abstract, nnx.Param)
    nnx.replace_by_pure_dict(state, params)
    return nnx.merge(graph, state)


def _optimizer(configuration: Configuration) -> optax.GradientTransformation:
    return optimizers.OPTIMIZERS[configuration.optimizer.name](configuration.optimizer)


def train(
    configuration: Configuration,
    state: State,
    data: Data,
    seed: Int[Array, ""],
    first: Int[Array, ""],
    last: Int[Array, ""],
) -> tuple[State, Data, dict[str, Float[Array, ""]]]:
    """Steps first to last - 1. Returns the state, the data and, averaged over the steps, `loss` and `gradient_norm`.

    `first` and `last` must be the same for all members of a population: the loop and the epochs follow them.

    Args:
        data: of `sampling.prepare` at `first`, or as training up to `first` has left it.
    """
    keys = sampling.keys_of(configuration, seed)

    def body(step: Int[Array, ""], carry: tuple) -> tuple:
        state, order, totals = carry
        new, examples = sampling.batch(configuration, keys, data._replace(order=order), step)
        state, measures = train_step(configuration, state, examples, step)
        return state, new.order, jax.tree.map(jnp.add, totals, measures)

    zeros = {"loss": jnp.float32(0), "gradient_norm": jnp.float32(0)}
    state, order, totals = lax.fori_loop(first, last, body, (state, data.order, zeros))
    return state, data._replace(order=order), jax.tree.map(lambda total: total / (last - first), totals)


def windowed(configuration: Configuration) -> bool:
    """Whether training works on windows (see `jaxbox.windows`) rather than on images."""
    return task.windowed(configuration.task) and not configuration.render


def train_step(
    configuration: Configuration, state: State, examples: Examples, step: Int[Array, ""]
) -> tuple[State, dict[str, Float[Array, ""]]]:
    """One update. If a number of it is not finite the parameters stay as they are, and are marked, for good."""
    noise = task.draw_noise(configuration.task, examples.noise)
    inputs, targets = task.example(configuration.task, examples.index, noise, configuration.render)

    def batch_loss(params: PyTree[Array]) -> Float[Array, ""]:
        predictions: Any = merge(configuration, params)(inputs)
        return losses.LOSSES[configuration.loss.name](configuration.loss, predictions, targets).mean()

    loss, gradient = jax.value_and_grad(batch_loss)(state.params)
    norm = optax.tree.norm(gradient)
    updates, optimizer_state = _optimizer(configuration).update(gradient, state.optimizer_state, state.params)
    params = optax.apply_updates(state.params, updates)
    # An optimiser's state needs no look: it overflows with the gradient's norm, or makes an update that is not finite.
    finite = _all_finite((loss, norm, params))
    running = state.failed_step < 0
    kept = jax.tree.map(lambda new, old: jnp.where(finite & running, new, old), params, state.params)
    failed_step = jnp.where(running & ~finite, step, state.failed_step)
    return State(kept, optimizer_state, failed_step), {"loss": loss, "gradient_norm": norm}


def _all_finite(tree: PyTree[Array]) -> Bool[Array, ""]:
    """Whether every number is finite: zero times a number that is not finite is NaN, and so is a sum with NaN.

    On CPU a sum of floats takes a third of the time of a conjunction.
    """
    return jnp.isfinite(sum(jnp.sum(leaf * 0) for leaf in jax.tree.leaves(tree)))
