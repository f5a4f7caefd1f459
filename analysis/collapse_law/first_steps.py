"""The constants of the warning, from members that were alive after a few steps, and how often what it says is so."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float, Int
from sklearn.linear_model import LogisticRegression

from analysis.collapse_law import fitting, forms
from analysis.collapse_law.settings import lost
from jaxbox import store
from jaxbox.forecast.early import Formula, log_odds, logit, probability
from jaxbox.forecast.law import Law

STEPS = (10, 20, 30)
"""When members are looked at."""
EDGES = (0.01, 0.05, 0.2, 0.5, 1.0)
"""Of probabilities whose calibration is told."""


class Seen(NamedTuple):
    """Members that had no dead layer when they were looked at: the smallest share of units alive, the step, the rate
    that the law expected, whether the member was lost in the end, and a number for its program."""

    share: Float[np.ndarray, " n"]
    step: Int[np.ndarray, " n"]
    expected: Float[np.ndarray, " n"]
    lost: Bool[np.ndarray, " n"]
    program: Int[np.ndarray, " n"]

    @classmethod
    def joined(cls, parts: Sequence[Seen]) -> Seen:
        """Those of several runs, whose programs are others."""
        starts = np.cumsum([0, *(part.program.max(initial=-1) + 1 for part in parts)])
        own = [part._replace(program=part.program + start) for part, start in zip(parts, starts, strict=False)]
        return cls(*(np.concatenate(column) for column in zip(*own, strict=True)))


class Row(NamedTuple):
    """Mean absolute error of the rates of settings, once each of their members has been seen at a step: of the law
    before training, of counting those that are lost, of the warning, and of the warning that has the law's rate."""

    step: int
    law: float
    counting: float
    alone: float
    with_law: float


def seen(run: Path, laws: dict[str, Law]) -> Seen:
    """Of all members of a run, at each of STEPS.

    Raises:
        RunError: not a run, or one without results.
    """
    smallest, gone, expected, program = _looked(run, laws)
    step = np.broadcast_to(np.array(STEPS), smallest.shape)
    rest = (np.broadcast_to(each, smallest.shape) for each in (expected, gone[:, :, None], program))
    alive = smallest > 0
    expected, gone, program = (each[alive] for each in rest)
    return Seen(smallest[alive], step[alive], expected, gone, program)


def fit(found: Seen, with_law: bool = False) -> Formula:
    """Of greatest likelihood, with the law's rate or without it."""
    columns = [log_odds(found.share), np.log(found.step / STEPS[0])]
    if with_law:
        columns.append(np.asarray(logit(found.expected)))
    model = LogisticRegression(C=np.inf, max_iter=1000).fit(np.column_stack(columns), found.lost)
    return Formula(float(model.intercept_[0]), *map(float, model.coef_[0]))


def calibration(
    said: Float[np.ndarray, " n"], found: Seen, resamples: int = 1000
) -> list[tuple[float, float, float, float, int]]:
    """Up to which probability, which share was lost, its 95% interval over programs (cluster bootstrap), and of how
    many looks; bins without any are left out."""
    generator, rows = np.random.default_rng(0), []
    programs = np.unique(found.program)
    for low, high in zip((0.0, *EDGES[:-1]), EDGES, strict=True):
        own = (said > low) & (said <= high)
        if not own.any():
            continue
        counts = np.array([[(own & (found.program == each)).sum(), found.lost[own & (found.program == each)].sum()]
                           for each in programs])  # fmt: skip
        drawn = counts[generator.integers(len(programs), size=(resamples, len(programs)))].sum(axis=1)
        shares = drawn[:, 1] / np.maximum(drawn[:, 0], 1)
        ends = np.quantile(shares[drawn[:, 0] > 0], [0.025, 0.975])
        rows.append((high, float(found.lost[own].mean()), float(ends[0]), float(ends[1]), int(own.sum())))
    return rows


def sharpness(run: Path, laws: dict[str, Law], alone: Formula, with_law: Formula) -> list[Row]:
    """How near the rates of a run's settings are told, before training and after each of STEPS.

    Raises:
        RunError: not a run, or one without results.
    """
    smallest, gone, expected, _ = _looked(run, laws)
    rate = gone.mean(axis=1)

    def error(told: Float[np.ndarray, "settings seeds"] | Bool[np.ndarray, "settings seeds"]) -> float:
        return float(np.abs(told.mean(axis=1) - rate).mean())

    return [
        Row(
            step,
            error(expected[:, :, 0]),
            error(share <= 0),
            error(np.where(share <= 0, 1.0, probability(share, step, alone))),
            error(np.where(share <= 0, 1.0, probability(share, step, with_law, expected[:, :, 0]))),
        )
        for step, share in zip(STEPS, np.moveaxis(smallest, -1, 0), strict=True)
    ]


def _looked(
    run: Path, laws: dict[str, Law]
) -> tuple[
    Float[np.ndarray, "settings seeds steps"],
    Bool[np.ndarray, "settings seeds"],
    Float[np.ndarray, "settings 1 1"],
    Int[np.ndarray, "settings 1 1"],
]:
    """The smallest share of units alive at each of STEPS, 0 of one that has blown up; whether a member was lost; and of
    each setting the rate that the law expects and the number of its program."""
    results, plan = store.open_with_plan(run)
    dead = results["dead_fraction"].sel(step=list(STEPS)).values
    smallest = np.where(np.isnan(dead), 1.0, 1 - dead).min(axis=-1)
    for name in ("failed_step", "dropped_step"):  # from either nothing comes back
        if name in results:
            gone = results[name].values[:, :, None]
            smallest = np.where((gone >= 0) & (gone <= np.array(STEPS)), 0.0, smallest)
    expected = forms.predicted(laws, plan.configurations, fitting.table(plan.configurations))
    return smallest, lost(results), expected[:, None, None], fitting.programs(plan.configurations)[:, None, None]
