"""Which configuration of a task is best, and how sure that is: the best against all others, at the same seeds."""

import dataclasses

import numpy as np

from analysis import statistics
from analysis.report.collapse_rate import rate
from analysis.report.gather import Gathered
from analysis.report.values import FEW, Number, Words, count, listed, number

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
    return Preference(task, best, mean, tuple(_rival(run, best, other, len(others)) for other in others))


def _rival(run: Gathered, best: int, other: int, comparisons: int) -> Rival:
    common = run.begun[best] & run.begun[other]
    names = f"difference[{best}, {other}]", f"improvement[{best}, {other}]"
    if not common.any():
        nothing = Number(np.nan, "R2 difference", SOURCE, -np.inf, np.inf, names[0])
        return Rival(other, nothing, Number(np.nan, "probability", SOURCE, 0.0, 1.0, names[1]))
    first, second, share = run.score[best, common], run.score[other, common], ALPHA / comparisons
    resamples = max(2_000, int(np.ceil(2 * DRAWS_OUTSIDE / share)))
    difference = statistics.paired_difference(first, second, confidence=1 - share, resamples=resamples)
    improvement = statistics.probability_of_improvement(first, second, confidence=1 - share, resamples=resamples)
    return Rival(
        other,
        number(difference, "R2 difference", SOURCE, names[0]),
        number(improvement, "probability", SOURCE, names[1]),
    )


def preferred(run: Gathered, found: list[Preference]) -> list[Words]:
    """Which configuration to prefer, task by task, in sentences."""
    compared = [each for each in found if each.rivals]
    if len(run.names) == 1:
        return [("There is one configuration: nothing to choose from.",)]
    if not compared:
        return [("No two configurations that have begun have the same task: there is nothing to choose from.",)]
    if len(compared) <= FEW:
        several = len(run.same_task()) > 1
        return [(f"For {run.task_name(each.task)}: " * several, *_preferred(run, each)) for each in compared]
    return _tallied(run, compared)


def _tallied(run: Gathered, compared: list[Preference]) -> list[Words]:
    """For many tasks: how often each choice, whatever the task is called, is the best, and how often surely."""
    choices: dict[str, list[Preference]] = {}
    for each in compared:
        of_task = run.task_name(each.task).split()
        choice = " ".join(word for word in run.names[each.best].split() if word not in of_task)
        choices.setdefault(choice, []).append(each)
    total = count(len(compared), SOURCE, "tasks compared")
    lines: list[Words] = [("Of ", total, " tasks, each on its own; a table below has them all.")]
    for choice, found in sorted(choices.items(), key=lambda item: -len(item[1]))[:FEW]:
        best = count(len(found), SOURCE, f"best: {choice}")
        surely = count(sum(not each.undecided for each in found), SOURCE, f"surely best: {choice}")
        lines.append((f"“{choice}” is the best on ", best, ", surely on ", surely, "."))
    return lines


def _preferred(run: Gathered, found: Preference) -> Words:
    if found.mean.value == -np.inf:
        return ("None can be preferred: too many seeds of every configuration diverged.",)
    best, rival = run.names[found.best], found.rivals[0]
    mean: Words = (" (interquartile mean of R2 over all its seeds: ", found.mean, ")")
    if found.undecided:
        others = listed([run.names[index] for index in found.undecided])
        start: Words = (f"Undecided between “{best}”", *mean, f" and {others}. It")
    else:
        start = (f"Prefer “{best}”", *mean, ". It")
    text: Words = (
        f" is ahead of “{run.names[rival.index]}” by ",
        rival.difference,
        ", and one of its seeds beats one of ",
    )
    return (*start, *text, "that with probability ", rival.improvement, ".", *_price(run, found.best, rival.index))


def _price(run: Gathered, best: int, other: int) -> Words:
    """What the interquartile mean does not see, and how long training took."""
    text: Words = ()
    if run.collapsed[best].any():
        text += (" That mean leaves out the worst quarter: of all seeds ", rate(run, best), " collapsed.")
    taken = [float(run.results["seconds"].values[row]) for row in (best, other)]
    if np.isfinite(taken).all():
        first, second = (Number(seconds, "s", "seconds", name=f"seconds[{row}]")
                         for seconds, row in zip(taken, (best, other), strict=True))  # fmt: skip
        text += (" Training all seeds took ", first, " against ", second, ".")
    return text
