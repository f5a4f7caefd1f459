"""Scales that bend: equalised by quantiles, and the logit. Each is a strictly rising function of a coordinate."""

from typing import Any

import numpy as np
from jaxtyping import Float, Int

from jaxbox.config import Task
from jaxbox.task.targets.affine import centre, lattice, symmetric, unit

SHRINK = 0.01
"""The logit's [0, 1] is shrunk by this much at both ends, so that a centre at the image's edge has a finite one."""


class Quantile:
    """The share of positions whose coordinate is less, ties counting half: uniform on [0, 1] whatever the lattice.

    That is the mid-distribution function (Parzen, 2004). It is linear between the lattice's coordinates, and goes on
    as its first and last pieces do. Where these are evenly spaced and equally frequent, as those of a box are, it is
    affine: (k + 1/2) / P at the k-th of P places.
    """

    def numbers(self, task: Task) -> int:
        """x and y."""
        return 2

    def encode(self, task: Task, index: Int[Any, " n"]) -> Float[Any, "n 2"]:
        """The share of each coordinate."""
        return _by_axis(centre(task, index), _knots(task))

    def decode(self, task: Task, predictions: Float[Any, "n 2"]) -> Float[Any, "n 2"]:
        """Target units of the coordinates that have these shares."""
        return symmetric.apply(task, _by_axis(predictions, [(shares, values) for values, shares in _knots(task)]))


class Logit:
    """ln(u / (1 - u)) of u, the coordinate on the image's [0, 1] less 1% at both ends."""

    def numbers(self, task: Task) -> int:
        """x and y."""
        return 2

    def encode(self, task: Task, index: Int[Any, " n"]) -> Float[Any, "n 2"]:
        """The logit of each coordinate; NaN or infinite more than 1% of the image's size outside of the image."""
        shrunk = SHRINK + (1 - 2 * SHRINK) * unit.encode(task, index)
        xp = shrunk.__array_namespace__()
        return xp.log(shrunk / (1 - shrunk))

    def decode(self, task: Task, predictions: Float[Any, "n 2"]) -> Float[Any, "n 2"]:
        """Target units of the coordinates that have these logits; 1 / (1 + exp(-v)) = (1 + tanh(v / 2)) / 2."""
        xp = predictions.__array_namespace__()
        return xp.tanh(predictions / 2) / (1 - 2 * SHRINK)


quantile = Quantile()
logit = Logit()

Knots = tuple[np.ndarray, np.ndarray]
"""Where a function of one coordinate bends, and its values there."""


def _knots(task: Task) -> list[Knots]:
    """The coordinates that occur, in pixels, and the share of positions below each, of x and of y."""
    return [_knots_of(coordinate) for coordinate in lattice(task).T]


def _knots_of(coordinate: Float[np.ndarray, " N"]) -> Knots:
    values, counts = np.unique(coordinate, return_counts=True)
    if len(values) == 1:  # a line needs two points
        return np.array([values[0], values[0] + 1]), np.array([0.5, 1.5])
    return values, (np.cumsum(counts) - counts / 2) / len(coordinate)


def _by_axis(points: Float[Any, "n 2"], knots: list[Knots]) -> Float[Any, "n 2"]:
    xp = points.__array_namespace__()
    return xp.stack([_interpolate(points[:, axis], *knots[axis]) for axis in (0, 1)], axis=-1)


def _interpolate(
    at: Float[Any, " n"], start: Float[np.ndarray, " P"], end: Float[np.ndarray, " P"]
) -> Float[Any, " n"]:
    """The function that is linear between the points (start, end), and beyond them as in its outer pieces."""
    xp = at.__array_namespace__()
    knots, values, slopes = (xp.asarray(array, at.dtype) for array in (start, end, np.diff(end) / np.diff(start)))
    piece = xp.clip(xp.searchsorted(knots, at) - 1, 0, len(slopes) - 1)
    return values[piece] + (at - knots[piece]) * slopes[piece]
