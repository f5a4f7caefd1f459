"""The size of what goes forwards and backwards through a network that has not been trained, on average over its first
weights: without drawing any.

Weights are independent with mean 0, so that signals of different units are, and squares add up (Poole et al., 2016;
Schoenholz et al., 2017). A unit's first weights are as often positive as negative: a relu passes half of the square of
its pre-activation, and 1 / sqrt(2 pi) of its deviation on average, if that is normal.
"""

import math
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from jaxbox import task as tasks
from jaxbox.config import Configuration, Task
from jaxbox.layers import convolution

Map = Float[np.ndarray, "H W"]

VARIANCES = {
    "glorot": lambda fan_in, fan_out: 2 / (fan_in + fan_out),
    "he": lambda fan_in, fan_out: 2 / fan_in,
    "lecun": lambda fan_in, fan_out: 1 / fan_in,
}
"""Of a first weight, by `model.initialization`."""


class Shape(NamedTuple):
    """A layer that is multiplied with its inputs: a convolution, or a dense layer, which is one whose kernel is the
    whole map. `kernel` is its (rows, columns)."""

    channels: int
    units: int
    kernel: tuple[int, int]
    stride: int
    padding: str
    dense: bool = False

    @property
    def fan_in(self) -> int:
        """Weights of a unit."""
        return math.prod(self.kernel) * self.channels

    @property
    def fan_out(self) -> int:
        """Units that an input reaches, as initialisations count."""
        return self.units if self.dense else math.prod(self.kernel) * self.units


class Layer(NamedTuple):
    """What is known of a layer before training.

    Attributes:
        shape: its sizes.
        deviation: standard deviation of its first weights.
        spread: root mean square of its pre-activations, over the pixels of its map that the input reaches.
        gradient: root mean square of its weights' gradient of one output, for one example.
    """

    shape: Shape
    deviation: float
    spread: float
    gradient: float


def shapes(configuration: Configuration) -> list[Shape]:
    """The layers of a `cnn` or `mlp` from the pixels on, the last of them linear, with two outputs."""
    model, task = configuration.model, configuration.task
    size, channels, found = (task.height, task.width), task.channels, []
    for units in model.features if model.name == "cnn" else ():
        kernel = (model.kernel_size, model.kernel_size)
        found.append(Shape(channels, units, kernel, model.stride, model.padding))
        size, channels = _output_size(size, found[-1]), units
    for units in (*(model.dense if model.name == "cnn" else model.hidden), 2):
        found.append(Shape(channels, units, size, 1, "VALID", dense=True))
        size, channels = (1, 1), units
    return found


def layers(configuration: Configuration) -> list[Layer]:
    """The signals of each layer of `shapes`, for an image whose object is in the middle.

    The image stands for all: it is what differs least from them, and no border cuts it.
    """
    sizes = shapes(configuration)
    deviations = [_deviation(configuration, shape) for shape in sizes]
    forward = list(_forward(input_square(configuration.task), sizes, deviations))
    gradients = _gradients(forward, sizes, deviations)
    spreads = [_root_mean_square_where_lit(variance) for _, variance in forward]
    return [Layer(*each) for each in zip(sizes, deviations, spreads, gradients, strict=True)]


def input_square(task: Task) -> Map:
    """Mean square of what the network sees of each pixel, over the channels, with the object in the middle."""
    place = tasks.positions(task)[tasks.position_count(task) // 2][None]
    seen = np.asarray(tasks.inputs(task, np.asarray(tasks.render(task, place), np.float64)), np.float64)
    return (seen[0] ** 2).mean(axis=-1)


def _deviation(configuration: Configuration, shape: Shape) -> float:
    variance = VARIANCES[configuration.model.initialization](shape.fan_in, shape.fan_out)
    return configuration.model.initial_scale * math.sqrt(variance)


def _forward(square: Map, sizes: list[Shape], deviations: list[float]) -> Iterator[tuple[Map, Map]]:
    """Mean square of each layer's inputs, and variance of its pre-activations."""
    for shape, deviation in zip(sizes, deviations, strict=True):
        variance = deviation**2 * shape.channels * _patch_sums(square, shape)
        yield square, variance
        square = variance / 2


def _gradients(forward: list[tuple[Map, Map]], sizes: list[Shape], deviations: list[float]) -> list[float]:
    """Root mean square of each layer's weights' gradients, from the last to the first and back in order."""
    found, back = [], np.ones((1, 1))
    for number in reversed(range(len(sizes))):
        square, shape = forward[number][0], sizes[number]
        found.append(math.sqrt(float((_patch_sums(square, shape) * back).sum()) / math.prod(shape.kernel)))
        if number:
            units = 1 if shape is sizes[-1] else shape.units
            reached = deviations[number] ** 2 * units * _patch_sums(back, shape, square.shape)
            back = reached / 2  # half of the relus below pass it on
    return found[::-1]


def _patch_sums(values: Map, shape: Shape, back_to: tuple[int, ...] = ()) -> Map:
    """Of each pixel that comes out, the sum over the pixels below its kernel; or of each pixel of a map of the size
    `back_to`, the sum over the pixels whose kernels lie above it."""
    (rows, columns) = (_overlaps(size, place, shape) for place, size in enumerate(back_to or values.shape))
    row_sums, column_sums = (np.array(each, float) for each in (rows, columns))
    return row_sums.T @ values @ column_sums if back_to else row_sums @ values @ column_sums.T


def _overlaps(size: int, axis: int, shape: Shape) -> list[list[bool]]:
    """Which of the `size` pixels of an axis lie below the kernel of each pixel that comes out."""
    kernel = shape.kernel[axis]
    padding = convolution.axis_padding(size, kernel, shape.stride, shape.padding)
    parts = [part for part, _ in convolution.overlaps(size, kernel, shape.stride, padding)]
    return [[part.start <= pixel < part.stop for pixel in range(size)] for part in parts]


def _output_size(size: tuple[int, ...], shape: Shape) -> tuple[int, int]:
    rows, columns = (len(_overlaps(pixels, axis, shape)) for axis, pixels in enumerate(size))
    return rows, columns


def _root_mean_square_where_lit(variance: Map) -> float:
    return float(np.sqrt(variance[variance > 0].mean())) if variance.any() else 0.0
