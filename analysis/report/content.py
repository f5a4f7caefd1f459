"""Everything that the page says, put together: what is rendered, and what is saved beside it as CSV."""

import dataclasses
from collections.abc import Iterator

import pandas

from analysis.report import (
    argument,
    chain,
    choice,
    collapse_rate,
    distance,
    limits,
    preference,
    provenance,
    tables,
    values,
)
from analysis.report.argument import Step
from analysis.report.gather import Gathered
from analysis.report.pictures import Missing, Picture
from analysis.report.values import Number, Table, Words

SUMMARY, MEMBERS = "summary", "members"
TABLES = ("configurations", "preferences", "chain", "broken_links")
CSV = tuple(f"{name}.csv" for name in (SUMMARY, MEMBERS, *TABLES))
"""What is saved beside the page."""


@dataclasses.dataclass(frozen=True, eq=False)
class Content:
    """The page, before it is HTML or Markdown."""

    run: str
    experiment: str
    members: str
    collapse: list[Words]
    distance: list[Words]
    preferred: list[Words]
    limits: list[Words]
    noisy: bool
    """Whether some information is an estimate."""
    steps: tuple[Step, ...]
    provenance: list[tuple[str, str]]
    tables: dict[str, Table]
    member_table: pandas.DataFrame
    pictures: list[Picture] = dataclasses.field(default_factory=list)
    missing: list[Missing] = dataclasses.field(default_factory=list)

    def numbers(self) -> Iterator[Number]:
        """Every number in a sentence, once."""
        sentences = [*self.collapse, *self.distance, *self.preferred, *self.limits, *(step.here for step in self.steps)]
        found = {part.name: part for words in sentences for part in words if isinstance(part, Number)}
        yield from found.values()

    def csv(self) -> dict[str, pandas.DataFrame]:
        """What is saved, by file name."""
        frames = {SUMMARY: values.summary(list(self.numbers())), MEMBERS: self.member_table}
        frames |= {name: table.frame() for name, table in self.tables.items()}
        return {f"{name}.csv": frame for name, frame in frames.items()}


def content(run: Gathered, pictures: list[Picture], missing: list[Missing]) -> Content:
    """What there is to say of the run."""
    found = preference.preferences(run)
    made = (tables.configurations(run), tables.preference_table(run, found), chain.chain(run), chain.broken(run))
    attributes = run.compared.attrs
    return Content(
        run=attributes["run"],
        experiment=attributes["experiment"],
        members=_members(run),
        collapse=collapse_rate.collapse(run),
        distance=distance.distance(run),
        preferred=choice.preferred(run, found),
        limits=limits.limits(run),
        noisy=run.noisy,
        steps=argument.steps(run),
        provenance=provenance.provenance(run),
        tables={table.name: table for table in made},
        member_table=tables.members(run),
        pictures=pictures,
        missing=missing,
    )


def _members(run: Gathered) -> str:
    """What there is, on one line."""
    configurations, seeds = run.begun.shape
    planned = f"{configurations} configuration{'s' * (configurations > 1)} × {seeds} seed{'s' * (seeds > 1)}"
    if run.finished.all():
        return planned
    there = f"of {run.begun.size} members {run.begun.sum()} have begun and {run.finished.sum()} are at their end"
    return f"Not finished: {planned}; {there}"
