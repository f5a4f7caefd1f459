"""A heat map of where the object is, and its mean place: a network whose answer is a place by construction."""

from typing import Any

import numpy as np
from flax import nnx
from jaxtyping import Array, Float

from jaxbox import layers
from jaxbox.config import Model, Task
from jaxbox.task import target_kind


class SoftArgmax(nnx.Module):
    """`model.features` convolutions of stride 1, one more to a single heat map, and the mean of its softmax.

    Nibali et al. (2018, arXiv 1801.07372); the spatial softmax is of Levine et al. (2016). Every prediction lies
    between the pixels of the map, in the targets' scale, which must be affine (`config.combinations`). The map lies in
    the middle of the image: SAME keeps its size, VALID loses `model.kernel_size` - 1 pixels a convolution, and with
    them the places near the border.

    Without hidden convolutions (`model.features` empty), with VALID and a kernel as large as the box this contains the
    best possible predictor under noise (analysis.bayes): the kernel is the same number everywhere, the gain.
    """

    def __init__(self, model: Model, task: Task, outputs: int, rngs: nnx.Rngs):
        start, geometry = layers.Start.of(model), (model.kernel_size, 1, model.padding)
        sizes, channels = (task.width, task.height), task.channels
        self.convolutions, self.between = nnx.List(), nnx.List()
        for features in model.features:
            self.convolutions.append(layers.Conv(channels, features, *geometry, rngs=rngs, start=start))
            self.between.append(layers.Hidden(model, features, rngs))
            channels = features
        # A number that is added to a whole map changes no softmax.
        self.heat = layers.Conv(channels, 1, *geometry, rngs=rngs, start=start, biased=False)
        self.output = layers.Activation(model.output, "model.output")
        self.bytes_per_image = layers.bytes_per_image(task, [*self.convolutions, self.heat])
        for _ in (*model.features, 1):
            sizes = tuple(layers.output_size(size, *geometry) for size in sizes)
        self.x, self.y = _places(task, *sizes)

    def __call__(self, images: layers.Batch) -> Float[Array, "B outputs"]:
        values = images
        for convolution, between in zip(self.convolutions, self.between, strict=True):
            values = between(convolution(values))
        place: Any = self.output(layers.mean_place(self.heat(values), np.array(self.x), np.array(self.y)))
        return place


def _places(task: Task, columns: int, rows: int) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """The targets of the pixels' centres, x of the columns and y of the rows of a map in the middle of the image."""
    scale: Any = target_kind(task)
    x = np.arange(columns) + (task.width - columns + 1) / 2
    y = np.arange(rows) + (task.height - rows + 1) / 2
    along_x = scale.apply(task, np.stack([x, np.full(columns, y[0])], axis=-1))[:, 0]
    along_y = scale.apply(task, np.stack([np.full(rows, x[0]), y], axis=-1))[:, 1]
    return tuple(map(float, along_x)), tuple(map(float, along_y))
