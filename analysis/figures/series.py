"""What several figures need: errors over seeds with their interval, names of lines and labels at their ends."""

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np
import xarray
from jaxtyping import Bool, Float, Int
from matplotlib.axes import Axes
from scipy.optimize import isotonic_regression

from analysis import statistics
from analysis.figures.panels import wrapped
from jaxbox.plotting import LOOKS, STYLE
from jaxbox.sweep.closing_table import labels

MODEL = "model.name"
NARROW = 5.0
"""Inches; a figure that is not wider has room for fewer things side by side."""
LABEL = 1.1
"""Inches: a longer label at the end of a line is broken."""
ENDLESS = 1e30
"""Drawn in place of infinity, beyond any frame."""


class Medians(NamedTuple):
    """Medians over seeds, the ends of their 95% bootstrap intervals, and how many seeds are behind each."""

    value: Float[np.ndarray, "*shape"]
    low: Float[np.ndarray, "*shape"]
    high: Float[np.ndarray, "*shape"]
    count: Int[np.ndarray, "*shape"]


def medians(errors: Float[np.ndarray, "*shape seed"], counted: Bool[np.ndarray, "*shape seed"]) -> Medians:
    """Of errors, infinite where a member diverged, over the seeds that count; NaN where there is none.

    One seed says nothing of the spread: the ends of its interval are NaN.
    """
    shape = errors.shape[:-1]
    found = [_median(row[use]) for row, use in zip(_rows(errors), _rows(counted), strict=True)]
    value, low, high = np.array(found).reshape(-1, 3).T.reshape(3, *shape)
    return Medians(value, low, high, counted.sum(-1))


def _rows(values: np.ndarray) -> np.ndarray:
    return values.reshape(-1, values.shape[-1])


def _median(errors: Float[np.ndarray, " n"]) -> tuple[float, float, float]:
    if not len(errors):
        return np.nan, np.nan, np.nan
    # Of statistics more is better: the ends change places.
    found = statistics.median(-np.where(np.isnan(errors), np.inf, errors))
    ends = (-float(found.high), -float(found.low)) if len(errors) > 1 else (np.nan, np.nan)
    return (-float(found.value), *ends)


def words(run: xarray.Dataset, but: Iterable[str] = ()) -> list[str]:
    """A name for each configuration: what varies, leaving these fields out; empty where nothing else does.

    Where the model decides all else that varies, it is name enough.
    """
    names, models = labels(run.drop_vars([name for name in but if name in run.coords])), []
    if MODEL in run.coords and MODEL not in but:
        models = run[MODEL].values.tolist()
    return models if len(set(zip(names, models, strict=False))) == len(set(models)) > 1 else names


def kept(names: Sequence[str], most: int) -> list[str]:
    """The distinct names in order; of more than `most` the first, the last, and some evenly between."""
    distinct = list(dict.fromkeys(names))
    if len(distinct) <= most:
        return distinct
    return [distinct[place] for place in np.linspace(0, len(distinct) - 1, most).round().astype(int)]


def left_out(names: Sequence[str], drawn: Sequence[str]) -> str:
    """A sentence for the caption that names what is not drawn; empty where all is."""
    others = [name or "(nothing varies)" for name in dict.fromkeys(names) if name not in drawn]
    shown = ", ".join(others[:8]) + (f" and {len(others) - 8} more" if len(others) > 8 else "")
    return f" Not drawn: {shown}." if others else ""


def seeds(counts: Any) -> str:
    """How many seeds are behind each number, in words."""
    low, high = int(np.min(counts)), int(np.max(counts))
    plural = "" if high == 1 else "s"
    return f"{high} seed{plural}" if low == high else f"{low} to {high} seed{plural}"


def behind(counts: Any) -> str:
    """What a line of medians is of, for the caption."""
    most = int(np.max(counts, initial=0))
    return f"medians over {seeds(counts)} with 95% bootstrap intervals" if most > 1 else "one seed, hence no intervals"


def line(axes: Axes, at: np.ndarray, found: Medians | xarray.Dataset, look: dict[str, Any], label: str) -> None:
    """A median with its interval as a band; where members diverged it leaves the frame."""
    value, low, high = (np.minimum(np.asarray(part, float), ENDLESS) for part in (found.value, found.low, found.high))
    axes.plot(at, value, label=label, **look)
    axes.fill_between(at, low, high, color=look["color"], alpha=0.15, linewidth=0)


def look(number: int) -> dict[str, Any]:
    """Of the line of this number; black is for what is exact."""
    return LOOKS[1 + number % (len(LOOKS) - 1)]


def outer_labels(panels: Sequence[Axes], x: str, y: str) -> None:
    """Labels of the scales at the left and at the foot of the panels, once for a row and a column."""
    grid = panels[0].get_gridspec()
    columns = grid.ncols if grid else 1
    for place, axes in enumerate(panels):
        if place % columns == 0:
            axes.set_ylabel(y)
        if place + columns >= len(panels):
            axes.set_xlabel(x)


class End(NamedTuple):
    """A label of a line at its right end."""

    height: float
    text: str
    colour: str


def end_labels(axes: Axes, ends: Sequence[End]) -> None:
    """Labels right of the frame at the heights of their lines, moved apart where they would overlap; an arrow says that
    a line is beyond the frame.

    Called last, after a layout: the scale and the limits of the axes decide where a height is.
    """
    inches = axes.get_window_extent().height / axes.figure.dpi
    if not ends:
        return
    texts = [wrapped(end.text, LABEL, STYLE["legend.fontsize"]) for end in ends]
    lines = max((text.count("\n") + 1 for text in texts), default=1)
    gap = (1.25 * lines - 0.1) * STYLE["legend.fontsize"] / 72 / max(inches, 1.0)
    to_axes = axes.transData + axes.transAxes.inverted()
    heights = np.array([float(to_axes.transform((1.0, end.height))[1]) for end in ends])
    places = _apart(np.clip(heights, 0.02, 0.98), gap)
    for end, text, height, place in zip(ends, texts, heights, places, strict=True):
        style: Any = {"xycoords": "axes fraction", "textcoords": "offset points", "annotation_clip": False}
        beyond = " ↓" if height < 0 else " ↑" if height > 1 else ""
        axes.annotate(text + beyond, (1.0, place), (4, 0), va="center", color=end.colour, fontsize="small", **style)


def _apart(heights: Float[np.ndarray, " n"], gap: float) -> Float[np.ndarray, " n"]:
    """At least one height, in their order, none nearer than `gap` to the next, moved as little as that takes."""
    order = np.argsort(heights, kind="stable")
    steps = gap * np.arange(len(heights))
    # Least squares under an order is isotonic regression of what is left once the gaps are taken out.
    fitted = isotonic_regression(heights[order] - steps).x
    # Within the frame, so that the layout does not shrink it, where there is room; clipped it is still the nearest.
    fitted = np.maximum(np.minimum(fitted, 1 - gap / 2 - steps[-1]), gap / 2) + steps
    placed = np.empty_like(heights)
    placed[order] = fitted
    return placed
