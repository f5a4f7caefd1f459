"""One lit pixel, in black: a box of side 1. The task of "An intriguing failing of convolutional neural networks and the
CoordConv solution" (Liu et al., 2018, arXiv 1807.03247)."""

import dataclasses
from typing import Any

from jaxtyping import Float, Int

from jaxbox.config import Task
from jaxbox.layers.windows.windowed import Windowed
from jaxbox.task.scenes import box


def _box(task: Task) -> Task:
    return dataclasses.replace(task, box_size=1)


def position_shape(task: Task) -> tuple[int, int]:
    """(P_y, P_x): how many rows and columns the pixel can be in."""
    return box.position_shape(_box(task))


def position(task: Task, index: Int[Any, " n"]) -> Int[Any, "n 2"]:
    """The (column, row) of the pixel, row by row."""
    return box.position(_box(task), index)


def centre(task: Task, positions: Int[Any, "n 2"]) -> Float[Any, "n 2"]:
    """The pixel's middle, in pixels from the top-left corner of the image."""
    return box.centre(_box(task), positions)


def render(task: Task, positions: Int[Any, "n 2"]) -> Float[Any, "n H W C"]:
    """Clean images with pixels 0 and 1."""
    return box.render(_box(task), positions)


def moments(task: Task) -> tuple[float, float]:
    """Mean and variance of the pixels."""
    return box.moments(_box(task))


def windows(task: Task, index: Int[Any, " n"], scale: Any, offset: float) -> Windowed:
    """The images at these indices as windows."""
    return box.windows(_box(task), index, scale, offset)
