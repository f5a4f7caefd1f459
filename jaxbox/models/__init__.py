"""The networks, one family a file; their rows are in `jaxbox.config.tables.MODELS`.

A constructor takes (model, task, outputs, rngs) and returns a module from inputs (B, H, W, C) to (B, outputs); how many
outputs follows from the targets and the loss (`jaxbox.training.outputs`). Written in terms of `jaxbox.layers` it takes
windows as well, and its row then names `render` among the fields that it reads. A network whose maps are too large for
a CPU's cache, and that treats every image by itself, may say its `bytes_per_image` (`jaxbox.training.blocks`).
"""

from typing import Protocol, runtime_checkable

from flax import nnx

from jaxbox.config import Model, Task


@runtime_checkable
class Constructor(Protocol):
    """What a row of the table of models must be: a class of networks, or a function that makes them."""

    def __call__(self, model: Model, task: Task, outputs: int, rngs: nnx.Rngs) -> nnx.Module:
        """A freshly initialised network with this many outputs; every parameter drawn from `rngs`."""
        ...
