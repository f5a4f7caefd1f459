"""Which way a regression has failed, from targets and predictions alone: NumPy and SciPy only, from any framework.

    for verdict in diagnose(targets, predictions):
        print(verdict.kind, verdict.advice)

    print(warning(activations, step=10).advice)

`warning` tells from a network's first steps whether it is dying. `Accumulator` takes pairs block by block, `kinds`
judges many members at once; all go through the same rules.
"""

from analysis.collapse.accumulate import Accumulator
from analysis.collapse.diagnosis import Diagnosis, conclude, diagnose
from analysis.collapse.members import kinds
from analysis.collapse.rules import KINDS, Verdicts
from analysis.collapse.warning import Warning, warning

__all__ = [
    "KINDS",
    "Accumulator",
    "Diagnosis",
    "Verdicts",
    "Warning",
    "conclude",
    "diagnose",
    "kinds",
    "warning",
]
