"""How probable each position is, by name, and positions drawn by it. Rows: `jaxbox.config.tables.LAWS`."""

from typing import Any, Protocol, runtime_checkable

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Int, Key

from jaxbox.config import Data, Task, tables
from jaxbox.task.positions import draw_index, places, position_count

WEIGHT_BITS = 30
"""Probabilities are drawn from as integers that sum up to this power of 2: what is rarer than one part is never drawn,
and every other probability is off by one part at most."""


@runtime_checkable
class Law(Protocol):
    """What a row of the table of laws must be."""

    def __call__(self, data: Data, place: Float[np.ndarray, "N 2"], xp: Any) -> Float[Any, " N"]:
        """Numbers, at least 0, in proportion to the probability of each position.

        Args:
            data: its float fields may be tracers.
            place: (x, y) of the middle of each position's cell, the lattice being the unit square.
            xp: jax.numpy where they are, else numpy.
        """
        ...


def uniform(data: Data, place: Float[np.ndarray, "N 2"], xp: Any) -> Float[Any, " N"]:
    """All positions equally probable."""
    return xp.ones(len(place))


def beta(data: Data, place: Float[np.ndarray, "N 2"], xp: Any) -> Float[Any, " N"]:
    """The density of Beta(a, a) at x times that at y, a the concentration; its variance per axis is 1 / (8 a + 4)."""
    logarithm = (np.log(place) + np.log1p(-place)).sum(axis=1)
    # Less its maximum, and then once more: neither a concentration of 1e30 nor one of 1e-30 overflows.
    exponent = (data.concentration - 1) * (logarithm - logarithm.max())
    return xp.exp(exponent - exponent.max())


def corner(data: Data, place: Float[np.ndarray, "N 2"], xp: Any) -> Float[Any, " N"]:
    """A share of the examples from the top left quadrant, middle lines included, and the rest from everywhere."""
    inside = np.all(place <= 0.5, axis=1)
    return xp.asarray(inside / inside.mean()) * data.corner_share + (1 - data.corner_share)


def probability(task: Task, data: Data, xp: Any = np) -> Float[Any, " N"]:
    """The probability of each position under the law: float64 with numpy; jax.numpy for float fields that are traced.

    Raises:
        ConfigurationError: the law is in no table.
    """
    law: Law = tables.load("data.law", data.law)
    weights = law(data, places(task), xp)
    return weights / weights.sum()


def draw(task: Task, data: Data, key: Key[Array, ""], size: int, allowed: Bool[Array, " N"]) -> Int[Array, " size"]:
    """Indices into the positions, independent, by the law among those that are allowed.

    Integers are added up instead of probabilities: their sums are exact, so that what has no part is never drawn.
    """
    if data.law == "uniform" and data.split == "random":
        return draw_index(task, key, size)
    chosen = jnp.where(allowed, probability(task, data, jnp), 0)
    ends = jnp.cumsum(jnp.floor(chosen / chosen.sum() * 2**WEIGHT_BITS).astype(jnp.int32))
    return jnp.searchsorted(ends, jax.random.randint(key, (size,), 0, ends[-1]), side="right")


def supported(task: Task, data: Data) -> int:
    """How many positions have so large a probability that they are drawn."""
    if data.law == "uniform":
        return position_count(task)
    return int((probability(task, data) >= 2.0**-WEIGHT_BITS).sum())
