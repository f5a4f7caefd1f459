"""Pointwise functions between layers, and which of their units are lit."""

import contextlib
import itertools
from collections.abc import Callable, Iterator
from contextvars import ContextVar

import jax
import jax.numpy as jnp
from flax import nnx
from jaxtyping import Array, Bool, Float

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


class Inside(nnx.Variable):
    """What a relu layer keeps of its last call in `looking_inside`: `pixel_means`, (4, B, C)."""


class Extent(nnx.Variable):
    """What a relu layer keeps of its last call in `looking_inside(Extent)`: `extent`, (3, C)."""


_LOOKING: ContextVar[type[nnx.Variable] | None] = ContextVar("looking", default=None)


@contextlib.contextmanager
def looking_inside(kind: type[nnx.Variable] = Inside) -> Iterator[None]:
    """In here relu layers that are called keep what they have `Inside`, or their `Extent`, which costs time."""
    token = _LOOKING.set(kind)
    try:
        yield
    finally:
        _LOOKING.reset(token)


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
            call = next(CALLS)
            self.lit = LitUnits(lit_units(output), call=call)
            if _LOOKING.get() is Inside:
                self.inside = Inside(pixel_means(batch), call=call)
            elif _LOOKING.get() is Extent:
                self.extent = Extent(extent(batch), call=call)
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


def extent(batch: Batch) -> Float[Array, "3 C"]:
    """Of each unit or channel, the largest number in a batch, the largest that is not exactly 0 (-inf: all are), and
    the largest size of one. Of windows also those of the empty image, which no example need be."""
    values = windows.all_values(batch) if isinstance(batch, Windowed) else batch.reshape(-1, batch.shape[-1])
    but_zeros = jnp.where(values == 0, -jnp.inf, values)
    return jnp.stack([values.max(axis=0), but_zeros.max(axis=0), jnp.abs(values).max(axis=0)])


MOMENTS: tuple[Callable[[Array], Array], ...] = (
    lambda x: x,
    jnp.square,
    jax.nn.relu,
    lambda x: (x > 0).astype(jnp.float32),
)


def pixel_means(batch: Batch) -> Float[Array, "4 B C"]:
    """Of each example and channel, means over its pixels of x, x^2, max(x, 0) and x > 0; x itself has units only."""
    if isinstance(batch, Windowed):
        return jnp.stack([windows.pixel_mean(batch, function) for function in MOMENTS])
    pixels = tuple(range(1, batch.ndim - 1))
    return jnp.stack([function(batch).mean(axis=pixels) for function in MOMENTS])
