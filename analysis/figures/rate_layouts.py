"""Rates of collapse as lines against a number, as a map over two fields, or as a list: a panel a kind."""

from typing import Any

import numpy as np
import xarray
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import NullLocator, PercentFormatter

from analysis.figures import fates, panels
from analysis.figures.fates import LOOKS
from jaxbox import plotting

SHARE = "share of members"


def lines(numbers: xarray.Dataset, figure: Figure) -> None:
    """Against the field `across`, a line for each combination of the other fields that vary."""
    (path,) = numbers.attrs["across"]
    others = [name for name in numbers.coords if numbers[name].dims == ("configuration",) and name != path]
    others = [str(name) for name in others if name != "configuration"]
    series = _series(numbers, others)
    titles = [(fates.words(kind),) for kind in numbers["kind"].values.tolist()]
    axes, handles = panels.grid(figure, titles, sharex=True, sharey=True), {}
    for place, panel in enumerate(axes):
        of = numbers.isel(kind=place)
        panels.plain(panel)
        for number, (words, members) in enumerate(series.items()):
            look = plotting.LOOKS[number] if others else LOOKS[of["kind"].item()]
            aside = panels.aside(panel, 3 * (number - (len(series) - 1) / 2))
            own = of.isel(configuration=members).sortby(path)
            handles[words] = _line(panel, own, path, {"transform": aside, **look})
    axes[0].set_ylim(-0.05, 1.05)
    axes[0].yaxis.set_major_formatter(PercentFormatter(1))
    panels.number_axis(axes[0], numbers[path].values, axes[0].get_position().width * figure.get_figwidth())
    figure.supxlabel(panels.field_words(path), fontsize="medium")
    figure.supylabel(SHARE, fontsize="medium")
    if others:
        panels.legend(figure, list(handles.values()), list(handles), 1.6)


def _series(numbers: xarray.Dataset, others: list[str]) -> dict[str, list[int]]:
    """Places of configurations by what else varies, in words."""
    found: dict[str, list[int]] = {}
    for place in range(numbers.sizes["configuration"]):
        words = " ".join(panels.value_words(name, numbers[name].values[place]) for name in others)
        found.setdefault(words, []).append(place)
    return found


def _line(axes: Axes, of: xarray.Dataset, path: str, look: dict[str, Any]) -> Line2D:
    # Rounding may put an end a last digit inside of the rate.
    errors = np.maximum([of["rate"] - of["low"], of["high"] - of["rate"]], 0)
    bars = axes.errorbar(of[path], of["rate"], yerr=errors, capsize=2, elinewidth=0.8, clip_on=False, **look)
    return bars.lines[0]


def map_(numbers: xarray.Dataset, figure: Figure) -> None:
    """Over the two fields `across`: each cell a rate with its interval, in percent."""
    across, up = numbers.attrs["across"]
    columns, rows = (_ordered(numbers[path].values.tolist()) for path in (across, up))
    titles = [(f"{fates.words(kind)} (% of members)",) for kind in numbers["kind"].values.tolist()]
    axes = panels.grid(figure, titles, least=1 + 0.42 * len(columns), height=0.55 + 0.34 * len(rows))
    for place, panel in enumerate(axes):
        of = numbers.isel(kind=place)
        cells = np.full((3, len(rows), len(columns)), np.nan)
        for member in range(of.sizes["configuration"]):
            one = of.isel(configuration=member)
            where = rows.index(one[up].item()), columns.index(one[across].item())
            cells[(slice(None), *where)] = [one["rate"], one["low"], one["high"]]
        panels.cells(panel, *cells)
        panel.set_xticks(range(len(columns)), [panels.short(value) for value in columns])
        panel.set_yticks(range(len(rows)), [panels.short(value) for value in rows])
        panel.set(xlabel=panels.field_words(across), ylabel=panels.field_words(up))
        panel.invert_yaxis()


def _ordered(values: list[Any]) -> list[Any]:
    """The different values: numbers sorted, and tuples, which are text here, as the run has them."""
    found = list(dict.fromkeys(values))
    return found if isinstance(found[0], str) else sorted(found)


def list_(numbers: xarray.Dataset, figure: Figure) -> None:
    """A row a configuration, in the run's order."""
    label_inches = min(2.0, figure.get_figwidth() * 0.45)
    names = [panels.wrapped(label or "all members", label_inches, 7) for label in numbers["label"].values.tolist()]
    height = 0.5 + sum(0.06 + 0.13 * (1 + name.count("\n")) for name in names)
    count = numbers.sizes["kind"]
    columns = max(1, min(count, int((figure.get_figwidth() - label_inches) / 0.85)))
    rows = -(-count // columns)
    figure.set_figheight(0.2 + height * rows)
    axes = figure.subplots(rows, columns, sharex=True, sharey=True, squeeze=False)
    for panel in axes.flat[count:]:
        panel.remove()
    for place, panel in enumerate(axes.flat[:count]):
        of = numbers.isel(kind=place)
        panels.plain(panel)
        panel.set_title(fates.words(of["kind"].item()))
        errors = np.maximum([of["rate"] - of["low"], of["high"] - of["rate"]], 0)
        look = {**LOOKS[of["kind"].item()], "linestyle": ""}
        panel.errorbar(of["rate"], range(len(names)), xerr=errors, capsize=2, elinewidth=0.8, clip_on=False, **look)
        panel.tick_params(labelbottom=place + columns >= count)
        for row in np.flatnonzero(of["begun"] == 0):
            panel.text(0.5, row, "not begun", ha="center", va="center", fontsize=panels.SMALL)
    first = axes.flat[0]
    first.set(xlim=(-0.02, 1.02), ylim=(len(names) - 0.5, -0.5), xticks=(0, 0.5, 1))
    first.set_yticks(range(len(names)), names)
    first.yaxis.set_minor_locator(NullLocator())
    first.xaxis.set_major_formatter(PercentFormatter(1))
    figure.supxlabel(SHARE, fontsize="medium")
