"""Which configuration of a task is best, and how sure that is: the best against all others, at the same seeds."""

import dataclasses

import numpy as np

from analysis import statistics
from analysis.report.gather import Gathered
from analysis.report.values import Number, number
from analysis.statistics import Interval

ALPHA = 0.05
"""Of all comparisons of a task together: each has its share (Bonferroni)."""
DRAWS_OUTSIDE = 10
"""Resamples beyond each end of an interval, at least."""
SOURCE = "paired comparison of r2 over seeds"


@dataclasses.dataclass(frozen=True)
class Rival:
    """A configuration beside the best of its task, and by how much and how often that is ahead."""

    index: int
    difference: Number
    """Of the interquartile means of R2."""
    improvement: Number
    """Probability that a seed of the best beats one of this."""

    @property
    def beaten(self) -> bool:
        """Whether both intervals are on the side of the best."""
        return self.difference.low > 0 and self.improvement.low > 0.5


@dataclasses.dataclass(frozen=True)
class Preference:
    """The configuration with the highest interquartile mean on a task, and its rivals in the order of theirs."""

    task: int
    best: int
    mean: Number
    rivals: tuple[Rival, ...]

    @property
    def undecided(self) -> list[int]:
        """Configurations that the best does not surely beat."""
        return [rival.index for rival in self.rivals if not rival.beaten]


def preferences(run: Gathered) -> list[Preference]:
    """One for each task that a member has begun."""
    begun = {task: [row for row in rows if run.begun[row].any()] for task, rows in run.same_task().items()}
    return [_preference(run, task, rows) for task, rows in begun.items() if rows]


def _preference(run: Gathered, task: int, rows: list[int]) -> Preference:
    means = {row: statistics.interquartile_mean(run.score[row, run.begun[row]]) for row in rows}
    # Of equal means, such as those of configurations that diverge, the first.
    best, *others = sorted(rows, key=lambda row: (-float(means[row].value), row))
    mean = number(means[best], "R2", "interquartile mean over seeds of r2", f"best_iqm[{best}]")
    return Preference(task, best, mean, tuple(_rivals(run, best, others)))


def _rivals(run: Gathered, best: int, others: list[int]) -> list[Rival]:
    """Each at the seeds that it shares with the best; those with the same seeds are resampled together."""
    common = {other: run.begun[best] & run.begun[other] for other in others}
    groups: dict[bytes, list[int]] = {}
    for other, seeds in common.items():
        groups.setdefault(seeds.tobytes(), []).append(other)
    found = {}
    for group in groups.values():
        seeds = common[group[0]]
        second = run.score[np.ix_(group, seeds)]
        compared = _compared(np.broadcast_to(run.score[best, seeds], second.shape), second, len(others))
        for place, other in enumerate(group):
            difference, improvement = (Interval(*(end[place] for end in interval)) for interval in compared)
            name = f"[{best}, {other}]"
            found[other] = Rival(
                other,
                number(difference, "R2 difference", SOURCE, f"difference{name}"),
                number(improvement, "probability", SOURCE, f"improvement{name}"),
            )
    return [found[other] for other in others]


def _compared(first: np.ndarray, second: np.ndarray, comparisons: int) -> tuple[Interval, Interval]:
    """Difference and probability of improvement, row by row; of no common seed nothing is known."""
    if not first.shape[-1]:
        unknown, no, yes = (np.full(len(first), value) for value in (np.nan, 0.0, 1.0))
        return Interval(unknown, no - np.inf, yes + np.inf), Interval(unknown, no, yes)
    share = ALPHA / comparisons
    resamples = max(2_000, int(np.ceil(2 * DRAWS_OUTSIDE / share)))
    difference = statistics.paired_difference(first, second, confidence=1 - share, resamples=resamples)
    return difference, statistics.probability_of_improvement(first, second, confidence=1 - share, resamples=resamples)
