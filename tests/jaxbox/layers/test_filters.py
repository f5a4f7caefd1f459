"""Filters of two outputs in fewer products against the sums that they stand for."""

from fractions import Fraction

import jax.numpy as jnp
import numpy as np
import pytest

from jaxbox.layers.loops import filters

SIZES = [(1, 1), (2, 1), (3, 1), (4, 1), (7, 1), (1, 2), (2, 2), (3, 2), (5, 2), (6, 2), (7, 2), (2, 3), (5, 3), (8, 3)]


@pytest.mark.parametrize(("kernel_size", "stride"), SIZES)
def test_two_outputs_are_those_of_the_kernel_for_any_rows_exactly(kernel_size, stride):
    found = filters.two_outputs(kernel_size, stride)
    # Fractions do not round, and both sides are linear in rows and kernel: unit vectors decide for all.
    of_rows, of_kernel, of_products = ([[Fraction(x) for x in row] for row in matrix.tolist()] for matrix in found)
    for row in range(stride + kernel_size):
        for tap in range(kernel_size):
            products = [rows[row] * taps[tap] for rows, taps in zip(of_rows, of_kernel, strict=True)]
            for output, weights in enumerate(of_products):
                met = row == output * stride + tap
                assert sum(w * p for w, p in zip(weights, products, strict=True)) == met


@pytest.mark.parametrize(("kernel_size", "stride", "products"), [(5, 2, 7), (3, 1, 4), (2, 1, 3), (3, 2, 5), (5, 1, 7)])
def test_how_many_products_two_outputs_take(kernel_size, stride, products):
    assert len(filters.two_outputs(kernel_size, stride).of_kernel) == products < 2 * kernel_size


def test_sums_are_a_matrix_times_arrays():
    matrix, parts = np.array([[1, -1, 0], [0.5, 0, 0.5], [0, 0, 0], [0, 0, -1.0]]), np.arange(12.0).reshape(3, 2, 2)
    found = filters.sums(matrix, list(jnp.asarray(parts)))
    np.testing.assert_array_equal(found, np.tensordot(matrix, parts, 1))
