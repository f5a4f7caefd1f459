"""Scales that are affine maps of the centre's pixels: nothing that can be known of a predictor depends on which."""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float, Int

from jaxbox.config import Task
from jaxbox.task import scenes
from jaxbox.task.positions import position, positions

Pair = tuple[float, float]


class Affine(NamedTuple):
    """The map pixels -> scale * pixels + offset, of x and of y."""

    scale: Pair
    offset: Pair


class AffineScale:
    """A kind of targets that is made from the function that says which affine map it is."""

    def __init__(self, affine: Callable[[Task], Affine]):
        self.affine = affine

    def numbers(self, task: Task) -> int:
        """x and y."""
        return 2

    def encode(self, task: Task, index: Int[Any, " n"]) -> Float[Any, "n 2"]:
        """The scaled centres."""
        return self.apply(task, centre(task, index))

    def decode(self, task: Task, predictions: Float[Any, "n 2"]) -> Float[Any, "n 2"]:
        """Target units, by the inverse of this map and then `symmetric`."""
        own, unit = self.affine(task), symmetric.affine(task)
        if own == unit:
            return predictions
        scale = np.array([unit.scale]) / np.array([own.scale])
        return predictions * scale + (np.array([unit.offset]) - scale * np.array([own.offset]))

    def apply(self, task: Task, pixels: Float[Any, "n 2"]) -> Float[Any, "n 2"]:
        """This scale of any points, given in pixels from the image's top-left corner."""
        own = self.affine(task)
        return pixels * np.array([own.scale]) + np.array([own.offset])


def centre(task: Task, index: Int[Any, " n"]) -> Float[Any, "n 2"]:
    """The scene's centre, in pixels from the image's top-left corner, at the positions with these indices."""
    return scenes.of(task).centre(task, position(task, index))


def lattice(task: Task) -> Float[np.ndarray, "N 2"]:
    """The scene's centre at every position, in pixels from the image's top-left corner, in float64."""
    return np.asarray(scenes.of(task).centre(task, positions(task)), float)


@AffineScale
def symmetric(task: Task) -> Affine:
    """The image's edges at -1 and 1."""
    return Affine((2 / task.width, 2 / task.height), (-1.0, -1.0))


@AffineScale
def unit(task: Task) -> Affine:
    """The image's edges at 0 and 1."""
    return Affine((1 / task.width, 1 / task.height), (0.0, 0.0))


@AffineScale
def pixels(task: Task) -> Affine:
    """Pixels from the image's top-left corner."""
    return Affine((1.0, 1.0), (0.0, 0.0))


@AffineScale
def centred_pixels(task: Task) -> Affine:
    """Pixels from the image's middle."""
    return Affine((1.0, 1.0), (-task.width / 2, -task.height / 2))


@AffineScale
def standardized(task: Task) -> Affine:
    """Mean 0 and variance 1 of each coordinate over the lattice's positions; one that is constant is only shifted."""
    centres = lattice(task)
    (x, y), deviation = centres.mean(axis=0).tolist(), centres.std(axis=0)
    across, down = (1 / np.where(deviation > 0, deviation, 1)).tolist()
    return Affine((across, down), (-x * across, -y * down))
