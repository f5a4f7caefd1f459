"""What a side is asked to train: one network, its data and the first batches, as NumPy arrays made by jaxbox itself.

Only `make` imports JAX, so that a peer that does not need it never loads it.
"""

import dataclasses
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Self

import numpy as np
from jaxtyping import Float, Int

from jaxbox.config import Configuration, Model, Optimizer, Task

MODELS = ("linear", "mlp", "cnn")
COMPARED_STEPS = 3
"""Steps whose losses are compared before anything is measured; they use jaxbox's own batches."""
COMPARED_SEEDS = 4
"""Members beyond this many train the problems of the first ones again, which is the same work."""

Layer = tuple[Float[Any, "F ..."], Float[Any, " F"]]
"""A kernel, (F, K, K, C) of a convolution or (F, inputs) of a dense layer, and a bias. All layers but the last are
followed by a relu; a dense layer flattens what it gets as (H, W, C)."""


def configuration(model: str, size: int) -> Configuration:
    """The configuration of a case: the thread's network, or a linear or one-hidden-layer one, on the thread's task."""
    task = Task(height=size, width=size, box_size=4 if size == 16 else 5)
    optimizer = Optimizer("sgd", 0.1) if model == "linear" else Optimizer("adam", 0.01)
    return Configuration(task, Model(model), optimizer=optimizer)


@dataclasses.dataclass(frozen=True)
class Problem:
    """`images` and `targets` hold every position once; the other arrays are of one seed each.

    `examples` are the positions of the training set, `first_batches` those of the first batches in jaxbox's order.
    """

    configuration: Configuration
    images: Float[np.ndarray, "N H W C"]
    targets: Float[np.ndarray, "N 2"]
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


def make(configuration: Configuration, seeds: int) -> Problem:
    """The problem of seeds 0 to seeds - 1."""
    from jaxbox import task

    places = task.positions(configuration.task)
    images = task.inputs(configuration.task, task.render(configuration.task, places)).astype(np.float32)
    targets = task.targets(configuration.task, places).astype(np.float32)
    examples, first, layers = zip(*[_of_seed(configuration, seed) for seed in range(seeds)], strict=True)
    return Problem(configuration, images, targets, [*examples], [*first], [*layers])


def _of_seed(configuration: Configuration, seed: int) -> tuple[Any, Any, list[Layer]]:
    import jax
    import jax.numpy as jnp

    from jaxbox.training import member, sampling

    data = sampling.prepare(configuration, jnp.uint32(seed), jnp.int32(0))
    examples = np.asarray(data.examples)
    order = np.asarray(data.order)[: COMPARED_STEPS * configuration.batch_size]
    params = jax.device_get(member.initialize(configuration, jnp.uint32(seed)).params)
    return examples, examples[order].reshape(COMPARED_STEPS, -1), list(_layers(params))


def _layers(params: Any) -> Iterator[Layer]:
    """The layers of jaxbox's tree of parameters, in the order in which the network applies them."""
    convolutions = params.get("convolutions", {})
    deeper = params.get("deeper", {})
    hidden = (params.get("hidden"), *(deeper[index] for index in sorted(deeper)))
    for layer in (*(convolutions[index] for index in sorted(convolutions)), *hidden, params["head"]):
        if layer:
            yield layer["kernel"], layer["bias"]


class Batches:
    """The position indices of one member's batches: jaxbox's first ones, then a new shuffle each epoch."""

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
