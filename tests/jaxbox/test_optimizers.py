"""Each update rule against its equations in NumPy, with hyperparameters that are traced."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxbox.config import Optimizer, tables

GRADIENTS = np.random.default_rng(0).normal(size=(6, 3))
HYPERPARAMETERS = {"learning_rate": 0.07, "momentum": 0.8, "b1": 0.6, "b2": 0.95, "epsilon": 1e-3}


def sgd(gradients, learning_rate, **_):
    return -learning_rate * gradients.sum(axis=0)


def momentum(gradients, learning_rate, momentum, **_):
    weights = velocity = np.zeros(gradients.shape[1])
    for gradient in gradients:
        velocity = momentum * velocity + gradient
        weights = weights - learning_rate * velocity
    return weights


def adam(gradients, learning_rate, b1, b2, epsilon, **_):
    """Algorithm 1 of Kingma and Ba (2015)."""
    weights = first = second = np.zeros(gradients.shape[1])
    for step, gradient in enumerate(gradients, start=1):
        first = b1 * first + (1 - b1) * gradient
        second = b2 * second + (1 - b2) * gradient**2
        first_hat, second_hat = first / (1 - b1**step), second / (1 - b2**step)
        weights = weights - learning_rate * first_hat / (np.sqrt(second_hat) + epsilon)
    return weights


REFERENCES = {"sgd": sgd, "momentum": momentum, "adam": adam}


def walk(name, hyperparameters, gradients):
    """Weights after the gradients, from zero."""
    rule = tables.load("optimizer.name", name)(Optimizer(name, **hyperparameters))
    weights = jnp.zeros(gradients.shape[1])
    state = rule.init(weights)
    for gradient in gradients:
        updates, state = rule.update(gradient, state, weights)
        weights = weights + updates
    return weights


@pytest.mark.parametrize("name", tables.OPTIMIZERS)
def test_rule_follows_its_equations(name):
    gradients = jnp.asarray(GRADIENTS, jnp.float32)
    together = jax.jit(jax.vmap(lambda floats: walk(name, floats, gradients)))
    # Two sets of hyperparameters in one program: every float is traced.
    sets = [HYPERPARAMETERS, {**HYPERPARAMETERS, "learning_rate": 0.3, "momentum": 0.1, "b1": 0.1, "b2": 0.5}]
    ours = together({field: jnp.array([values[field] for values in sets]) for field in HYPERPARAMETERS})
    for row, values in zip(ours, sets, strict=True):
        # Some 40 roundings of 6e-8; Adam divides by 1 - b2, which carries 20 times that.
        np.testing.assert_allclose(row, REFERENCES[name](GRADIENTS, **values), rtol=5e-5, atol=1e-6)


def test_every_rule_has_a_reference():
    assert set(tables.OPTIMIZERS) == set(REFERENCES)
