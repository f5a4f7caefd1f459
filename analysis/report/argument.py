"""The thread's information argument beside this very run: for how many members each of its steps goes wrong.

The verdicts are `analysis.audit`'s, whose examples decide them. A run cannot make a false step true, but it can show
where it fails: a member and coordinate counts where what the step claims is contradicted by more than rounding.
"""

import dataclasses
from collections.abc import Callable

import numpy as np
from jaxtyping import Bool, Float

from analysis.audit import AUDIT, Verdict
from analysis.comparison import DIVERGED
from analysis.comparison.links import ROUNDING
from analysis.report.gather import Gathered
from analysis.report.values import Words, count
from jaxbox.store import at_end
from jaxbox.store.measures import target_variance

NEARLY = 0.99
"""Of the entropy: members that have all the information but for rounding and estimates."""
GOOD_R2 = 0.9
CLOSE = 1e-4
"""Of the target's variance: float32 measures agree to this."""


@dataclasses.dataclass(frozen=True, eq=False)
class Pairs:
    """Members and coordinates that did not diverge: one array entry each; squared errors in variances of the target."""

    error: Float[np.ndarray, " n"]
    variance: Float[np.ndarray, " n"]
    """Of the prediction."""
    bias_squared: Float[np.ndarray, " n"]
    information: Float[np.ndarray, " n"]
    """The upper end of its interval, which is itself where counts decide it."""
    information_low: Float[np.ndarray, " n"]
    entropy: Float[np.ndarray, " n"]
    gaussian: Float[np.ndarray, " n"]
    thread_bound: Float[np.ndarray, " n"]


def pairs(run: Gathered) -> Pairs:
    """From the comparison and, for variance and bias, from the run's own measures."""
    compared, shape = run.compared, run.compared["r2"].shape
    scale = target_variance(run.results).values[:, None, :]
    with np.errstate(divide="ignore", invalid="ignore"):
        bias = at_end(run.results, "bias").values.astype(float) ** 2 / scale
    arrays = {
        "error": 1 - compared["r2"].values,
        "variance": at_end(run.results, "variance_ratio").values.astype(float),
        "bias_squared": bias,
        "information": compared["information_high"].values,
        "information_low": compared["information_low"].values,
        "entropy": np.broadcast_to(compared["entropy"].values[:, None, :], shape),
        "gaussian": compared["gaussian"].values,
        "thread_bound": compared["thread_bound"].values,
    }
    usable = (run.begun & (run.fate != DIVERGED))[..., None] & np.all(
        [np.isfinite(values) | np.isposinf(values) for values in arrays.values()], axis=0
    )
    return Pairs(**{name: values[usable] for name, values in arrays.items()})


def _exceeds(claim: np.ndarray, truth: np.ndarray) -> Bool[np.ndarray, " n"]:
    return claim > truth + ROUNDING


def _minus_log(ratio: np.ndarray) -> np.ndarray:
    """Half of -ln, infinite at 0."""
    with np.errstate(divide="ignore"):
        return -0.5 * np.log(ratio)


def _misses(pairs: Pairs) -> Bool[np.ndarray, " n"]:
    return np.abs(pairs.variance + pairs.bias_squared - pairs.error) > CLOSE + CLOSE * pairs.error


def _parts(pairs: Pairs) -> Bool[np.ndarray, " n"]:
    larger = np.minimum(_minus_log(pairs.variance), _minus_log(pairs.bias_squared))
    return _exceeds(larger, pairs.information)


HERE: dict[str, tuple[str, str, Callable[[Pairs], Bool[np.ndarray, " n"]]]] = {
    "differential_entropy": (
        "thread_bound, entropy",
        "have an MSE so small that the bound of (1) to (3) is above H(Y), all there is to know",
        lambda pairs: _exceeds(pairs.thread_bound, pairs.entropy),
    ),
    "error_variance": (
        "bias, mse",
        "have a bias of over a hundredth of their root mean squared error, so that Var(Z) is not delta",
        lambda pairs: pairs.bias_squared > CLOSE * pairs.error + CLOSE**2,
    ),
    "gaussian_entropy": (
        "r2, information_high",
        "know less than the “tighter” bound says",
        lambda pairs: _exceeds(_minus_log(pairs.error), pairs.information),
    ),
    "error_decomposition": ("variance_ratio, bias, mse", "have another MSE than Var(Ŷ) + bias²", _misses),
    "variance_below_error": (
        "variance_ratio, mse",
        "have an MSE under Var(Ŷ)",
        lambda pairs: pairs.variance > pairs.error * (1 + CLOSE) + CLOSE,
    ),
    "bias_below_error": (
        "bias, mse",
        "have an MSE under bias²",
        lambda pairs: pairs.bias_squared > pairs.error * (1 + CLOSE) + CLOSE,
    ),
    "bound_from_parts": (
        "variance_ratio, bias, information_high",
        "know less than both “true lower bounds” say",
        _parts,
    ),
    "error_against_information": (
        "information_low, entropy, r2",
        f"know at least {NEARLY:.0%} of H(Y) with an R2 under {GOOD_R2:g}",
        lambda pairs: (pairs.information_low >= NEARLY * pairs.entropy) & (pairs.error > 1 - GOOD_R2),
    ),
    "correlation_bound": (
        "gaussian, information_high",
        "know less than -½ ln(1 - rho²)",
        lambda pairs: _exceeds(pairs.gaussian, pairs.information),
    ),
}
"""By step of the audit: from which variables, what is counted, and where it is so. Two steps are about no member."""


@dataclasses.dataclass(frozen=True)
class Step:
    """A step of the argument, and what this run shows of it (nothing, if empty)."""

    verdict: Verdict
    here: Words


def steps(run: Gathered) -> tuple[Step, ...]:
    """Every step of the audit."""
    found = pairs(run)
    return tuple(Step(function(), _here(function.__name__, found)) for function in AUDIT)


def _here(name: str, found: Pairs) -> Words:
    if name not in HERE or not len(found.error):
        return ()
    source, words, holds = HERE[name]
    return (
        *(count(holds(found).sum(), source, f"audit: {name}"), " of "),
        *(count(len(found.error), "fate", "audit: members and coordinates"), f" coordinates of members {words}."),
    )
