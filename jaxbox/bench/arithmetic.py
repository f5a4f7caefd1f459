"""The fewest floating-point operations that a step of the network needs on rendered images.

A multiplication and an addition count as two. A layer's products count three times: in the forward pass, for the
kernel's gradient, and for the input's gradient, which the first layer does not need. Products with padding do not
count. Neither do biases, activations, maxima and means of maps, the loss, the update and the rendering, which are no
matrix products.
"""

import itertools
import math
from typing import NamedTuple

from jaxbox.bench.problem import same_padding
from jaxbox.config import Configuration, Model


def taps(size: int, kernel_size: int, stride: int) -> int:
    """Along one axis, how many pairs of output pixel and kernel tap meet a pixel of the image (padding SAME)."""
    before = same_padding(size, kernel_size, stride)[0]
    starts = [output * stride - before for output in range(-(-size // stride))]
    return sum(min(start + kernel_size, size) - max(start, 0) for start in starts)


class Convolution(NamedTuple):
    """Side of the kernel, stride, and channels of the maps that come out."""

    kernel_size: int
    stride: int
    features: int


def convolutions(model: Model) -> list[Convolution]:
    """Those of a network, in their order."""
    size, features = model.kernel_size, model.features
    if model.name == "cnn":
        return [Convolution(size, model.stride, each) for each in features]
    if model.name == "coordconv":
        pointwise = [Convolution(1, 1, each) for each in features[:-1]]
        return [*pointwise, *(Convolution(size, 1, each) for each in (*features[-1:], 2))]
    return [Convolution(size, 1, each) for each in (*features, 1)] if model.name == "soft_argmax" else []


def _channels(configuration: Configuration) -> int:
    """Of what the first layer sees."""
    return configuration.task.channels + 2 * (configuration.model.name == "coordconv")


def _ends_in_maps(model: Model) -> bool:
    return model.name in ("coordconv", "soft_argmax")


def layer_products(configuration: Configuration) -> list[int]:
    """Multiplications of each layer's forward pass, for one example."""
    task, model = configuration.task, configuration.model
    height, width, channels = task.height, task.width, _channels(configuration)
    products = []
    for size, stride, features in convolutions(model):
        met = taps(height, size, stride) * taps(width, size, stride)
        products.append(met * channels * features)
        height, width, channels = -(-height // stride), -(-width // stride), features
    if _ends_in_maps(model):
        return products
    sizes = [height * width * channels, *(model.hidden if model.name == "mlp" else ()), 2]
    return products + [math.prod(pair) for pair in itertools.pairwise(sizes)]


def step_flops(configuration: Configuration) -> int:
    """Operations of one member's step: forward, kernels' gradients, inputs' gradients of all layers but the first."""
    first, *others = layer_products(configuration)
    return 2 * configuration.batch_size * (2 * first + 3 * sum(others))


def step_bytes(configuration: Configuration) -> int:
    """Roughly what a member needs in float32: some copies of every map of a batch, and the parameters' state."""
    task, model = configuration.task, configuration.model
    height, width, channels = task.height, task.width, _channels(configuration)
    values, parameters = height * width * channels, 0
    for size, stride, features in convolutions(model):
        height, width = -(-height // stride), -(-width // stride)
        values += height * width * features
        parameters += size**2 * channels * features
        channels = features
    if not _ends_in_maps(model):
        parameters += height * width * channels * (model.hidden[0] if model.name == "mlp" else 2)
    return 4 * (6 * configuration.batch_size * values + 5 * parameters)
