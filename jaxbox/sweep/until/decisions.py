"""What a rule has decided in a run, from the results alone: so a sweep can stop anywhere and go on."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from jaxbox.config import Plan
from jaxbox.sweep.until.rules import Rule, Subject, Values

if TYPE_CHECKING:
    import xarray

    from jaxbox.intervals import Interval


@dataclasses.dataclass(frozen=True)
class Decision:
    """What is known of a subject at the look that decided it, or at the last that there was."""

    subject: Subject
    seeds: int
    """Of each of its configurations, at that look."""
    found: Interval | None
    """None before the first look."""
    answer: str
    """Empty if it is not decided."""
    wants: int
    """Seeds at the next look; 0 if it is decided, or if there is no further look."""


def decide(rule: Rule, plan: Plan, run: xarray.Dataset, most: int) -> list[Decision]:
    """Every subject, each at its first look that decides it.

    Args:
        plan: of the run.
        run: of `open_run`.
        most: seeds that a configuration may have.

    Raises:
        ConfigurationError: the rule has nothing to decide there.
    """
    looks = rule.looks(most)
    return [_look(rule, subject, values, looks) for subject, values in _subjects(rule, plan, run)]


def anytime(rule: Rule, plan: Plan, run: xarray.Dataset) -> list[Interval | None]:
    """What is known of every subject from all of its seeds, for whoever looks whenever he likes; None without any."""
    return [
        rule.sequence(subject, values) if len(values[0]) else None for subject, values in _subjects(rule, plan, run)
    ]


def _subjects(rule: Rule, plan: Plan, run: xarray.Dataset) -> Iterator[tuple[Subject, Values]]:
    """Every subject with the values of the seeds that all of its configurations have."""
    measured, begun = rule.measure(run), run["last_step"].values >= 0
    for subject in rule.subjects(plan):
        values = [measured[subject.statistic][index, begun[index]] for index in subject.configurations]
        there = min(map(len, values))
        yield subject, [each[:there] for each in values]


def _look(rule: Rule, subject: Subject, values: Values, looks: tuple[int, ...]) -> Decision:
    found, seeds = None, 0
    for look, wanted in enumerate(looks):
        if wanted > len(values[0]):
            return Decision(subject, seeds, found, "", wanted)
        found, seeds = rule.interval(subject, [each[:wanted] for each in values], looks, look), wanted
        if answer := rule.answer(subject, found):
            return Decision(subject, seeds, found, answer, 0)
    return Decision(subject, seeds, found, "", 0)


def wanted(decisions: Sequence[Decision], configurations: int) -> list[int]:
    """How many seeds each configuration should have for the next look of what is not decided; 0 for no more."""
    found = [0] * configurations
    for decision in decisions:
        for index in decision.subject.configurations:
            found[index] = max(found[index], decision.wants)
    return found
