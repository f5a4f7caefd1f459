"""The nearest-neighbour estimate of mutual information, and what prepares numbers for it. NumPy and SciPy only.

Kraskov, Stoegbauer and Grassberger 2004, Phys. Rev. E 69, 066138, algorithm 1: psi(k) + psi(n) - <psi(n_y + 1) +
psi(n_yhat + 1)>, in nats. `analysis.information` says what it is good for and checks what it is given.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy.spatial import KDTree
from scipy.special import digamma

if TYPE_CHECKING:  # the signatures alone need it, and `diagnose` is to run on NumPy and SciPy
    from jaxtyping import Float

# Neighbours at equal distance have no order; scikit-learn breaks ties with noise of the same relative size.
TIE_BREAK = 1e-10


def blurred(
    values: Float[np.ndarray, "n d"], spacings: Float[np.ndarray, " d"], random: np.random.Generator
) -> Float[np.ndarray, "n d"]:
    """Columns plus uniform noise one spacing wide: they have a density, and can still be read off.

    Constant columns stay so: dither would only disguise that there is nothing to know.
    """
    return values + random.uniform(-0.5, 0.5, values.shape) * spacings * (np.ptp(values, axis=0) > 0)


def standardized(values: Float[np.ndarray, "n d"]) -> Float[np.ndarray, "n d"]:
    """Mean 0 and variance 1; a constant column becomes exactly 0, where rounding would leave noise to be scaled up."""
    constant = np.ptp(values, axis=0) == 0
    centred = np.where(constant, 0.0, values - values.mean(0))
    return centred / np.where(constant, 1.0, centred.std(0))


def untied(values: Float[np.ndarray, "n d"], random: np.random.Generator) -> Float[np.ndarray, "n d"]:
    """Standardized columns without equal entries, by noise far too small to matter; constant ones stay 0."""
    return values + TIE_BREAK * random.standard_normal(values.shape) * values.any(0)


def smallest_gap(column: Float[np.ndarray, " n"]) -> float:
    """The smallest difference of distinct numbers where some repeat; 0 where none does, or all do."""
    distinct = np.unique(column)
    return 0.0 if len(distinct) in (1, len(column)) else float(np.diff(distinct).min())


def kraskov(some: Float[np.ndarray, "n d"], others: Float[np.ndarray, "n d"], neighbours: int = 3) -> float:
    """I of pairs without ties, on scales that compare, in nats; exactly 0 if either side is 0 everywhere."""
    if not (some.any() and others.any()):
        return 0.0
    pairs = np.hstack([some, others])
    distance = np.asarray(KDTree(pairs).query(pairs, neighbours + 1, p=np.inf)[0])[:, -1]
    # Strictly within the distance. A count holds the point itself, which is the + 1 of the formula.
    radius = np.nextafter(distance, 0)
    counts = (KDTree(v).query_ball_point(v, radius, p=np.inf, return_length=True) for v in (some, others))
    means = sum(digamma(count).mean() for count in counts)
    return float(digamma(neighbours) + digamma(len(some)) - means)
