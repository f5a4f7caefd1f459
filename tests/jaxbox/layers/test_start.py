"""First values of kernels and biases: moments against the formulas, orthogonality, and what Lu et al. promise."""

import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

from jaxbox.config import Model, Task, tables
from jaxbox.layers import Start, start

SHAPES = {"conv": (32, 5, 5, 16), "dense": (50, 200)}
FANS = {"conv": (25 * 16, 25 * 32), "dense": (200, 50)}
UNIFORM = {
    "glorot": lambda fan_in, fan_out: 2 / (fan_in + fan_out),
    "he": lambda fan_in, fan_out: 2 / fan_in,
    "lecun": lambda fan_in, fan_out: 1 / fan_in,
}


def drawn(name, shape, seed=0, **numbers):
    kernel, bias = Start(name, **numbers).draw(jax.random.key(seed), shape)
    assert kernel.shape == shape
    assert bias.shape == shape[:1]
    return np.asarray(kernel, np.float64), np.asarray(bias, np.float64)


@pytest.mark.parametrize("kind", SHAPES)
@pytest.mark.parametrize("name", UNIFORM)
def test_uniform_rules_have_the_variance_of_their_fans(name, kind):
    kernel, bias = drawn(name, SHAPES[kind])
    variance, count = UNIFORM[name](*FANS[kind]), kernel.size
    assert np.abs(kernel).max() <= math.sqrt(3 * variance) * (1 + 1e-6)
    # Of a uniform variable of variance v the mean and the second moment have variances v and 4 v^2 / 5; five deviations.
    assert abs(kernel.mean()) <= 5 * math.sqrt(variance / count)
    assert abs((kernel**2).mean() - variance) <= 5 * variance * math.sqrt(0.8 / count)
    assert not bias.any()


def test_uniform_rules_draw_the_same_numbers_in_other_ranges():
    for name, shape in ((name, shape) for name in UNIFORM for shape in SHAPES.values()):
        ours, glorot = drawn(name, shape)[0], drawn("glorot", shape)[0]
        np.testing.assert_allclose(ours / ours.std(), glorot / glorot.std(), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("shape", [(6, 40), (40, 6), (5, 3, 3, 2), (30, 2, 2, 3)])
def test_orthogonal_kernels_have_orthogonal_units_or_inputs(shape):
    kernel, bias = drawn("orthogonal", shape)
    matrix = kernel.reshape(shape[0], -1)
    product = matrix @ matrix.T if len(matrix) <= len(matrix.T) else matrix.T @ matrix
    # Sums of at most 40 products of numbers whose squares add up to one: 40 u is 2e-6.
    np.testing.assert_allclose(product, np.eye(len(product)), atol=1e-5)
    assert not bias.any()


def test_orthogonal_kernels_point_anywhere():
    first = np.array([drawn("orthogonal", (2, 2), seed)[0][0] for seed in range(64)])
    assert np.abs(first.mean(axis=0)).max() <= 5 / math.sqrt(2 * 64)


@pytest.mark.parametrize("kind", SHAPES)
def test_asymmetric_units_have_one_positive_number_and_are_normal_otherwise(kind):
    kernel, bias = drawn("asymmetric", SHAPES[kind])
    inputs = math.prod(SHAPES[kind][1:])
    numbers = np.concatenate([kernel.reshape(len(bias), -1), bias[:, None]], axis=1)
    deviation = 0.6007 / math.sqrt(inputs)
    largest = numbers.argmax(axis=1)
    others = np.sort(numbers, axis=1)[:, :-1]
    # The normal numbers reach 4 deviations, 0.17: nearly always less than the one from Beta(2, 1).
    assert np.median(numbers.max(axis=1)) > 0.5
    assert numbers.max() <= 1
    assert abs((others**2).mean() / deviation**2 - 1) < 5 * math.sqrt(2 / others.size) + 3 / inputs * 16
    assert len(np.unique(largest)) > 0.8 * len(bias) * (1 - len(bias) / 2 / inputs), "it is another number in each unit"


def test_the_positive_number_follows_beta_2_1_and_can_be_the_bias():
    kernel, bias = drawn("asymmetric", (8000, 1))
    numbers = np.stack([kernel[:, 0], bias], axis=1)
    # With one input the other number is normal with deviation 0.6007: E of the sum 2/3, and of the sum's square
    # 0.6007^2 + 1/2, since Beta(2, 1) has the moments 2/3 and 1/2.
    total = numbers.sum(axis=1)
    assert abs(total.mean() - 2 / 3) < 5 * total.std() / math.sqrt(len(total))
    squares = total**2
    assert abs(squares.mean() - 0.6007**2 - 0.5) < 5 * squares.std() / math.sqrt(len(total))
    # Weight and bias are chosen equally often: both have the same law.
    difference = numbers @ [1, -1]
    assert abs(difference.mean()) < 5 * difference.std() / math.sqrt(len(total))
    assert abs(start.ASYMMETRIC_DEVIATION - 0.6007) < 1e-4


def born_dead(name, depth, width=2, seeds=400):
    """The share of relu networks on the line that are constant before training, on inputs on both sides of zero."""
    values = jnp.linspace(-1, 1, 65)[:, None]

    def network(key):
        hidden = values
        for layer_key in jax.random.split(key, depth):
            kernel, bias = Start(name).draw(layer_key, (width, hidden.shape[1]))
            hidden = jax.nn.relu(hidden @ kernel.T + bias[None])
        return (hidden.max(axis=0) - hidden.min(axis=0)).max() <= 1e-7 * hidden.max()

    return np.asarray(jax.vmap(network)(jax.random.split(jax.random.key(0), seeds))).mean()


def test_deep_narrow_relu_networks_are_born_dead_and_less_often_when_asymmetric():
    # He: with symmetric weights and no bias a layer of 2 units lets nothing through with probability 1/4 at least.
    assert born_dead("he", 10) > 1 - (1 - 0.25) ** 9 - 5 * 0.025
    assert born_dead("asymmetric", 10) < born_dead("he", 10) - 0.2


def test_the_factor_and_the_number_on_top_change_nothing_else_and_nothing_by_default():
    for name, shape in ((name, shape) for name in tables.INITIALIZATIONS for shape in SHAPES.values()):
        kernel, bias = drawn(name, shape)
        scaled, shifted = drawn(name, shape, scale=0.25, bias=0.5)
        np.testing.assert_array_equal(scaled, kernel / 4)
        np.testing.assert_allclose(shifted, bias + 0.5, rtol=1e-6)
        rule = tables.load("model.initialization", name)
        for ours, theirs in zip((kernel, bias), rule(jax.random.key(0), shape), strict=True):
            np.testing.assert_array_equal(ours, np.asarray(theirs, np.float64))


@pytest.mark.parametrize("name", ["cnn", "linear", "mlp"])
def test_every_layer_of_a_network_starts_as_the_model_says(name):
    model = Model(name, features=(3, 4), kernel_size=2, hidden=(5, 4), initialization="lecun")
    other = Model(
        **{**model.__dict__, "initial_scale": 3.0, "initial_bias": 0.5, "initialization": "lecun", "output": "relu"}
    )
    build = tables.load("model.name", name)
    task = Task(height=6, width=7, box_size=2)
    one, two = (
        nnx.to_pure_dict(nnx.state(build(chosen, task, 2, rngs=nnx.Rngs(params=0)), nnx.Param))
        for chosen in (model, other)
    )
    pairs = zip(jax.tree.leaves_with_path(one), jax.tree.leaves(two), strict=True)
    for (path, before), after in pairs:
        expected = before * 3 if path[-1].key == "kernel" else before + 0.5
        np.testing.assert_allclose(after, expected, rtol=1e-6)
