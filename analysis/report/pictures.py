"""The figures of the page: drawn and saved, and as a picture that stands inside of the page."""

import base64
import dataclasses
import html
import re
from collections.abc import Callable
from pathlib import Path

from analysis.figures import FIGURES, contract, saving

LARGEST_SVG = 400_000
"""Bytes; a larger picture, one of thousands of points, stands in the page as its PNG."""


@dataclasses.dataclass(frozen=True)
class Picture:
    """A figure that the run could fill; `inline` is safe HTML."""

    name: str
    summary: str
    caption: str
    inline: str


@dataclasses.dataclass(frozen=True)
class Missing:
    """A figure that it could not, and why."""

    name: str
    summary: str
    reason: str


def pictures(
    run: Path, save: Callable[[str], Path], progress: Callable[[], None] | None = None
) -> tuple[list[Picture], list[Missing]]:
    """Every figure of the table.

    Args:
        save: given a figure's name, says into which folder its files go.
        progress: called after each figure.
    """
    found: list[Picture] = []
    missing: list[Missing] = []
    for name, row in FIGURES.items():
        try:
            found.append(_picture(run, name, save))
        except contract.Unfilled as error:
            reason = str(error).removeprefix("figure: ").removeprefix(f"{name} ").replace(str(run), "this run")
            missing.append(Missing(name, row.summary, reason))
        if progress:
            progress()
    return found, missing


def _picture(run: Path, name: str, save: Callable[[str], Path]) -> Picture:
    figure = contract.load(name)
    numbers = contract.numbers(name, run)
    paths = saving.save(saving.draw(figure, numbers), numbers, save(name), name)
    by_suffix = {path.suffix: path for path in paths}
    caption = str(numbers.attrs.get("caption", FIGURES[name].summary))
    svg = by_suffix[".svg"].read_text()
    if len(svg) <= LARGEST_SVG:
        return Picture(name, FIGURES[name].summary, caption, inline_svg(svg, name, caption))
    data = base64.b64encode(by_suffix[".png"].read_bytes()).decode()
    image = f'<img src="data:image/png;base64,{data}" alt="{html.escape(caption)}">'
    return Picture(name, FIGURES[name].summary, caption, image)


def inline_svg(text: str, name: str, caption: str) -> str:
    """A picture of matplotlib's as it can stand inside of a page beside others.

    What is of files only goes: declarations, metadata and namespaces, which HTML knows. Identifiers get the figure's
    name in front, because a page has one namespace for all; the caption is what a screen reader says.
    """
    svg = text[text.index("<svg") :]
    svg = re.sub(r"<metadata>.*?</metadata>", "", svg, flags=re.DOTALL)
    svg = re.sub(r'\sxmlns(:\w+)?="[^"]*"', "", svg)
    svg = re.sub(r'\bid="', f'id="{name}-', svg)
    svg = re.sub(r'((?:xlink:)?href)="#', rf'\1="#{name}-', svg)
    svg = re.sub(r"url\(#", f"url(#{name}-", svg)
    # Styles inside of a picture would hold for the whole page.
    svg = re.sub(r"<style type=\"text/css\">\*\{(.*?)\}</style>", "", svg)
    head, _, body = svg.partition(">")
    head = re.sub(r'\s(width|height|version)="[^"]*"', "", head)
    return f'{head} role="img" aria-label="{html.escape(caption)}">{body}'
