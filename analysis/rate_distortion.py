"""The information that a predictor of given mean squared error must carry, per coordinate, in nats.

A coordinate takes P places, `spacing` apart, by default equally likely; a prediction is any real number. Then
I(Y;Yhat) >= R(MSE), the rate-distortion function (Shannon 1959; Berger, Rate Distortion Theory, 1971). With
D = MSE / spacing^2,

    R(D) = max_{s >= 0} [V(s) - s D],   V(s) = min_q -mean_x ln f(x),   f(x) = sum_y q(y) exp(-s (x - y)^2),

means over x by the law of the places.

Any q, optimal or not, gives the lower bound V(s) >= -mean ln f - ln max_y c(y), c(y) = mean_x exp(-s (x - y)^2) / f(x)
(Csiszar 1974): that is the certificate, and the maximum is over all real y. Blahut (1972) and Arimoto multiply
q by c until c <= 1 everywhere; the gap closes like one over the iterations. Minimising over q is also the maximum
likelihood of a Gaussian mixture, so Wang's constrained Newton method (2007, JRSS B 69) finds the same fixed
point in a few steps, with support points free to leave the lattice. Simpler and weaker: analysis.shannon.
"""

import dataclasses
from functools import cached_property, lru_cache
from typing import NamedTuple

import numpy as np
from jaxtyping import Float
from scipy.optimize import nnls, root_scalar
from scipy.special import logsumexp

from analysis.shannon import (
    SHANNON_EXCEEDS_ENTROPY,
    Numbers,
    Probability,
    entropy_of,
    in_spacings,
    shannon_bound,
)

# Beyond this slope exp(-s) is below float64's resolution: R(D) = ln P - O(s D).
STEEPEST = 50.0
# Of one tangent's slope to the next.
RATIO = 1.005
# Newton stops at this gap between the running value and the certificate; the certificate adds at most RESOLUTION.
GAP, RESOLUTION, NEWTON_STEPS = 1e-7, 1e-9, 100
# Places that are rarer are left out: of P of them R is missed by less than P times this times STEEPEST squared ranges.
RAREST = 1e-12


class Tangent(NamedTuple):
    """The line intercept - slope D under R(D): certified intercept, running (upper) intercept, where it touches."""

    lower: float
    upper: float
    distortion: float


@dataclasses.dataclass(frozen=True, eq=False)
class Source:
    """A coordinate in units of spacings: its places, and how probable each is."""

    places: Float[np.ndarray, " P"]
    probability: Float[np.ndarray, " P"]
    uniform: bool

    @cached_property
    def mean(self) -> float:
        """Of the coordinate; the places of a uniform one are around 0."""
        return 0.0 if self.uniform else float(self.probability @ self.places)

    @cached_property
    def variance(self) -> float:
        """In squared spacings."""
        if self.uniform:
            return (len(self.places) ** 2 - 1) / 12
        return float(self.probability @ (self.places - self.mean) ** 2)

    @cached_property
    def entropy(self) -> float:
        """In nats."""
        return entropy_of(len(self.places), None if self.uniform else self.probability)

    @cached_property
    def first_slope(self) -> float:
        """That with which R leaves 0: the largest s at which the mean is the best prediction of all.

        The condition c <= 1 for q at the mean alone reads K(l) <= l^2 / (4 s) for all l, K(l) = ln E exp(l (x - mean)).
        A uniform variable is strictly sub-Gaussian, K(l) <= l^2 variance / 2, which is attained at 0.
        """
        if self.uniform:
            return 1 / (2 * self.variance)
        around = self.places - self.mean
        farthest = 4 * np.ptp(around) / self.variance
        slopes = np.geomspace(1e-3 / np.sqrt(self.variance), max(farthest, 1.0), 2000)
        slopes = np.concatenate([-slopes, slopes])
        logarithms = logsumexp(slopes[:, None] * around, axis=1, b=self.probability)
        # Beyond the farthest K is at most l times the range, and the quotient is above 1 / (2 variance).
        return float(min(np.min(slopes**2 / (4 * logarithms)), 1 / (2 * self.variance)))


def rate_distortion(
    mse: Numbers, positions: int, spacing: float, probability: Probability | None = None
) -> Float[np.ndarray, "*shape"]:
    """R(MSE) of one coordinate: a certified lower value, within 1e-5 nats of the truth.

    H(Y) at 0, 0 from the variance on. Coordinates that are independent add their R. The first MSE on a
    lattice takes about ten tangents, of a time that grows as P^2 (some 0.03 s at P = 57), and thousands of them at most
    a few hundred: tangents are kept. Arguments and errors as `analysis.shannon.discrete_shannon_bound`.
    """
    distortion, source = in_spacings(mse, positions, spacing), _source_of(positions, probability)
    return np.vectorize(lambda each: _rate(each, source), otypes=[float])(distortion)


def shannon_failure(positions: int, spacing: float) -> float:
    """The MSE below which the thread's `shannon_bound` exceeds R(D), hence claims what is false.

    Raises:
        ValueError: fewer than 2 positions, where nothing is to be learned; `spacing` not positive.
    """
    if positions < 2:
        raise ValueError(f"positions is {positions}; it must be at least 2")
    in_spacings(0.0, positions, spacing)
    source = _source_of(positions, None)

    def excess(distortion: float) -> float:
        return float(_rate(distortion, source) - shannon_bound(distortion, positions, 1.0))

    bracket = (SHANNON_EXCEEDS_ENTROPY, (positions**2 - 1) / 12)
    return root_scalar(excess, bracket=bracket, xtol=1e-6).root * spacing**2


def tangent(slope: float, positions: int, probability: Probability | None = None) -> Tangent:
    """The line of this slope under R(D), in spacings: what `rate_distortion` maximises over slopes.

    Raises:
        ValueError: `slope` is not positive.
    """
    if not slope > 0:
        raise ValueError(f"slope is {slope}; it must be positive")
    return _tangent(slope, _source_of(positions, probability))


def _tangent(slope: float, source: Source) -> Tangent:
    support, weights = _optimal_reproduction(source, slope)
    return _certified(source, support, weights, slope)


def _certified(
    source: Source, support: Float[np.ndarray, " m"], weights: Float[np.ndarray, " m"], slope: float
) -> Tangent:
    """The line of a reproduction q, the best or not."""
    density = _kernel(source.places, support, slope) @ weights
    upper = -float(source.probability @ np.log(density))
    lower = upper - _log_supremum(source.places, source.probability / density, slope)
    return Tangent(lower, upper, _distortion(source, support, weights, slope))


def _source_of(positions: int, probability: Probability | None) -> Source:
    entropy_of(positions, probability)
    return _source(positions, None if probability is None else tuple(np.asarray(probability, float).tolist()))


@lru_cache(maxsize=256)
def _source(positions: int, probability: tuple[float, ...] | None) -> Source:
    """One object for each law, by which tangents are kept."""
    places = np.arange(positions) - (positions - 1) / 2
    if probability is None:
        return Source(places, np.full(positions, 1 / positions), True)
    law = np.array(probability)
    there = law > RAREST * law.max()
    return Source(places[there], law[there] / law[there].sum(), False)


def _rate(distortion: float, source: Source) -> float:
    """The higher of the two tangents of the ladder that touch on either side of `distortion`."""
    if distortion >= source.variance:
        return 0.0
    if distortion == 0:
        return source.entropy
    low, high = 0, _rungs(source)
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if _rung(middle, source).distortion >= distortion else (low, middle)
    lines = ((_rung(place, source).lower, _rung_slope(place, source)) for place in (low, high))
    return float(np.clip(max(start - slope * distortion for start, slope in lines), 0.0, source.entropy))


def _rungs(source: Source) -> int:
    """The last rung: of the slope STEEPEST, or a little more."""
    return max(1, int(np.ceil(np.log(STEEPEST / source.first_slope) / np.log(RATIO))))


def _rung_slope(place: int, source: Source) -> float:
    """Slopes in equal proportion, from that with which R leaves 0.

    c has a maximum at each support point, so c'' <= 0 there, which says that D(s) <= 1 / (2 s): between neighbouring
    tangents R is missed by at most (RATIO - 1)^2 / 16 or so.
    """
    return float(source.first_slope * RATIO**place)


@lru_cache(maxsize=2**16)
def _rung(place: int, source: Source) -> Tangent:
    """Tangents are kept, so that many errors on one lattice cost no more than the ladder."""
    if place > 0:
        return _tangent(_rung_slope(place, source), source)
    # The mean is the best prediction there, and Newton would be slow: two support points have not yet parted.
    if source.uniform:
        return Tangent(source.first_slope * source.variance, source.first_slope * source.variance, source.variance)
    return _certified(source, np.array([source.mean]), np.ones(1), source.first_slope)


def _distortion(source: Source, support: np.ndarray, weights: np.ndarray, slope: float) -> float:
    """E (x - y)^2 when x goes to y with probability q(y) exp(-s (x - y)^2) / f(x)."""
    kernel = _kernel(source.places, support, slope)
    squares = (source.places[:, None] - support) ** 2
    return float(source.probability @ ((kernel * squares) @ weights / (kernel @ weights)))


def _kernel(places: np.ndarray, support: np.ndarray, slope: float) -> Float[np.ndarray, "P m"]:
    return np.exp(-slope * (places[:, None] - support) ** 2)


def _optimal_reproduction(source: Source, slope: float) -> tuple[np.ndarray, np.ndarray]:
    """Support and weights of the best q, by Wang's constrained Newton method from the lattice itself."""
    places, probability = source.places, source.probability
    support, weights = places, probability
    width = 0.25 / (1 + np.sqrt(slope))
    grid = np.arange(places[0] - width, places[-1] + 2 * width, width)
    tables = _kernel(places, grid, slope)
    for _ in range(NEWTON_STEPS):
        multipliers = probability / (_kernel(places, support, slope) @ weights)
        better = _peaks(places, multipliers, slope, grid, multipliers @ tables)
        if not len(better):
            break
        support = np.concatenate([support, better])
        weights = np.concatenate([weights, np.zeros(len(better))])
        weights = _newton_step(_kernel(places, support, slope), probability, weights)
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


def _newton_step(
    kernel: Float[np.ndarray, "P m"], probability: Probability, weights: Float[np.ndarray, " m"]
) -> Float[np.ndarray, " m"]:
    """The weights after one Newton step: a non-negative least squares problem, then halving until it improves."""
    scaled = kernel / (kernel @ weights)[:, None]
    # A row counts by its probability. A heavy one holds the sum at 1, and dividing by the sum does the rest.
    heavy, root = 1e3 * np.sqrt(len(kernel)), np.sqrt(probability * len(kernel))
    target, _ = nnls(np.vstack([root[:, None] * scaled, np.full(len(weights), heavy)]), np.append(2 * root, heavy))
    direction = target / target.sum() - weights
    change, before, step = scaled @ direction, 0.0, 1.0
    while step > 1e-9 and probability @ np.log1p(np.maximum(step * change, -1 + 1e-12)) < before:
        step /= 2
    return np.maximum(weights + step * direction, 0.0)


def _log_supremum(places: np.ndarray, multipliers: np.ndarray, slope: float) -> float:
    """An upper bound, RESOLUTION above at most, of ln c(y) over all real y, by branch and bound.

    ln c(y) + s y^2 is convex (a log-sum-exp of lines), so on a cell it lies under its chord; c grows towards the
    lattice's ends from outside.
    """

    def log_c(at: np.ndarray) -> np.ndarray:
        return np.log(multipliers @ _kernel(places, at, slope))

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
