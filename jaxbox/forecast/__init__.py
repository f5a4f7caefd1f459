"""The collapse before it happens: from a configuration alone, and (`early`) from what a network's first steps show.

found = forecast.expect(configuration)
found.rate            how probable it is that a layer dies
found.largest         the largest learning rate at which that is at most 1%
forecast.expect_after(configuration, alive, step=20)     the same, once some of its networks have been seen
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from jaxbox.config import Configuration, ConfigurationError
from jaxbox.forecast.scope import beyond, unknown

if TYPE_CHECKING:
    import numpy as np
    from jaxtyping import Float

__all__ = ["SAFE", "Expected", "beyond", "expect", "expect_after", "unknown"]

SAFE = 0.01
"""A rate of collapse that is taken for none."""


class Expected(NamedTuple):
    """What the law says of a configuration: the probability that a network loses a layer within its first 50 steps,
    and the largest learning rate at which that is at most `SAFE`, all else as it is; infinite if it always is."""

    rate: float
    largest: float


def expect(configuration: Configuration) -> Expected:
    """What the law of the collapse says of a configuration, without training; how far to trust it, `beyond` says.

    Raises:
        ConfigurationError: it is none that the law has a meaning for, with the field and what it may be, or there is no
            such network.
    """
    # Late: signals come with JAX, and whoever asks for help should not wait for it.
    from jaxbox.forecast import constants
    from jaxbox.forecast.law import probability, stretch
    from jaxbox.forecast.variables import DESCENT, variables

    if why := unknown(configuration):
        raise ConfigurationError(why)
    optimizer = configuration.optimizer
    try:
        known = variables(configuration)
    except ValueError as error:  # a kernel that is larger than what is left of the image
        raise ConfigurationError(f"model: {error}") from None
    law = constants.DESCENT if optimizer.name in DESCENT else constants.ADAM
    return Expected(float(probability(law, known)), optimizer.learning_rate * stretch(law, known, SAFE))


def expect_after(configuration: Configuration, alive: Float[np.ndarray, "members layers"], step: int) -> float:
    """The rate of collapse of a configuration, once networks of it have been seen after a few steps.

    The mean of what is said of each of them, by the law and by the units that it has alive (`early.dying`).

    Args:
        alive: of each relu layer of each network, the share of its units that are above zero for some image, from 0 to
            1: 1 - `dead_fraction` of a run.
        step: how many steps have been taken.

    Raises:
        ConfigurationError: as `expect`.
        ValueError: no network.
    """
    from jaxbox.forecast import early

    if not len(alive):
        raise ValueError(f"alive has the shape {alive.shape}; it must be (members, layers), of one network or more")
    return float(early.dying(alive, step, expect(configuration).rate).mean())
