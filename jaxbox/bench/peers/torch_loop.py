"""PyTorch, one seed after another: eager steps, channels_last, all cores."""

# pyright: reportMissingImports=false
# (an optional package)

import time

import numpy as np
import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor, nn

from jaxbox.bench.peers import torch_network
from jaxbox.bench.problem import Problem
from jaxbox.bench.side import Side
from jaxbox.training.devices import cores

PRODUCT_SIZE = 2048
PRODUCTS = 10


class TorchSide(Side):
    """What all PyTorch sides share: the device, the data and the optimiser."""

    def __init__(self, problem: Problem, seeds: int):
        super().__init__(problem, seeds)
        torch.set_num_threads(cores())
        torch.set_flush_denormal(True)  # as XLA does: the moments of dead units fade into numbers that are slow
        torch.backends.cudnn.allow_tf32 = False  # float32 for all sides; products of matrices are by default
        self.device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        self.images = torch.from_numpy(problem.images).permute(0, 3, 1, 2).to(self.device)
        self.targets = torch.from_numpy(problem.targets).to(self.device)

    def network(self, member: int) -> nn.Module:
        """A member's network with its initial weights."""
        network = torch_network.network(self.problem.layers[member], self.problem.configuration)
        return network.to(device=self.device, memory_format=torch.channels_last)  # pyright: ignore[reportCallIssue]

    def optimizer(self, parameters: list[Tensor], **options: bool) -> torch.optim.Optimizer:
        """The optimiser of the configuration."""
        rule = self.problem.configuration.optimizer
        if rule.name == "sgd":
            return torch.optim.SGD(parameters, rule.learning_rate)
        return torch.optim.Adam(parameters, rule.learning_rate, (rule.b1, rule.b2), rule.epsilon, **options)

    def batch(self, index: Int[Tensor, " B"]) -> tuple[Float[Tensor, "B C H W"], Float[Tensor, "B 2"]]:
        """The images and targets of a batch."""
        return self.images[index].contiguous(memory_format=torch.channels_last), self.targets[index]

    def indices(self, steps: int) -> list[Int[Tensor, "steps B"]]:
        """The next batches of each member."""
        return [torch.from_numpy(batches.take(steps)).long().to(self.device) for batches in self.batches]

    def product_flops(self) -> float:
        matrix = torch.rand(PRODUCT_SIZE, PRODUCT_SIZE, device=self.device)
        seconds = min(self._time_product(matrix) for _ in range(PRODUCTS))
        return 2 * PRODUCT_SIZE**3 / seconds

    def _time_product(self, matrix: Float[Tensor, "n n"]) -> float:
        start = time.perf_counter()
        (matrix @ matrix)[0, 0].item()
        return time.perf_counter() - start

    def memory(self) -> dict[str, int]:
        if self.device.type == "cpu":
            return super().memory()
        return super().memory() | {"device": torch.cuda.max_memory_allocated()}

    def free_memory(self) -> int:
        return super().free_memory() if self.device.type == "cpu" else torch.cuda.mem_get_info()[0]


class TorchLoop(TorchSide):
    """Eager steps."""

    def __init__(self, problem: Problem, seeds: int):
        super().__init__(problem, seeds)
        self.networks = [self.network(member) for member in range(seeds)]
        self.optimizers = [self.optimizer(list(network.parameters())) for network in self.networks]

    def run(self, steps: int) -> Float[np.ndarray, " seeds"]:
        totals = [self.train(member, index) for member, index in enumerate(self.indices(steps))]
        return torch.stack(totals).cpu().numpy() / steps

    def train(self, member: int, index: Int[Tensor, "steps B"]) -> Float[Tensor, ""]:
        """The sum of the losses of these steps."""
        total = torch.zeros((), device=self.device)
        for batch in index:
            total += self.step(member, batch)
        return total

    def step(self, member: int, index: Int[Tensor, " B"]) -> Float[Tensor, ""]:
        """One update."""
        images, targets = self.batch(index)
        self.optimizers[member].zero_grad()
        loss = F.mse_loss(self.networks[member](images), targets)
        loss.backward()
        self.optimizers[member].step()
        return loss.detach()
