"""The page as HTML and as Markdown. Every text of a run is escaped, because everything that is not marked safe is."""

import math
import re
from pathlib import Path
from typing import Any

import jinja2
from markupsafe import Markup

from analysis.report.content import Content
from analysis.report.values import Number, plain

TEMPLATES = Path(__file__).parent / "templates"
TOP = {"collapse": "How often it collapses", "distance": "How good the rest is", "preferred": "What to prefer"}
"""Headings of the sentences on top."""


def html(content: Content) -> str:
    """One page, with its style and its script inside."""
    environment = _environment()
    style, script = (Markup((TEMPLATES / name).read_text()) for name in ("page.css", "sort.js"))
    return environment.get_template("page.html.jinja").render(content=content, top=TOP, style=style, script=script)


def markdown(content: Content) -> str:
    """The same for readers of text; the figures are links to their PNG."""
    environment = _environment(finalize=_escaped)
    return environment.get_template("report.md.jinja").render(content=content, top=TOP)


def _environment(**options: Any) -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        **options,
    )
    environment.filters |= {"plain": plain, "safe_svg": Markup, "exact": _exact, "four_digits": _four_digits}
    environment.tests["a_number"] = lambda part: isinstance(part, Number)
    return environment


def _exact(value: float) -> str:
    """A number as scripts read it, to the last digit."""
    return repr(value) if math.isfinite(value) else str(value).replace("inf", "Infinity").replace("nan", "NaN")


def _four_digits(value: float) -> str:
    return str(Number(value, "1", ""))


def _escaped(value: Any) -> Markup:
    """A text that means itself in Markdown, in tables and in headings too, on one line; what a macro made is done."""
    if isinstance(value, Markup):
        return value
    text = re.sub(r"\s*[\r\n]+\s*", " ", str(value)).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    # Inside of a word an underscore means itself; escaped, names of options could hardly be read.
    text = re.sub(r"([\\`*\[\]|$~])", r"\\\1", text)
    return Markup(re.sub(r"(?<![^\W_])_+|_+(?![^\W_])", lambda found: r"\_" * len(found[0]), text))
