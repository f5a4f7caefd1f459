"""The table of sides, jaxbox and its peers: where each one is, what it needs, and one process of its own for each.

A peer's file is imported in the process that measures it, nowhere else.
"""

import importlib
import importlib.util
from typing import NamedTuple


class Peer(NamedTuple):
    """`constructor` is module:class in this package, a `side.Side`; `needs` are packages that must be importable.

    `gpu` says whether it is for machines with a GPU or for those without; None is for both.
    """

    constructor: str
    needs: tuple[str, ...]
    summary: str
    gpu: bool | None = None

    def missing(self, on_gpu: bool) -> str:
        """Why it cannot be measured here; nothing if it can."""
        absent = [name for name in self.needs if importlib.util.find_spec(name) is None]
        if absent:
            return f"not installed: {', '.join(absent)}"
        if self.gpu is None or self.gpu == on_gpu:
            return ""
        return "needs a GPU" if self.gpu else "for machines without a GPU"


JAXBOX = "jaxbox"

PEERS = {
    JAXBOX: Peer("population:JaxboxPopulation", (), "the program that a sweep runs"),
    "jaxbox-rendered": Peer("population:JaxboxRendered", (), "the same on whole images"),
    "jaxbox-shared": Peer("population:JaxboxShared", (), "the same with one batch for all seeds: no replicates"),
    "torch": Peer("torch_loop:TorchLoop", ("torch",), "PyTorch, a loop over seeds, channels_last"),
    "torch-threads": Peer("torch_threads:TorchThreads", ("torch",), "a seed on each core at a time", gpu=False),
    "torch-func": Peer("torch_stacked:TorchStacked", ("torch",), "torch.func, stacked members"),
    "torch-compile": Peer("torch_compiled:TorchCompiled", ("torch",), "a loop over seeds, torch.compile", gpu=True),
    "torch-graphs": Peer("torch_graphs:TorchGraphs", ("torch",), "a loop over seeds, CUDA graphs", gpu=True),
    "flax": Peer("flax_population:FlaxPopulation", (), "Flax nn.Conv, vmap in a loop"),
    "jax-loop": Peer("jax_loop:JaxLoop", (), "Flax nn.Conv, a jitted step, a loop over seeds"),
    "keras": Peer("keras_fit:KerasFit", ("keras",), "Keras model.fit, a loop over seeds"),
}


def load(name: str) -> type:
    """The class of a side; imports its library."""
    module, cls = PEERS[name].constructor.split(":")
    return getattr(importlib.import_module(f"jaxbox.peers.{module}"), cls)
