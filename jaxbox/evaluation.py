"""What the networks of members make of every position, and what is measured of it.

Images go outside, members inside: the noise, which is the same for every member, is drawn once for all of them.
"""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx
from jax import lax
from jaxtyping import Array, Bool, Float, Int, PyTree

from jaxbox import config, member, metrics, sampling, task
from jaxbox.config import Configuration
from jaxbox.member import State

SEED = 2**31 - 1
"""The evaluation's noise is drawn from this seed, the same for every member."""

Each = Callable[..., Any]
"""(function of one member, values of members) -> its results: how to go over a leading members' axis."""


def alone(function: Callable[..., Any], *values: Any) -> Any:
    """The `Each` of a single member, without a members' axis."""
    return function(*values)


def predict(
    configuration: Configuration, params: PyTree[Array], floats: Mapping[str, Any] | None = None, each: Each = alone
) -> tuple[Float[Array, "*members 2 N"], list[Bool[Array, "*members _"]]]:
    """(x, y) predictions at every evaluation position, and for each ReLU layer which units are ever above zero.

    Windows go through the network at once, most of them being shared; images in blocks of about the batch size, so
    that memory does not grow with the lattice.

    Args:
        configuration: of all members.
        params, floats: of each member; `floats` are what its configuration has instead, by dotted path.
    """
    count = task.position_count(configuration.task)

    def block(index: Int[Any, " n"]) -> tuple[Array, list[Array]]:
        keys = sampling.noise_keys(jax.random.key(SEED), jnp.asarray(index))
        draws = task.draw_noise(configuration.task, keys)

        def one(params: PyTree[Array], floats: Mapping[str, Any]) -> tuple[Array, list[Array]]:
            own = config.replace(configuration, floats)
            network: Any = member.merge(own, params)
            predictions = network(task.example(own.task, index, draws, own.render)[0])
            return predictions.T, jax.tree.leaves(nnx.to_pure_dict(nnx.pop(network, nnx.Intermediate)))

        return each(one, params, floats or {})

    if member.windowed(configuration):
        return block(np.arange(count))
    blocks = -(-count // configuration.batch_size)
    size = -(-count // blocks)
    starts = jnp.arange(blocks) * size
    predictions, lit = lax.map(lambda start: block(jnp.minimum(start + jnp.arange(size), count - 1)), starts)
    predictions = jnp.moveaxis(predictions, 0, -2)
    return predictions.reshape(*predictions.shape[:-2], -1)[..., :count], [units.any(axis=0) for units in lit]


def measure(
    configuration: Configuration,
    state: State,
    prediction: Float[Array, "2 N"],
    lit: list[Bool[Array, " _"]],
    seen: Bool[Array, " N"],
) -> dict[str, Array]:
    """The measures of `jaxbox.metrics`, `finite`, the predictions, and per ReLU layer the fraction of dead units
    (one NaN if there is no such layer), of one member.

    Args:
        prediction, lit: of `predict`.
        seen: which positions are in the training set.
    """
    # NumPy computes what depends on the targets alone: left to XLA, whether it is folded into a constant, and with it
    # the last bit, can differ from one compilation to the next.
    targets = task.targets(configuration.task, task.positions(configuration.task)).astype(np.float32)
    dead = [1 - jnp.mean(units, dtype=jnp.float32) for units in lit]
    return {
        "mse": metrics.split_mse(prediction.T, targets, seen),
        **metrics.moments(prediction.T, targets),
        "dead_fraction": jnp.stack(dead) if dead else jnp.full(1, jnp.nan),
        "finite": state.failed_step < 0,
        "failed_step": state.failed_step,
        "prediction": prediction.T,
        "seen": seen,
    }


def evaluate(
    configuration: Configuration,
    state: State,
    seen: Bool[Array, "*members N"],
    floats: Mapping[str, Any] | None = None,
    each: Each = alone,
) -> dict[str, Array]:
    """What `measure` returns, of members whose predictions are made by `predict`."""
    prediction, lit = predict(configuration, state.params, floats, each)
    return each(partial(measure, configuration), state, prediction, lit, seen)
