"""How near anything comes that knows what the law knows: by cross-validation over programs, and with each its own."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pandas as pd
from jaxtyping import Float
from sklearn.model_selection import GroupKFold

from analysis.collapse_law import baselines, fitting
from analysis.collapse_law.forms import Form
from analysis.collapse_law.table import Settings

FOLDS = 10


class Floor(NamedTuple):
    """Mean absolute errors of rates: of the law and of boosted trees on all fields and variables, of programs that each
    was fitted without; and of the law where each program has a threshold and a plateau of its own, fitted to it."""

    law: float
    trees: float
    own_constants: float


def floor(seen: Settings, form: Form, folds: int = FOLDS) -> Floor:
    """Of settings of one kind of optimiser, for a law of this form.

    Args:
        folds: into how many parts programs are cut; each is told by fits to the others.
    """
    program, rate = fitting.programs(seen.configurations), seen.lost / seen.members
    known = seen.known.add_prefix("known_").transform(np.exp)  # trees take logarithms
    columns = pd.concat([seen.fields, known], axis=1)
    law, trees = np.empty((2, len(rate)))
    parts = GroupKFold(min(folds, program.max() + 1), shuffle=True, random_state=0)
    for others, own in parts.split(columns, groups=program):
        known, lost, members = seen.known.iloc[others].reset_index(drop=True), seen.lost[others], seen.members[others]
        law[own] = fitting.predicted(fitting.fit(form, known, lost, members), seen.known.iloc[own])
        trees[own] = baselines.trees(columns.iloc[others], lost, members)(columns.iloc[own])
    return Floor(*(float(np.abs(told - rate).mean()) for told in (law, trees, _with_own_constants(seen, form))))


def _with_own_constants(seen: Settings, form: Form) -> Float[np.ndarray, " settings"]:
    program = pd.Series(fitting.programs(seen.configurations))
    own = pd.get_dummies(program, prefix="program", dtype=float)
    known, names = pd.concat([seen.known, own], axis=1), list(own)
    both = [*form[0], *names], [*form[1], *names]
    return fitting.predicted(fitting.fit(both, known, seen.lost, seen.members), known)
