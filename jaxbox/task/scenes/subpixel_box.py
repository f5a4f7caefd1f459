"""A box that may start between pixels, anti-aliased: a position is its corner in steps of 1 / `subpixels` of a pixel.

With an integer side the sum of pixels over any row or column does not change, so that linear predictors stay exact.
"""

from typing import Any

import numpy as np
from jaxtyping import Float, Int

from jaxbox.config import Task
from jaxbox.task.scenes import shapes


def position_shape(task: Task) -> tuple[int, int]:
    """(P_y, P_x): how many steps down and across the box's top-left corner can be at."""
    rows = task.height - task.margin_top - task.margin_bottom - task.box_size
    columns = task.width - task.margin_left - task.margin_right - task.box_size
    return rows * task.subpixels + 1, columns * task.subpixels + 1


def position(task: Task, index: Int[Any, " n"]) -> Int[Any, "n 2"]:
    """The (column, row) of the box's top-left corner, in steps, row by row."""
    xp = index.__array_namespace__()
    _, columns = position_shape(task)
    left, top = task.margin_left * task.subpixels, task.margin_top * task.subpixels
    return xp.stack([index % columns + left, index // columns + top], axis=-1)


def centre(task: Task, positions: Int[Any, "n 2"]) -> Float[Any, "n 2"]:
    """The box's centre, in pixels from the top-left corner of the image."""
    return positions / task.subpixels + task.box_size / 2


def render(task: Task, positions: Int[Any, "n 2"]) -> Float[Any, "n H W C"]:
    """Clean images; a pixel is the share of it that the box covers."""
    return shapes.box(task, positions / task.subpixels, task.box_size)


def moments(task: Task) -> tuple[float, float]:
    """Mean and variance of the pixels: the sum of squares factors into those of the covered rows and columns."""
    # Every box covers as much; squares depend on where it starts between two pixels, each offset about equally often.
    rows, columns = (np.arange(count) / task.subpixels for count in position_shape(task))
    down, across = (np.mean(np.sum(shapes.coverage(start, task.box_size, size) ** 2, axis=1))
                    for start, size in ((rows, task.height), (columns, task.width)))  # fmt: skip
    pixels = task.height * task.width
    mean = task.box_size**2 / pixels
    return mean, float(down * across) / pixels - mean**2
