"""Halving of maps by the largest or the mean of every 2 x 2 pixels. Rows: `jaxbox.config.tables.POOLINGS`.

The mean is linear: it is a convolution whose kernel mixes no channels, so that windows go through it. The largest is
taken of images only.
"""

from collections.abc import Iterator

import jax.numpy as jnp
from flax import nnx
from jaxtyping import Array, Float

from jaxbox.layers.batch import Batch
from jaxbox.layers.windows import products
from jaxbox.layers.windows import windowed as windows
from jaxbox.layers.windows.windowed import Windowed

WHOLE = ((0, 0), (0, 0))
"""No zeros around a map."""


class Unpooled(nnx.Module):
    """Maps as they are."""

    factor = 1
    """By how much an axis shrinks, rounded down."""

    def __call__(self, batch: Batch) -> Batch:
        """The batch itself."""
        return batch


class MaxPooling(nnx.Module):
    """The largest of every 2 x 2 pixels of a channel; of equal ones each gets its share of the gradient."""

    factor = 2

    def __call__(self, images: Float[Array, "B H W C"]) -> Float[Array, "B h w C"]:
        """Half as many rows and columns; the last one of an odd number is left out."""
        one, two, three, four = _corners(images)
        return jnp.maximum(jnp.maximum(one, two), jnp.maximum(three, four))


class AveragePooling(nnx.Module):
    """The mean of every 2 x 2 pixels of a channel."""

    factor = 2

    def __call__(self, batch: Batch) -> Batch:
        """Half as many rows and columns; the last one of an odd number is left out. Windows stay so where it saves."""
        if not isinstance(batch, Windowed):
            one, two, three, four = _corners(batch)
            return ((one + two) + (three + four)) / 4
        if not products.saves(batch, 2, 2, WHOLE):
            return self(windows.render(batch))
        channels = batch.shape[-1]
        kernel = jnp.broadcast_to(jnp.eye(channels)[:, None, None] / 4, (channels, 2, 2, channels))
        return products.convolve(batch, kernel, 2, WHOLE)


def _corners(images: Float[Array, "B H W C"]) -> Iterator[Float[Array, "B h w C"]]:
    """The top left, top right, bottom left and bottom right pixels of every 2 x 2 pixels."""
    rows, columns = images.shape[1] // 2 * 2, images.shape[2] // 2 * 2
    for row in (0, 1):
        for column in (0, 1):
            yield images[:, row:rows:2, column:columns:2]
