"""Schedules: how the learning rate changes over the steps. Rows: `config.tables.SCHEDULES`.

A rate follows from the step alone, so nothing of it is kept in a checkpoint.
"""

from typing import Any, Protocol, runtime_checkable

import jax.numpy as jnp
import optax
from jaxtyping import Array, Int

from jaxbox.config import Configuration, Optimizer, tables


@runtime_checkable
class Schedule(Protocol):
    """What a row of the table of schedules must be."""

    def __call__(self, optimizer: Optimizer, steps: int) -> optax.Schedule:
        """From a step, counted from 0, to a factor of the learning rate; floats of `optimizer` may be traced.

        Args:
            steps: how many there are in all.
        """
        ...


def constant(optimizer: Optimizer, steps: int) -> optax.Schedule:
    """Always 1."""
    return optax.constant_schedule(1.0)


def cosine(optimizer: Optimizer, steps: int) -> optax.Schedule:
    """(1 + cos(pi step / steps)) / 2 (Loshchilov and Hutter, 2017, without restarts): 1 at first, 0 after the last."""
    return optax.cosine_decay_schedule(1.0, steps)


def step(optimizer: Optimizer, steps: int) -> optax.Schedule:
    """decay_factor, once more after every decay_every steps."""

    def factor(step: Any) -> Array:
        # Not optax.exponential_decay, which asks whether decay_factor is 0: it may be traced.
        return jnp.power(optimizer.decay_factor, step // optimizer.decay_every)

    return factor


def learning_rate(configuration: Configuration, step: Int[Array, ""]) -> float | Array:
    """The rate of a step, counted from 0.

    A warm-up (Goyal et al., 2017) multiplies the first rates by 1, 2, ... over warmup_steps: no step is without effect,
    and what comes later is as without a warm-up.
    """
    optimizer = configuration.optimizer
    schedule: Schedule = tables.load("optimizer.schedule", optimizer.schedule)
    rate: Any = optimizer.learning_rate * schedule(optimizer, configuration.steps)(step)
    if optimizer.warmup_steps:
        rate *= jnp.minimum(1, (step + 1) / optimizer.warmup_steps)
    return rate
