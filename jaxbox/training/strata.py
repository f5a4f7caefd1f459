"""Which positions an evaluation on the way looks at, where looking at all would take too long, and how far off it is.

The lattice is cut into cells of nearly equal size, the strata, and two positions are drawn in each, without
replacement. They are the same for every member and every evaluation, so that curves are smooth, members are compared on
the same images, and noise is drawn once for all. What is smooth over the lattice, as the error of a constant
prediction is, differs little within a cell, and a sample of cells hardly errs.
"""

import dataclasses
import math
from typing import Any, NamedTuple

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int

from jaxbox import task
from jaxbox.config import Configuration, tables

SEED = 2**31 - 2
"""The sample is drawn from it, whatever is trained."""


class Sample(NamedTuple):
    """Two positions of each stratum, and the only one of those that have no other.

    `index`, into `task.positions`, holds one of each pair, then the other of each, then the single ones. `shares` are
    N_h / (n_h N), what part of the N positions each stands for: they add up to 1. `left` is 1 - n_h / N_h, what part
    of each pair's stratum is not looked at.
    """

    index: Int[np.ndarray, " n"]
    shares: Float[np.ndarray, " n"]
    left: Float[np.ndarray, " pairs"]


def samples(configuration: Configuration, windows: bool | None = None) -> bool:
    """Whether evaluations on the way look at a sample of the positions: images are evaluated, and there are more.

    Args:
        windows: whether windows are used instead, for who must not ask a model from outside, which would be imported.
    """
    if not 0 < configuration.eval_positions < task.position_count(configuration.task):
        return False
    return not (tables.uses_windows(configuration) if windows is None else windows)


def settled(configuration: Configuration) -> Configuration:
    """The configuration with 0 for `eval_positions` where that is what it comes to: equal ones give equal numbers."""
    return configuration if samples(configuration) else dataclasses.replace(configuration, eval_positions=0)


def sample(configuration: Configuration) -> Sample:
    """The positions that an evaluation on the way looks at, `eval_positions` at most."""
    return draw(*task.position_shape(configuration.task), configuration.eval_positions, np.random.default_rng(SEED))


def steps_worth(configuration: Configuration) -> float:
    """How many steps take about as long as an evaluation of all positions: of an image, a step goes forward, and back,
    which is twice the work."""
    return task.position_count(configuration.task) / configuration.batch_size / 3


def draw(rows: int, columns: int, most: int, generator: np.random.Generator) -> Sample:
    """A stratified sample of a lattice: cells as nearly square as their number allows, two positions in each.

    Args:
        most: positions at most, 2 or more.
    """
    high, wide = _cells(rows, columns, most // 2)
    top, left = np.arange(high + 1) * rows // high, np.arange(wide + 1) * columns // wide
    heights, widths = (each.ravel() for each in np.meshgrid(np.diff(top), np.diff(left), indexing="ij"))
    tops, lefts = (each.ravel() for each in np.meshgrid(top[:-1], left[:-1], indexing="ij"))
    sizes = heights * widths
    first, shift = (generator.random((2, len(sizes))) * [sizes, sizes - 1]).astype(int)
    pairs = sizes > 1

    def index(place: Int[np.ndarray, " strata"]) -> Int[np.ndarray, " strata"]:
        return (tops + place // widths) * columns + lefts + place % widths

    one, other = index(first), index((first + 1 + shift) % sizes)
    counts = [sizes[pairs] / 2, sizes[pairs] / 2, sizes[~pairs]]
    return Sample(
        np.concatenate([one[pairs], other[pairs], one[~pairs]]),
        np.concatenate(counts) / (rows * columns),
        1 - 2 / sizes[pairs],
    )


def _cells(rows: int, columns: int, most: int) -> tuple[int, int]:
    """How many cells a lattice is cut into along its rows and its columns, `most` at most."""
    high = min(rows, most, max(1, round(math.sqrt(most * rows / columns))))
    return high, min(columns, most // high)


def standard_error(values: Float[Any, "rows n"], weights: Float[Any, " n"], sample: Sample) -> Float[Array, " rows"]:
    """Of each row's weighted mean over a sample, as an estimate of that over all positions.

    The variance is the sum over strata of (N_h / N)^2 (1 - n_h / N_h) s_h^2 / n_h (Cochran, Sampling Techniques, 3rd
    ed., eq. 5.13), where of two values s_h^2 = (a - b)^2 / 2; of a stratum that is seen whole it is 0. Under a law
    whose probabilities in the sample only nearly add up to 1, it is that of their ratio (ibid., section 6.11): the
    values count by what they differ from it.

    Args:
        weights: add up to 1.
    """
    weights, left = weights[None], sample.left.astype(np.float32)[None]
    off = (values - jnp.sum(values * weights, axis=1, keepdims=True)) * weights
    pairs = left.size
    between = off[:, :pairs] - off[:, pairs : 2 * pairs]
    return jnp.sqrt(jnp.sum(between**2 * left, axis=1))
