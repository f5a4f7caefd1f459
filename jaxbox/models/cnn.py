"""The thread's network: strided convolutions with an activation each, then one dense layer."""

from flax import nnx
from jaxtyping import Array, Float

from jaxbox import layers
from jaxbox.config import Model, Task


class CNN(nnx.Module):
    """`model.features` convolutions of `model.kernel_size` and `model.stride`, flattened into linear outputs."""

    def __init__(self, model: Model, task: Task, outputs: int, rngs: nnx.Rngs):
        height, width, channels = task.height, task.width, task.channels
        self.convolutions, self.activations = nnx.List(), nnx.List()
        for features in model.features:
            geometry = (model.kernel_size, model.stride, model.padding)
            self.convolutions.append(layers.Conv(channels, features, *geometry, rngs=rngs))
            self.activations.append(layers.Activation(model.activation))
            height, width = layers.output_size(height, *geometry), layers.output_size(width, *geometry)
            channels = features
        self.head = layers.Dense(height * width * channels, outputs, rngs=rngs)

    def __call__(self, images: layers.Batch) -> Float[Array, "B outputs"]:
        values = images
        for convolution, activation in zip(self.convolutions, self.activations, strict=True):
            values = activation(convolution(values))
        return self.head(values)
