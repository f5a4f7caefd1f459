"""`torch.func`: all seeds in each operation, their parameters stacked and the step vectorised over them."""

# pyright: reportMissingImports=false
# (an optional package)

import numpy as np
import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor, func

from jaxbox.bench.peers.torch_loop import TorchSide
from jaxbox.bench.problem import Problem

Parameters = dict[str, Tensor]


class TorchStacked(TorchSide):
    """One vectorised gradient and one optimiser over the stacked parameters."""

    scales_with_members = True

    def __init__(self, problem: Problem, seeds: int):
        super().__init__(problem, seeds)
        networks = [self.network(member) for member in range(seeds)]
        stacked, _ = func.stack_module_state(networks)
        self.parameters: Parameters = {name: value.detach() for name, value in stacked.items()}
        self.rule = self.optimizer(list(self.parameters.values()))
        constants = {name: value.clone() for name, value in networks[0].named_buffers()}
        network = networks[0].to("meta")

        def loss(parameters: Parameters, images: Tensor, targets: Tensor) -> Float[Tensor, ""]:
            return F.mse_loss(func.functional_call(network, parameters | constants, (images,)), targets)

        self.gradient = func.vmap(func.grad_and_value(loss))

    def run(self, steps: int) -> Float[np.ndarray, " seeds"]:
        total = torch.zeros(self.seeds, device=self.device)
        for index in torch.stack(self.indices(steps), dim=1):
            total += self.step(index)
        return total.cpu().numpy() / steps

    def step(self, index: Int[Tensor, "seeds B"]) -> Float[Tensor, " seeds"]:
        """One update of every member."""
        gradients, losses = self.gradient(self.parameters, self.images[index], self.targets[index])
        for name, parameter in self.parameters.items():
            parameter.grad = gradients[name]
        self.rule.step()
        return losses
