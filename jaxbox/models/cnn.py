"""The thread's network: strided convolutions with an activation each, then dense layers, one if not told otherwise."""

import itertools

from flax import nnx
from jaxtyping import Array, Float

from jaxbox import layers
from jaxbox.config import Model, Task, tables


class CNN(nnx.Module):
    """`model.features` convolutions of `model.kernel_size` and `model.stride`, flattened, then `model.dense` units.

    A layer may have a shortcut past it, `model.shortcut`.
    """

    def __init__(self, model: Model, task: Task, outputs: int, rngs: nnx.Rngs):
        start = layers.Start.of(model)
        height, width, channels = task.height, task.width, task.channels
        self.convolutions, self.between = nnx.List(), nnx.List()
        for features in model.features:
            geometry = (model.kernel_size, model.stride, model.padding)
            hidden = layers.Hidden(model, features, rngs, model.pooling)
            self.convolutions.append(layers.Conv(channels, features, *geometry, rngs=rngs, start=start))
            self.between.append(hidden)
            height, width = (hidden.output_size(layers.output_size(size, *geometry)) for size in (height, width))
            channels = features
        widths = (height * width * channels, *model.dense)
        pairs = itertools.pairwise(widths)
        self.dense = nnx.List([layers.Dense(*pair, rngs=rngs, start=start) for pair in pairs])
        self.between_dense = nnx.List([layers.Hidden(model, units, rngs) for units in model.dense])
        self.shortcut = tables.load("model.shortcut", model.shortcut)()
        self.head = layers.Head(widths[-1], outputs, model, rngs=rngs)

    def __call__(self, images: layers.Batch) -> Float[Array, "B outputs"]:
        values = images
        products = (*self.convolutions, *self.dense)
        for product, between in zip(products, (*self.between, *self.between_dense), strict=True):
            values = self.shortcut(values, between(product(values)))
        return self.head(values)
