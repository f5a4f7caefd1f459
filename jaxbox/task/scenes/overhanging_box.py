"""A white box that may leave the image by up to `overhang` pixels, where it is clipped.

The target is the centre of the whole box, which is in the image still. Everything is as of a box in an image that is
larger by `overhang` on all sides, of which only the middle is seen: a position counts from that image's corner.
"""

import dataclasses
from typing import Any

import numpy as np
from jaxtyping import Float, Int

from jaxbox.config import Task
from jaxbox.task.scenes import box, shapes


def _around(task: Task) -> Task:
    return dataclasses.replace(task, height=task.height + 2 * task.overhang, width=task.width + 2 * task.overhang)


def position_shape(task: Task) -> tuple[int, int]:
    """(P_y, P_x): how many rows and columns the box's top-left pixel can take, outside of the image included."""
    return box.position_shape(_around(task))


def position(task: Task, index: Int[Any, " n"]) -> Int[Any, "n 2"]:
    """The (column, row) of the box's top-left pixel in the larger image, row by row."""
    return box.position(_around(task), index)


def centre(task: Task, positions: Int[Any, "n 2"]) -> Float[Any, "n 2"]:
    """The whole box's centre, in pixels from the top-left corner of the image."""
    return positions + (task.box_size / 2 - task.overhang)


def render(task: Task, positions: Int[Any, "n 2"]) -> Float[Any, "n H W C"]:
    """Clean images with pixels 0 and 1."""
    return shapes.box(task, positions - task.overhang, task.box_size)


def moments(task: Task) -> tuple[float, float]:
    """Mean and variance of the pixels: the share q that is lit, and q (1 - q)."""
    starts = (np.arange(count) - task.overhang for count in position_shape(task))
    down, across = (np.mean(np.sum(shapes.coverage(start, task.box_size, size), axis=1))
                    for start, size in zip(starts, (task.height, task.width), strict=True))  # fmt: skip
    lit = float(down * across) / (task.height * task.width)
    return lit, lit * (1 - lit)
