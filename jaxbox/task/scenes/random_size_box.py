"""A white box whose side is drawn for each example: an integer from `smallest_box` to `box_size`, all equally likely.

A position says where the largest box would have its top-left pixel, and so where the centre is, whatever the side: the
target is known. A side of other parity than the largest has its edges in the middle of pixels, which are then grey.
"""

from typing import Any

import jax
import numpy as np
from jaxtyping import Array, Float, Int, Key

from jaxbox.config import Task
from jaxbox.task.scenes import box, shapes

position_shape, position, centre = box.position_shape, box.position, box.centre


def draw(task: Task, key: Key[Array, ""]) -> Int[Array, ""]:
    """The side."""
    return jax.random.randint(key, (), task.smallest_box, task.box_size + 1)


def render(task: Task, positions: Int[Any, "n 2"], drawn: Int[Any, " n"]) -> Float[Any, "n H W C"]:
    """Clean images; a pixel is the share of it that the box covers."""
    return shapes.box(task, centre(task, positions) - drawn[:, None] / 2, drawn)


def moments(task: Task) -> tuple[float, float]:
    """Mean and variance of the pixels, over positions and sides."""
    sides = np.arange(task.smallest_box, task.box_size + 1)
    # Of one axis: whole pixels, or one fewer and two that are half lit.
    squares = np.where((task.box_size - sides) % 2 == 0, sides, sides - 0.5)
    pixels = task.height * task.width
    mean = float(np.mean(sides**2)) / pixels
    return mean, float(np.mean(squares**2)) / pixels - mean**2
