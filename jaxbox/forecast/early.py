"""How probable it is that a network loses a layer, from the units of each layer that are alive after a few steps.

The share a of a layer's units that are above zero for some image falls before the layer dies. After k steps the odds
that a network loses a layer are about a constant, times those of a unit to be dead in the layer with the smallest
share, (1 - a) / a, times 10 / k. NumPy alone, for networks of any framework.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:  # the signatures alone need it, and `analysis.collapse` is to run on NumPy and SciPy
    from jaxtyping import Float, Int

FITTED_STEPS = (10, 30)
"""The first and the last step that the formula was fitted at; before and after it is taken to be as there."""
LEAST = 1e-3
"""Added to the share of dead units: where none is dead yet one may be."""
LAST_STEP = 50
"""When a layer must be dead by."""
INTERCEPT, ODDS, STEP = -2.35, 0.944, -1.12
"""Of the logit: a constant, and what multiplies a unit's `log_odds` and the logarithm of the step over 10. Of greatest
likelihood on the members of a run of `fates` (`analysis.collapse_law.first_steps`)."""


def log_odds(share: Float[np.ndarray, "*n"]) -> Float[np.ndarray, "*n"]:
    """ln((1 - a) / a) of shares of units that are alive, where LEAST is added to those that are dead."""
    return np.log((1 - share + LEAST) / share)


def dying(alive: Float[np.ndarray, "*members layers"], step: int) -> Float[np.ndarray, "*members"]:
    """The probability that a layer is dead at step 50, of networks whose layers have these shares of units alive.

    1 where a layer is dead already. A layer whose share is NaN is left out; without any other it is 0.

    Args:
        alive: of each relu layer, the share of its units that are above zero for some image, from 0 to 1.
        step: how many steps have been taken.
    """
    smallest = np.where(np.isnan(alive), 1.0, alive).min(axis=-1)
    known = ~np.isnan(alive).all(axis=-1)
    return np.where(known, np.where(smallest <= 0, 1.0, probability(smallest, step)), 0.0)


def probability(
    smallest: Float[np.ndarray, "*n"],
    step: Int[np.ndarray, "*n"] | int,
    constants: tuple[float, float, float] = (INTERCEPT, ODDS, STEP),
) -> Float[np.ndarray, "*n"]:
    """The formula itself, of the smallest share of units alive; one under LEAST counts as LEAST."""
    late = np.clip(step, *FITTED_STEPS) / FITTED_STEPS[0]
    terms = (1.0, log_odds(np.maximum(smallest, LEAST)), np.log(late))
    logit = sum(constant * term for constant, term in zip(constants, terms, strict=True))
    return 1 / (1 + np.exp(-np.clip(logit, -40, 40)))


CALIBRATION = (
    (0.01, 0.010, 0.001, 0.029),
    (0.05, 0.097, 0.011, 0.225),
    (0.2, 0.230, 0.089, 0.370),
    (0.5, 0.280, 0.188, 0.395),
    (0.8, 0.340, 0.235, 0.502),
    (1, 0.443, 0.238, 0.748),
)
"""Of members that the formula was not fitted on (`fates_unseen`): up to which probability, and of those that were given
it which share lost a layer, with the ends of its 95% interval over settings."""


def calibrated(probability: float) -> tuple[float, float, float]:
    """Which share of networks that are given about this probability lose a layer, and the ends of its 95% interval."""
    if probability >= 1:
        return 1.0, 1.0, 1.0
    _, *found = next(row for row in CALIBRATION if probability <= row[0])
    return found[0], found[1], found[2]
