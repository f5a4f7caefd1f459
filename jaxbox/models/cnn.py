"""The thread's network: strided convolutions with an activation each, then one dense layer."""

from flax import nnx
from jaxtyping import Array, Float

from jaxbox import layers
from jaxbox.config import Model, Task


class CNN(nnx.Module):
    """`model.features` convolutions of `model.kernel_size` and `model.stride`, flattened into the outputs."""

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
        self.head = layers.Head(height * width * channels, outputs, model, rngs=rngs)

    def __call__(self, images: layers.Batch) -> Float[Array, "B outputs"]:
        values = images
        for convolution, between in zip(self.convolutions, self.between, strict=True):
            values = between(convolution(values))
        return self.head(values)
