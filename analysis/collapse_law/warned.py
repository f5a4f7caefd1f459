"""What the first steps tell of a network's fate, each time by constants that were fitted to what came before."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np

from analysis.collapse_law import first_steps, predictions
from analysis.collapse_law.first_steps import Row, Seen
from analysis.collapse_law.table import Settings
from jaxbox.forecast.early import Formula, probability

Bins = list[tuple[float, float, float, float, int]]


class Warned(NamedTuple):
    """The formulas of `jaxbox.forecast.early`, fitted to all settings that the law is fitted to; by the experiment that
    judged it, how near the rates of its settings are told; and how often what is said of a network comes true, as
    `first_steps.calibration` has it, over these experiments."""

    alone: Formula
    with_law: Formula
    rows: dict[str, list[Row]]
    calibration: Bins
    calibration_with_law: Bins


def warned(runs: Mapping[str, Path]) -> Warned:
    """From the runs of the law's experiments, by name, that of `fates` among them.

    The first round is left out: its law is no longer in use.

    Raises:
        RunError: not a run, or one that is not at its end.
    """
    judged = [which for which in predictions.ROUNDS[1:] if {*which.fitted_to, which.experiment} <= set(runs)]
    fitted = [(which, *_formulas(runs, which)) for which in judged]
    looks, said, said_with_law, rows = [], [], [], {}
    for which, laws, alone, with_law in fitted:
        own = first_steps.seen(runs[which.experiment], laws)
        looks.append(own)
        said.append(probability(own.share, own.step, alone))
        said_with_law.append(probability(own.share, own.step, with_law, own.expected))
        rows[which.experiment] = first_steps.sharpness(runs[which.experiment], laws, alone, with_law)
    last = predictions.ROUNDS[-1]
    _, alone, with_law = fitted[-1][1:] if last in judged else _formulas(runs, last)
    tables = [
        first_steps.calibration(np.concatenate(each), Seen.joined(looks)) if looks else []
        for each in (said, said_with_law)
    ]
    return Warned(alone, with_law, rows, *tables)


def _formulas(runs: Mapping[str, Path], which: predictions.Round) -> tuple[predictions.Laws, Formula, Formula]:
    """The law and the formulas of a round, fitted to those runs of its that there are."""
    own = [runs[name] for name in which.fitted_to if name in runs]
    laws = Settings.joined([Settings.of(run) for run in own]).laws(which.forms)
    seen = Seen.joined([first_steps.seen(run, laws) for run in own])
    return laws, first_steps.fit(seen), first_steps.fit(seen, with_law=True)
