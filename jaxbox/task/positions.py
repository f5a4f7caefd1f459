"""The lattice of positions: how many there are, where each one is, and how they are drawn."""

from typing import Any

import jax
import numpy as np
from jaxtyping import Array, Float, Int, Key

from jaxbox.config import Task
from jaxbox.task import scenes


def position_shape(task: Task) -> tuple[int, int]:
    """(P_y, P_x): how many rows and columns a position can take."""
    return scenes.of(task).position_shape(task)


def position_count(task: Task) -> int:
    """N = P_y P_x."""
    rows, columns = position_shape(task)
    return rows * columns


def positions(task: Task) -> Int[np.ndarray, "N 2"]:
    """Every (column, row), in pixels, row by row: index = i_y P_x + i_x."""
    return np.asarray(position(task, np.arange(position_count(task))))


def position(task: Task, index: Int[Any, " n"]) -> Int[Any, "n 2"]:
    """The (column, row) of the positions with these indices into `positions(task)`."""
    return scenes.of(task).position(task, index)


def places(task: Task) -> Float[np.ndarray, "N 2"]:
    """(x, y) of the middle of each position's cell, the whole lattice being the unit square: ((i + 1/2) / P)."""
    rows, columns = position_shape(task)
    row, column = np.divmod(np.arange(rows * columns), columns)
    return np.stack([(column + 0.5) / columns, (row + 0.5) / rows], axis=1)


def draw_index(task: Task, key: Key[Array, ""], size: int) -> Int[Array, " size"]:
    """Indices into `positions(task)`, uniform and independent."""
    return jax.random.randint(key, (size,), 0, position_count(task))
