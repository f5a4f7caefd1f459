"""The table of what `compare` gives: every variable with its dimensions, units and meaning; and the order of fates."""

from typing import NamedTuple

DIVERGED, NOT_BEGUN = "diverged", ""
FATES = (
    *(DIVERGED, "dead", "partly dead", "shrunk", "jitter", "nonlinear", "inverted", "offset", "memorised"),
    *("noise-limited", "none"),
)
"""Kinds of `analysis.collapse` and `diverged`, the worst first: a member's fate is the worse kind of its two axes."""
LONGEST = f"<U{max(map(len, FATES))}"
"""The type of arrays of kinds and places."""


class Variable(NamedTuple):
    """Dimensions, units, and a description."""

    dims: tuple[str, ...]
    units: str
    description: str


_MEMBER, _EXACT, _TASK = ("configuration", "seed", "axis"), ("configuration", "axis"), ("configuration",)
VARIABLES = {
    "mse": Variable(_MEMBER, "squared target units", "mean squared error at the last evaluation, in float64"),
    "mse_error": Variable(_MEMBER, "squared target units", "its standard error; 0 without noise: all positions"),
    "r2": Variable(_MEMBER, "1", "1 - MSE / variance of the target; -inf: diverged"),
    "r2_ramp": Variable(_EXACT, "1", "R2 of the thread's hand-made weights"),
    "r2_minimum_norm": Variable(_EXACT, "1", "R2 of the least weights that are exact without noise"),
    "r2_lmmse": Variable(_EXACT, "1", "R2 of the best linear predictor; an estimate of it is, if anything, too low"),
    "r2_lmmse_error": Variable(_EXACT, "1", "its standard error; 0 where it is exact"),
    "r2_bayes": Variable(_EXACT, "1", "R2 of the best possible predictor"),
    "r2_bayes_error": Variable(_EXACT, "1", "its standard error; 0 where it is exact"),
    "distance_to": Variable(
        (*_MEMBER, "predictor"), "squared target units", "mean squared difference of the predictions over positions"
    ),
    "linear_share": Variable(
        _MEMBER, "1", "share of the prediction's variance that its best linear approximation explains; NaN: constant"
    ),
    "linear_share_error": Variable(_MEMBER, "1", "its standard error; 0 without noise, where every function is linear"),
    "information": Variable(_MEMBER, "nats", "I(Y;Yhat): from counts without noise, from nearest neighbours under it"),
    "information_error": Variable(_MEMBER, "nats", "its standard error; 0 from counts"),
    "information_low": Variable(_MEMBER, "nats", "lower end of its 95% interval"),
    "information_high": Variable(_MEMBER, "nats", "upper end of its 95% interval, what the estimate misses included"),
    "information_exact": Variable(_MEMBER, "nats", "I(Y;Yhat) where counts decide it; NaN where it is estimated"),
    "rate_distortion": Variable(_MEMBER, "nats", "R(MSE): what any prediction with this error must know"),
    "discrete_shannon": Variable(_MEMBER, "nats", "Shannon's bound on a lattice, at this MSE"),
    "dithered": Variable(_MEMBER, "nats", "Shannon's bound for the dithered target, at this MSE"),
    "gaussian": Variable(_MEMBER, "nats", "-ln(1 - correlation^2) / 2: not a bound on a lattice"),
    "thread_bound": Variable(_MEMBER, "nats", "the thread's bound, false below its limit on a lattice"),
    "entropy": Variable(_EXACT, "nats", "H(Y) of the axis"),
    "information_input": Variable(_EXACT, "nats", "I(Y;X) of the axis: what the image says"),
    "information_input_error": Variable(_EXACT, "nats", "its standard error; 0 where it is exact"),
    "kind": Variable(_MEMBER, "1", "kind of collapse; empty: not begun"),
    "constant_at": Variable(_MEMBER, "1", "where a constant prediction is; empty: not constant"),
    "broken_link": Variable(_MEMBER, "1", "link of the information chain that does not hold; empty: all hold"),
    "fate": Variable(_MEMBER[:2], "1", "the worse kind of both axes; empty: not begun"),
    "label": Variable(_TASK, "1", "the configuration in words: what varies"),
}
"""Every variable of `compare`."""
