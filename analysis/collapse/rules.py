"""The kinds of collapse, and the rules that tell them apart.

A rule speaks where chance at the given number of pairs would say so in one of 1,000 cases at most, and where it costs
something. So every threshold is one of two sorts:

- chance: 99.9% quantiles of Student's t, 3.29 in large samples. For the correlation of independent pairs that is
  rho^2 = 1 / (1 + (n - 2) / t^2), t with n - 2 degrees of freedom: 10.83 / (n - 1) in large samples, .20 at 50;
- cost: 5 points of R2 matter, 25 are much; a correlation with rho^2 < .01 is of no use if the prediction then does
  worse than the mean; much in squared errors is a factor of 2, in scale 10 (.01 in variance).

Where several rules speak the first in this order wins, from what makes the others meaningless to what remains:
diverged, noise-limited (whatever it looks like, there is nothing to gain), dead, partly dead (moments of what is not
one population), memorised (what the unseen pairs look like follows from it), inverted, shrunk (their correlation is
real), nonlinear, jitter (theirs is not), offset (all is there but for a constant).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from scipy.special import stdtrit

from analysis.collapse import dependence, outputs, ranks
from analysis.collapse.places import CHANCE, place

if TYPE_CHECKING:
    from jaxtyping import Bool, Float, Shaped

    from analysis.collapse.evidence import Evidence

KINDS = {
    "diverged": "not finite, or spread over 10^10 times as far as the target",
    "noise-limited": "within 5 points of the best possible R2, which is clearly below 1: not a fault",
    "dead": "one constant for every example, but for float32 rounding",
    "partly dead": "one and the same value for a share of the examples, where the errors are larger",
    "memorised": "right on training pairs, far worse on others: overfitting, not collapse",
    "inverted": "falls where the target rises",
    "shrunk": "follows the target on under a tenth of its scale: R2 near 0 with all the information there",
    "nonlinear": "uncorrelated with the target and yet informative: no rescaling repairs it",
    "jitter": "varies, but not with the target",
    "offset": "follows the target, but for a constant that costs over 5 points of R2",
    "none": "none of these",
}
"""Every kind and what it means; the first that applies is the verdict."""

POINTS = 0.05
"""A difference in R2 that matters."""
FAR = 0.25
"""A difference in R2 that makes another predictor of it: a quarter of the target's variance."""
EXPLODED = 1e20
"""A variance ratio that no mistake of units explains: of nanoseconds for seconds it is 10^18."""


class Verdicts(NamedTuple):
    """The kind of each coordinate or member, and where its constant is: a place, or "" where there is none."""

    kind: Shaped[np.ndarray, " d"]
    constant_at: Shaped[np.ndarray, " d"]


def judge(evidence: Evidence) -> Verdicts:
    """The first kind that applies to each, and where the constant is."""
    dead, mode = _dead(evidence), ranks.mode(evidence.predictions)
    partly = ~dead & _partly_dead(evidence, mode)
    constant = np.where(dead, evidence.moments.mean[1], mode.value)
    at = np.where(dead | partly, place(evidence.reference, constant), "")
    found = {
        "diverged": evidence.moments.variance_ratio > EXPLODED,
        "noise-limited": _noise_limited(evidence, dead & (at == "mean")),
        "dead": dead,
        "partly dead": partly,
        "memorised": _memorised(evidence),
        **_by_correlation(evidence),
    }
    undecided = found.pop("absent") & ~np.any([*found.values()], axis=0)
    found["nonlinear"] = _informed(evidence, undecided)
    found["jitter"] = undecided
    found["offset"] = _offset(evidence)
    rules = [*found.items(), ("noise-limited", _cannot_be_told_from_bayes(evidence))]
    kind = np.select([rule for _, rule in rules], [name for name, _ in rules], "none")
    return Verdicts(kind, np.where(dead | (kind == "partly dead"), at, ""))


def null_level(count: int) -> float:
    """What rho^2 of independent normal pairs, or ranks, exceeds once in 1,000; 1 where there are too few to tell."""
    if count < 3:
        return 1.0
    return float(1 / (1 + (count - 2) / stdtrit(count - 2, 0.9995) ** 2))


def _dead(evidence: Evidence) -> Bool[np.ndarray, " d"]:
    """Constant, or with less variation than float32 has numbers there for. Targets that vary as little are float64."""
    moments = evidence.moments
    rounding = np.sqrt(moments.squares[1] / moments.count) <= outputs.float32_spacing(moments.mean[1])
    return (moments.low[1] == moments.high[1]) | (rounding & (moments.variance_ratio < 1e-6))


def _partly_dead(evidence: Evidence, mode: ranks.Mode) -> Bool[np.ndarray, " d"]:
    """One value for 5% of the examples and 10 times as often as others are on average, and failing there."""
    result = (mode.share >= 0.05) & (mode.share >= 10 * mode.others)
    for member in np.flatnonzero(result).tolist():
        result[member] = outputs.fails_where_repeated(*evidence.row(member), mode.value[member])
    return result


def _noise_limited(evidence: Evidence, at_the_mean: Bool[np.ndarray, " d"]) -> Bool[np.ndarray, " d"]:
    """Within 5 points of Bayes' R2. So is the mean where Bayes has no more: n pairs may miss it by chance."""
    bayes = evidence.bayes_r2
    enough = (evidence.moments.r2 >= bayes - POINTS) | (at_the_mean & (bayes <= POINTS))
    return (bayes <= 1 - POINTS) & enough


def _cannot_be_told_from_bayes(evidence: Evidence) -> Bool[np.ndarray, " d"]:
    """Without a fault, and short of Bayes' R2 by no more than chance: the mean of e^2 - (1 - R2) (y - mean)^2 is 0."""
    bayes, targets = evidence.bayes_r2[:, None], evidence.targets
    centred = targets - targets.mean(-1, keepdims=True)
    excess = (evidence.predictions - targets) ** 2 - (1 - bayes) * centred**2
    error = excess.std(-1) / np.sqrt(evidence.moments.count)
    short = (evidence.bayes_r2 - evidence.moments.r2) * evidence.moments.target_variance
    return (evidence.bayes_r2 <= 1 - POINTS) & (short <= CHANCE * error)


def _memorised(evidence: Evidence) -> Bool[np.ndarray, " d"]:
    """On unseen pairs R2 is over 25 points lower, and the squared error over twice as large, by more than chance.

    Squared errors are too skewed for the mean to tell, so that the ranks do, with the mean 2 standard errors beyond.
    """
    seen, unseen, above = evidence.seen, evidence.unseen, evidence.unseen_above
    if seen is None or unseen is None or above is None:
        return np.zeros(len(evidence.predictions), bool)
    error = np.hypot(unseen.standard_error, 2 * seen.standard_error)
    return (seen.r2 - unseen.r2 > FAR) & (above > CHANCE) & (unseen.mse - 2 * seen.mse > 2 * error)


def _by_correlation(evidence: Evidence) -> dict[str, Bool[np.ndarray, " d"]]:
    """Where the correlation is negative, where scale is all that is missing, and where there is none.

    Ranks have to agree with Pearson's: heavy tails, which make his anything, hardly move theirs.
    """
    moments = evidence.moments
    rho, ratio = moments.correlation, moments.variance_ratio
    by_ranks = ranks.rank_correlation(evidence.targets, evidence.predictions)
    level, rank_level = null_level(moments.count), null_level(evidence.predictions.shape[-1])
    real = rho**2 >= level
    # The prediction does worse than the mean, bias aside, where s > 2 rho: 2 rho s - s^2 < 0.
    useless = (rho**2 < 0.01) & (by_ranks**2 < max(0.01, rank_level)) & (ratio > 4 * np.maximum(rho, 0) ** 2)
    none = ~real & (by_ranks**2 < rank_level) & _excludes_half(rho, moments.count)
    return {
        "inverted": real & (rho < 0) & (by_ranks < 0) & (by_ranks**2 >= rank_level) & ~useless,
        "shrunk": real & (rho > 0) & (ratio < 0.01 * np.where(rho**2 > 0.9, 1, rho**2)),
        "absent": none | useless,
    }


def _excludes_half(rho: Float[np.ndarray, " d"], count: int) -> Bool[np.ndarray, " d"]:
    """Whether so few as n pairs exclude that the prediction explains half of the variance; by Fisher's z."""
    if count <= 3:
        return np.zeros(rho.shape, bool)
    with np.errstate(divide="ignore"):
        return np.arctanh(rho) + CHANCE / np.sqrt(count - 3) < np.arctanh(np.sqrt(0.5))


def _informed(evidence: Evidence, asked: Bool[np.ndarray, " d"]) -> Bool[np.ndarray, " d"]:
    """Whether information is above the level of independent pairs; False where it is not asked for."""
    result = np.zeros(asked.shape, bool)
    for member in np.flatnonzero(asked).tolist():
        targets, predictions = evidence.row(member)
        result[member] = dependence.information(targets, predictions) > dependence.information_level(len(targets))
    return result


def _offset(evidence: Evidence) -> Bool[np.ndarray, " d"]:
    """The bias costs over 5 points of R2, and Student's t of the errors is beyond chance."""
    moments = evidence.moments
    if moments.count < 2:
        return np.zeros(len(evidence.predictions), bool)
    chance = stdtrit(moments.count - 1, 0.9995) ** 2 * moments.squares[2] / moments.count / (moments.count - 1)
    return (moments.bias**2 > POINTS * moments.target_variance) & (moments.bias**2 > chance)
