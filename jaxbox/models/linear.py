"""Outputs that are linear in the pixels: what the closed forms of analysis.linear describe."""

from flax import nnx
from jaxtyping import Array, Float

from jaxbox import layers
from jaxbox.config import Model, Task


class Linear(nnx.Module):
    """One dense layer on the pixels."""

    def __init__(self, model: Model, task: Task, outputs: int, rngs: nnx.Rngs):
        self.head = layers.Head(task.height * task.width * task.channels, outputs, model, rngs=rngs)

    def __call__(self, images: layers.Batch) -> Float[Array, "B outputs"]:
        return self.head(images)
