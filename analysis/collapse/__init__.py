"""Which way a regression has failed, from targets and predictions alone: NumPy and SciPy only, from any framework.

    for verdict in diagnose(targets, predictions):
        print(verdict.kind, verdict.advice)

`Accumulator` takes pairs block by block, `kinds` judges many members at once; all go through the same rules.
"""

from analysis.collapse.accumulate import Accumulator
from analysis.collapse.diagnosis import Diagnosis, conclude, diagnose
from analysis.collapse.members import kinds
from analysis.collapse.rules import KINDS, Verdicts

__all__ = ["KINDS", "Accumulator", "Diagnosis", "Verdicts", "conclude", "diagnose", "kinds"]
