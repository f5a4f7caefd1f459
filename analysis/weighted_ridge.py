"""Kernel ridge regression with a free intercept on all positions of a box, each weighted by its probability.

Minimise sum_i p_i (w . t_i + b - z_i)^2 + penalty |w|^2 over w and b, t_i the clean images. With R = diag(sqrt p), w is
a sum of images with coefficients R a, and (Saunders, Gammerman and Vovk 1998, ICML)

    a = (R K R + penalty)^-1 R (z - b),    b = 1'R (R K R + penalty)^-1 R z / 1'R (R K R + penalty)^-1 R 1,
    minimum = penalty (z - b)'R (R K R + penalty)^-1 R (z - b),

K the Gram matrix T_y kron T_x (`analysis.moments`). Where p is a product over the axes, so is R K R, and one
eigendecomposition an axis solves it. Nothing is subtracted from anything near itself, as the correction of a covariance
for its mean would do at little noise.
"""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from analysis.moments import gram


class Axis(NamedTuple):
    """One axis of R K R: eigenvalues and eigenvectors, and sqrt p."""

    values: Float[np.ndarray, " P"]
    vectors: Float[np.ndarray, "P P"]
    root: Float[np.ndarray, " P"]

    def rotate(self, numbers: Float[np.ndarray, " P"]) -> Float[np.ndarray, " P"]:
        """R times these numbers, in the basis of eigenvectors."""
        return self.vectors.T @ (self.root * numbers)


class Fit(NamedTuple):
    """Coefficients of the clean images, the intercept b, and the least value."""

    coefficients: Float[np.ndarray, "P_across P_along"]
    intercept: float
    minimum: float


def axis(probability: Float[np.ndarray, " P"], box_size: int) -> Axis:
    """One axis, whose places have these probabilities. O(P^3)."""
    root = np.sqrt(probability)
    values, vectors = np.linalg.eigh(root[:, None] * gram(len(root), box_size) * root)
    return Axis(np.maximum(values, 0.0), vectors, root)


def fit(across: Axis, along: Axis, targets: Float[np.ndarray, " P_along"], penalty: float) -> Fit:
    """The regression on a coordinate that varies along one axis and not across it. `penalty` is greater than 0."""
    ones = np.outer(across.rotate(np.ones(len(across.root))), along.rotate(np.ones(len(along.root))))
    signal = np.outer(across.rotate(np.ones(len(across.root))), along.rotate(targets))
    total = np.outer(across.values, along.values) + penalty
    intercept = np.sum(ones * signal / total) / np.sum(ones**2 / total)
    rest = signal - intercept * ones
    coefficients = across.vectors @ (rest / total) @ along.vectors.T * np.outer(across.root, along.root)
    return Fit(coefficients, float(intercept), float(penalty * np.sum(rest**2 / total)))
