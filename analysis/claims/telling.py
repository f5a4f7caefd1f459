"""The verdicts as a table of text, as CSV, and one claim's story in lines."""

from __future__ import annotations

import csv
import textwrap
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from analysis.claims.claim import Computed, Measured
from analysis.claims.statistics import STATISTICS
from analysis.claims.verdicts import ORDER, Outcome, Story, by_setting

WIDTH = 100
ANSWERS = {"true": "true", "false": "false", "": "undecided"}
RULE = {
    "more": "true once the difference is surely above 0, false once it is surely below {margin}",
    "less": "true once the difference is surely below 0, false once it is surely above -{margin}",
    "equal": "true once the difference is surely within {margin} of 0, false once it is surely not 0",
}


def table(stories: Sequence[Story]) -> str:
    """A claim a paragraph: verdict, sentence, evidence in a line."""
    lines = []
    for story in stories:
        claim = story.claim
        head = f"{story.verdict:<11}  {claim.name}: {claim.text} ({claim.source})"
        lines.append(textwrap.fill(head, WIDTH, subsequent_indent=" " * 13))
        lines.append(textwrap.fill(evidence(story), WIDTH, initial_indent=" " * 13, subsequent_indent=" " * 13))
    return "\n".join([*lines, "", counts(stories)])


def counts(stories: Sequence[Story]) -> str:
    """How many there are of each verdict."""
    found = Counter(story.verdict for story in stories)
    return f"{len(stories)} claims: " + ", ".join(f"{found[each]} {each}" for each in ORDER if found[each])


def evidence(story: Story) -> str:
    """What the verdict rests on, in a sentence."""
    if story.steps:
        return "; ".join(f"{step.counterexample}. {step.correction}" for step in story.steps[:1])
    every = story.outcomes
    if all(each.found is None for each in every):
        return f"no runs yet: {story.command}"
    counts = [(ANSWERS[answer], [each for each in every if each.answer == answer]) for answer in ANSWERS]
    return "; ".join(f"{len(own)} of {len(every)} comparisons {word}, {_example(own)}" for word, own in counts if own)


def _example(outcomes: Sequence[Outcome]) -> str:
    run = [each for each in outcomes if each.found is not None]
    return f"such as {in_words(run[0])}" if run else "as they are not run"


def in_words(outcome: Outcome) -> str:
    """An outcome's numbers: both sides, the difference with its interval, seeds, and how many would decide it."""
    return f"{outcome.condition}: {_numbers(outcome)}{_lacking(outcome)}"


def _numbers(outcome: Outcome) -> str:
    found, statistic = outcome.found, outcome.placed.statistic
    if found is None:
        return "not run"
    sides = " against ".join(number(each, statistic) for each in outcome.sides)
    if len(outcome.sides) == 1 and outcome.placed.comparison.level:
        sides += f" against {number(outcome.placed.comparison.level, statistic)}"
    values = [number(float(each), statistic) for each in found]
    return f"{statistic} {sides}, difference {values[0]} [{values[1]}, {values[2]}], {outcome.seeds} seeds"


def number(value: float, statistic: str) -> str:
    """A share in percent, or another number with three digits after the point."""
    return f"{100 * value:.0f}%" if STATISTICS[statistic].rate else f"{value:.3f}"


def story(story: Story) -> str:
    """Everything about one claim."""
    claim = story.claim
    lines = [f"{claim.name}: {story.verdict}", "", *_wrapped(f'"{claim.text}" says {claim.source}.'), ""]
    lines += _measured(story, claim.evidence) if isinstance(claim.evidence, Measured) else _computed(story)
    lines += [
        "",
        *_wrapped(f"If your regression is stuck: {claim.advice}"),
        "",
        f"command: {story.command}",
        f"figure: {story.command} --html {claim.name}.html",
    ]
    return "\n".join(lines)


def _measured(story: Story, evidence: Measured) -> list[str]:
    lines = _wrapped(
        f"Experiment {evidence.experiment} (python -m jaxbox.sweep {evidence.experiment} --list); compared is the "
        f"{evidence.statistic}: {STATISTICS[evidence.statistic].words}."
    )
    for direction in dict.fromkeys(each.direction for each in evidence.comparisons):
        lines += _wrapped(f"Rule, written before the runs: {RULE[direction].format(margin=evidence.margin)}.")
    for title, own in by_setting(story.outcomes):
        lines += ["", f"{title}:", *(line for each in own for line in _outcome(each))]
    return [*lines, "", *_wrapped(what_would_change(story))]


def _outcome(outcome: Outcome) -> list[str]:
    answer = ANSWERS[outcome.answer] + _lacking(outcome)
    return _wrapped(f"- {outcome.placed.comparison.condition}: {_numbers(outcome)}: {answer}", "  ")


def _lacking(outcome: Outcome) -> str:
    return f"; some {outcome.would_take} seeds would decide it" if outcome.would_take else ""


def what_would_change(story: Story) -> str:
    """What would have to be seen for another verdict."""
    if story.verdict == "undecided":
        return "Undecided: it takes the runs and seeds that are named above."
    if story.verdict == "conditional":
        holds = "; ".join(each.condition for each in story.decided("true"))
        fails = "; ".join(each.condition for each in story.decided("false"))
        return f"It holds: {holds}. It does not: {fails}. With runs on one side only the verdict would be plain."
    opposite = "false" if story.verdict == "true" else "true"
    return f"One setting in which a comparison comes out {opposite} would make the verdict conditional."


def _computed(story: Story) -> list[str]:
    lines = []
    for step in story.steps:
        lines += [f"{step.step}", f"  said: {step.claimed:.6g}, is: {step.true:.6g} ({step.verdict})"]
        lines += _wrapped(f"example: {step.counterexample}.", "  ", "  ") + _wrapped(step.correction, "  ", "  ")
    return lines


def _wrapped(text: str, indent: str = "", first: str = "") -> list[str]:
    return textwrap.wrap(text, WIDTH, initial_indent=first, subsequent_indent=indent, break_on_hyphens=False)


COLUMNS = (
    *(
        "claim",
        "verdict",
        "kind",
        "source",
        "text",
        "setting",
        "condition",
        "statistic",
        "direction",
        "margin",
        "first",
    ),
    *("second", "difference", "low", "high", "seeds", "answer", "would_take", "command"),
)


def write_csv(stories: Sequence[Story], file: Path) -> None:
    """A row for each comparison, or for each step of what is computed."""
    with file.open("w", newline="") as opened:
        writer = csv.DictWriter(opened, COLUMNS, restval="")
        writer.writeheader()
        for each in stories:
            claim = each.claim
            row = {"claim": claim.name, "verdict": each.verdict, "kind": claim.kind, "source": claim.source}
            row |= {"text": claim.text, "command": each.command}
            writer.writerows(row | values for values in _rows(each))


def _rows(story: Story) -> list[dict[str, object]]:
    if isinstance(story.claim.evidence, Computed):
        return [
            {"condition": step.step, "first": step.claimed, "second": step.true, "answer": step.verdict}
            for step in story.steps
        ]
    rows = []
    for each in story.outcomes:
        placed = each.placed
        row = {"setting": placed.setting, "condition": placed.comparison.condition, "statistic": placed.statistic}
        row |= {"direction": placed.comparison.direction, "margin": placed.margin, "seeds": each.seeds}
        row |= {"answer": ANSWERS[each.answer], "would_take": each.would_take or ""}
        if each.found is not None:
            row |= dict(zip(("difference", "low", "high"), map(float, each.found), strict=True))
            row |= dict(zip(("first", "second"), each.sides, strict=False))
        rows.append(row)
    return rows
