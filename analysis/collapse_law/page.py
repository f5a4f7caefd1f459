"""The page about the law, as Markdown, with its figure and its numbers beside it."""

from __future__ import annotations

import math
from pathlib import Path

import jinja2
import pandas as pd

from analysis.collapse_law import curve, forms
from analysis.collapse_law.evidence import Evidence, gather
from analysis.figures import saving
from jaxbox.config import RunError
from jaxbox.intervals.rates import Interval
from jaxbox.plotting import SUFFIXES

TEMPLATES = Path(__file__).parent / "templates"
PAGE, FIGURE, NUMBERS = "law.md", "law", "settings.csv"
FILES = (PAGE, NUMBERS, *(f"{FIGURE}{suffix}" for suffix in (".csv", *SUFFIXES)))
FIRST_LINE = "# A law for the collapse"


def write(run: Path, out: Path) -> Path:
    """Write law.md, law.pdf (and .png, .svg, .csv) and settings.csv into a folder; returns the page.

    Raises:
        RunError: not a run of `fates`, or a folder that cannot be written or holds such files of something else.
    """
    _refuse_foreign(out)
    evidence = gather(run)
    numbers = curve.numbers(evidence.seen, evidence.unseen, evidence.laws["adam"])
    saving.save(saving.draw(curve, numbers), numbers, out, FIGURE)
    _settings(evidence).to_csv(out / NUMBERS, index=False)
    page = out / PAGE
    page.write_text(markdown(evidence, numbers.attrs["caption"]), encoding="utf-8")
    return page


def markdown(evidence: Evidence, caption: str) -> str:
    """The page's text."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters |= {"points": _points, "interval": _interval, "percent": _percent, "known": _known}
    page = environment.get_template("law.md.jinja")
    return page.render(
        zip=zip,
        title=FIRST_LINE,
        evidence=evidence,
        rivals=forms.RIVALS,
        first_forms=forms.FIRST,
        second_forms=forms.SECOND,
        caption=caption,
    )


def _points(share: float) -> str:
    """A share in points, to a tenth."""
    return f"{100 * share:.1f}"


def _percent(share: float) -> str:
    return f"{share:.0%}"


def _known(share: float) -> str:
    """A share, or that nothing is said."""
    return "-" if math.isnan(share) else _percent(share)


def _interval(rate: Interval) -> str:
    return f"{rate.value:.0%} [{rate.low:.0%}, {rate.high:.0%}]"


def _settings(evidence: Evidence) -> pd.DataFrame:
    """Every setting: its fields, its variables, its rate, and whether the law was fitted on it."""
    parts = [(evidence.seen, True)] + ([(evidence.unseen, False)] if evidence.unseen else [])
    tables = []
    for part, fitted in parts:
        known = part.known.add_prefix("ln_")
        counts = pd.DataFrame({"fitted": fitted, "lost": part.lost, "members": part.members})
        tables.append(pd.concat([part.fields, known, counts], axis=1))
    return pd.concat(tables, ignore_index=True)


def _refuse_foreign(out: Path) -> None:
    """What is there already must be an earlier page's, whose first line says so."""
    if out.exists() and not out.is_dir():
        raise RunError(f"out: {out} is a file; it must be a folder")
    page, there = out / PAGE, [name for name in FILES if (out / name).exists()]
    own = page.exists() and page.read_text(encoding="utf-8", errors="replace").startswith(FIRST_LINE)
    if there and not own:
        raise RunError(f"out: {out / there[0]} is not of an earlier page; move it, or give another --out")
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise RunError(f"out: {out} cannot be written: {error.strerror}") from None
