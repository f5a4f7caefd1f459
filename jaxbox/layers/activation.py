"""Pointwise functions between layers, and which of their units are lit."""

import itertools

import jax.numpy as jnp
from flax import nnx
from jaxtyping import Array, Bool

from jaxbox.config import tables
from jaxbox.layers.batch import Batch
from jaxbox.layers.windows import windowed as windows
from jaxbox.layers.windows.windowed import Windowed

CALLS = itertools.count()
"""Numbers the applications of layers while they are traced."""


class LitUnits(nnx.Variable):
    """What a relu layer keeps of its last call: `lit_units`, (C,) booleans.

    It has a type of its own, so that nothing else that a network keeps is taken for it.
    """


class Activation(nnx.Module):
    """A pointwise function by its name; a relu also keeps its `LitUnits`.

    Args:
        name: in the table of `field`.
        field: model.activation or model.output.
    """

    def __init__(self, name: str, field: str = "model.activation"):
        self.name, self.field = name, field

    def __call__(self, batch: Batch) -> Batch:
        """The function of each number of a batch, (B, ...) or windows; the shape stays.

        Raises:
            ConfigurationError: the name is in no table.
        """
        function = tables.load(self.field, self.name)
        output = windows.pointwise(batch, function) if isinstance(batch, Windowed) else function(batch)
        if self.name == "relu":
            self.lit = LitUnits(lit_units(output), call=next(CALLS))
        return output


def identity(values: Array) -> Array:
    """The values themselves."""
    return values


def lit_units(batch: Batch) -> Bool[Array, " C"]:
    """Which units of a layer are above zero for some example; those of a map are its C channels, lit at some pixel."""
    if isinstance(batch, Windowed):
        return windows.lit_units(batch)
    # On CPU a maximum of floats takes the batch as it lies, where a disjunction would first copy it transposed.
    return (batch > 0).astype(jnp.float32).max(axis=tuple(range(batch.ndim - 1))) > 0
