"""What the progress line says of members that have lost a layer, or are about to."""

import math
from collections.abc import Sequence
from functools import cache

import numpy as np
from jaxtyping import Float

from jaxbox import forecast
from jaxbox.config import Configuration, ConfigurationError
from jaxbox.forecast import early

LIKELY = 0.5
"""From this probability on a member is said to be dying."""


def words(configurations: Sequence[Configuration], dead: Float[np.ndarray, "members layers"], step: int) -> str:
    """A warning of some members, and the learning rate that the law of the collapse would take; empty without cause.

    Args:
        configurations: of each member.
        dead: the measure `dead_fraction` at `step`.
        step: at which it was measured.
    """
    rates = {id(each): each for each in configurations}  # few, of many members: hashing one takes time
    rates = {key: _expected(each).rate for key, each in rates.items()}
    probability = early.dying(1 - dead, step, np.array([rates[id(each)] for each in configurations]))
    lost = probability >= 1
    dying = (probability >= LIKELY) & ~lost & (step <= early.LAST_STEP)
    if not (lost | dying).any():
        return ""
    said = [
        f"{count} {what}" for count, what in ((lost.sum(), "have lost a layer"), (dying.sum(), "are dying")) if count
    ]
    first = configurations[int(np.argmax(lost | dying))]
    return f"of {len(dead)} members {', '.join(said)}{_cure(first)}"


@cache
def _expected(configuration: Configuration) -> forecast.Expected:
    """What the law says; NaN where it says nothing."""
    try:
        return forecast.expect(configuration)
    except ConfigurationError:
        return forecast.Expected(math.nan, math.nan)


def _cure(configuration: Configuration) -> str:
    largest = _expected(configuration).largest
    times = configuration.optimizer.learning_rate / largest
    return f": learning rate {times:.1f} times too high, the law takes {largest:.2g} (--advise)" if times > 1 else ""
