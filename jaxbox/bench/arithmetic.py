"""The fewest floating-point operations that a step of the network needs on rendered images.

A multiplication and an addition count as two. A layer's products count three times: in the forward pass, for the
kernel's gradient, and for the input's gradient, which the first layer does not need. Products with padding do not
count. Neither do biases, activations, the loss, the update and the rendering, which are no matrix products.
"""

import itertools
import math

from jaxbox.bench.problem import same_padding
from jaxbox.config import Configuration


def taps(size: int, kernel_size: int, stride: int) -> int:
    """Along one axis, how many pairs of output pixel and kernel tap meet a pixel of the image (padding SAME)."""
    before = same_padding(size, kernel_size, stride)[0]
    starts = [output * stride - before for output in range(-(-size // stride))]
    return sum(min(start + kernel_size, size) - max(start, 0) for start in starts)


def layer_products(configuration: Configuration) -> list[int]:
    """Multiplications of each layer's forward pass, for one example."""
    task, model = configuration.task, configuration.model
    height, width, channels = task.height, task.width, task.channels
    products = []
    for features in model.features if model.name == "cnn" else ():
        met = taps(height, model.kernel_size, model.stride) * taps(width, model.kernel_size, model.stride)
        products.append(met * channels * features)
        height, width, channels = -(-height // model.stride), -(-width // model.stride), features
    sizes = [height * width * channels, *(model.hidden if model.name == "mlp" else ()), 2]
    return products + [math.prod(pair) for pair in itertools.pairwise(sizes)]


def step_flops(configuration: Configuration) -> int:
    """Operations of one member's step: forward, kernels' gradients, inputs' gradients of all layers but the first."""
    first, *others = layer_products(configuration)
    return 2 * configuration.batch_size * (2 * first + 3 * sum(others))


def step_bytes(configuration: Configuration) -> int:
    """Roughly what a member needs in float32: some copies of every map of a batch, and the parameters' state."""
    task, model = configuration.task, configuration.model
    height, width = task.height, task.width
    values, parameters, channels = height * width * task.channels, 0, task.channels
    for features in model.features if model.name == "cnn" else ():
        height, width = -(-height // model.stride), -(-width // model.stride)
        values += height * width * features
        parameters += model.kernel_size**2 * channels * features
        channels = features
    parameters += height * width * channels * (model.hidden[0] if model.name == "mlp" else 2)
    return 4 * (6 * configuration.batch_size * values + 5 * parameters)
