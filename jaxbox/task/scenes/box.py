"""One white box on black: a position is its top-left pixel, the target its centre."""

from typing import Any

import numpy as np
from jaxtyping import Float, Int

from jaxbox.config import Task
from jaxbox.layers.windows import windowed
from jaxbox.layers.windows.windowed import Windowed


def position_shape(task: Task) -> tuple[int, int]:
    """(P_y, P_x): how many rows and columns the box's top-left pixel can take."""
    rows = task.height - task.margin_top - task.margin_bottom - task.box_size + 1
    columns = task.width - task.margin_left - task.margin_right - task.box_size + 1
    return rows, columns


def position(task: Task, index: Int[Any, " n"]) -> Int[Any, "n 2"]:
    """The (column, row) of the box's top-left pixel, row by row: index = i_y P_x + i_x."""
    xp = index.__array_namespace__()
    _, columns = position_shape(task)
    return xp.stack([index % columns + task.margin_left, index // columns + task.margin_top], axis=-1)


def centre(task: Task, positions: Int[Any, "n 2"]) -> Float[Any, "n 2"]:
    """The box's centre, in pixels from the top-left corner of the image."""
    return positions + task.box_size / 2


def render(task: Task, positions: Int[Any, "n 2"]) -> Float[Any, "n H W C"]:
    """Clean images with pixels 0 and 1."""
    xp = positions.__array_namespace__()
    column, row = positions[:, 0, None], positions[:, 1, None]
    x, y = xp.arange(task.width)[None], xp.arange(task.height)[None]
    in_column = (x >= column) & (x < column + task.box_size)
    in_row = (y >= row) & (y < row + task.box_size)
    image = (in_row[:, :, None] & in_column[:, None, :])[..., None]
    return xp.broadcast_to(image, (*image.shape[:3], task.channels)).astype(xp.asarray(1.0).dtype)


def moments(task: Task) -> tuple[float, float]:
    """Mean and variance of the pixels: the share q that the box covers, and q (1 - q)."""
    lit = task.box_size**2 / (task.height * task.width)
    return lit, lit * (1 - lit)


def windows(task: Task, index: Int[Any, " n"], scale: Any, offset: float) -> Windowed:
    """The images at these indices as windows, exactly; the indices may be known before tracing (NumPy) or not."""
    rows, columns = position_shape(task)
    corners = np.arange(rows) + task.margin_top, np.arange(columns) + task.margin_left
    examples = index.__array_namespace__().stack([index // columns, index % columns], axis=-1)
    shape = task.height, task.width, task.channels
    return windowed.boxes(corners, shape, task.box_size, offset, scale, examples)
