"""One member: initial state, one training step, evaluation. Pure functions that know no vmap and no files.

The configuration's float fields may be tracers. Everything random follows from the member's seed
and the step, so that a member is the same alone, in any population, and after a resume.
"""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax
from flax import nnx
from jax import lax
from jaxtyping import Array, Bool, Float, Int, Key, PyTree

from jaxbox import config, layers, losses, metrics, models, optimizers, sampling, task
from jaxbox.config import Configuration
from jaxbox.sampling import Data, Examples

EVALUATION_SEED = 2**31 - 1
"""The evaluation's noise is drawn from this seed, the same for every member."""


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


def _example(configuration: Configuration, examples: Examples) -> tuple[layers.Batch, Float[Array, "n 2"]]:
    return task.example(configuration.task, examples.index, examples.noise, configuration.render)


def train_step(
    configuration: Configuration, state: State, examples: Examples, step: Int[Array, ""]
) -> tuple[State, dict[str, Float[Array, ""]]]:
    """One update. If a number of it is not finite the parameters stay as they are, and are marked, for good."""
    inputs, targets = _example(configuration, examples)

    def batch_loss(params: PyTree[Array]) -> Float[Array, ""]:
        predictions: Any = merge(configuration, params)(inputs)
        return losses.LOSSES[configuration.loss.name](configuration.loss, predictions, targets).mean()

    loss, gradient = jax.value_and_grad(batch_loss)(state.params)
    norm = optax.tree.norm(gradient)
    updates, optimizer_state = _optimizer(configuration).update(gradient, state.optimizer_state, state.params)
    params = optax.apply_updates(state.params, updates)
    # An optimiser's state needs no look: it overflows with the gradient's norm, or makes an update that is not finite.
    finite = jnp.stack([jnp.isfinite(leaf).all() for leaf in jax.tree.leaves((loss, norm, params))]).all()
    running = state.failed_step < 0
    kept = jax.tree.map(lambda new, old: jnp.where(finite & running, new, old), params, state.params)
    failed_step = jnp.where(running & ~finite, step, state.failed_step)
    return State(kept, optimizer_state, failed_step), {"loss": loss, "gradient_norm": norm}


def predict(
    configuration: Configuration, params: PyTree[Array]
) -> tuple[Float[Array, "N 2"], list[Bool[Array, " units"]]]:
    """Predictions at every evaluation position, and for each ReLU layer which units are ever above zero.

    Windows go through the network at once, most of them being shared; images in blocks of about the batch size, so
    that memory does not grow with the lattice.
    """
    count = task.position_count(configuration.task)
    at_once = count if windowed(configuration) else configuration.batch_size
    blocks = -(-count // at_once)
    size = -(-count // blocks)
    noise = jax.random.key(EVALUATION_SEED)

    def block(start: Int[Array, ""]) -> tuple[Array, list[Array]]:
        index = jnp.minimum(start + jnp.arange(size), count - 1)
        network: Any = merge(configuration, params)
        predictions = network(_example(configuration, Examples(index, sampling.noise_keys(noise, index)))[0])
        return predictions, jax.tree.leaves(nnx.to_pure_dict(nnx.pop(network, nnx.Intermediate)))

    predictions, lit = lax.map(block, jnp.arange(blocks) * size)
    return predictions.reshape(-1, 2)[:count], [jnp.any(units, axis=0) for units in lit]


def evaluate(configuration: Configuration, state: State, seen: Bool[Array, " N"]) -> dict[str, Array]:
    """The measures of `jaxbox.metrics`, `finite`, the predictions, and per ReLU layer the fraction of dead units
    (one NaN if there is no such layer).

    Args:
        seen: which positions are in the training set.
    """
    predictions, lit = predict(configuration, state.params)
    # NumPy computes what depends on the targets alone: left to XLA, whether it is folded into a constant, and with it
    # the last bit, can differ from one compilation to the next.
    targets = task.targets(configuration.task, task.positions(configuration.task)).astype(np.float32)
    dead = [1 - jnp.mean(units, dtype=jnp.float32) for units in lit]
    return {
        "mse": metrics.split_mse(predictions, targets, seen),
        **metrics.moments(predictions, targets),
        "dead_fraction": jnp.stack(dead) if dead else jnp.full(1, jnp.nan),
        "finite": state.failed_step < 0,
        "failed_step": state.failed_step,
        "prediction": predictions,
        "seen": seen,
    }
