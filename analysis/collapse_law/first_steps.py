"""The constants of the warning, from members that were alive after a few steps, and how often what it says is so."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float, Int
from sklearn.linear_model import LogisticRegression

from analysis.collapse_law import fitting
from analysis.collapse_law.settings import lost
from jaxbox import store
from jaxbox.forecast.early import log_odds

STEPS = (10, 20, 30)
"""When members are looked at."""
EDGES = (0.01, 0.05, 0.2, 0.5, 0.8, 1.0)
"""Of probabilities whose calibration is told."""


class Seen(NamedTuple):
    """Members that had no dead layer when they were looked at: the smallest share of units alive, the step, whether the
    member was lost in the end, and a number for its program."""

    share: Float[np.ndarray, " n"]
    step: Int[np.ndarray, " n"]
    lost: Bool[np.ndarray, " n"]
    program: Int[np.ndarray, " n"]


def seen(run: Path) -> Seen:
    """Of all members of a run, at each of STEPS.

    Raises:
        RunError: not a run, or one without results.
    """
    results, plan = store.open_with_plan(run)
    dead = results["dead_fraction"].sel(step=list(STEPS)).values
    smallest = np.where(np.isnan(dead), 1.0, 1 - dead).min(axis=-1)  # (configuration, seed, step)
    step = np.broadcast_to(np.array(STEPS), smallest.shape)
    gone = np.broadcast_to(lost(results)[:, :, None], smallest.shape)
    program = np.broadcast_to(fitting.programs(plan.configurations)[:, None, None], smallest.shape)
    alive = smallest > 0
    return Seen(smallest[alive], step[alive], gone[alive], program[alive])


def fit(found: Seen) -> tuple[float, float, float]:
    """Constant term, slope in `log_odds`, slope in ln(step / 10), of greatest likelihood."""
    design = np.column_stack([log_odds(found.share), np.log(found.step / STEPS[0])])
    model = LogisticRegression(C=np.inf, max_iter=1000).fit(design, found.lost)
    return float(model.intercept_[0]), float(model.coef_[0, 0]), float(model.coef_[0, 1])


def calibration(
    probability: Float[np.ndarray, " n"], found: Seen, resamples: int = 1000
) -> list[tuple[float, float, float, float, int]]:
    """Up to which probability, which share was lost, its 95% interval over programs (cluster bootstrap), and of how
    many looks; bins without any are left out."""
    generator, rows = np.random.default_rng(0), []
    programs = np.unique(found.program)
    for low, high in zip((0.0, *EDGES[:-1]), EDGES, strict=True):
        own = (probability > low) & (probability <= high)
        if not own.any():
            continue
        counts = np.array([[(own & (found.program == each)).sum(), found.lost[own & (found.program == each)].sum()]
                           for each in programs])  # fmt: skip
        drawn = counts[generator.integers(len(programs), size=(resamples, len(programs)))].sum(axis=1)
        shares = drawn[:, 1] / np.maximum(drawn[:, 0], 1)
        ends = np.quantile(shares[drawn[:, 0] > 0], [0.025, 0.975])
        rows.append((high, float(found.lost[own].mean()), float(ends[0]), float(ends[1]), int(own.sum())))
    return rows
