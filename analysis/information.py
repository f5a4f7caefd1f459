"""How much a prediction Yhat says about the position Y: the entropy, and estimates of I(Y;Yhat) from pairs, in nats.

    H(Y) >= I(Y;X) >= I(Y;Yhat) >= R(MSE) >= discrete Shannon bound >= dithered bound

I(Y;X) is in analysis.bayes, R in analysis.rate_distortion, the bounds in analysis.shannon; what bounds I(Y;Yhat) can be
imported from here. In between:

- `discrete_information`, the plug-in from counts: exact for a deterministic network on the whole noise-free lattice;
  on a sample it saturates at ln n when all outputs are distinct, even for pure noise.
- `mutual_information`, from the distances of nearest neighbours (Kraskov, Stoegbauer and Grassberger 2004, Phys. Rev.
  E 69, 066138, algorithm 1): psi(k) + psi(n) - <psi(n_y + 1) + psi(n_yhat + 1)>. Y plus uniform noise one spacing wide
  has a density and the same information, because Y can be read off it. It needs a number of samples
  exponential in the truth (Gao, Ver Steeg and Galstyan 2015): above some 5 nats report R(MSE) and exact counts.
- `gaussian_information`, -0.5 ln(1 - rho^2): what linear correlation shows. A lower bound on I(Y;Yhat) if Y or Yhat
  is Gaussian, of which a lattice is neither (Cover and Thomas, ch. 8).
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from jaxtyping import Float
from scipy.linalg import orth, svdvals
from sklearn.metrics import mutual_info_score

from analysis import closed_forms, laws
from analysis.bayes import Estimate
from analysis.laws import UNIFORM
from analysis.neighbours import blurred, kraskov, smallest_gap, standardized, untied
from analysis.rate_distortion import rate_distortion, shannon_failure
from analysis.shannon import (
    SHANNON_EXCEEDS_ENTROPY,
    Numbers,
    discrete_shannon_bound,
    dithered_bound,
    finite,
    shannon_bound,
)
from jaxbox.config import Data, Task

__all__ = [
    "SHANNON_EXCEEDS_ENTROPY",
    "Information",
    "InformationEstimate",
    "discrete_information",
    "discrete_shannon_bound",
    "dithered_bound",
    "entropy",
    "gaussian_information",
    "mutual_information",
    "rate_distortion",
    "shannon_bound",
    "shannon_failure",
    "with_standard_error",
]

PARTS = range(2, 11)


class Information(NamedTuple):
    """Information of each coordinate about its own prediction, and of all about all."""

    coordinates: Float[np.ndarray, " d"]
    joint: float


class InformationEstimate(NamedTuple):
    """As `Information`, with standard errors."""

    coordinates: Estimate
    joint: Estimate


def entropy(task: Task, data: Data = UNIFORM) -> float:
    """H(Y) in nats: ln N = ln P_x + ln P_y where all positions are equally likely, else -sum p ln p of their law.

    Raises:
        ValueError: the task cannot be run, or its law of the positions is not known.
    """
    closed_forms.require(task, closed_forms.ENTROPY, data)
    return laws.joint_entropy(task, data)


def discrete_information(targets: Numbers, predictions: Numbers) -> Information:
    """I of the empirical distribution of the pairs, (n,) or (n, d); scikit-learn's `mutual_info_score` on equal rows.

    Exact if the pairs are the whole population, each as often as it is likely. Time grows as n ln n.

    Raises:
        ValueError: shapes that disagree, fewer than 2 pairs, or a number that is not finite.
    """

    def of(some: Float[np.ndarray, "n d"], others: Float[np.ndarray, "n d"]) -> float:
        labels = (np.unique(values, axis=0, return_inverse=True)[1].ravel() for values in (some, others))
        return float(mutual_info_score(*labels))

    return _each_and_all(of, *_pairs(targets, predictions))


def gaussian_information(targets: Numbers, predictions: Numbers) -> Information:
    """-0.5 sum ln(1 - rho^2) over the canonical correlations: I if the pairs, (n,) or (n, d), were jointly Gaussian.

    0 if either side is constant, infinite (or as large as rounding allows) if one is a linear map of the
    other. Time grows as n d^2.

    Raises:
        ValueError: as `discrete_information`.
    """

    def of(some: Float[np.ndarray, "n d"], others: Float[np.ndarray, "n d"]) -> float:
        correlations = svdvals(orth(standardized(some)).T @ orth(standardized(others)))
        with np.errstate(divide="ignore"):
            return float(0.5 * (-np.log1p(-(np.minimum(correlations, 1.0) ** 2))).sum())

    return _each_and_all(of, *_pairs(targets, predictions))


def mutual_information(
    targets: Numbers,
    predictions: Numbers,
    spacing: float | tuple[float, ...] | None = None,
    neighbours: int = 3,
    seed: int = 0,
) -> Information:
    """I(Y;Yhat) by nearest neighbours, of pairs (n,) or (n, d), each column scaled to unit variance.

    Unbiased enough to fall slightly below 0 for independent pairs: not clipped. Exactly 0 if either side is
    constant. Time grows as n^1.5 to n^2: some 0.2 s for 2,000 pairs in 2-D.

    Args:
        targets: positions, any scale.
        predictions: the same shape.
        spacing: the lattice's spacing, one for all columns or one each, 0 for targets that have a density. By default
            the smallest gap between distinct targets where targets repeat, and 0 where none do.
        neighbours: k; few for little bias, many for little variance.
        seed: of the dither and of the noise that breaks ties.

    Raises:
        ValueError: as `discrete_information`; `neighbours` not in [1, n - 1]; `spacing` negative or of another length.
    """
    some, others = _pairs(targets, predictions)
    if not 1 <= neighbours < len(some):
        raise ValueError(f"neighbours is {neighbours}; it must be at least 1 and less than {len(some)}, the pairs")
    random = np.random.default_rng(seed)
    dithered = blurred(some, _spacings(some, spacing), random)
    scaled = [untied(standardized(values), random) for values in (dithered, others)]
    return _each_and_all(lambda a, b: kraskov(a, b, neighbours), *scaled)


def with_standard_error(
    estimator: Callable[[Numbers, Numbers], Information],
    targets: Numbers,
    predictions: Numbers,
    seed: int = 0,
) -> InformationEstimate:
    """An estimate from all pairs, its standard error from disjoint subsamples; +-1.96 of it is a 95% interval.

    A bootstrap repeats pairs, which nearest neighbours and counts mistake for information. Instead the pairs are cut
    into 2, 3, .. 10 parts and the variance over parts extrapolated as 1/n (Holmes and Nemenman 2019, Phys. Rev. E 100,
    022404). The bias at n pairs is not in it. Costs about as much as ten estimates.

    Raises:
        ValueError: fewer than 100 pairs, or as the estimator.
    """
    some, others = _pairs(targets, predictions)
    if len(some) < 100:
        raise ValueError(f"targets holds {len(some)} pairs; it must hold at least 100, ten in each part")
    order = np.random.default_rng(seed).permutation(len(some))

    def numbers(chosen: np.ndarray) -> Float[np.ndarray, " numbers"]:
        return np.append(*estimator(some[chosen], others[chosen]))

    variance = np.zeros(some.shape[1] + 1)
    for parts in PARTS:
        estimates = [numbers(chosen) for chosen in np.array_split(order, parts)]
        # A part's variance is `parts` times that of the whole; it has parts - 1 degrees of freedom.
        variance += np.var(estimates, axis=0, ddof=1) / parts * (parts - 1)
    value, error = numbers(np.arange(len(some))), np.sqrt(variance / sum(parts - 1 for parts in PARTS))
    joint = Estimate(np.asarray(value[-1]), np.asarray(error[-1]))
    return InformationEstimate(Estimate(value[:-1], error[:-1]), joint)


def _pairs(targets: Numbers, predictions: Numbers) -> tuple[Float[np.ndarray, "n d"], Float[np.ndarray, "n d"]]:
    some, others = finite("targets", targets), finite("predictions", predictions)
    if some.ndim not in (1, 2) or some.size == 0:
        raise ValueError(f"targets has shape {some.shape}; it must be (n,) or (n, d)")
    if some.shape != others.shape:
        raise ValueError(f"predictions has shape {others.shape}; it must be that of targets, {some.shape}")
    if len(some) < 2:
        raise ValueError(f"targets holds {len(some)} pair; it must hold at least 2")
    return some.reshape(len(some), -1), others.reshape(len(some), -1)


def _each_and_all(
    of: Callable[[np.ndarray, np.ndarray], float], some: Float[np.ndarray, "n d"], others: Float[np.ndarray, "n d"]
) -> Information:
    each = np.array([of(some[:, [column]], others[:, [column]]) for column in range(some.shape[1])])
    return Information(each, float(each[0]) if len(each) == 1 else of(some, others))


def _spacings(values: Float[np.ndarray, "n d"], spacing: float | tuple[float, ...] | None) -> Float[np.ndarray, " d"]:
    if spacing is None:
        return np.array([smallest_gap(column) for column in values.T])
    given = finite("spacing", spacing)
    if given.shape not in ((), (values.shape[1],)) or given.min() < 0:
        raise ValueError(f"spacing is {spacing}; it must be at least 0, one number or {values.shape[1]}")
    return np.broadcast_to(given, values.shape[1])
