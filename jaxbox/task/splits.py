"""Which positions training may draw, by name; the others are what it is judged on. Rows: `config.tables.SPLITS`."""

from typing import Protocol, runtime_checkable

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Key

from jaxbox.config import Data, Task, tables
from jaxbox.task.positions import places, position_count


@runtime_checkable
class Split(Protocol):
    """What a row of the table of splits must be."""

    def __call__(self, task: Task, data: Data, key: Key[Array, ""]) -> Bool[Array, " N"]:
        """Whether training may draw each position.

        Args:
            data: its float fields may be tracers.
            key: of the seed.
        """
        ...


def random(task: Task, data: Data, key: Key[Array, ""]) -> Bool[Array, " N"]:
    """Every one: positions are seen or not as they are drawn or not."""
    return jnp.ones(position_count(task), bool)


def held_out(task: Task, data: Data, key: Key[Array, ""]) -> Bool[Array, " N"]:
    """All but a share, rounded to a whole number of positions, at random; at least one is left."""
    count = position_count(task)
    held = jnp.minimum(jnp.round(data.held_out * count), count - 1)
    return jax.random.permutation(key, count) >= held


def quadrant(task: Task, data: Data, key: Key[Array, ""]) -> Bool[Array, " N"]:
    """All but the bottom right quadrant, without the middle lines, as in CoordConv's experiments (Liu et al., 2018)."""
    return jnp.asarray(np.any(places(task) <= 0.5, axis=1))


def trainable(task: Task, data: Data, key: Key[Array, ""]) -> Bool[Array, " N"]:
    """Whether training may draw each position.

    Raises:
        ConfigurationError: the split is in no table.
    """
    split: Split = tables.load("data.split", data.split)
    return split(task, data, key)
