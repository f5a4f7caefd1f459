"""The best linear approximation of any function of the image, such as a network: its weights, and how much it explains.

Among w . X + b, X the image's pixels, it minimises the mean squared difference to f(X) over positions and noise:
w = S^-1 c with S = Cov(X), c = Cov(X, f), and it explains c . S^-1 c of the variance of f.

- **Without noise it is f itself.** The N clean images are linearly independent (their Gram matrix T_y kron T_x has
  full rank, `analysis.moments`), so every function of the position is linear in the pixels on the lattice, however it
  was computed. The weights of least norm are a kernel interpolation; the share is 1.
- Under noise of variance s2 a pixel, S is known: E[t t'] + s2 I - m m', where E[t t'] = B kron A for the clean image t
  is diagonalised axis by axis, and the mean image m is a correction of rank one (Sherman and Morrison 1950). Only c is
  estimated, from one noisy image of each position or from as many as are asked for. c . S^-1 c of an estimated c is too
  large by tr(S^-1 Cov(c)), which is estimated from the images, but for what f's own spread at one position adds, and
  subtracted. What is left of that was within .7 standard errors in all that was tried, and mostly within a tenth.
"""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int
from scipy.linalg import cho_factor, cho_solve, toeplitz
from scipy.sparse.linalg import LinearOperator, cg

from analysis import closed_forms
from analysis.bayes import Estimate
from analysis.moments import box_pictures, channel
from jaxbox import task as tasks
from jaxbox.config import Task

TOLERANCE, ROUNDS = 1e-8, 200
"""Of conjugate gradients: where they stop, and at the latest."""


class Whitening(NamedTuple):
    """S of the module's docstring, diagonalised: `along_y` kron `along_x` are eigenvectors of S + m m'."""

    along_y: Float[np.ndarray, "H H"]
    along_x: Float[np.ndarray, "W W"]
    values: Float[np.ndarray, "H W"]
    mean: Float[np.ndarray, "H W"]
    """The mean image, rotated."""

    def rotate(self, pictures: Float[np.ndarray, "... H W"]) -> Float[np.ndarray, "... H W"]:
        """Pictures in the basis of eigenvectors."""
        return self.along_y.T @ pictures @ self.along_x

    def solve(self, rotated: Float[np.ndarray, "... H W"]) -> Float[np.ndarray, "... H W"]:
        """S^-1 of rotated pictures."""
        rest = self.mean / self.values
        share = np.tensordot(rotated, rest, axes=2) / (1 - np.sum(self.mean * rest))
        return rotated / self.values + share[..., None, None] * rest

    @property
    def trace(self) -> float:
        """tr S^-1."""
        rest = self.mean / self.values
        return float(np.sum(1 / self.values) + np.sum(rest**2) / (1 - np.sum(self.mean * rest)))

    @property
    def square_trace(self) -> float:
        """tr S^-2."""
        rest = self.mean / self.values
        scale = 1 / (1 - np.sum(self.mean * rest))
        crossed = np.sum(rest**2 / self.values)
        return float(np.sum(self.values**-2.0) + 2 * scale * crossed + scale**2 * np.sum(rest**2) ** 2)


def whitening(task: Task) -> Whitening:
    """The covariance of a noisy image, averaged over channels, diagonalised. O(H^3 + W^3).

    Raises:
        ValueError: a task without noise, or without a linear closed form.
    """
    seen = channel(task)
    if not seen.variance > 0:
        raise ValueError(
            f"task.noise is {task.noise!r} of level {task.noise_level}; it must be noise of a level above 0"
        )
    (down, across), (rows, columns) = _indicators(task), tasks.position_shape(task)
    values_y, along_y = np.linalg.eigh(down.T @ down / rows)
    values_x, along_x = np.linalg.eigh(across.T @ across / columns)
    mean = seen.scale * np.outer(along_y.T @ down.mean(0), along_x.T @ across.mean(0))
    values = seen.scale**2 * np.outer(values_y, values_x) + seen.variance / task.channels
    return Whitening(along_y, along_x, values, mean)


def linear_share(
    task: Task, images: Float[np.ndarray, "n H W C"] | None, outputs: Float[np.ndarray, "n k"]
) -> Estimate:
    """The share of each output's variance that its best linear approximation explains, (k,), with a standard error.

    Args:
        images: inputs of the task, each position as often as every other; without noise they are not looked at.
        outputs: what k functions say of them.

    Without noise it is 1, and NaN for an output that is constant; with it an estimate, not clipped to [0, 1], which
    needs sqrt(2 H W) / n small. O(n H W (H + W + k)). Several channels are averaged: what a function does with the
    differences between them counts as not explained.

    Raises:
        ValueError: a task without a linear closed form.
    """
    closed_forms.require(task, closed_forms.LINEAR)
    centred = outputs - outputs.mean(0)
    variance = np.mean(centred**2, axis=0)
    varies = np.ptp(outputs, axis=0) > 0
    if channel(task).variance == 0 or images is None:
        return Estimate(np.where(varies, 1.0, np.nan), np.where(varies, 0.0, np.nan))
    white, noise, count = whitening(task), channel(task).variance / task.channels, len(images)
    shifted = white.rotate(images.mean(axis=3) - channel(task).offset) - white.mean
    lengths = np.sum(shifted * white.solve(shifted), axis=(1, 2))
    covariance = np.tensordot(centred, shifted, axes=(0, 0)) / count
    # Of an image's length S^-1 the clean part is no error of c.
    excess = centred.T**2 @ (lengths - (white.values.size - noise * white.trace)) / count**2
    with np.errstate(invalid="ignore", divide="ignore"):
        share = (np.sum(covariance * white.solve(covariance), axis=(1, 2)) - excess) / variance
    share = np.where(varies, share, np.nan)
    # Of a quadratic form in an estimate: the square's own variance, and four times what the estimate adds to the value.
    square = 2 * noise**2 * white.square_trace / count**2
    return Estimate(share, np.sqrt(square + 4 * np.maximum(share, 0.0) / count))


def weights(
    task: Task, images: Float[np.ndarray, "n H W C"], outputs: Float[np.ndarray, "n k"]
) -> Float[np.ndarray, "k H W"]:
    """The weights of the best linear approximation of k functions, in output per unit of input, as pictures.

    Args:
        images: without noise those of all positions, in order; otherwise any inputs of the task.
        outputs: what the functions say of them.

    Without noise they are the least that reproduce the outputs, with a free intercept, O(P^3). With noise they are
    ordinary least squares, by conjugate gradients whose preconditioner is the known S^-1: some ten rounds of O(n H W).
    The squared error of an estimate is then about H W / n times what is not linear, and 0 for a linear function.

    Raises:
        ValueError: a task without a linear closed form.
    """
    closed_forms.require(task, closed_forms.LINEAR)
    if channel(task).variance == 0:
        return _interpolation(task, outputs)
    return _least_squares(whitening(task), images.mean(axis=3), outputs)


def _least_squares(
    white: Whitening, images: Float[np.ndarray, "n H W"], outputs: Float[np.ndarray, "n k"]
) -> Float[np.ndarray, "k H W"]:
    shape, count = images.shape[1:], len(images)
    pixels = (images - images.mean(0)).reshape(count, -1)

    def covariance(weights: Float[np.ndarray, " pixels"]) -> Float[np.ndarray, " pixels"]:
        return pixels.T @ (pixels @ weights) / count

    def precondition(weights: Float[np.ndarray, " pixels"]) -> Float[np.ndarray, " pixels"]:
        found = white.solve(white.rotate(weights.reshape(shape)))
        return (white.along_y @ found @ white.along_x.T).reshape(-1)

    square = (pixels.shape[1],) * 2
    operator, preconditioner = LinearOperator(square, covariance), LinearOperator(square, precondition)
    found = []
    for output in outputs.T:
        right = pixels.T @ (output - output.mean()) / count
        found.append(cg(operator, right, rtol=TOLERANCE, maxiter=ROUNDS, M=preconditioner)[0].reshape(shape))
    return np.stack(found)


def _interpolation(task: Task, outputs: Float[np.ndarray, "N k"]) -> Float[np.ndarray, "k H W"]:
    """Weights of least norm with w . image + b = output at every position, for the best b."""
    rows, columns = tasks.position_shape(task)
    factors = [cho_factor(_gram(count, closed_forms.box_side(task))) for count in (rows, columns)]

    def solve(values: Float[np.ndarray, "k P_y P_x"]) -> Float[np.ndarray, "k P_y P_x"]:
        return np.stack([cho_solve(factors[1], cho_solve(factors[0], value).T).T for value in values])

    ones, values = solve(np.ones((1, rows, columns))), outputs.T.reshape(-1, rows, columns)
    intercept = np.tensordot(values, ones[0], axes=2) / ones.sum()
    coefficients = solve(values - intercept[:, None, None])
    # Of pixels averaged over channels, whose Gram matrix is that of one channel.
    return box_pictures(task, coefficients) / tasks.input_scale(task).scale


def _gram(positions: int, box_size: int) -> Float[np.ndarray, "P P"]:
    return toeplitz(np.maximum(box_size - np.arange(positions), 0)).astype(float)


def _indicators(task: Task) -> tuple[Int[np.ndarray, "P_y H"], Int[np.ndarray, "P_x W"]]:
    """Which rows, and which columns, a box at each place covers."""
    rows, columns = tasks.position_shape(task)
    start_y, start_x = task.margin_top + np.arange(rows), task.margin_left + np.arange(columns)
    return _covered(start_y, task.height, closed_forms.box_side(task)), _covered(
        start_x, task.width, closed_forms.box_side(task)
    )


def _covered(start: Int[np.ndarray, " P"], pixels: int, box_size: int) -> Int[np.ndarray, "P pixels"]:
    after = np.arange(pixels) - start[:, None]
    return ((after >= 0) & (after < box_size)).astype(int)
