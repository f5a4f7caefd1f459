"""Verdicts as text for a terminal, and as JSON."""

from __future__ import annotations

import json
import math
import shutil
import textwrap
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from analysis.collapse import KINDS

if TYPE_CHECKING:
    from analysis.collapse import Diagnosis
    from analysis.diagnose.read import Given

KEYS = ("kind", "constant_at", "r2", "variance_ratio", "correlation", "bias", "information", "advice")
PLACES = {
    "mean": "at the targets' mean",
    "median": "at the targets' median",
    "zero": "at zero",
    "minimum": "at the targets' minimum",
    "maximum": "at the targets' maximum",
    "elsewhere": "at none of the targets' mean, median, zero, minimum and maximum",
}


def as_json(given: Given, verdicts: Sequence[Diagnosis]) -> str:
    """A list with a dictionary for each coordinate; what is not finite or not there is null."""
    found = [
        {"coordinate": name} | {key: _plain(getattr(verdict, key)) for key in KEYS}
        for name, verdict in zip(given.names, verdicts, strict=True)
    ]
    return json.dumps(found, indent=2, allow_nan=False)


def as_text(given: Given, verdicts: Sequence[Diagnosis]) -> str:
    """For each coordinate the kind, what it means, the numbers and the advice."""
    width = min(100, max(40, shutil.get_terminal_size((100, 24)).columns))
    pairs = f"{given.test.count:,} pairs"
    if given.train is not None:
        pairs += f", beside {given.train.count:,} training " + ("pairs" if given.predicted else "targets")
    lines = [f"{given.title}: {pairs}"]
    for name, verdict in zip(given.names, verdicts, strict=True):
        heading = f"coordinate {name}" if isinstance(name, int) else name
        lines += ["", f"{heading}: {headline(verdict)}", *_wrapped(verdict, width)]
    return "\n".join(lines)


def headline(verdict: Diagnosis) -> str:
    """The kind, and the constant and its place where there is one."""
    if verdict.constant_at is None:
        return verdict.kind
    return f"{verdict.kind}, constant {verdict.constant:.6g} {PLACES[verdict.constant_at]}"


def _wrapped(verdict: Diagnosis, width: int) -> Iterator[str]:
    numbers = (
        f"R2 {verdict.r2:.4g}, variance ratio {verdict.variance_ratio:.3g}, correlation {verdict.correlation:.3g}, "
        f"bias {verdict.bias:.3g}, information {verdict.information:.2f} nats"
    )
    meaning = KINDS[verdict.kind]
    for text in (f"{meaning[0].upper()}{meaning[1:]}.", numbers, verdict.advice):
        yield from textwrap.wrap(text, width, initial_indent="  ", subsequent_indent="  ")


def _plain(value: float | str | None) -> float | str | None:
    return None if isinstance(value, float) and not math.isfinite(value) else value
