"""What a side is asked to train: one network, its data and the first batches, as NumPy arrays made by jaxbox itself.

Nothing here imports JAX, so that a peer that does not need it never loads it; `making` does.
"""

import dataclasses
from pathlib import Path
from typing import Any, Self

import numpy as np
from jaxtyping import Float, Int

from jaxbox.config import Configuration, Model, Optimizer, Task

BOX = "box"
"""The thread's scene, which needs no name."""
NETWORKS = {
    **{name: Model(name) for name in ("linear", "mlp", "cnn")},
    # The channels and the kernel that its authors published.
    "coordconv": Model("coordconv", features=(8, 8, 8, 8), kernel_size=3),
    "soft_argmax": Model("soft_argmax", features=(8, 8)),
}
CHANNELS = {"red_box": 3}
"""By scene; the others are grey."""
COMPARED_STEPS = 3
"""Steps whose losses are compared before anything is measured; they use jaxbox's own batches."""
COMPARED_SEEDS = 4
"""Members beyond this many train the problems of the first ones again, which is the same work."""

Layer = tuple[Float[Any, "F ..."], Float[Any, " F"]]
"""A kernel, (F, K, K, C) of a convolution or (F, inputs) of a dense layer, and a bias, empty where there is none. All
layers but the last are followed by a relu; a dense layer flattens what it gets as (H, W, C)."""


def configuration(model: str, size: int, scene: str = BOX) -> Configuration:
    """The configuration of a case: a network of NETWORKS on the thread's task, or on another scene of its size."""
    task = Task(size, size, box_size=4 if size == 16 else 5, scene=scene, channels=CHANNELS.get(scene, 1))
    optimizer = Optimizer("sgd", 0.1) if model == "linear" else Optimizer("adam", 0.01)
    return Configuration(task, NETWORKS[model], optimizer=optimizer)


def label(model: str, scene: str) -> str:
    """A network and what it sees, in words."""
    return model if scene == BOX else f"{model} on {scene}"


@dataclasses.dataclass(frozen=True)
class Problem:
    """`images` and `targets` hold every position once, or each seed's training set after the other, where two images of
    one position differ or positions are too many; the other arrays are of one seed each.

    `examples` are the images of the training set, `first_batches` those of the first batches in jaxbox's order, both as
    indices into `images`.
    """

    configuration: Configuration
    images: Float[np.ndarray, "n H W C"]
    targets: Float[np.ndarray, "n 2"]
    examples: list[Int[np.ndarray, " train_size"]]
    first_batches: list[Int[np.ndarray, "steps batch"]]
    layers: list[list[Layer]]

    def copies(self, members: int) -> Self:
        """The problem of this many members; those beyond the seeds at hand train the first ones' problems again."""
        seeds = [member % len(self.layers) for member in range(members)]
        names = ("examples", "first_batches", "layers")
        return dataclasses.replace(self, **{name: [getattr(self, name)[seed] for seed in seeds] for name in names})

    def stacked_layers(self) -> list[Layer]:
        """The layers of all members, with a leading members' axis."""
        pairs = [tuple(zip(*layer, strict=True)) for layer in zip(*self.layers, strict=True)]
        return [(np.stack(kernels), np.stack(biases)) for kernels, biases in pairs]

    def save(self, folder: Path) -> None:
        """Write it into a folder. The images are a file of their own, which all processes can map and share."""
        np.save(folder / "images.npy", self.images)
        arrays: dict[str, Any] = {
            "targets": self.targets,
            "examples": np.stack(self.examples),
            "first_batches": np.stack(self.first_batches),
        }
        for number, (kernel, bias) in enumerate(self.stacked_layers()):
            arrays |= {f"kernel {number}": kernel, f"bias {number}": bias}
        np.savez(folder / "problem.npz", **arrays)

    @classmethod
    def load(cls, folder: Path, configuration: Configuration) -> Self:
        """The inverse of `save`."""
        images = np.load(folder / "images.npy", mmap_mode="c")
        with np.load(folder / "problem.npz") as saved:
            arrays = dict(saved)
        pairs = [(arrays[f"kernel {i}"], arrays[f"bias {i}"]) for i in range(len(arrays) // 2 - 1)]
        layers = [[(kernel[s], bias[s]) for kernel, bias in pairs] for s in range(len(arrays["examples"]))]
        return cls(configuration, images, arrays["targets"], [*arrays["examples"]], [*arrays["first_batches"]], layers)


class Batches:
    """The images, as indices, of one member's batches: jaxbox's first ones, then a new shuffle each epoch."""

    def __init__(self, problem: Problem, member: int):
        self.examples, self.size = problem.examples[member], problem.configuration.batch_size
        self.ready = problem.first_batches[member]
        self.random = np.random.default_rng(member)

    def take(self, steps: int) -> Int[np.ndarray, "steps batch"]:
        """The next batches; the remainder of an epoch is left out."""
        while len(self.ready) < steps:
            whole = self.examples.size // self.size * self.size
            epoch = self.random.permutation(self.examples)[:whole].reshape(-1, self.size)
            self.ready = np.concatenate([self.ready, epoch])
        taken, self.ready = self.ready[:steps], self.ready[steps:]
        return taken


def same_padding(size: int, kernel_size: int, stride: int) -> tuple[int, int]:
    """Zeros before and after an axis, with TensorFlow's meaning of SAME; by hand, so that it also checks jaxbox's."""
    total = max((-(-size // stride) - 1) * stride + kernel_size - size, 0)
    return total // 2, total - total // 2
