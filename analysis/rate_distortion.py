"""The information that a predictor of given mean squared error must carry, per coordinate, in nats.

A coordinate takes P equally likely places, `spacing` apart; a prediction is any real number. Then I(Y;Yhat) >= R(MSE),
the rate-distortion function (Shannon 1959; Berger, Rate Distortion Theory, 1971). With D = MSE / spacing^2,

    R(D) = max_{s >= 0} [V(s) - s D],   V(s) = min_q -mean_x ln f(x),   f(x) = sum_y q(y) exp(-s (x - y)^2).

Any q, optimal or not, gives the lower bound V(s) >= -mean ln f - ln max_y c(y), c(y) = mean_x exp(-s (x - y)^2) / f(x)
(Csiszar 1974): that is the certificate, and the maximum is over all real y. Blahut (1972) and Arimoto multiply
q by c until c <= 1 everywhere; the gap closes like one over the iterations. Minimising over q is also the maximum
likelihood of a Gaussian mixture, so Wang's constrained Newton method (2007, JRSS B 69) finds the same fixed
point in a few steps, with support points free to leave the lattice. Simpler and weaker: analysis.shannon.
"""

from functools import lru_cache
from typing import NamedTuple

import numpy as np
from jaxtyping import Float
from scipy.optimize import nnls, root_scalar

from analysis.shannon import SHANNON_EXCEEDS_ENTROPY, Numbers, in_spacings, shannon_bound

# Beyond this slope exp(-s) is below float64's resolution: R(D) = ln P - O(s D).
STEEPEST = 50.0
# Of one tangent's slope to the next.
RATIO = 1.005
# Newton stops at this gap between the running value and the certificate; the certificate adds at most RESOLUTION.
GAP, RESOLUTION, NEWTON_STEPS = 1e-7, 1e-9, 100


class Tangent(NamedTuple):
    """The line intercept - slope D under R(D): certified intercept, running (upper) intercept, where it touches."""

    lower: float
    upper: float
    distortion: float


def rate_distortion(mse: Numbers, positions: int, spacing: float) -> Float[np.ndarray, "*shape"]:
    """R(MSE) of one coordinate: a certified lower value, within 1e-5 nats of the truth.

    ln P at 0, 0 from the variance on. The coordinates are independent, so the R of both add. The first MSE on a
    lattice takes about ten tangents, of a time that grows as P^2 (some 0.03 s at P = 57), and thousands of them at most
    a few hundred: tangents are kept. Arguments and errors as `analysis.shannon.discrete_shannon_bound`.
    """
    distortion = in_spacings(mse, positions, spacing)
    return np.vectorize(_rate, otypes=[float])(distortion, positions)


def shannon_failure(positions: int, spacing: float) -> float:
    """The MSE below which the thread's `shannon_bound` exceeds R(D), hence claims what is false.

    Raises:
        ValueError: fewer than 2 positions, where nothing is to be learned; `spacing` not positive.
    """
    if positions < 2:
        raise ValueError(f"positions is {positions}; it must be at least 2")
    in_spacings(0.0, positions, spacing)

    def excess(distortion: float) -> float:
        return float(_rate(distortion, positions) - shannon_bound(distortion, positions, 1.0))

    bracket = (SHANNON_EXCEEDS_ENTROPY, (positions**2 - 1) / 12)
    return root_scalar(excess, bracket=bracket, xtol=1e-6).root * spacing**2


def tangent(slope: float, positions: int) -> Tangent:
    """The line of this slope under R(D), in spacings: what `rate_distortion` maximises over slopes.

    Raises:
        ValueError: `slope` is not positive.
    """
    if not slope > 0:
        raise ValueError(f"slope is {slope}; it must be positive")
    places = _places(positions)
    support, weights = _optimal_reproduction(places, slope)
    density = _kernel(places, support, slope) @ weights
    upper = -float(np.mean(np.log(density)))
    lower = upper - _log_supremum(places, 1 / density, slope)
    return Tangent(lower, upper, _distortion(places, support, weights, slope))


def _rate(distortion: float, positions: int) -> float:
    """The higher of the two tangents of the ladder that touch on either side of `distortion`."""
    if distortion >= (positions**2 - 1) / 12:
        return 0.0
    if distortion == 0:
        return float(np.log(positions))
    low, high = 0, _rungs(positions)
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if _rung(middle, positions).distortion >= distortion else (low, middle)
    lines = ((_rung(place, positions).lower, _rung_slope(place, positions)) for place in (low, high))
    return float(np.clip(max(start - slope * distortion for start, slope in lines), 0.0, np.log(positions)))


def _rungs(positions: int) -> int:
    """The last rung: of the slope STEEPEST, or a little more."""
    return int(np.ceil(np.log(STEEPEST / _rung_slope(0, positions)) / np.log(RATIO)))


def _rung_slope(place: int, positions: int) -> float:
    """Slopes in equal proportion, from 1 / (2 variance): a uniform variable is strictly sub-Gaussian, so R leaves 0 so.

    c has a maximum at each support point, so c'' <= 0 there, which says that D(s) <= 1 / (2 s): between neighbouring
    tangents R is missed by at most (RATIO - 1)^2 / 16 or so.
    """
    return float(6 / (positions**2 - 1) * RATIO**place)


@lru_cache(maxsize=2**16)
def _rung(place: int, positions: int) -> Tangent:
    """Tangents are kept, so that many errors on one lattice cost no more than the ladder."""
    if place == 0:
        # All is known there, and Newton would be slow: two support points have not yet parted.
        variance = (positions**2 - 1) / 12
        return Tangent(_rung_slope(0, positions) * variance, _rung_slope(0, positions) * variance, variance)
    return tangent(_rung_slope(place, positions), positions)


def _places(positions: int) -> Float[np.ndarray, " P"]:
    return np.arange(positions) - (positions - 1) / 2


def _distortion(places: np.ndarray, support: np.ndarray, weights: np.ndarray, slope: float) -> float:
    """E (x - y)^2 when x goes to y with probability q(y) exp(-s (x - y)^2) / f(x)."""
    kernel = _kernel(places, support, slope)
    squares = (places[:, None] - support) ** 2
    return float(np.mean((kernel * squares) @ weights / (kernel @ weights)))


def _kernel(places: np.ndarray, support: np.ndarray, slope: float) -> Float[np.ndarray, "P m"]:
    return np.exp(-slope * (places[:, None] - support) ** 2)


def _optimal_reproduction(places: np.ndarray, slope: float) -> tuple[np.ndarray, np.ndarray]:
    """Support and weights of the best q, by Wang's constrained Newton method from the lattice itself."""
    support, weights = places, np.full(len(places), 1 / len(places))
    width = 0.25 / (1 + np.sqrt(slope))
    grid = np.arange(places[0] - width, places[-1] + 2 * width, width)
    tables = _kernel(places, grid, slope)
    for _ in range(NEWTON_STEPS):
        multipliers = 1 / (_kernel(places, support, slope) @ weights) / len(places)
        better = _peaks(places, multipliers, slope, grid, multipliers @ tables)
        if not len(better):
            break
        support = np.concatenate([support, better])
        weights = np.concatenate([weights, np.zeros(len(better))])
        weights = _newton_step(_kernel(places, support, slope), weights)
        support, weights = support[weights > 0], weights[weights > 0]
    return support, weights


def _peaks(
    places: np.ndarray, multipliers: np.ndarray, slope: float, grid: np.ndarray, values: np.ndarray
) -> np.ndarray:
    """Where c, sampled as `values` on `grid`, has local maxima above 1 + GAP: Newton's method from the samples."""
    middle = values[1:-1]
    start = grid[1:-1][(middle >= values[:-2]) & (middle >= values[2:])]
    peak, width = start, grid[1] - grid[0]
    for _ in range(4):
        shares = multipliers[:, None] * _kernel(places, peak, slope)
        shares /= shares.sum(0)
        mean = places @ shares
        variance = (shares * (places[:, None] - mean) ** 2).sum(0)
        # (ln c)' = 2 s (mean - y), (ln c)'' = -2 s (1 - 2 s variance); without curvature, the ascent of mean shift.
        curvature = np.maximum(1 - 2 * slope * variance, 0.01)
        peak = np.clip(peak + (mean - peak) / curvature, start - width, start + width)
    return peak[multipliers @ _kernel(places, peak, slope) > 1 + GAP]


def _newton_step(kernel: Float[np.ndarray, "P m"], weights: Float[np.ndarray, " m"]) -> Float[np.ndarray, " m"]:
    """The weights after one Newton step: a non-negative least squares problem, then halving until it improves."""
    scaled = kernel / (kernel @ weights)[:, None]
    # A heavy row holds the sum at 1, and dividing by the sum does the rest.
    heavy = 1e3 * np.sqrt(len(kernel))
    target, _ = nnls(np.vstack([scaled, np.full(len(weights), heavy)]), np.append(np.full(len(kernel), 2.0), heavy))
    direction = target / target.sum() - weights
    change, before, step = scaled @ direction, 0.0, 1.0
    while step > 1e-9 and np.mean(np.log1p(np.maximum(step * change, -1 + 1e-12))) < before:
        step /= 2
    return np.maximum(weights + step * direction, 0.0)


def _log_supremum(places: np.ndarray, multipliers: np.ndarray, slope: float) -> float:
    """An upper bound, RESOLUTION above at most, of ln c(y) over all real y, by branch and bound.

    ln c(y) + s y^2 is convex (a log-sum-exp of lines), so on a cell it lies under its chord; c grows towards the
    lattice's ends from outside.
    """

    def log_c(at: np.ndarray) -> np.ndarray:
        return np.log(multipliers @ _kernel(places, at, slope) / len(places))

    width = 0.5 / (1 + np.sqrt(slope))
    edges = np.arange(places[0], places[-1] + width, width)
    left, values = edges[:-1], log_c(edges)
    at_left, at_right, highest = values[:-1], values[1:], values.max()
    while len(left):
        rise = (at_right - at_left) / width
        offset = np.clip((width + rise / slope) / 2, 0.0, width)
        open_ = at_left + rise * offset + slope * offset * (width - offset) > highest + RESOLUTION
        width /= 2
        middle = log_c(left[open_] + width)
        left = np.concatenate([left[open_], left[open_] + width])
        at_left, at_right = np.concatenate([at_left[open_], middle]), np.concatenate([middle, at_right[open_]])
        highest = max(highest, middle.max(initial=-np.inf))
    return float(highest + RESOLUTION)
