"""What figures share in drawing: panels that fit a page's width, words that fit a panel, labelled numbers."""

import textwrap
from collections.abc import Hashable, Iterable
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure, SubFigure
from matplotlib.lines import Line2D
from matplotlib.patheffects import withStroke

from analysis.comparison import NOT_BEGUN
from analysis.figures import fates
from analysis.figures.fates import LOOKS
from jaxbox.plotting import STYLE

SMALL = 6
"""Points: the size of words inside of a panel."""
OUTLINE = [withStroke(linewidth=2, foreground="white")]
"""Path effects of words that lie on lines."""
# The width of a letter over its height, of matplotlib's own typeface, with some room.
LETTER = 0.56
# A space at which no line ends.
TOGETHER = "\N{NO-BREAK SPACE}"


def variable(dims: Iterable[Hashable], values: Any, units: str, description: str) -> tuple[Any, ...]:
    """A variable of a figure's numbers, as xarray takes it."""
    return tuple(dims), values, {"units": units, "description": description}


def grid(figure: Figure, count: int, least: float = 1.6, height: float = 1.7, top: float = 0.4, **shared: Any) -> Any:
    """`count` panels (Axes, in reading order) in as many columns as the figure's width has room for.

    Args:
        least: the least width of a panel, inches.
        height: of a row of panels, inches.
        top: inches above all panels, for a legend.
        shared: `sharex` and `sharey` of matplotlib's `subplots`.
    """
    columns = max(1, min(count, int(figure.get_figwidth() / least)))
    rows = -(-count // columns)
    columns = -(-count // rows)  # four panels are two by two, not three and one
    figure.set_figheight(top + height * rows)
    panels = figure.subplots(rows, columns, squeeze=False, **shared)
    for axes in panels.flat[count:]:
        axes.remove()
    # Above a place that stays empty the axis has to say its own numbers.
    for axes in panels.flat[count - columns : count]:
        axes.tick_params(labelbottom=True)
    return list(panels.flat[:count])


def wrapped(text: str, inches: float, points: float = STYLE["axes.titlesize"]) -> str:
    """The text in lines that are no wider than this, broken between words."""
    letters = max(8, int(inches * 72 / (points * LETTER)))
    return textwrap.fill(text, letters, break_on_hyphens=False)


def plain(axes: Axes) -> None:
    """Fewer lines: no frame at the top and at the right, a faint grid."""
    axes.grid(which="major", linewidth=0.4, alpha=0.4)
    axes.spines[["top", "right"]].set_visible(False)
    axes.set_axisbelow(True)


def fate_legend(figure: Figure | SubFigure, present: Iterable[str]) -> None:
    """A legend of lines above all panels, for the fates that are there."""
    there = set(present)
    chosen = [fate for fate in LOOKS if fate in there]
    if not chosen:
        return
    lines = [Line2D([], [], **{**LOOKS[fate], "marker": ""}) for fate in chosen]
    columns = max(1, int(figure.bbox.width / figure.get_figure(root=True).dpi / 1.1))  # pyright: ignore
    names = [fates.words(fate) for fate in chosen]
    figure.legend(lines, names, loc="outside upper center", ncols=min(len(lines), columns), frameon=False)


def counts(fate: Iterable[str]) -> str:
    """How many members have which fate, in words: `50 not collapsed, 14 dead`; those that have not begun come last."""
    names, numbers = np.unique(list(fate), return_counts=True)
    found = dict(zip(names.tolist(), numbers.tolist(), strict=True))
    words = [f"{found[name]} {fates.words(name)}" for name in reversed(LOOKS) if name in found]
    words += [f"{found[name]} not begun" for name in found if name == NOT_BEGUN]
    return ", ".join(word.replace(" ", TOGETHER) for word in words)


def plural(count: int, thing: str) -> str:
    """`1 seed`, `2 seeds`."""
    return f"{count} {thing}{'s' * (count != 1)}"
