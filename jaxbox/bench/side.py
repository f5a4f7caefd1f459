"""What every side can do: train some members of a problem and say what it needed. One process serves one side."""

import resource
import sys
from typing import ClassVar

import numpy as np
import psutil
from jaxtyping import Float

from jaxbox.bench.problem import Batches, Problem


class Side:
    """Trains `seeds` members. Each side is a subclass in a file of its own, with a row in the table SIDES.

    Building one includes everything that comes before the first step.
    """

    initial_members: ClassVar[int] = 2
    """How many members are measured at first."""
    scales_with_members: ClassVar[bool] = False
    """Whether more are then measured instead, as many as time and memory allow. Where members train one after another
    they would tell nothing new."""

    def __init__(self, problem: Problem, seeds: int):
        self.problem, self.seeds = problem.copies(seeds), seeds
        self.batches = [Batches(self.problem, member) for member in range(seeds)]

    def run(self, steps: int) -> Float[np.ndarray, " seeds"]:
        """Take this many steps with every member, to the end. Returns each one's loss, averaged over the steps."""
        raise NotImplementedError

    def compared_losses(self, step: int) -> Float[np.ndarray, " seeds"]:
        """The losses of one of the first steps, which train on jaxbox's own batches; called for each in turn."""
        return self.run(1)

    def evaluation_seconds(self) -> float | None:
        """Seconds that `run` spends on an evaluation at its end, measured now; None if it does not evaluate."""
        return None

    def product_flops(self) -> float | None:
        """Operations a second of this side's library on large float32 matrix products, on all cores at once."""
        return None

    def devices(self) -> list[str]:
        """What it computes on, if that can be told."""
        return []

    def memory(self) -> dict[str, int]:
        """Peak memory of this process and, where there is one, of its accelerator, in bytes."""
        unit = 1 if sys.platform == "darwin" else 1024
        return {"host": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit}

    def free_memory(self) -> int:
        """Bytes that are free where the members train."""
        return psutil.virtual_memory().available
