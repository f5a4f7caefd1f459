"""PyTorch on CPU with a seed on each core at a time: as jaxbox does, and faster than all cores on one seed."""

# pyright: reportMissingImports=false
# (an optional package)

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import torch
from jaxtyping import Float

from jaxbox.bench.peers.torch_loop import TorchLoop
from jaxbox.bench.problem import Problem
from jaxbox.training.devices import cores


class TorchThreads(TorchLoop):
    """A thread for each core, whose operations use that core only."""

    initial_members = max(2, cores())

    def __init__(self, problem: Problem, seeds: int):
        super().__init__(problem, seeds)
        self.pool = ThreadPoolExecutor(cores(), initializer=_one_core)

    def run(self, steps: int) -> Float[np.ndarray, " seeds"]:
        totals = list(self.pool.map(self.train, range(self.seeds), self.indices(steps)))
        return torch.stack(totals).numpy() / steps


def _one_core() -> None:
    torch.set_num_threads(1)
    torch.set_flush_denormal(True)
