"""Which configuration to prefer and how sure that is, in sentences."""

import numpy as np

from analysis.report.collapse_rate import rate
from analysis.report.gather import Gathered
from analysis.report.preference import SOURCE, Preference
from analysis.report.values import FEW, Number, Words, count, listed


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
