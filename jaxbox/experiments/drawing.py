"""How the settings of the map of the collapse are drawn.

Everything that is said to matter varies at once, so that a law cannot live off what happened to be held fixed. The
draws are those of Python's own generator, which are the same everywhere.
"""

import math
import random
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from jaxbox.config import Configuration, change, settle
from jaxbox.experiments.settings import box

RATES = {"adam": (0.005, 0.3), "momentum": (0.003, 1.0), "sgd": (0.03, 10.0)}
"""The learning rates of each rule, from where hardly any network dies to where nearly all do."""
ANY_RULE = ("adam",) * 4 + ("momentum", "sgd")
"""Optimisers of all others, drawn among these."""


def drawn(
    programs: int,
    draws: int,
    first: int,
    contrasts: tuple[float, float] | None = None,
    rates: Mapping[str, tuple[float, float]] = RATES,
    **kind: Any,
) -> Iterator[Configuration]:
    """Settings of `programs` combinations of sizes, each with its own draws, which its number decides, from `first` on.

    Args:
        contrasts: limits of the box's, none of which is then at the default.
        rates: limits of the learning rate, by optimiser.
        **kind: what the sizes are chosen among, as `_sizes` takes it.
    """
    for number in range(first, first + programs):
        generator = random.Random(number)
        sizes = _sizes(generator, **kind)
        for _ in range(draws):
            numbers = _numbers(sizes, generator, rates)
            if contrasts is not None:
                numbers["task.contrast"] = _between(generator, *contrasts)
            yield settle(change(sizes, numbers))


def _sizes(
    generator: random.Random,
    layers: Sequence[int] = (2, 3),
    width: tuple[int, int] = (6, 32),
    kernel: Sequence[int] = (3, 5),
    size: Sequence[int] = (16, 24),
    inputs: str = "dimmed",
    initialization: str = "glorot",
    rules: Sequence[str] = ANY_RULE,
    batch_size: Sequence[int] = (32, 64, 128),
    features: tuple[int, ...] = (),
    eval_every: int = 10,
) -> Configuration:
    """What makes a program, chosen among these; `features` are each layer's channels where they are not to be drawn."""
    depth, side = _one_of(generator, layers), _one_of(generator, size)
    fields = {
        "task.height": side,
        "task.width": side,
        "task.inputs": inputs,
        "model.initialization": initialization,
        "model.features": features or tuple(round(_between(generator, *width)) for _ in range(depth)),
        "model.kernel_size": _one_of(generator, kernel),
        "optimizer.name": _one_of(generator, rules),
        "batch_size": _one_of(generator, batch_size),
        "probe": "early",
        "eval_positions": 0,  # a unit counts as dead if no image at all lights it
    }
    return box(steps=50, eval_every=eval_every, **fields)


def _numbers(
    sizes: Configuration, generator: random.Random, rates: Mapping[str, tuple[float, float]]
) -> dict[str, float]:
    """What settings of one program differ in; each but the rate is at its default in half of them."""
    rule = sizes.optimizer.name
    found = {
        "optimizer.learning_rate": _between(generator, *rates[rule]),
        "model.initial_scale": _or_default(generator, 1.0, (0.25, 4.0)),
    }
    if sizes.task.inputs == "dimmed":
        found["task.contrast"] = _or_default(generator, 1.0, (0.1, 3.0))
    if rule == "adam":
        found["optimizer.epsilon"] = _or_default(generator, 1e-7, (1e-9, 0.1))
        found["optimizer.b1"] = _one_less(_or_default(generator, 0.1, (0.05, 1.0)))
        found["optimizer.b2"] = _one_less(_or_default(generator, 0.001, (0.0001, 0.1)))
    elif rule == "momentum":
        found["optimizer.momentum"] = _one_less(_or_default(generator, 0.1, (0.05, 1.0)))
    return found


# `random` alone is promised to draw the same numbers in every version of Python; `choice` and the others are not.
def _one_of(generator: random.Random, values: Sequence[Any]) -> Any:
    return values[int(generator.random() * len(values))]


def _between(generator: random.Random, least: float, most: float) -> float:
    """Log-uniformly, to three digits."""
    return float(f"{least * math.exp(generator.random() * math.log(most / least)):.3g}")


def _or_default(generator: random.Random, default: float, limits: tuple[float, float]) -> float:
    return default if generator.random() < 0.5 else _between(generator, *limits)


def _one_less(number: float) -> float:
    return round(1 - number, 6)
