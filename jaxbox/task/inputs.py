"""What a network sees of an image: a scale of the pixels, by name. Rows: `jaxbox.config.tables.INPUTS`."""

from typing import Any, NamedTuple, Protocol, runtime_checkable

import numpy as np
from jaxtyping import Float

from jaxbox.config import Task, tables
from jaxbox.task import scenes


class Affine(NamedTuple):
    """The map pixel -> scale * pixel + offset."""

    scale: float
    offset: float


@runtime_checkable
class InputScale(Protocol):
    """What a row of the table of inputs must be."""

    def __call__(self, task: Task) -> Affine:
        """The affine map from [0, 1] pixels to inputs."""
        ...


def unit(task: Task) -> Affine:
    """Pixels as they are, in [0, 1]."""
    return Affine(1.0, 0.0)


def byte(task: Task) -> Affine:
    """Pixels that were never divided by 255."""
    return Affine(255.0, 0.0)


def inverted(task: Task) -> Affine:
    """A black box on white."""
    return Affine(-1.0, 1.0)


def standardized(task: Task) -> Affine:
    """Mean 0 and variance 1 over all pixels of clean images; a variance below 1e-6 counts as 1e-6."""
    # One mean and one scale for all pixels: per-pixel statistics divide by nearly nothing at pixels seldom lit.
    mean, variance = scenes.of(task).moments(task)
    deviation = max(np.sqrt(variance), 1e-3)
    return Affine(1 / deviation, -mean / deviation)


def input_scale(task: Task) -> Affine:
    """The affine map from [0, 1] pixels to what the network sees.

    Raises:
        ConfigurationError: it is in no table.
    """
    scale: InputScale = tables.load("task.inputs", task.inputs)
    return scale(task)


def inputs(task: Task, images: Float[Any, "n H W C"]) -> Float[Any, "n H W C"]:
    """What the network sees of observed images."""
    scale, offset = input_scale(task)
    return images * scale + offset
