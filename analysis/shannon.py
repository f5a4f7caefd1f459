"""Shannon lower bounds on the information behind a mean squared error, per coordinate, in nats.

A coordinate takes P places, `spacing` apart, by default equally likely; D = MSE / spacing^2. The error Z = Y - Yhat has
at most the largest entropy of any variable with that mean square, so I(Y;Yhat) >= H(Y) - max H(Z) (Shannon 1959;
Berger, Rate Distortion Theory, 1971, ch. 4). Three choices of Z:

- on the integers, where the maximum is a discrete Gaussian: `discrete_shannon_bound`;
- Y blurred by uniform noise one spacing wide, which has a density and the same information: `dithered_bound`;
- Gaussian, as if Y had a density: `shannon_bound`, the thread's, which is *not valid* on a lattice.

All lie below analysis.rate_distortion's R(D) where they are valid, and near it for an error of many spacings but
far from the variance. Under another law of the places H(Y) stands where ln P is: none of the three looks at more of it.
"""

from collections.abc import Sequence

import jax
import numpy as np
from jaxtyping import Float
from scipy.optimize import fminbound
from scipy.special import entr

Numbers = float | np.floating | Sequence | np.ndarray | jax.Array
"""What `finite` turns into an array."""
Probability = Float[np.ndarray, " P"]
"""Of each place along an axis."""
SHANNON_EXCEEDS_ENTROPY = 1 / (2 * np.pi * np.e)
"""Below this MSE, in squared spacings, `shannon_bound` exceeds even the entropy ln P."""


def discrete_shannon_bound(
    mse: Numbers, positions: int, spacing: float, probability: Probability | None = None
) -> Float[np.ndarray, "*shape"]:
    """ln P - min_{s >= 0} [s D + ln sum_{k in Z} exp(-s k^2)], clipped to [0, ln P]: Shannon's bound on a lattice.

    ln P at 0. A prediction off the lattice gains nothing: the sum over Z + y is largest at y = 0 (Poisson's sum).
    Time grows with the number of MSEs, some 0.1 ms each.

    Args:
        mse: mean squared errors, in squared units of `spacing`.
        positions: P, how many equally likely places.
        spacing: the distance between two places, 2 / width for the symmetric targets.
        probability: of each place, if they are not equally likely; ln P is then their entropy.

    Raises:
        ValueError: `mse` negative or not finite, `positions` less than 1, `spacing` not positive; probabilities of
            another number of places, negative, or that do not add up to 1.
    """
    distortion, entropy = in_spacings(mse, positions, spacing), entropy_of(positions, probability)
    bound = entropy - np.vectorize(_largest_lattice_entropy, otypes=[float])(distortion)
    return np.asarray(np.clip(bound, 0.0, entropy))


def dithered_bound(
    mse: Numbers, positions: int, spacing: float, probability: Probability | None = None
) -> Float[np.ndarray, "*shape"]:
    """ln P - 0.5 ln(2 pi e (D + 1/12)), at least 0: Shannon's bound for Y plus uniform noise of one spacing.

    The dither (Ziv 1985) makes the density that the thread assumed, at the price of 1/12 in the error.
    Arguments and errors as `discrete_shannon_bound`.
    """
    distortion, entropy = in_spacings(mse, positions, spacing), entropy_of(positions, probability)
    return np.asarray(np.maximum(entropy - 0.5 * np.log(2 * np.pi * np.e * (distortion + 1 / 12)), 0.0))


def shannon_bound(
    mse: Numbers, positions: int, spacing: float, probability: Probability | None = None
) -> Float[np.ndarray, "*shape"]:
    """The thread's bound h(Y) - 0.5 ln(2 pi e MSE), h(Y) = ln(P spacing). **Not a valid bound on a lattice.**

    Right for Y uniform on an interval; here Y is discrete and its h is minus infinity. It exceeds R(D) for an MSE
    below `analysis.rate_distortion.shannon_failure`, and ln P itself below SHANNON_EXCEEDS_ENTROPY spacing^2. Not
    clipped: negative at the variance, and infinite at 0. Arguments and errors as `discrete_shannon_bound`.
    """
    distortion, entropy = in_spacings(mse, positions, spacing), entropy_of(positions, probability)
    with np.errstate(divide="ignore"):
        return np.asarray(entropy - 0.5 * np.log(2 * np.pi * np.e * distortion))


def entropy_of(positions: int, probability: Probability | None) -> float:
    """H(Y) in nats: ln P, or -sum p ln p.

    Raises:
        ValueError: as `discrete_shannon_bound`.
    """
    if probability is None:
        return float(np.log(positions))
    given = finite("probability", probability)
    if given.shape != (positions,):
        raise ValueError(f"probability has shape {given.shape}; it must be ({positions},)")
    if given.min() < 0 or abs(given.sum() - 1) > 1e-9:
        raise ValueError(f"probability is at least {given.min()} and sums to {given.sum()}; it must be 0 and 1")
    return float(entr(given).sum())


def finite(name: str, values: Numbers) -> Float[np.ndarray, "*shape"]:
    """The values as a float64 array.

    Raises:
        ValueError: one of them is NaN or infinite.
    """
    array = np.asarray(values, np.float64)
    if not np.isfinite(array).all():
        raise ValueError(f"{name} holds NaN or infinity; it must be finite")
    return array


def in_spacings(mse: Numbers, positions: int, spacing: float) -> Float[np.ndarray, "*shape"]:
    """D = MSE / spacing^2, in float64.

    Raises:
        ValueError: as `discrete_shannon_bound`.
    """
    if positions < 1 or positions != int(positions):
        raise ValueError(f"positions is {positions}; it must be an integer, at least 1")
    if not (spacing > 0 and np.isfinite(spacing)):
        raise ValueError(f"spacing is {spacing}; it must be positive and finite")
    errors = finite("mse", mse)
    if errors.size and errors.min() < 0:
        raise ValueError(f"mse holds {errors.min()}; it must be at least 0")
    return np.asarray(errors / spacing / spacing)


def _largest_lattice_entropy(distortion: float) -> float:
    """The largest entropy of an integer variable whose mean square is at most `distortion`."""
    if distortion == 0:
        return 0.0

    def dual(log_slope: float) -> float:
        return np.exp(log_slope) * distortion + _log_theta(np.exp(log_slope))

    # The mean square at slope s lies between 1 / (2 s) - 1 and 1 / (2 s).
    low, high = np.log(0.5 / (distortion + 1)), np.log(min(0.5 / distortion, 700.0))
    return dual(float(np.asarray(fminbound(dual, low, high, xtol=1e-9))))


def _log_theta(slope: float) -> float:
    """ln sum_{k in Z} exp(-s k^2), through Poisson's sum where the sum itself converges slowly."""
    squares = np.arange(1, 9) ** 2
    if slope >= np.pi:
        return float(np.log1p(2 * np.exp(-slope * squares).sum()))
    return float(0.5 * np.log(np.pi / slope) + np.log1p(2 * np.exp(-(np.pi**2) / slope * squares).sum()))
