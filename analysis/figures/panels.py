"""What figures share in drawing: panels that fit a page's width, words that fit a panel, labelled numbers."""

import textwrap
from collections.abc import Hashable, Iterable, Sequence
from typing import Any

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patheffects import withStroke
from matplotlib.transforms import ScaledTranslation, Transform

from analysis.comparison import NOT_BEGUN
from analysis.figures import fates
from analysis.figures.fates import LOOKS
from jaxbox.plotting import STYLE

SMALL = 6
"""Points: the size of words inside of a panel."""
OUTLINE = [withStroke(linewidth=2, foreground="white")]
"""Path effects of words that lie on lines."""
TITLE = 7
"""Points: the size of a panel's title."""
# The height of a line over its letters'.
LINE = 1.45
# The width of a letter over its height, of matplotlib's own typeface, with some room.
LETTER = 0.56
# A space at which no line ends.
TOGETHER = "\N{NO-BREAK SPACE}"


def variable(dims: Iterable[Hashable], values: Any, units: str, description: str) -> tuple[Any, ...]:
    """A variable of a figure's numbers, as xarray takes it."""
    return tuple(dims), values, {"units": units, "description": description}


def grid(
    figure: Figure, titles: Sequence[Sequence[str]], least: float = 1.6, height: float = 0.0, **shared: Any
) -> list[Axes]:
    """A panel for each title, in reading order, in as many columns as the width has room for; sets the height.

    Args:
        titles: each of paragraphs, which are broken into lines as wide as a panel.
        least: the least width of a panel, inches.
        height: of a panel without its title, inches; 0: a usual one.
        shared: `sharex` and `sharey` of matplotlib's `subplots`.
    """
    count = len(titles)
    columns = max(1, min(count, int(figure.get_figwidth() / least)))
    rows = -(-count // columns)
    columns = -(-count // rows)  # four panels are two by two, not three and one
    height = height or (1.35 if count > 1 else 1.75)
    axes = figure.subplots(rows, columns, squeeze=False, **shared)
    inches = axes[0, 0].get_position().width * figure.get_figwidth()
    texts = ["\n".join(wrapped(line, inches, TITLE) for line in title if line) for title in titles]
    lines = [max(text.count("\n") + 1 for text in texts[row * columns : (row + 1) * columns]) for row in range(rows)]
    figure.set_figheight(0.25 + sum(height + LINE * TITLE / 72 * count for count in lines))
    for panel, text in zip(axes.flat, texts, strict=False):
        panel.set_title(text, fontsize=TITLE)
    for panel in axes.flat[count:]:
        panel.remove()
    # Above a place that stays empty the axis has to say its own numbers.
    for panel in axes.flat[count - columns : count]:
        panel.tick_params(labelbottom=True)
    return list(axes.flat[:count])


def legend(figure: Figure, lines: Sequence[Artist], names: Sequence[str], least: float = 1.15) -> None:
    """A legend above all panels, in columns of this least width (inches); the figure becomes so much higher."""
    columns = max(1, min(len(names), int(figure.get_figwidth() / least)))
    rows = -(-len(names) // columns)
    figure.set_figheight(figure.get_figheight() + 0.1 + LINE * STYLE["legend.fontsize"] / 72 * rows)
    figure.legend(lines, names, loc="outside upper center", ncols=columns, frameon=False, columnspacing=1.2)


def wrapped(text: str, inches: float, points: float = STYLE["axes.titlesize"]) -> str:
    """The text in lines that are no wider than this, broken between words."""
    letters = max(8, int(inches * 72 / (points * LETTER)))
    return textwrap.fill(text, letters, break_on_hyphens=False, break_long_words=False)


def plain(axes: Axes) -> None:
    """Fewer lines: no frame at the top and at the right, a faint grid."""
    axes.grid(which="major", linewidth=0.4, alpha=0.4)
    axes.spines[["top", "right"]].set_visible(False)
    axes.set_axisbelow(True)


def fate_legend(figure: Figure, present: Iterable[str]) -> None:
    """A legend of lines above all panels, for the fates that are there."""
    there = set(present)
    chosen = [fate for fate in LOOKS if fate in there]
    lines = [Line2D([], [], **{**LOOKS[fate], "marker": ""}) for fate in chosen]
    if chosen:
        legend(figure, lines, [fates.words(fate) for fate in chosen])


def counts(fate: Iterable[str]) -> str:
    """How many members have which fate, in words: `50 not collapsed, 14 dead`; those that have not begun come last."""
    names, numbers = np.unique(list(fate), return_counts=True)
    found = dict(zip(names.tolist(), numbers.tolist(), strict=True))
    words = [f"{found[name]} {fates.words(name)}" for name in reversed(LOOKS) if name in found]
    words += [f"{found[name]} not begun" for name in found if name == NOT_BEGUN]
    return ", ".join(word.replace(" ", TOGETHER) for word in words)


def plural(count: int, thing: str) -> str:
    """`1 seed`, `2 seeds`."""
    return f"{count} {thing}{'' if count == 1 else 's'}"


UNITS = {
    **dict.fromkeys(("task.height", "task.width", "task.box_size"), "pixels"),
    **dict.fromkeys(("model.kernel_size", "model.stride"), "pixels"),
    **{f"task.margin_{side}": "pixels" for side in ("left", "right", "top", "bottom")},
    "task.noise_level": "of the range of pixels",
    "data.train_size": "examples",
    "batch_size": "examples",
    "steps": "updates",
    "eval_every": "updates",
    "eval_positions": "positions",
    "model.features": "channels",
    "model.hidden": "units",
}
"""Of fields that have one."""


def field_words(path: str) -> str:
    """A field as the label of an axis, with its unit."""
    unit = f" ({UNITS[path]})" if path in UNITS else ""
    return path.split(".")[-1].replace("_", " ") + unit


def value_words(path: str, value: Any) -> str:
    """A field's value as the name of a line: numbers with their field's name."""
    return str(value) if isinstance(value, str) else f"{path.split('.')[-1]}={short(value)}"


def short(value: Any) -> str:
    """A field's value in few letters."""
    return f"{value:g}" if isinstance(value, int | float | np.number) else str(value).strip("()").rstrip(",")


def number_axis(axes: Axes, values: Any, inches: float) -> None:
    """The x axis of a number that varies: ticks at its values where there is room, logarithmic over a decade."""
    values = np.unique(np.asarray(values, float))
    log = bool(values[0] > 0 and values[-1] >= 10 * values[0])
    axes.set_xscale("log" if log else "linear")
    places = np.log(values) if log else values
    pad = 0.06 * (places[-1] - places[0]) or 1.0
    ends = np.array([places[0] - pad, places[-1] + pad])
    axes.set_xlim(*(np.exp(ends) if log else ends))
    room = 0.4 / inches * max(places[-1] - places[0], 1e-12)
    kept: list[int] = []
    for index in range(len(values)):
        if not kept or places[index] - places[kept[-1]] >= room:
            kept.append(index)
    axes.set_xticks(values[kept], [short(value) for value in values[kept]])
    axes.minorticks_off()


def aside(axes: Axes, points: float) -> Transform:
    """Draws this far to the right of where the numbers are, so that equal ones do not hide each other."""
    inches = points / 72
    return axes.transData + ScaledTranslation(inches, 0, axes.get_figure(root=True).dpi_scale_trans)  # pyright: ignore


def cells(axes: Axes, rate: np.ndarray, low: np.ndarray, high: np.ndarray) -> None:
    """A matrix of shares with their intervals, in percent, (rows, columns): darker is more, NaN stays empty."""
    axes.imshow(rate, cmap="Blues", vmin=0, vmax=1, aspect="auto")
    for (row, column), value in np.ndenumerate(rate):
        if np.isfinite(value):
            ends = f"{100 * low[row, column]:.0f}–{100 * high[row, column]:.0f}"
            colour = "white" if value > 0.7 else "black"
            text = axes.text(column, row, f"{100 * value:.0f}\n{ends}", ha="center", va="center", color=colour)
            text.set_fontsize(SMALL - (0.5 if rate.shape[1] <= 6 else 1.5))
