"""Optimisers: the configuration's optimizer, whose floats may be traced -> an optax transformation.

Rows: `config.tables.OPTIMIZERS`, which also say which fields each one reads.
"""

from typing import Protocol, runtime_checkable

import optax

from jaxbox.config import Optimizer


@runtime_checkable
class Rule(Protocol):
    """What a row of the table of optimisers must be."""

    def __call__(self, optimizer: Optimizer) -> optax.GradientTransformation:
        """The update rule; floats of `optimizer` may be traced."""
        ...


def sgd(optimizer: Optimizer) -> optax.GradientTransformation:
    """Gradient descent."""
    return optax.sgd(optimizer.learning_rate)


def momentum(optimizer: Optimizer) -> optax.GradientTransformation:
    """Heavy-ball momentum (Polyak, 1964)."""
    return optax.sgd(optimizer.learning_rate, momentum=optimizer.momentum)


def adam(optimizer: Optimizer) -> optax.GradientTransformation:
    """Adam (Kingma and Ba, 2015)."""
    return optax.adam(optimizer.learning_rate, b1=optimizer.b1, b2=optimizer.b2, eps=optimizer.epsilon)
