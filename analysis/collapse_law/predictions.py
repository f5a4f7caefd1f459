"""What the law and the baselines say of `fates_unseen`, written down before any of it was trained.

Written from a run of `fates`, which has nothing of it:

    python -m analysis.collapse_law.predictions runs/fates
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from jaxtyping import Float

from analysis.collapse_law import fitting, forms, settings
from analysis.collapse_law.baselines import BASELINES
from analysis.collapse_law.table import Settings
from jaxbox import command_line
from jaxbox.config import Configuration, RunError
from jaxbox.experiments import fates

FILE = Path(__file__).parent / "predictions.csv"
LAW = "law"
PREDICTORS = (LAW, *BASELINES)
DIGITS = 6
"""Of a rate, in the file."""


def predict(seen: Settings, configurations: Sequence[Configuration]) -> dict[str, Float[np.ndarray, " settings"]]:
    """The rate of each configuration by each of PREDICTORS, fitted on what was seen."""
    known, fields = fitting.table(configurations), settings.fields(configurations)
    laws = forms.laws(seen.configurations, seen.known, seen.lost, seen.members)
    found = {LAW: forms.predicted(laws, configurations, known)}
    found |= {name: fitted(seen.fields, seen.lost, seen.members)(fields) for name, fitted in BASELINES.items()}
    return found


def read() -> pd.DataFrame:
    """The predictions, a row a setting of `fates_unseen` in its order: its kind, and a column for each predictor."""
    return pd.read_csv(FILE, index_col="setting")


def main(words: Sequence[str] | None = None) -> int:
    """The command line; returns the exit code: 2, after one line that says why, for bad input."""
    words = sys.argv[1:] if words is None else words
    return command_line.exit_code("analysis.collapse_law.predictions", lambda: _write(words))


def _write(words: Sequence[str]) -> int:
    if len(words) != 1 or words[0].startswith("-"):
        raise RunError(f"run: {' '.join(words)!r} is not allowed; it must be the folder of a run of fates")
    kinds = np.repeat(list(fates.UNSEEN), fates.UNSEEN_PROGRAMS * fates.UNSEEN_DRAWS)
    rates = predict(Settings.of(Path(words[0])), fates.fates_unseen())
    table = pd.DataFrame({"kind": kinds} | {name: values.round(DIGITS) for name, values in rates.items()})
    table.to_csv(FILE, index_label="setting")
    print(FILE)
    return 0


if __name__ == "__main__":
    sys.exit(main())
