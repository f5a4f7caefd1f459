"""How probable it is that a network loses a layer, from the units of each layer that are alive after a few steps.

The share a of a layer's units that are above zero for some image falls before the layer dies. After k steps the odds
that a network loses a layer are about a constant, times those of a unit to be dead in the layer with the smallest
share, (1 - a) / a, times 10 / k; and where the configuration is known, times the odds that the law of the collapse
gives it, each to a power of its own. NumPy alone, for networks of any framework.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from jaxbox.forecast.law import sigmoid

if TYPE_CHECKING:  # the signatures alone need it, and `analysis.collapse` is to run on NumPy and SciPy
    from jaxtyping import Float, Int

    Known = Float[np.ndarray, "*members"] | float

FITTED_STEPS = (10, 30)
"""The first and the last step that the formula was fitted at; before and after it is taken to be as there."""
LEAST = 1e-3
"""Added to the share of dead units: where none is dead yet one may be. No share alive, and neither a rate that was
expected nor what it leaves of 1, counts for less."""
LAST_STEP = 50
"""When a layer must be dead by."""


class Formula(NamedTuple):
    """The logit: a constant, and what multiplies a unit's `log_odds`, the logarithm of the step over 10, and the logit
    of the rate that the law expects."""

    constant: float
    odds: float
    step: float
    expected: float = 0.0


ALONE = Formula(-2.47, 0.659, -1.57)
"""Of greatest likelihood on the members of all runs that the law is fitted to (`analysis.collapse_law.warned`)."""
WITH_LAW = Formula(-1.62, 0.291, -1.45, 0.568)
"""Likewise where the law's rate is known."""


def log_odds(share: Float[np.ndarray, "*n"]) -> Float[np.ndarray, "*n"]:
    """ln((1 - a) / a) of shares of units that are alive, where LEAST is added to those that are dead."""
    return np.log((1 - share + LEAST) / share)


def logit(rate: Known) -> Known:
    """ln(p / (1 - p)) of expected rates, none of them nearer to 0 or 1 than LEAST."""
    inside = np.clip(rate, LEAST, 1 - LEAST)
    return np.log(inside / (1 - inside))


def dying(
    alive: Float[np.ndarray, "*members layers"], step: int, expected: Known = np.nan
) -> Float[np.ndarray, "*members"]:
    """The probability that a layer is dead at step 50, of networks whose layers have these shares of units alive.

    1 where a layer is dead already. A layer whose share is NaN is left out; without any other it is 0.

    Args:
        alive: of each relu layer, the share of its units that are above zero for some image, from 0 to 1.
        step: how many steps have been taken.
        expected: the rate that the law expects of such networks (`jaxbox.forecast.expect`), which makes it sharper; NaN
            where it is not known.
    """
    smallest = np.where(np.isnan(alive), 1.0, alive).min(axis=-1)
    known = ~np.isnan(alive).all(axis=-1)
    with_law = probability(smallest, step, WITH_LAW, np.where(np.isnan(expected), 0.5, expected))
    told = np.where(np.isnan(expected), probability(smallest, step), with_law)
    return np.where(known, np.where(smallest <= 0, 1.0, told), 0.0)


def probability(
    smallest: Float[np.ndarray, "*n"],
    step: Int[np.ndarray, "*n"] | int,
    formula: Formula = ALONE,
    expected: Known = 0.5,
) -> Float[np.ndarray, "*n"]:
    """The formula itself, of the smallest share of units alive, and the rate that the law expects if it has that."""
    late = np.clip(step, *FITTED_STEPS) / FITTED_STEPS[0]
    terms = (1.0, log_odds(np.maximum(smallest, LEAST)), np.log(late), logit(expected))
    return sigmoid(np.asarray(sum(constant * term for constant, term in zip(formula, terms, strict=True))))


CALIBRATION = (
    (0.01, 0.001, 0.000, 0.002),
    (0.05, 0.012, 0.006, 0.020),
    (0.2, 0.105, 0.069, 0.142),
    (0.5, 0.265, 0.190, 0.356),
    (1, 0.313, 0.267, 0.436),
)
"""Of members that the formula was not fitted on (`fates_fresh`, `fates_wide_unseen`): up to which probability, and of
those that were given it which share lost a layer, with the ends of its 95% interval over settings."""
CALIBRATION_WITH_LAW = (
    (0.01, 0.005, 0.001, 0.009),
    (0.05, 0.040, 0.020, 0.065),
    (0.2, 0.101, 0.062, 0.152),
    (0.5, 0.284, 0.237, 0.345),
    (1, 0.584, 0.489, 0.667),
)
"""Likewise of the formula with the law's rate."""


def calibrated(probability: float, with_law: bool = False) -> tuple[float, float, float]:
    """Which share of networks that are given about this probability lose a layer, and the ends of its 95% interval."""
    if probability >= 1:
        return 1.0, 1.0, 1.0
    table = CALIBRATION_WITH_LAW if with_law else CALIBRATION
    _, *found = next(row for row in table if probability <= row[0])
    return found[0], found[1], found[2]
