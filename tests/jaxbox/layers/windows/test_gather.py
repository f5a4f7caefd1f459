"""Lookup, placement and moving sums, and their gradients, against loops and NumPy."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxbox.layers.windows import gather


def test_take_and_its_gradient_equal_a_loop():
    table, index = np.random.default_rng(0).normal(size=(4, 2, 3)), np.array([3, 0, 3, 1, 3])
    weights = np.random.default_rng(1).normal(size=(5, 2, 3))
    value, pull = jax.vjp(lambda table: gather.take(table, index), jnp.asarray(table, jnp.float32))
    expected = np.zeros_like(table)
    for row, weight in zip(index, weights, strict=True):
        expected[row] += weight
    np.testing.assert_array_equal(value, table[index].astype(np.float32))
    np.testing.assert_allclose(pull(jnp.asarray(weights, jnp.float32))[0], expected, atol=1e-6)


@pytest.mark.parametrize(("shape", "least"), [((3, 7), -5), ((6, 2), -5), ((3, 2), 1)])
def test_place_and_its_gradient_equal_a_loop(shape, least):
    generator = np.random.default_rng(0)
    values, weights = generator.normal(size=(9, 4, 3, 2)), generator.normal(size=(9, *shape, 2))
    starts = generator.integers(least, 8, (2, 9))
    expected, gradient = np.zeros((9, *shape, 2)), np.zeros(values.shape)
    for n, i, j in np.ndindex(9, 4, 3):
        row, column = starts[0, n] + i, starts[1, n] + j
        if 0 <= row < shape[0] and 0 <= column < shape[1]:
            expected[n, row, column] = values[n, i, j]
            gradient[n, i, j] = weights[n, row, column]
    first_pixels = (jnp.asarray(starts[0]), jnp.asarray(starts[1]))

    def placed(values):
        return gather.place(values, first_pixels, ((least, 7), (least, 7)), shape)

    ours, pull = jax.vjp(placed, jnp.asarray(values, jnp.float32))
    np.testing.assert_array_equal(ours, expected.astype(np.float32))
    np.testing.assert_array_equal(pull(jnp.asarray(weights, jnp.float32))[0], gradient.astype(np.float32))


@pytest.mark.parametrize("materialize", [False, True])
@pytest.mark.parametrize(("axis", "width"), [(0, 2), (1, 1), (1, 5)])
def test_moving_sum_and_its_gradient_equal_numpy(axis, width, materialize):
    values = np.random.default_rng(0).normal(size=(4, 5, 2)).astype(np.float32)
    weights = np.random.default_rng(1).normal(size=np.delete([4, 5, 2], axis)).astype(np.float32)
    ones = np.ones(width)
    weights = np.repeat(np.expand_dims(weights, axis), values.shape[axis] - width + 1, axis)
    weights *= np.arange(1, weights.size + 1).reshape(weights.shape) / 10
    ours, pull = jax.vjp(lambda values: gather.moving_sum(values, width, axis, materialize), jnp.asarray(values))
    expected = np.apply_along_axis(np.convolve, axis, values, ones, "valid")
    gradient = np.apply_along_axis(np.convolve, axis, weights, ones, "full")
    np.testing.assert_allclose(ours, expected, atol=2e-6)
    np.testing.assert_allclose(pull(jnp.asarray(weights))[0], gradient, atol=1e-5)
