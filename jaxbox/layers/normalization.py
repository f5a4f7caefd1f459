"""Normalisation between layers. Rows: `jaxbox.config.tables.NORMALIZATIONS`.

A constructor takes the number of units, those of a map being its channels.
"""

from typing import Any

import jax.numpy as jnp
from flax import nnx
from jaxtyping import Array, Float

from jaxbox.layers.batch import Batch
from jaxbox.layers.windows import windowed as windows
from jaxbox.layers.windows.windowed import Windowed

MOMENTUM = 0.9
"""Of the running statistics, as in PyTorch: Keras's 0.99 would still show the first values after hundreds of steps,
when a network's fate is long decided."""


def _as_other_layers() -> dict[str, Any]:
    """The type of their numbers, and no draws of theirs: a key that were taken here would change all layers after."""
    return {"param_dtype": jnp.result_type(float), "rngs": nnx.Rngs(0)}


class Unnormalized(nnx.Module):
    """Values as they are."""

    def __init__(self, units: int):
        pass

    def __call__(self, batch: Batch) -> Batch:
        """The batch itself."""
        return batch


class BatchNormalization(nnx.BatchNorm):
    """Each unit to mean 0 and variance 1 over the batch and a map's pixels, then scaled and shifted.

    Ioffe and Szegedy (2015). The evaluation uses running means of both statistics.
    """

    def __init__(self, units: int):
        super().__init__(units, momentum=MOMENTUM, use_fast_variance=False, **_as_other_layers())


class LayerNormalization(nnx.Module):
    """The units of an example, or of a pixel of its map, to mean 0 and variance 1, then scaled and shifted.

    Ba et al. (2016). A pixel's channels are normalised by themselves, so that windows go through it.
    """

    def __init__(self, units: int):
        self.layer = nnx.LayerNorm(units, epsilon=1e-5, use_fast_variance=False, **_as_other_layers())

    def __call__(self, batch: Batch) -> Batch:
        """Of (B, ...) or of windows; the shape stays."""
        return windows.pointwise(batch, self._of_array) if isinstance(batch, Windowed) else self.layer(batch)

    def _of_array(self, values: Float[Array, "... C"]) -> Float[Array, "... C"]:
        return self.layer(values)
