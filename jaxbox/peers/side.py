"""What every side can do: train some members of a problem and say what it needed. One process serves one side."""

import os
import resource
import sys
from typing import ClassVar

import numpy as np
import psutil
from jaxtyping import Float

from jaxbox.peers.problem import Batches, Problem

CORES = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
"""Cores that this process may use."""


class Side:
    """Trains `seeds` members; a peer subclasses it in a file of its own and is named in the table PEERS.

    Building one includes everything that comes before the first step.
    """

    first: ClassVar[int] = 2
    """Members that are measured at first. Where members train one after another, more would tell nothing new."""
    grows: ClassVar[bool] = False
    """Whether more of them are measured then, as many as time and memory allow."""

    def __init__(self, problem: Problem, seeds: int):
        self.problem, self.seeds = problem.copies(seeds), seeds
        self.batches = [Batches(self.problem, member) for member in range(seeds)]

    def run(self, steps: int) -> Float[np.ndarray, " seeds"]:
        """Take so many steps with every member, to the end. Returns each one's loss, averaged over the steps."""
        raise NotImplementedError

    def compared_losses(self, step: int) -> Float[np.ndarray, " seeds"]:
        """The losses of one of the first steps, which train on jaxbox's own batches; called for each in turn."""
        return self.run(1)

    def idle(self) -> float | None:
        """Seconds of a `run` of no steps, when that does something else that is no step; else None."""
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
