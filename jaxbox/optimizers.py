"""The table of optimisers: the configuration's optimizer, whose floats may be traced -> an optax transformation."""

from collections.abc import Callable

import optax

from jaxbox.config import Optimizer


def sgd(optimizer: Optimizer) -> optax.GradientTransformation:
    """Gradient descent; reads learning_rate."""
    return optax.sgd(optimizer.learning_rate)


def momentum(optimizer: Optimizer) -> optax.GradientTransformation:
    """Heavy-ball momentum (Polyak, 1964); reads learning_rate and momentum."""
    return optax.sgd(optimizer.learning_rate, momentum=optimizer.momentum)


def adam(optimizer: Optimizer) -> optax.GradientTransformation:
    """Adam (Kingma and Ba, 2015); reads learning_rate, b1, b2 and epsilon."""
    return optax.adam(optimizer.learning_rate, b1=optimizer.b1, b2=optimizer.b2, eps=optimizer.epsilon)


OPTIMIZERS: dict[str, Callable[[Optimizer], optax.GradientTransformation]] = {
    "sgd": sgd,
    "momentum": momentum,
    "adam": adam,
}
