"""One hidden layer between pixels and outputs."""

from flax import nnx
from jaxtyping import Array, Float

from jaxbox import layers
from jaxbox.config import Model, Task


class MLP(nnx.Module):
    """`model.hidden` units with `model.activation`, then linear outputs."""

    def __init__(self, model: Model, task: Task, outputs: int, rngs: nnx.Rngs):
        self.hidden = layers.Dense(task.height * task.width * task.channels, model.hidden, rngs=rngs)
        self.activation = layers.Activation(model.activation)
        self.head = layers.Dense(model.hidden, outputs, rngs=rngs)

    def __call__(self, images: layers.Batch) -> Float[Array, "B outputs"]:
        return self.head(self.activation(self.hidden(images)))
