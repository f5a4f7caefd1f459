"""The position as a class: one number for each of the N positions, its probability."""

from collections.abc import Callable
from typing import Any

import jax.numpy as jnp
from jaxtyping import Array, Float, Int

from jaxbox.config import Task
from jaxbox.task.positions import position_count
from jaxbox.task.targets.affine import lattice, symmetric


class Cells:
    """A kind of targets that is made from the function that says which (x, y) probabilities of places stand for."""

    def __init__(self, place: Callable[[Float[Array, "n N"], Float[Array, "N 2"]], Float[Array, "n 2"]]):
        self.place = place

    def numbers(self, task: Task) -> int:
        """N."""
        return position_count(task)

    def encode(self, task: Task, index: Int[Any, " n"]) -> Float[Any, "n N"]:
        """All probability on the position itself."""
        xp = index.__array_namespace__()
        return (index[:, None] == xp.arange(position_count(task))[None]).astype(xp.asarray(1.0).dtype)

    def decode(self, task: Task, predictions: Float[Any, "n N"]) -> Float[Any, "n 2"]:
        """The point that the probabilities stand for, in target units."""
        return self.place(jnp.asarray(predictions), jnp.asarray(symmetric.apply(task, lattice(task)), jnp.float32))


@Cells
def cell(probabilities: Float[Array, "n N"], places: Float[Array, "N 2"]) -> Float[Array, "n 2"]:
    """Their mean: the estimate of least squared error."""
    return jnp.matmul(probabilities, places, precision="highest")


@Cells
def cell_mode(probabilities: Float[Array, "n N"], places: Float[Array, "N 2"]) -> Float[Array, "n 2"]:
    """The most probable place, the first of those that tie; NaN if a probability is."""
    found = places[jnp.argmax(probabilities, axis=-1)]
    return jnp.where(jnp.isnan(probabilities).any(axis=-1, keepdims=True), jnp.nan, found)
