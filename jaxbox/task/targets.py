"""What a network must say of an image: a scale of the scene's centre, by name. Rows: `jaxbox.config.tables.TARGETS`."""

from typing import Any, Protocol, runtime_checkable

import numpy as np
from jaxtyping import Float, Int

from jaxbox.config import Task, tables
from jaxbox.task import scenes


@runtime_checkable
class TargetScale(Protocol):
    """What a row of the table of targets must be."""

    def __call__(self, task: Task, centre: Float[Any, "n 2"]) -> Float[Any, "n 2"]:
        """Targets of centres (x, y) in pixels."""
        ...


def symmetric(task: Task, centre: Float[Any, "n 2"]) -> Float[Any, "n 2"]:
    """The image's edges at -1 and 1: x = 2 (c + b/2) / W - 1."""
    return centre * np.array([[2 / task.width, 2 / task.height]]) - 1


def targets(task: Task, positions: Int[Any, "n 2"]) -> Float[Any, "n 2"]:
    """The (x, y) of the scene's centre, in the task's target scale.

    Raises:
        ConfigurationError: it is in no table.
    """
    scale: TargetScale = tables.load("task.targets", task.targets)
    return scale(task, scenes.of(task).centre(task, positions))
