"""From comparisons and computations to the verdict on each claim, and what is known of it."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Sequence
from pathlib import Path

from analysis.audit import Verdict
from analysis.claims import judging, runs
from analysis.claims.claim import Answer, Claim, Computed
from analysis.claims.judging import FALSE, TRUE, Compared
from analysis.claims.runs import MOST_SEEDS, Job, Placed
from analysis.claims.settings import EPSILONS, FULL
from analysis.claims.table import CLAIMS
from jaxbox import store
from jaxbox.intervals import Interval
from jaxbox.sweep.until import decide

ORDER: tuple[Answer, ...] = ("true", "false", "conditional", "unfounded", "undecided")


@dataclasses.dataclass(frozen=True)
class Outcome:
    """What became of a comparison in a setting.

    `seeds`: of each side, at the look that decided it, or at the last. `sides`: the statistic of each side there.
    `found`: their difference, or that from the level; None without a run. `answer`: true, false, or empty.
    `would_take`: seeds that would decide it, were things as they were found; None if no number would.
    """

    placed: Placed
    seeds: int
    sides: tuple[float, ...]
    found: Interval | None
    answer: str
    would_take: int | None

    @property
    def condition(self) -> str:
        """Where this is, in words."""
        return f"{self.placed.comparison.condition} ({self.placed.where})"


def by_setting(outcomes: Sequence[Outcome]) -> list[tuple[str, list[Outcome]]]:
    """The outcomes of each setting, with its words; without the sizes where those differ from row to row."""
    found: dict[str, list[Outcome]] = {}
    for outcome in outcomes:
        found.setdefault(outcome.placed.setting, []).append(outcome)
    return [(_title(setting, own), own) for setting, own in found.items()]


def _title(setting: str, outcomes: Sequence[Outcome]) -> str:
    places = {each.placed.where for each in outcomes}
    return places.pop() if len(places) == 1 else EPSILONS.get(setting, setting)


@dataclasses.dataclass(frozen=True)
class Story:
    """A claim with its verdict, and the outcomes or the steps on which that rests."""

    claim: Claim
    verdict: Answer
    outcomes: tuple[Outcome, ...] = ()
    steps: tuple[Verdict, ...] = ()

    @property
    def command(self) -> str:
        """What to type to see it decided as it was here."""
        full = any(each.placed.setting == FULL for each in self.outcomes)
        return f"{self.claim.command} --full" if full else self.claim.command

    def decided(self, answer: str) -> list[Outcome]:
        """The outcomes with this answer."""
        return [each for each in self.outcomes if each.answer == answer]


def stories(folder: Path, names: Iterable[str] = (), full: bool = False) -> list[Story]:
    """The story of each claim, or of those that are named, in the table's order.

    Args:
        folder: of the claims' runs; what is missing there leaves claims undecided.
        full: read the runs in full size.

    Raises:
        RunError: a run that is damaged.
    """
    chosen = set(names or CLAIMS)
    found: dict[str, list[Outcome]] = {}
    for job in runs.jobs(CLAIMS, full):
        if chosen & {each.claim for each in job.placed}:
            for outcome in outcomes(folder, job):
                found.setdefault(outcome.placed.claim, []).append(outcome)
    return [_story(claim, found.get(claim.name, [])) for claim in CLAIMS.values() if claim.name in chosen]


def outcomes(folder: Path, job: Job) -> list[Outcome]:
    """What became of each comparison of a run."""
    path = runs.path_of(folder, job)
    if not (path / store.RESULTS).exists():  # not begun, or killed before its first results
        return [Outcome(each, 0, (), None, "", None) for each in job.placed]
    run, plan = store.open_with_plan(path)
    measured, begun, known = job.measure(run), run["last_step"].values >= 0, {}
    for decision in decide(job, plan, run, MOST_SEEDS):
        subject, seeds = decision.subject, decision.seeds
        assert isinstance(subject, Compared)
        one: Placed = subject.placed
        values = [measured[one.statistic][index, begun[index]][:seeds] for index in subject.configurations]
        sides = tuple(judging.value(one.statistic, each) for each in values) if seeds else ()
        take = None
        if decision.found is not None and not decision.answer:
            take = judging.seeds_to_decide(one.comparison, one.margin, decision.found, seeds)
        known[id(one)] = Outcome(one, seeds, sides, decision.found, decision.answer, take)
    return [known.get(id(each)) or Outcome(each, 0, (), None, "", None) for each in job.placed]


def _story(claim: Claim, found: Sequence[Outcome]) -> Story:
    if isinstance(claim.evidence, Computed):
        steps = tuple(step() for step in claim.evidence.steps)
        return Story(claim, _of_steps(steps), steps=steps)
    return Story(claim, verdict(found), tuple(found))


def verdict(outcomes: Sequence[Outcome]) -> Answer:
    """True or false if all comparisons say so, conditional if some do and some do not; undecided while any is missing
    that could make the difference. Where the effect is true and the reason that is given is not, it is unfounded."""
    effects = _together([each.answer for each in outcomes if not each.placed.reason])
    reasons = [each.answer for each in outcomes if each.placed.reason]
    if effects == "true" and reasons:
        because = _together(reasons)
        return "unfounded" if because == "false" else because if because == "true" else "undecided"
    return effects


def _together(answers: Sequence[str]) -> Answer:
    if TRUE in answers and FALSE in answers:
        return "conditional"
    if not answers or "" in answers:
        return "undecided"
    return "true" if answers[0] == TRUE else "false"


def _of_steps(steps: Sequence[Verdict]) -> Answer:
    """One step's verdict is the claim's; of several that differ it holds under a condition."""
    return steps[0].verdict if len({step.verdict for step in steps}) == 1 else "conditional"
