"""What a network sees of an image, by name. Rows: `jaxbox.config.tables.INPUTS`.

Some are one affine map of all pixels (`AffineInputs`), which windows and closed forms know; the others are any map of
images, by what the population shows in each pixel or by what the image itself does.
"""

from collections.abc import Callable
from typing import Any, NamedTuple, Protocol, runtime_checkable

import jax
import numpy as np
from jaxtyping import Float

from jaxbox.config import ConfigurationError, Task, tables
from jaxbox.task import population

GUARD = 1e-3
"""The least standard deviation that anything is divided by, in [0, 1] units: a pixel that is never lit stays 0."""


class Affine(NamedTuple):
    """The map pixel -> scale * pixel + offset. The scale is traced where a float of the task's decides it."""

    scale: Any
    offset: float


@runtime_checkable
class Inputs(Protocol):
    """What a row of the table of inputs must be."""

    def __call__(self, task: Task, images: Float[Any, "n H W C"]) -> Float[Any, "n H W C"]:
        """What the network sees of observed images, whose clean pixels are in [0, 1]; NumPy or JAX arrays."""
        ...


class AffineInputs:
    """Inputs that are one affine map of all pixels, made from the function that says which. Only these take windows."""

    def __init__(self, affine: Callable[[Task], Affine]):
        self.affine = affine

    def __call__(self, task: Task, images: Float[Any, "n H W C"]) -> Float[Any, "n H W C"]:
        """The scaled images."""
        scale, offset = self.affine(task)
        return images * scale + offset


@AffineInputs
def unit(task: Task) -> Affine:
    """Pixels as they are, in [0, 1]."""
    return Affine(1.0, 0.0)


@AffineInputs
def byte(task: Task) -> Affine:
    """Pixels that were never divided by 255."""
    return Affine(255.0, 0.0)


@AffineInputs
def dimmed(task: Task) -> Affine:
    """A box less bright than white on black, or brighter: `task.contrast` times the pixel."""
    return Affine(task.contrast, 0.0)


@AffineInputs
def inverted(task: Task) -> Affine:
    """A black box on white."""
    return Affine(-1.0, 1.0)


@AffineInputs
def standardized(task: Task) -> Affine:
    """Mean 0 and variance 1 over all pixels of clean images; a variance below 1e-6 counts as 1e-6."""
    # One mean and one scale for all pixels: per-pixel statistics divide by nearly nothing at pixels seldom lit.
    mean, variance = population.moments(task)
    deviation = max(np.sqrt(variance), GUARD)
    return Affine(1 / deviation, -mean / deviation)


def checkerboard(task: Task, images: Float[Any, "n H W C"]) -> Float[Any, "n H W C"]:
    """The sign of every other pixel flipped: to kernels that are as often positive as negative it is the same."""
    xp = images.__array_namespace__()
    rows, columns = xp.arange(images.shape[1]), xp.arange(images.shape[2])
    odd = (rows[:, None] + columns[None]) % 2
    return images * xp.asarray(1 - 2 * odd, dtype=images.dtype)[None, :, :, None]


def mean_subtracted(task: Task, images: Float[Any, "n H W C"]) -> Float[Any, "n H W C"]:
    """Less the mean of noisy images, pixel by pixel."""
    xp = images.__array_namespace__()
    return images - xp.asarray(population.observed_moments(task).mean, dtype=images.dtype)[None]


def pixel_standardized(task: Task, images: Float[Any, "n H W C"]) -> Float[Any, "n H W C"]:
    """Mean 0 and variance 1 of every pixel over noisy images; a deviation below GUARD counts as GUARD.

    A pixel that is seldom lit comes out large: one that a single position of 10,000 lights, at 100.
    """
    xp = images.__array_namespace__()
    mean, variance = (xp.asarray(each, dtype=images.dtype)[None] for each in population.observed_moments(task))
    return (images - mean) / xp.maximum(variance**0.5, GUARD)


def image_standardized(task: Task, images: Float[Any, "n H W C"]) -> Float[Any, "n H W C"]:
    """Mean 0 and variance 1 over the pixels of each image, all channels together.

    A deviation below 1 / sqrt(H W C), which no image has in which a single pixel differs by 1, counts as that, as in
    TensorFlow's `per_image_standardization`.
    """
    xp = images.__array_namespace__()
    deviation = images.std(axis=(1, 2, 3), keepdims=True)
    return (images - images.mean(axis=(1, 2, 3), keepdims=True)) / xp.maximum(deviation, images[0].size ** -0.5)


def stretched(task: Task, images: Float[Any, "n H W C"]) -> Float[Any, "n H W C"]:
    """From each image's darkest pixel to its brightest as 0 to 1, all channels together; an even image is 0."""
    xp = images.__array_namespace__()
    darkest = images.min(axis=(1, 2, 3), keepdims=True)
    span = images.max(axis=(1, 2, 3), keepdims=True) - darkest
    return (images - darkest) / xp.where(span > 0, span, 1)


def equalized(task: Task, images: Float[Any, "n H W C"]) -> Float[Any, "n H W C"]:
    """Each image's own distribution function F of its pixels, all channels together, without bins; an even image is 0.

    (F(pixel) - F(darkest)) / (1 - F(darkest)), from 0 to 1 (Gonzalez and Woods, Digital Image Processing, ch. 3, and
    OpenCV's equalizeHist).
    """
    flat = images.reshape(len(images), -1)
    share = _at_most(flat).astype(images.dtype) / flat.shape[1]
    return stretched(task, share.reshape(images.shape))


def _at_most(rows: Float[Any, "n pixels"]) -> Any:
    """How many numbers of its row are at most as large as each one: (n, pixels)."""
    if isinstance(rows, np.ndarray):
        return np.stack([np.searchsorted(np.sort(row), row, side="right") for row in rows])
    return jax.vmap(lambda row: jax.numpy.searchsorted(jax.numpy.sort(row), row, side="right"))(rows)


def input_scale(task: Task) -> Affine:
    """The affine map from [0, 1] pixels to what the network sees.

    Raises:
        ConfigurationError: it is in no table, or no affine map of all pixels alike.
    """
    seen = tables.load("task.inputs", task.inputs)
    if not isinstance(seen, AffineInputs):
        raise ConfigurationError(f"task.inputs: {task.inputs!r} is no affine map that is the same for all pixels")
    return seen.affine(task)


def inputs(task: Task, images: Float[Any, "n H W C"]) -> Float[Any, "n H W C"]:
    """What the network sees of observed images.

    Raises:
        ConfigurationError: it is in no table.
    """
    seen: Inputs = tables.load("task.inputs", task.inputs)
    return seen(task, images)
