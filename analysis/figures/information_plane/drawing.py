"""The picture of the plane."""

from typing import Any

import numpy as np
import xarray
from matplotlib.axes import Axes
from matplotlib.figure import Figure as Canvas
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from analysis.comparison import DIVERGED, FATES
from analysis.figures import series
from analysis.figures.fates import LOOKS, words
from analysis.figures.information_plane.measuring import BEYOND, CURVES, INFORMATION, SMALLEST
from analysis.figures.panels import OUTLINE, grid, legend, plain

MOST_NAMES = 4
"""Configurations that are named in a panel."""
ALIKE, ROOM, CLOSE = 0.01, 0.1, 4.0
"""Levels that differ by less than the first share are labelled as one, by less than the second on either side;
configurations whose errors differ by less than the third factor share a label."""
STYLES: dict[str, dict[str, Any]] = {
    "rate_distortion": {"color": "black", "linestyle": "-"},
    "discrete_shannon": {"color": "black", "linestyle": "--"},
    "dithered": {"color": "0.45", "linestyle": "-."},
    "thread_bound": {"color": "black", "linestyle": ":", "linewidth": 1.5},
}
HOLLOW: dict[str, Any] = {"linestyle": "", "markersize": 3, "markerfacecolor": "none", "markeredgewidth": 0.6}
FALSE: dict[str, Any] = {"facecolor": "0.92", "edgecolor": "none"}
IMPOSSIBLE: dict[str, Any] = {"facecolor": "0.92", "edgecolor": "0.65", "hatch": "/////", "linewidth": 0.0}


def draw(numbers: xarray.Dataset, figure: Canvas) -> None:
    """A panel for each set of bounds."""
    titles = [str(title).replace("), ", ")\n").split("\n") for title in numbers["panel"].values]
    axes_of = grid(figure, titles, 2.4, 1.7)
    for place, axes in enumerate(axes_of):
        _panel(axes, numbers, place)
    series.outer_labels(axes_of, "mean squared error (squared spacings)", "information (nats)")
    seen = [fate for fate in FATES if (numbers["fate"] == fate).any() and fate != DIVERGED]
    points = [Line2D([], [], **LOOKS[fate] | HOLLOW) for fate in seen]
    curves = [Line2D([], [], **look) for look in STYLES.values()]
    patches = [Patch(**FALSE), Patch(**IMPOSSIBLE)]
    names = [*CURVES.values(), "exceeds R(D): false", "exceeds H(Y)", *map(words, seen)]
    handles: list[Any] = [*curves, *patches, *points]
    legend(figure, handles, names, 1.6)


def _panel(axes: Axes, numbers: xarray.Dataset, place: int) -> None:
    own = numbers.isel(panel=place)
    members = (
        numbers[["mse", *INFORMATION]].where(numbers["panel_of"] == own["panel"]).assign(numbers[["fate", "label"]])
    )
    low, high = _frame(members["mse"], float(own["variance"]))
    top = float(own["entropy"])
    axes.set(xscale="log", xlim=(low, high), ylim=(-0.06 * top, 1.35 * top))
    axes.axvspan(low, float(own["false_below"]), **FALSE)
    axes.axvspan(low, float(own["impossible_below"]), **IMPOSSIBLE)
    for name, look in STYLES.items():
        axes.plot(own["distortion"], own[name], label=name, zorder=2, **look)
    _levels(axes, own)
    for fate in FATES:
        _points(axes, members.where(members["fate"] == fate), fate)
    if float(own["noisy"]):
        _names(axes, members)
    plain(axes)


def _frame(mse: xarray.DataArray, variance: float) -> tuple[float, float]:
    finite = mse.values[np.isfinite(mse.values)]
    smallest, largest = finite.min(initial=0.01), finite.max(initial=2 * variance)
    return max(smallest / 3, SMALLEST), min(1.5 * largest, variance * BEYOND)


def _levels(axes: Axes, own: xarray.Dataset) -> None:
    """H(Y) and I(Y;X), labelled at their lines."""
    entropy, told = float(own["entropy"]), float(own["information_input"])
    equal = abs(told - entropy) <= ALIKE * entropy
    together = "H(Y) = I(Y;X)" if told == entropy else "H(Y) ≈ I(Y;X)"
    _level(axes, entropy, together if equal else "H(Y)", above=True)
    if not equal and np.isfinite(told):
        error = 1.96 * float(own["information_input_error"])
        axes.axhspan(told - error, told + error, color="0.3", alpha=0.3, linewidth=0)
        _level(axes, told, "I(Y;X)", above=told < (1 - ROOM) * entropy)


def _level(axes: Axes, level: float, name: str, above: bool) -> None:
    axes.axhline(level, color="0.3", linewidth=0.7, label=name)
    place: dict[str, Any] = {"xycoords": axes.get_yaxis_transform(), "textcoords": "offset points", "fontsize": "small"}
    offset, side = (1.5, "bottom") if above else (-1.5, "top")
    axes.annotate(name, (0.99, level), (0, offset), ha="right", va=side, **place)


def _names(axes: Axes, members: xarray.Dataset) -> None:
    """The configurations above their members, where these are few; those of nearly one error share a place."""
    middle = members["mse"].median(("seed", "axis"))
    chosen = sorted(np.flatnonzero(middle.notnull()).tolist(), key=lambda number: float(middle[number]))
    if not 1 < len(chosen) <= MOST_NAMES:
        return
    groups: list[list[int]] = []
    for number in chosen:
        near = groups and float(middle[number]) < CLOSE * float(middle[groups[-1][-1]])
        groups = [*groups[:-1], [*groups[-1], number]] if near else [*groups, [number]]
    for group in groups:
        at = float(middle[group[0]]), float(members["information_high"].isel(configuration=group).max())
        name = ", ".join(str(members["label"].values[number]) for number in group)
        place: dict[str, Any] = {"textcoords": "offset points", "path_effects": OUTLINE, "zorder": 5}
        axes.annotate(name, at, (0, 2), ha="center", va="bottom", fontsize="small", **place)


def _points(axes: Axes, members: xarray.Dataset, fate: str) -> None:
    """All members of a fate, with the interval of what is estimated."""
    mse, value, low, high = (members[name].values.ravel() for name in ("mse", *INFORMATION))
    use = np.isfinite(mse) & np.isfinite(value)
    if not use.any():
        return
    mse, value, low, high = mse[use], value[use], low[use], high[use]
    axes.vlines(mse, low, high, color=LOOKS[fate]["color"], linewidth=0.4, alpha=0.4, zorder=3)
    axes.plot(mse, value, label=fate, zorder=4, **LOOKS[fate] | HOLLOW)
