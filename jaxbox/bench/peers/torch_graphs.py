"""PyTorch on a GPU, one seed after another, with each seed's step recorded once as a CUDA graph and replayed."""

# pyright: reportMissingImports=false
# (an optional package)

import torch
from jaxtyping import Float, Int
from torch import Tensor

from jaxbox.bench.peers.torch_loop import TorchLoop
from jaxbox.bench.problem import Problem

WARM_UP_STEPS = 3
"""Steps before recording, in which libraries choose their algorithms and optimisers allocate; then undone."""


class TorchGraphs(TorchLoop):
    """Each member has a graph, a buffer for the indices of its batch, and one in which the loss appears."""

    def __init__(self, problem: Problem, seeds: int):
        super().__init__(problem, seeds)
        if problem.configuration.optimizer.name == "adam":
            self.optimizers = [self.optimizer(list(net.parameters()), capturable=True) for net in self.networks]
        batch = torch.zeros(problem.configuration.batch_size, dtype=torch.long, device=self.device)
        self.inputs = [batch.clone() for _ in self.networks]
        self.recorded = [self._record(member) for member in range(seeds)]

    def _record(self, member: int) -> tuple[torch.cuda.CUDAGraph, Float[Tensor, ""]]:
        network, optimizer = self.networks[member], self.optimizers[member]
        initial = {name: value.clone() for name, value in network.state_dict().items()}
        stream = torch.cuda.Stream()
        stream.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(stream):
            for _ in range(WARM_UP_STEPS):
                super().step(member, self.inputs[member])
        torch.cuda.current_stream().wait_stream(stream)
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph):
            loss = super().step(member, self.inputs[member])
        # In place: the graph reads and writes these very tensors.
        network.load_state_dict(initial)
        for state in optimizer.state.values():
            for value in state.values():
                value.zero_()
        return graph, loss

    def step(self, member: int, index: Int[Tensor, " B"]) -> Float[Tensor, ""]:
        graph, loss = self.recorded[member]
        self.inputs[member].copy_(index)
        graph.replay()
        return loss.clone()
