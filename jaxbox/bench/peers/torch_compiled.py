"""PyTorch on a GPU, one seed after another, with the whole step through `torch.compile`."""

# pyright: reportMissingImports=false
# (an optional package)

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor, nn

from jaxbox.bench.peers.torch_loop import TorchLoop
from jaxbox.bench.problem import Problem


class TorchCompiled(TorchLoop):
    """Loss and gradient in one compiled function, the update in the optimiser's fused kernel."""

    def __init__(self, problem: Problem, seeds: int):
        super().__init__(problem, seeds)
        fused = {} if problem.configuration.optimizer.name == "sgd" else {"fused": True}
        self.optimizers = [self.optimizer(list(network.parameters()), **fused) for network in self.networks]

        def loss(network: nn.Module, images: Tensor, targets: Tensor) -> Float[Tensor, ""]:
            return F.mse_loss(network(images), targets)

        # One function a member: a function that is called with another module compiles again.
        self.losses_of = [torch.compile(loss) for _ in self.networks]

    def step(self, member: int, index: Int[Tensor, " B"]) -> Float[Tensor, ""]:
        images, targets = self.batch(index)
        self.optimizers[member].zero_grad()
        loss = self.losses_of[member](self.networks[member], images, targets)
        loss.backward()
        self.optimizers[member].step()
        return loss.detach()
