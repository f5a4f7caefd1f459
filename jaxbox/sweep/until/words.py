"""What a run's rule has decided, in lines: at the end of a sweep, and for whoever asks on the way."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from jaxbox import store
from jaxbox.sweep.until import decisions as looked
from jaxbox.sweep.until import goals
from jaxbox.sweep.until.decisions import Decision, decide
from jaxbox.sweep.until.rules import Rule

if TYPE_CHECKING:
    import xarray

    from jaxbox.intervals import Interval

ANSWERS = {"more": ">", "less": "<", "equal": "as", "": "?"}
ON_THE_WAY = (
    "intervals hold at all looks at once (95%), so that you may look at any time; only the sweep's own looks decide"
)
AT_THE_END = "intervals are of the look that decided, or of the last one; 95%, for all looks together"


def of_run(path: Path, run: xarray.Dataset, anytime: bool = False) -> str:
    """The lines of a run that grows until it is decided; empty of another.

    Args:
        run: its results.
        anytime: what holds whenever one looks, rather than what the looks have decided.
    """
    goal = goals.kept(path)
    if goal is None:
        return ""
    plan = store.load_plan(path)
    decisions = decide(goal.rule, plan, run, goal.most)
    shown = looked.anytime(goal.rule, plan, run) if anytime else [each.found for each in decisions]
    return "\n".join([*_table(goal.rule, decisions, shown, run), ON_THE_WAY if anytime else AT_THE_END])


def _table(
    rule: Rule, decisions: Sequence[Decision], shown: Sequence[Interval | None], run: xarray.Dataset
) -> list[str]:
    """A line for each subject, and what the looks have saved."""
    decided = sum(1 for each in decisions if each.answer)
    lines = [f"until {rule.name}: {decided} of {len(decisions)} decided"]
    lines += [_line(decision, found) for decision, found in zip(decisions, shown, strict=True)]
    members, fixed = int((run["last_step"] >= 0).sum()), rule.fixed_seeds(decisions) * run.sizes["configuration"]
    if decided == len(decisions) and fixed:
        ratio = members / fixed
        saved = f"{100 * (1 - ratio):.0f}% less than" if ratio <= 1 else f"{ratio:.2f} times"
        lines.append(f"{members} members, {saved} the {fixed} of one number of seeds for all, known in advance")
    return lines


def _line(decision: Decision, found: Interval | None) -> str:
    subject = decision.subject
    what = f" {ANSWERS[decision.answer]} ".join(map(str, subject.configurations))
    words = f"  {what}: {subject.statistic}" + (f", by {subject.words}" if subject.words else "")
    if found is None:
        return f"{words}: not begun"
    rate = subject.statistic.endswith("rate")
    numbers = [f"{100 * value:.0f}" if rate else f"{value:.3f}" for value in map(float, found)]
    state = f"decided by {decision.seeds} seeds" if decision.answer else f"not decided by {decision.seeds} seeds"
    return f"{words} {numbers[0]}{'%' * rate} [{numbers[1]}, {numbers[2]}], {state}"
