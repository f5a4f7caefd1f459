"""What a network must say of an image, a kind by name, and the unit in which all of them are judged.

A network is trained in its kind's own scale. Measures, results and closed forms are in *target units*, in which the
image's edges are -1 and 1: the kind translates. Rows: `jaxbox.config.tables.TARGETS`.
"""

from typing import Any, Protocol, runtime_checkable

from jaxtyping import Float, Int

from jaxbox.config import Task, tables
from jaxbox.task import scenes
from jaxbox.task.targets.affine import symmetric


@runtime_checkable
class TargetKind(Protocol):
    """What a row of the table of targets must be."""

    def numbers(self, task: Task) -> int:
        """How many numbers are said of an image."""
        ...

    def encode(self, task: Task, index: Int[Any, " n"]) -> Float[Any, "n numbers"]:
        """What a network should say, in this kind's own scale, at the positions with these indices."""
        ...

    def decode(self, task: Task, predictions: Float[Any, "n numbers"]) -> Float[Any, "n 2"]:
        """(x, y) in target units of predictions in this kind's own scale, whatever these are."""
        ...


def targets(task: Task, positions: Int[Any, "n 2"]) -> Float[Any, "n 2"]:
    """The (x, y) of the scene's centre in target units, x = 2 (c + b/2) / W - 1, whatever a network is trained on."""
    return symmetric.apply(task, scenes.of(task).centre(task, positions))


def target_kind(task: Task) -> TargetKind:
    """What the task's networks are trained on.

    Raises:
        ConfigurationError: it is in no table.
    """
    return tables.load("task.targets", task.targets)
