"""The numbers that the law of the collapse is made of: what is known of a configuration before it is trained."""

import math
from collections.abc import Sequence
from functools import cache

import numpy as np

from jaxbox.config import Configuration
from jaxbox.forecast.signals import Layer, input_square, layers

DESCENT = ("sgd", "momentum")
"""Optimisers whose step is as long as the gradient; Adam's is about the rate, whatever the gradient."""
GRADIENT = 0.02
"""What epsilon is compared with. The gradients of first weights tell worse: what they start with is soon forgotten, and
signals are then as large as the targets have them. With this number the exponent of `damping` comes out as -1."""
BRIGHT, STABLE, WIDE = 1.0, 33.0, 4.0
"""Found from the runs: pixels of 3 and of 255 are alike; where descent begins to be unstable; and from how many units
of a layer on, 55, momentum matters."""
USUAL_DECAYS = 0.9, 0.999
IMPULSE_STEPS = 1000
"""Of how many steps `impulse` adds up what an impulse moves: of decays up to .99 all of it."""


def variables(configuration: Configuration) -> dict[str, float]:
    """By name; all but the last are natural logarithms.

    - `rate`: the learning rate.
    - `momentum`: 1 / (1 - momentum), how many steps a gradient goes on for; 1 of every other optimiser.
    - `fan_in`: the geometric mean of all layers' fan-ins, the last one's too.
    - `factors`: how many layers of weights there are.
    - `damping`: 1 + epsilon / GRADIENT, by which epsilon shortens Adam's steps; 1 of descent.
    - `step`: rate / damping, times factors, times the root of fan-in: how far a step moves the product of the layers,
      beside what it is, if a weight is as large as it must be for signals to stay as they are.
    - `scale`: `model.initial_scale`.
    - `input`: length of what the first layer sees of an image at a pixel, where that is not zero.
    - `brightness`: the largest size of a pixel, beside the 1 that a bias is multiplied with; at most BRIGHT.
    - `positions`: pixels of the last map, before the outputs.
    - `units`: the geometric mean of the hidden layers' units.
    - `hidden`: the geometric mean of the fan-ins between the first layer and the last; the first's if there is none.
    - `wide`: units beside those of WIDE, if there are more.
    - `carried`: `wide` times what `impulse` is more than with Adam's usual decays, .9 and .999.
    - `instability`: 1 + rate x kernel / STABLE, where kernel is the sum of the squares of an output's gradients by all
      weights, the tangent kernel (Jacot et al., 2018); descent on squared error is unstable from some such product on.
    - `impulse`: how far a gradient that comes in the second step and dwarfs every other moves a weight under Adam, over
      all later steps, in learning rates.
    - `batch`: the batch size.
    - `shared`, no logarithm: what the background has of the sum of all squared pixels, which every image shares.
    """
    found, square = layers(configuration), input_square(configuration.task)
    optimizer, first, last = configuration.optimizer, found[0], found[-1]
    descent = optimizer.name in DESCENT
    momentum = optimizer.momentum if optimizer.name == "momentum" else 0.0
    rate, factors = math.log(optimizer.learning_rate), math.log(len(found))
    damping = 0.0 if descent else math.log1p(optimizer.epsilon / GRADIENT)
    fan_in = _mean([math.log(layer.shape.fan_in) for layer in found])
    units = _mean([math.log(layer.shape.units) for layer in found[:-1]])
    wide = max(units - WIDE, 0.0)
    carried_on = 0.0 if descent else math.log(impulse(optimizer.b1, optimizer.b2))
    return {
        "rate": rate,
        "momentum": -math.log1p(-momentum),
        "fan_in": fan_in,
        "factors": factors,
        "damping": damping,
        "step": rate - damping + factors + fan_in / 2,
        "scale": math.log(configuration.model.initial_scale),
        "input": math.log(first.spread / first.deviation),
        "brightness": min(math.log(square.max()) / 2, BRIGHT),
        "positions": math.log(math.prod(last.shape.kernel)),
        "units": units,
        "hidden": _mean([math.log(layer.shape.fan_in) for layer in found[1:-1] or found[:1]]),
        "wide": wide,
        "carried": 0.0 if descent else wide * (carried_on - math.log(impulse(*USUAL_DECAYS))),
        "instability": math.log1p(optimizer.learning_rate * _tangent_kernel(found) / STABLE),
        "impulse": carried_on,
        "batch": math.log(configuration.batch_size),
        "shared": float(min(square[0, 0] * square.size / square.sum(), 1.0)),
    }


@cache
def impulse(b1: float, b2: float) -> float:
    """The sum over t from 2 on of m_t / sqrt(v_t), Adam's moments with their correction of an impulse at t = 2."""
    step = np.arange(2, IMPULSE_STEPS)
    first = (1 - b1) * b1 ** (step - 2.0) / (1 - b1**step)
    second = (1 - b2) * b2 ** (step - 2.0) / (1 - b2**step)
    with np.errstate(divide="ignore", invalid="ignore"):
        return float(np.nansum(np.where(first > 0, first / np.sqrt(second), 0.0)))


def _tangent_kernel(found: Sequence[Layer]) -> float:
    """An output's gradient reaches one unit of the last layer alone."""
    hidden = sum(layer.shape.units * layer.shape.fan_in * layer.gradient**2 for layer in found[:-1])
    return hidden + found[-1].shape.fan_in * found[-1].gradient ** 2


def _mean(numbers: Sequence[float]) -> float:
    return sum(numbers) / len(numbers)
