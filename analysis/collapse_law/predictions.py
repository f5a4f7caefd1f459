"""What the law and the baselines say of settings that they have not seen, written down before these were trained.

Of `fates_unseen` by the first form of the law, fitted to a run of `fates`; of `fates_fresh` by what came of that,
fitted to both; of `fates_wide_unseen` by the form in use, fitted to all three and to `fates_wide`:

    python -m analysis.collapse_law.predictions runs/fates
    python -m analysis.collapse_law.predictions runs/fates runs/fates_unseen
    python -m analysis.collapse_law.predictions runs/fates runs/fates_unseen runs/fates_fresh runs/fates_wide
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from jaxtyping import Float

from analysis.collapse_law import fitting, forms, settings
from analysis.collapse_law.baselines import BASELINES
from analysis.collapse_law.table import Settings
from jaxbox import command_line
from jaxbox.config import Configuration, RunError
from jaxbox.experiments import EXPERIMENTS, fates, fates_wide
from jaxbox.forecast.law import Law

FOLDER = Path(__file__).parent


Laws = dict[str, Law]


class Round(NamedTuple):
    """A fit and its judging: the experiment, those that were fitted to before, the kinds of its settings and how many
    of each, the law's forms, and the file of its predictions."""

    experiment: str
    fitted_to: tuple[str, ...]
    kinds: dict[str, Any]
    settings_of_a_kind: int
    forms: dict[str, forms.Form]
    file: str


FIRST = Round(
    "fates_unseen",
    ("fates",),
    fates.UNSEEN,
    fates.UNSEEN_PROGRAMS * fates.UNSEEN_DRAWS,
    forms.FIRST,
    "unseen.csv",
)
SECOND = Round(
    "fates_fresh",
    (*FIRST.fitted_to, FIRST.experiment),
    fates.FRESH,
    len(fates.FRESH_RULES) * fates.FRESH_DRAWS,
    forms.SECOND,
    "fresh.csv",
)
THIRD = Round(
    "fates_wide_unseen",
    (*SECOND.fitted_to, SECOND.experiment, "fates_wide"),
    fates_wide.WIDE_UNSEEN,
    fates_wide.WIDE_UNSEEN_DRAWS,
    forms.FORMS,
    "wide_unseen.csv",
)
ROUNDS = (FIRST, SECOND, THIRD)
"""In this order; each is fitted to all that came before it."""
LAW = "law"
PREDICTORS = (LAW, *BASELINES)
DIGITS = 6
"""Of a rate, in the file."""


def predict(
    seen: Settings, configurations: Sequence[Configuration], by_kind: dict[str, forms.Form]
) -> dict[str, Float[np.ndarray, " settings"]]:
    """The rate of each configuration by each of PREDICTORS, fitted on what was seen, the law in these forms."""
    known, fields = fitting.table(configurations), settings.fields(configurations)
    found = {LAW: forms.predicted(seen.laws(by_kind), configurations, known)}
    found |= {name: fitted(seen.fields, seen.lost, seen.members)(fields) for name, fitted in BASELINES.items()}
    return found


def read(which: Round) -> pd.DataFrame:
    """A round's predictions, a row a setting of its experiment in its order: its kind, and a column a predictor."""
    return pd.read_csv(FOLDER / which.file, index_col="setting")


def main(words: Sequence[str] | None = None) -> int:
    """The command line; returns the exit code: 2, after one line that says why, for bad input."""
    words = sys.argv[1:] if words is None else words
    return command_line.exit_code("analysis.collapse_law.predictions", lambda: _write(words))


def _write(words: Sequence[str]) -> int:
    which = next((each for each in ROUNDS if len(each.fitted_to) == len(words)), None)
    if which is None or any(word.startswith("-") for word in words):
        allowed = " or ".join(" ".join(each.fitted_to) for each in ROUNDS)
        raise RunError(f"run: {' '.join(words)!r} is not allowed; it must be runs of these: {allowed}")
    seen = Settings.joined([Settings.of(Path(word)) for word in words])
    rates = predict(seen, EXPERIMENTS[which.experiment](), which.forms)
    table = pd.DataFrame({"kind": np.repeat(list(which.kinds), which.settings_of_a_kind)})
    table = table.assign(**{name: values.round(DIGITS) for name, values in rates.items()})
    table.to_csv(FOLDER / which.file, index_label="setting")
    print(FOLDER / which.file)
    return 0


if __name__ == "__main__":
    sys.exit(main())
