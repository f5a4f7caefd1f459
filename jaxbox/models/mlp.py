"""Hidden dense layers between pixels and outputs."""

import itertools

from flax import nnx
from jaxtyping import Array, Float

from jaxbox import layers
from jaxbox.config import Model, Task, tables


class MLP(nnx.Module):
    """Dense layers of `model.hidden` units with `model.activation` and `model.shortcut` each, then the outputs."""

    def __init__(self, model: Model, task: Task, outputs: int, rngs: nnx.Rngs):
        start = layers.Start.of(model)
        # The first layer has its own name: with one layer that is the tree of parameters of older checkpoints.
        self.hidden = layers.Dense(task.height * task.width * task.channels, model.hidden[0], rngs=rngs, start=start)
        pairs = itertools.pairwise(model.hidden)
        self.deeper = nnx.List([layers.Dense(*pair, rngs=rngs, start=start) for pair in pairs])
        self.between = nnx.List([layers.Hidden(model, units, rngs) for units in model.hidden])
        self.shortcut = tables.load("model.shortcut", model.shortcut)()
        self.head = layers.Head(model.hidden[-1], outputs, model, rngs=rngs)

    def __call__(self, images: layers.Batch) -> Float[Array, "B outputs"]:
        values = images
        for dense, between in zip((self.hidden, *self.deeper), self.between, strict=True):
            values = self.shortcut(values, between(dense(values)))
        return self.head(values)
