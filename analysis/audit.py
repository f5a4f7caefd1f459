"""The thread's information argument, step by step: what it claims, what is true, and the example that decides.

The argument, for a target Y of variance sigma^2, a prediction Yhat, their error Z = Y - Yhat and delta = E[Z^2]:

    (1)  I(Y;Yhat) = h(Y) - h(Z | Yhat)    (2)  >= h(Y) - h(Z)    (3)  >= h(Y) - 0.5 ln(2 pi e delta)

then "tighter" with h(Y) replaced by a Gaussian's, delta split into Var(Yhat) + bias^2, and conclusions for training.
Textbook: Cover and Thomas, Elements of Information Theory, ch. 8 (differential entropy) and 10 (rate distortion);
Murphy (1988, Mon. Weather Rev. 116) for the decomposition of the error. Every number here is computed, from a finite
population or a closed form, so the verdict can be checked by reading one function. Information is in nats.
"""

import dataclasses
from collections.abc import Callable
from typing import Literal

import numpy as np

from analysis.information import discrete_information


@dataclasses.dataclass(frozen=True)
class Verdict:
    """One step of the argument in one example: what the step says of a number, and what that number is.

    `verdict`: true; false; conditional, right under a condition that the counterexample breaks; or unfounded, right
    for another reason than the one given.
    """

    step: str
    claimed: float
    true: float
    verdict: Literal["true", "false", "conditional", "unfounded"]
    counterexample: str
    correction: str


def differential_entropy() -> Verdict:
    """Steps (1) and (2): I = h(Y) - h(Z | Yhat) >= h(Y) - h(Z)."""
    places, noise_width = 2, 0.01
    return Verdict(
        step="(1), (2): I(Y;Yhat) = h(Y) - h(Z|Yhat) >= h(Y) - h(Z)",
        claimed=float(np.log(places / noise_width)),
        true=float(np.log(places)),
        verdict="conditional",
        counterexample="Y one of 2 places one apart, taken to have h(Y) = ln 2; Yhat = Y + U(-.005, .005)",
        correction="Holds if Y has a density. On a lattice h(Y) is minus infinity: use H(Y), R(D) or a dithered Y.",
    )


def error_variance() -> Verdict:
    """Step (3): the Gaussian bound on h(Z), with delta taken for the variance of Z."""
    error = np.array([0.0, 2.0])
    return Verdict(
        step="(3): h(Z) <= 0.5 ln(2 pi e delta), because Var(Z) = delta",
        claimed=float(np.mean(error**2)),
        true=float(np.var(error)),
        verdict="unfounded",
        counterexample="an error of 0 or 2 with equal chance, whose bias is 1: delta = 2, Var(Z) = 1",
        correction="The inequality holds, for a Z with a density: Var(Z) = delta - bias^2. Var(Z) in place of delta is "
        "tighter, and after affine recalibration sigma^2 (1 - rho^2) is.",
    )


def gaussian_entropy() -> Verdict:
    """The "tighter" bound 0.5 ln(sigma^2 / delta)."""
    half_width = 0.01
    delta = half_width**2 / 3
    return Verdict(
        step="tighter: I(Y;Yhat) >= 0.5 ln(sigma^2 / delta)",
        claimed=float(0.5 * np.log((1 + delta) / delta)),
        true=float(np.log(2)),
        verdict="conditional",
        counterexample="Y = Yhat + U(-.01, .01), Yhat = -1 or 1: Yhat takes two values and cannot say more than ln 2",
        correction="It replaces h(Y) by an upper bound, which only a Gaussian Y attains; otherwise nothing follows.",
    )


def error_decomposition() -> Verdict:
    """Delta = Var(Yhat) + bias^2."""
    targets = np.array([-1.0, 1.0])
    predictions = np.zeros(2)
    return Verdict(
        step="delta = Var(Yhat) + bias^2",
        claimed=float(np.var(predictions) + np.mean(predictions - targets) ** 2),
        true=float(np.mean((targets - predictions) ** 2)),
        verdict="false",
        counterexample="the mean predictor: 0 claimed, sigma^2 true (a perfect one: sigma^2 claimed, 0 true)",
        correction="delta = Var Y + Var Yhat - 2 Cov(Y, Yhat) + bias^2. The thread's holds given one value of Y only.",
    )


def variance_below_error() -> Verdict:
    """Delta >= Var(Yhat)."""
    targets = np.array([-1.0, 1.0])
    return Verdict(
        step="delta >= Var(Yhat)",
        claimed=float(np.var(targets)),
        true=float(np.mean((targets - targets) ** 2)),
        verdict="false",
        counterexample="Yhat = Y: delta must be at least sigma^2, and is 0",
        correction="delta >= Var(Z) and delta >= bias^2, with delta = Var(Z) + bias^2.",
    )


def bias_below_error() -> Verdict:
    """Delta >= bias^2, in the example where it is tight."""
    bias = 0.5
    targets = np.array([-1.0, 1.0])
    return Verdict(
        step="delta >= bias^2",
        claimed=bias**2,
        true=float(np.mean((targets - (targets - bias)) ** 2)),
        verdict="true",
        counterexample="none; equality for Yhat = Y - 1/2, whose error is all bias",
        correction="delta - bias^2 = Var(Z) >= 0.",
    )


def bound_from_parts() -> Verdict:
    """The "true lower bounds" on I, from Var(Yhat) or from the bias in place of delta."""
    targets = np.array([-1.0, 1.0])
    predictions = np.zeros(2)
    with np.errstate(divide="ignore"):
        claimed = 0.5 * np.log(np.var(targets) / np.var(predictions))
    return Verdict(
        step="true lower bounds: I >= 0.5 ln(sigma^2 / Var(Yhat)), I >= 0.5 ln(sigma^2 / bias^2)",
        claimed=float(claimed),
        true=discrete_information(targets, predictions).joint,
        verdict="false",
        counterexample="the mean predictor: Var(Yhat) = bias = 0 make both infinite, and it knows nothing",
        correction="Backwards: less than delta under the logarithm makes the bound larger, not surer.",
    )


def error_against_information() -> Verdict:
    """Minimum MSE if and only if maximum information: who sees abs(Y) only does best to predict the mean of Y."""
    targets = np.array([-1.0, 0.0, 1.0])
    seen = np.abs(targets)
    best = np.array([targets[seen == value].mean() for value in seen])
    return Verdict(
        step="minimum MSE if and only if maximum I(Y;Yhat)",
        claimed=discrete_information(targets, seen).joint,
        true=discrete_information(targets, best).joint,
        verdict="false",
        counterexample="X = |Y|, Y uniform on -1, 0, 1: the best predictor E[Y|X] is constant, so I(Y;Yhat) = 0 though "
        "I(Y;X) = .637. And -Y has all the information with MSE 4 sigma^2",
        correction="R(MSE) is a floor under the information, not a measure of it.",
    )


def information_of_negated() -> Verdict:
    """The other direction of minimum MSE iff maximum information: all the information, with an error of 4 sigma^2."""
    targets = np.array([-1.0, 1.0])
    mse = np.mean((targets - -targets) ** 2)
    return Verdict(
        step="maximum I(Y;Yhat) only at minimum MSE",
        claimed=0.0,
        true=float(mse / np.var(targets)),
        verdict="false",
        counterexample="Yhat = -Y: I(Y;Yhat) = H(Y), the maximum, at MSE = 4 sigma^2, where the minimum is 0",
        correction="Information does not change under any one-to-one map of Yhat; MSE does.",
    )


def scale_of_targets() -> Verdict:
    """Raising Var(Y) raises I(Y;Yhat)."""
    targets = np.array([-1.0, -1.0, 1.0, 1.0])
    predictions = np.array([-1.0, 1.0, 1.0, 1.0])
    before, after = (discrete_information(scale * targets, predictions).joint for scale in (1, 10))
    return Verdict(
        step="raising Var(Y) raises I(Y;Yhat)",
        claimed=before + float(np.log(10)),
        true=after,
        verdict="false",
        counterexample="targets times 10: 0.5 ln Var(Y) and the claim rise by ln 10, the information stays",
        correction="I is invariant under any one-to-one map of Y; h(Y) is not, and delta scales along with it.",
    )


def correlation_bound() -> Verdict:
    """I >= -0.5 ln(1 - rho^2), the bound (3) with an affine recalibration and a Gaussian's h(Y)."""
    half_width = 0.01
    correlation_squared = 1 / (1 + half_width**2 / 3)
    return Verdict(
        step="I(Y;Yhat) >= -0.5 ln(1 - rho^2)",
        claimed=float(-0.5 * np.log1p(-correlation_squared)),
        true=float(np.log(2)),
        verdict="conditional",
        counterexample="Yhat = -1 or 1, Y = Yhat + U(-.01, .01): rho^2 = .99997, and two values carry ln 2",
        correction="Holds if Y or Yhat is marginally Gaussian.",
    )


AUDIT: tuple[Callable[[], Verdict], ...] = (
    differential_entropy,
    error_variance,
    gaussian_entropy,
    error_decomposition,
    variance_below_error,
    bias_below_error,
    bound_from_parts,
    error_against_information,
    information_of_negated,
    scale_of_targets,
    correlation_bound,
)
"""Every step, in the order of the argument."""
