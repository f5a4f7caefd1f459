"""A convolutional network that is told where each pixel is, as its authors use it to regress a square's centre."""

from typing import Any

from flax import nnx
from jaxtyping import Array, Float

from jaxbox import layers
from jaxbox.config import Model, Task


class CoordConv(nnx.Module):
    """Coordinates as channels, 1 x 1 convolutions, two of `model.kernel_size`, the largest of each output's map.

    Liu et al. (2018, arXiv 1807.03247). The convolutions have `model.features` channels, the last of them
    `model.kernel_size`, and one more of that size makes a map of each output; all have stride 1 and keep the map's
    size. The authors' published network is features 8,8,8,8 and kernel_size 3, with identity as its activation and He's
    initialisation (normal there), for images of 64 x 64 with a square of 9 x 9 and targets in [0, 1].
    """

    def __init__(self, model: Model, task: Task, outputs: int, rngs: nnx.Rngs):
        start, channels = layers.Start.of(model), task.channels + 2
        self.convolutions, self.between = nnx.List(), nnx.List()
        sizes = [1] * (len(model.features) - 1) + [model.kernel_size]
        for features, size in zip(model.features, sizes, strict=True):
            self.convolutions.append(layers.Conv(channels, features, size, 1, "SAME", rngs=rngs, start=start))
            self.between.append(layers.Hidden(model, features, rngs))
            channels = features
        self.head = layers.Conv(channels, outputs, model.kernel_size, 1, "SAME", rngs=rngs, start=start)
        self.output = layers.Activation(model.output, "model.output")
        self.bytes_per_image = layers.bytes_per_image(task, [*self.convolutions, self.head])

    def __call__(self, images: Float[Array, "B H W C"]) -> Float[Array, "B outputs"]:
        values: Any = layers.add_coordinates(images)
        for convolution, between in zip(self.convolutions, self.between, strict=True):
            values = between(convolution(values))
        maps: Any = self.head(values)
        largest: Any = self.output(maps.max(axis=(1, 2)))
        return largest
