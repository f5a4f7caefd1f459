"""How often members collapse, and of which kind, in sentences."""

import numpy as np

from analysis import statistics
from analysis.comparison import FATES
from analysis.figures.fates import words
from analysis.report.gather import Gathered
from analysis.report.values import FEW, Number, Words, count, number
from jaxbox.store import COLLAPSED_R2

COLLAPSED = "r2 of the run under the limit of collapse"

NO_FAULT = {"noise-limited": " (as good as the noise allows: no fault)"}


def collapse(run: Gathered) -> list[Words]:
    """How many members collapsed, and of which kind."""
    total, events = int(run.begun.sum()), int(run.collapsed.sum())
    # That it is no replicate of one thing is why the sum over configurations has no interval.
    start: Words = (count(events, COLLAPSED, "collapsed"), " of ", count(total, "last_step", "members"))
    start += (f" members collapsed (R2 over both coordinates under {COLLAPSED_R2:g} at the end)",)
    sentences = [start + _of_kinds(run, run.collapsed, ": ", "collapsed", "") + (".",)]
    others = _of_kinds(
        run, run.begun & ~run.collapsed, "Kinds among the others, whose R2 is above that: ", "others", "."
    )
    rows = [row for row in range(len(run.names)) if run.begun[row].any()]
    return [*sentences, *([others] if others else []), *_rates(run, rows)]


def _of_kinds(run: Gathered, members: np.ndarray, before: str, name: str, after: str) -> Words:
    """The kinds among these members, the worst first; nothing where none has a kind."""
    numbers = {fate: int((run.fate[members] == fate).sum()) for fate in FATES}
    unnamed = numbers.pop("none")
    found: Words = ()
    for fate, number_of in numbers.items():
        if number_of:
            found += (
                ", " if found else before,
                count(number_of, "fate", f"{name}: {fate}"),
                f" {words(fate)}{NO_FAULT.get(fate, '')}",
            )
    if found and unnamed and name != "others":
        found += (", ", count(unnamed, "fate", f"{name}: of no named kind"), " of no named kind")
    return (*found, after) if found else ()


def _rates(run: Gathered, rows: list[int]) -> list[Words]:
    """A line for each configuration, or for the lowest and the highest rate."""
    rates = {row: rate(run, row) for row in rows}
    if len(rows) <= FEW:
        return [(f"“{run.names[row]}”: ", *_counts(run, row), rates[row], *_kinds_of(run, row), ".") for row in rows]
    if not run.collapsed.any():
        return []
    never = [row for row in rows if rates[row].value == 0]
    without = count(len(never), COLLAPSED, "configurations without collapse")
    total = count(len(rows), "last_step", "configurations")
    lines: list[Words] = [(without, " of ", total, " configurations show no collapse at all.")]
    worst = max(rows, key=lambda row: rates[row].value)
    most = (f"Most often: “{run.names[worst]}”, ", *_counts(run, worst), rates[worst], *_kinds_of(run, worst), ".")
    return [*lines, most]


def _kinds_of(run: Gathered, row: int) -> Words:
    """The kinds of a configuration's collapsed seeds."""
    members = run.collapsed & (np.arange(len(run.names)) == row)[:, None]
    return _of_kinds(run, members, ": ", f"collapsed[{row}]", "")


def _counts(run: Gathered, row: int) -> Words:
    seeds, events = run.begun[row].sum(), run.collapsed[row].sum()
    return (
        *(count(events, COLLAPSED, f"collapsed[{row}]"), " of "),
        *(count(seeds, "last_step", f"seeds[{row}]"), " seeds, " if seeds > 1 else " seed, "),
    )


def rate(run: Gathered, row: int) -> Number:
    """The share of a configuration's seeds that collapsed, with its Wilson interval."""
    share = statistics.wilson(run.collapsed[row].sum(), run.begun[row].sum())
    return number(share, "share", COLLAPSED, f"collapsed_rate[{row}]")
