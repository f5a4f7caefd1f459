"""Which sums of rows to multiply so that two outputs of a column, one below the other, take fewer products.

Rows of an image and of a kernel that lie alike against the stride are a filter of r taps, of which two outputs take
r + 1 products rather than 2 r: the minimal filters F(2, r) of Winograd (Arithmetic Complexity of Computations, 1980;
Lavin and Gray, arXiv:1509.09308). Those of up to 3 taps multiply by 1, -1 and 1/2 only, so that they round as little as
plain sums do; a longer filter is several of these. A kernel of 5 rows at stride 2 takes 7 products instead of 10.
"""

from collections.abc import Sequence
from functools import cache, reduce
from typing import NamedTuple

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

Matrix = Float[np.ndarray, "_ _"]


class Filter(NamedTuple):
    """Three matrices: the two outputs are `of_products` (2, n) times the n products, element by element, of `of_rows`
    times the rows below and `of_kernel` times the kernel's rows."""

    of_rows: Matrix
    of_kernel: Matrix
    of_products: Matrix


SHORT = {
    1: Filter(np.eye(2), np.ones((2, 1)), np.eye(2)),
    2: Filter(
        np.array([[1.0, -1, 0], [0, 1, 0], [0, -1, 1]]),
        np.array([[1.0, 0], [1, 1], [0, 1]]),
        np.array([[1.0, 1, 0], [0, 1, 1]]),
    ),
    3: Filter(
        np.array([[1.0, 0, -1, 0], [0, 1, 1, 0], [0, -1, 1, 0], [0, -1, 0, 1]]),
        np.array([[1.0, 0, 0], [0.5, 0.5, 0.5], [0.5, -0.5, 0.5], [0, 0, 1]]),
        np.array([[1.0, 1, 1, 0], [0, 1, -1, 1]]),
    ),
}
"""By the number of taps: F(2, 1) to F(2, 3)."""


@cache
def two_outputs(kernel_size: int, stride: int) -> Filter:
    """For a kernel of K rows and the stride + K rows that two outputs see."""
    parts = []
    for phase in range(min(stride, kernel_size)):
        taps = range(phase, kernel_size, stride)
        parts += [taps[start : start + max(SHORT)] for start in range(0, len(taps), max(SHORT))]
    placed = [_placed(SHORT[len(taps)], taps, kernel_size, stride) for taps in parts]
    of_rows, of_kernel, of_products = zip(*placed, strict=True)
    return Filter(np.concatenate(of_rows), np.concatenate(of_kernel), np.concatenate(of_products, axis=1))


def _placed(short: Filter, taps: range, kernel_size: int, stride: int) -> Filter:
    """A short filter of these rows of the kernel, with zeros for all others."""
    of_rows = np.zeros((len(short.of_rows), stride + kernel_size))
    of_kernel = np.zeros((len(short.of_kernel), kernel_size))
    of_rows[:, taps[0] : taps[-1] + stride + 1 : stride] = short.of_rows
    of_kernel[:, taps[0] : taps[-1] + 1 : stride] = short.of_kernel
    return Filter(of_rows, of_kernel, short.of_products)


def sums(matrix: Matrix, parts: Sequence[Array]) -> list[Array]:
    """`matrix` (n, m) times m arrays of one shape; of zeros and ones nothing is computed."""
    return [_sum(row, parts) for row in matrix]


def _sum(weights: Float[np.ndarray, " m"], parts: Sequence[Array]) -> Array:
    signed = {1.0: lambda part: part, -1.0: jnp.negative}
    weighed = [(float(weight), part) for weight, part in zip(weights, parts, strict=True) if weight]
    terms = [signed[weight](part) if weight in signed else weight * part for weight, part in weighed]
    return reduce(jnp.add, terms) if terms else jnp.zeros_like(parts[0])
