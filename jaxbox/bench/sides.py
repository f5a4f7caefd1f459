"""The table of sides, jaxbox's own and its peers': where the code of each one is, and what it needs.

Nothing here imports that code. A process of its own does, which measures this side and no other.
"""

import importlib
import importlib.util
import shutil
from collections.abc import Sequence
from typing import NamedTuple

from jaxbox.bench.problem import NETWORKS
from jaxbox.config import Configuration, tables


class Row(NamedTuple):
    """`place` is module:class in this package, a subclass of `side.Side`; `needs` are packages that must be installed.

    `gpu` is True for a side that is only for machines with a GPU, False for one that is only for machines without.
    `models` are the networks that it has; `windows` is True for one that is jaxbox itself where that works on images.
    """

    place: str
    needs: tuple[str, ...]
    summary: str
    gpu: bool | None = None
    models: tuple[str, ...] = tuple(NETWORKS)
    windows: bool = False

    def missing(self, on_gpu: bool) -> str:
        """Why it cannot be measured here; empty if it can."""
        absent = [name for name in self.needs if importlib.util.find_spec(name) is None]
        if absent:
            return f"not installed: {', '.join(absent)}"
        if self.gpu is None or self.gpu == on_gpu:
            return ""
        return "needs a GPU" if self.gpu else "for machines without a GPU"

    def refusal(self, configuration: Configuration) -> str:
        """Why it is not measured with this configuration; empty if it is."""
        if configuration.model.name not in self.models:
            return f"it has no {configuration.model.name}"
        if self.windows and not tables.takes_windows(configuration):
            return "jaxbox itself works on whole images here"
        return ""


FLATTENED = ("linear", "mlp", "cnn")
"""The networks that are layers one after another."""

JAXBOX = "jaxbox"
"""The side that all others are compared with."""

SIDES = {
    JAXBOX: Row("jaxbox_side:Jaxbox", (), "the program that a sweep runs"),
    "jaxbox-rendered": Row("jaxbox_side:JaxboxRendered", (), "the same on whole images", windows=True),
    "jaxbox-shared": Row("jaxbox_side:JaxboxShared", (), "the same with one batch for all seeds: no replicates"),
    "torch": Row("peers.torch_loop:TorchLoop", ("torch",), "PyTorch, a loop over seeds, channels_last"),
    "torch-threads": Row("peers.torch_threads:TorchThreads", ("torch",), "PyTorch, one seed on each core", gpu=False),
    "torch-func": Row("peers.torch_stacked:TorchStacked", ("torch",), "torch.func, stacked members"),
    "torch-compile": Row(
        "peers.torch_compiled:TorchCompiled", ("torch",), "a loop over seeds, torch.compile", gpu=True
    ),
    "torch-graphs": Row("peers.torch_graphs:TorchGraphs", ("torch",), "a loop over seeds, CUDA graphs", gpu=True),
    "flax": Row("peers.flax_population:FlaxPopulation", (), "Flax nn.Conv, vmap in a loop", models=FLATTENED),
    "jax-loop": Row("peers.jax_loop:JaxLoop", (), "Flax nn.Conv, a jitted step, a loop over seeds", models=FLATTENED),
    "keras": Row("peers.keras_fit:KerasFit", ("keras",), "Keras model.fit, a loop over seeds", models=FLATTENED),
}


def load(name: str) -> type:
    """The class of a side; imports its library."""
    module, cls = SIDES[name].place.split(":")
    return getattr(importlib.import_module(f"jaxbox.bench.{module}"), cls)


def available_sides(peers: Sequence[str]) -> tuple[list[str], dict[str, str]]:
    """(jaxbox and those of these peers that can be measured here, why each of the others cannot)."""
    on_gpu = shutil.which("nvidia-smi") is not None
    reasons = {name: SIDES[name].missing(on_gpu) for name in SIDES if name in (JAXBOX, *peers)}
    skipped = {name: reason for name, reason in reasons.items() if reason}
    return [name for name in reasons if name not in skipped], skipped
