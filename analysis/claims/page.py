"""The verdicts as one HTML file that needs nothing else. Every text is escaped unless it was made here."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import jinja2
from markupsafe import Markup

from analysis.claims import picture, provenance, telling
from analysis.claims.claim import Answer, Comparison, Fields, Measured
from analysis.claims.runs import MOST_SEEDS, RATIO
from analysis.claims.settings import WORDS
from analysis.claims.statistics import STATISTICS
from analysis.claims.verdicts import ORDER, Story
from jaxbox.sweep.until.looks import TOGETHER, geometric

TEMPLATES = Path(__file__).parent / "templates"
SYMBOLS: dict[Answer, str] = {"true": "●", "false": "○", "conditional": "◐", "unfounded": "◎", "undecided": "×"}
"""As in the pictures: filled is true, hollow is false, a cross is undecided. No phone takes these for emoji."""
MEANINGS: dict[Answer, str] = {
    "true": "every comparison came out as it says",
    "false": "no comparison did",
    "conditional": "it holds in some settings and not in others",
    "unfounded": "the effect is there, the reason given for it is not",
    "undecided": "runs are missing, or the seeds do not suffice to tell",
}
FIRST: tuple[Answer, ...] = ("false", "conditional", "unfounded", "true", "undecided")
"""Of claims that surprise alike."""
SURPRISE = {3: "The most surprising", 2: "Surprising", 1: "Less surprising", 0: "As one would expect"}
REMEDIES = (
    *("rate_too_high", "many_filters_hurt", "batch_normalization"),
    *("one_convolution_suffices", "smaller_dense_layers", "heat_map", "predicts_the_mean"),
)
"""Claims whose advice is what to do first if they came out, from what is tried most quickly to what takes longest."""
ADVICE = 3
CONTRARY: dict[str, str] = {"more": "above 0", "less": "below 0", "equal": "near 0"}


def html(stories: Sequence[Story], runs: Path) -> str:
    """One page, with its style and its pictures inside.

    Args:
        stories: of all claims, or of some.
        runs: folder of their runs, for what the page says of where its numbers come from.

    Raises:
        RunError: a run that is damaged.
    """
    by_name = {story.claim.name: story for story in stories}
    used = dict.fromkeys(each.placed.setting for story in stories for each in story.outcomes)
    jobs = dict.fromkeys(each.placed.job for story in stories for each in story.outcomes)
    measured = [story for story in stories if isinstance(story.claim.evidence, Measured)]
    return (
        _environment()
        .get_template("page.html.jinja")
        .render(
            style=Markup((TEMPLATES / "page.css").read_text(encoding="utf-8")),
            stories=stories,
            groups=_groups(ordered(stories)),
            counts=_counts(stories),
            measured=len(measured),
            missing=sum(all(each.found is None for each in story.outcomes) for story in measured),
            mean=_shares(by_name.get("predicts_the_mean")),
            rate=_shares(by_name.get("rate_too_high")),
            by_name=by_name,
            advice=advice(by_name),
            settings={name: WORDS[name] for name in used},
            origins=provenance.origins(runs, jobs),
            looks=geometric(TOGETHER, RATIO, MOST_SEEDS),
        )
    )


def ordered(stories: Iterable[Story]) -> list[Story]:
    """What surprises most first; of those that surprise alike, what is not true; else as they were."""
    return sorted(stories, key=lambda story: (-story.claim.surprise, FIRST.index(story.verdict)))


def advice(by_name: Mapping[str, Story]) -> list[Story]:
    """The claims whose advice stands on top: the first few of the remedies that came out, somewhere at least."""
    found = (by_name[name] for name in REMEDIES if name in by_name)
    return [story for story in found if story.verdict in ("true", "conditional")][:ADVICE]


def where(story: Story) -> tuple[list[str], list[str]]:
    """Where a conditional claim holds, and where it does not."""
    if story.outcomes:
        holds, fails = ([each.condition for each in story.decided(answer)] for answer in ("true", "false"))
        return holds, fails
    holds = [step.step for step in story.steps if step.verdict == "true"]
    if not holds:
        holds = [step.correction for step in story.steps if step.verdict == "conditional"]
    return holds, [step.counterexample for step in story.steps if step.verdict != "true"]


def rules(evidence: Measured) -> list[str]:
    """What decides a comparison: a sentence for each direction and statistic that the claim has."""
    margin = {name: telling.number(evidence.margin, name) for name in STATISTICS}
    every = (*evidence.comparisons, *evidence.reasons)
    kinds = dict.fromkeys((each.statistic or evidence.statistic, each.direction) for each in every)
    return [f"{name}: {telling.RULE[direction].format(margin=margin[name])}" for name, direction in kinds]


def sides(evidence: Measured) -> list[tuple[str, str]]:
    """What the first and the second side of comparisons are: the fields in which they differ, each pair once.

    The second is empty where the first is compared with a fixed number.
    """
    found: dict[tuple[str, str], None] = {}
    for each in (*evidence.comparisons, *evidence.reasons):
        if each.second is None:
            found[_fields(each.first, {}), ""] = None
        else:
            found[_fields(each.first, each.second), _fields(each.second, each.first)] = None
    return list(found)


def _fields(own: Fields, other: Fields) -> str:
    return ", ".join(f"{path} {value}" for path, value in own.items() if path not in other or other[path] != value)


def says(comparison: Comparison) -> str:
    """What the claim says of the difference."""
    return CONTRARY[comparison.direction]


def exact(value: float) -> str:
    """A number as scripts read it, to the last digit."""
    return repr(float(value)) if math.isfinite(value) else str(float(value)).replace("inf", "Infinity")


def short(value: float) -> str:
    """A number of a computation as people read it."""
    if not math.isfinite(value):
        return str(value).replace("inf", "∞")
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.4g}"


def _groups(stories: Sequence[Story]) -> list[tuple[str, list[Story]]]:
    own = {level: [each for each in stories if each.claim.surprise == level] for level in SURPRISE}
    return [(SURPRISE[level], found) for level, found in own.items() if found]


def _counts(stories: Sequence[Story]) -> dict[Answer, int]:
    found = Counter(story.verdict for story in stories)
    return {each: found[each] for each in ORDER if found[each]}


def _shares(story: Story | None) -> list[str]:
    """Of each side, the numbers found, from the least to the most; empty where there are none."""
    run = [each for each in story.outcomes if each.found is not None and not each.placed.reason] if story else []
    told = []
    for side in range(min((len(each.sides) for each in run), default=0)):
        least, most = (
            telling.number(pick(each.sides[side] for each in run), run[0].placed.statistic) for pick in (min, max)
        )
        told.append(least if least == most else f"{least} to {most}")
    return told


def _environment() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters |= {"exact": exact, "short": short}
    named: dict[str, Any] = {"symbols": SYMBOLS, "meanings": MEANINGS, "statistics": STATISTICS, "words": WORDS}
    made: dict[str, Any] = {"telling": telling, "strip": picture.strip, "where": where, "rules": rules}
    made |= {"sides": sides, "says": says}
    environment.globals |= named | made
    return environment
