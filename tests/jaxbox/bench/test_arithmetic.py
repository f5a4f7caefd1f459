"""The operations of a step, counted one by one and by XLA."""

import dataclasses

import jax
import jax.numpy as jnp
import pytest

from jaxbox.bench import arithmetic
from jaxbox.config import Model


def met(size, kernel_size, stride):
    """Pairs of output and tap that meet a pixel, one by one; TensorFlow puts the odd zero of SAME behind."""
    outputs = -(-size // stride)
    before = max((outputs - 1) * stride + kernel_size - size, 0) // 2
    pixels = [output * stride + tap - before for output in range(outputs) for tap in range(kernel_size)]
    return sum(0 <= pixel < size for pixel in pixels)


@pytest.mark.parametrize("size", [1, 4, 5, 8, 16, 25])
@pytest.mark.parametrize(("kernel_size", "stride"), [(5, 2), (3, 1), (2, 2), (4, 3), (1, 2)])
def test_taps_are_those_that_meet_the_image(size, kernel_size, stride):
    assert arithmetic.taps(size, kernel_size, stride) == met(size, kernel_size, stride)


def test_operations_of_a_step_are_counted_one_by_one(configurations):
    first = met(9, 3, 2) * met(8, 3, 2) * 1 * 3
    second = met(5, 3, 2) * met(4, 3, 2) * 3 * 4
    head = 3 * 2 * 4 * 2
    assert arithmetic.layer_products(configurations["cnn"]) == [first, second, head]
    assert arithmetic.step_flops(configurations["cnn"]) == 2 * 16 * (2 * first + 3 * (second + head))
    assert arithmetic.step_flops(configurations["linear"]) == 2 * 16 * 2 * 72 * 2
    assert arithmetic.step_flops(configurations["mlp"]) == 2 * 16 * (2 * 72 * 6 + 3 * 6 * 2)


def test_operations_on_maps_are_counted_one_by_one(configurations):
    pixels, small, lopsided = 9 * 8, met(9, 3, 1) * met(8, 3, 1), met(9, 4, 1) * met(8, 4, 1)
    first, *others = pixels * (1 + 2) * 3, small * 3 * 4, small * 4 * 2
    assert arithmetic.layer_products(configurations["coordconv"]) == [first, *others]
    assert arithmetic.step_flops(configurations["coordconv"]) == 2 * 16 * (2 * first + 3 * sum(others))
    assert arithmetic.layer_products(configurations["soft_argmax"]) == [lopsided * 1 * 3, lopsided * 3 * 1]


def test_xla_counts_as_many_operations_of_a_dense_network(configurations):
    configuration = dataclasses.replace(configurations["mlp"], model=Model("mlp", hidden=(64,)), batch_size=64)

    def loss(weights, images, targets):
        hidden = jax.nn.relu(images @ weights[0])
        return jnp.mean((hidden @ weights[1] - targets) ** 2)

    shapes = (72, 64), (64, 2), (64, 72), (64, 2)
    first, second, images, targets = (jax.ShapeDtypeStruct(shape, jnp.float32) for shape in shapes)
    cost = jax.jit(jax.grad(loss)).lower((first, second), images, targets).compile().cost_analysis()
    assert cost["flops"] == pytest.approx(arithmetic.step_flops(configuration), rel=0.05)
