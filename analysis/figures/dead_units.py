"""Dead units of each ReLU layer over the steps, by what became of the member: median and quartiles over seeds."""

from pathlib import Path

import numpy as np
import xarray
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from analysis import statistics
from analysis.comparison import FATES, snapshot
from analysis.figures import panels, selection
from analysis.figures.contract import Unfilled
from analysis.figures.fates import LOOKS

CONFIGURATIONS = 3
"""At most so many are drawn."""
# Inches: the width that a panel needs, and its height.
LEAST, HEIGHT = 1.05, 1.35
QUARTILES = {"low": 0.25, "median": 0.5, "high": 0.75}


def numbers(run: Path) -> xarray.Dataset:
    """`median`, `low` and `high` (configuration, fate, layer, step) over the `members` of a fate: quartiles.

    NaN where a configuration has no such layer or fate, or was not evaluated.
    """
    results, plan, compared = snapshot(run)
    selection.require_begun(run, compared, "dead_units")
    dead = selection.carried_on(plan, results, "dead_fraction")
    has_layer = dead.notnull().any(("seed", "step", "layer")).values
    if not has_layer.any():
        command = "python -m jaxbox.sweep base --vary optimizer.learning_rate 1e-3 1e-2 --seeds 32"
        raise Unfilled(
            f"figure: dead_units needs a network with ReLU layers, which {run} has not; for example: {command}"
        )
    relu = compared.isel(configuration=has_layer)
    chosen = np.flatnonzero(has_layer)[selection.most_collapsed(relu, CONFIGURATIONS)]
    dead, compared = dead.isel(configuration=chosen), compared.isel(configuration=chosen)
    present = [fate for fate in reversed(FATES) if (compared["fate"] == fate).any()]
    found = xarray.Dataset(
        _quartiles(dead.transpose("configuration", "layer", "step", "seed").values, compared["fate"].values, present)
        | {"label": compared["label"].reset_coords(drop=True)},
        {"configuration": compared["configuration"].values, "fate": present}
        | {name: results[name].values for name in ("layer", "step")},
    )
    found.attrs["caption"] = (
        "Share of a ReLU layer's units that are zero on every evaluation image: median and quartiles over the members "
        f"of each fate, {panels.plural(int(found['members'].sum()), 'member')} in all."
        f"{selection.left_out(relu, len(chosen))}"
    )
    return found.dropna("step", how="all", subset=["median"])


def _quartiles(dead: np.ndarray, fate: np.ndarray, present: list[str]) -> dict[str, tuple]:
    """The variables, from values (configuration, layer, step, seed) and fates (configuration, seed)."""
    dims = ("configuration", "fate", "layer", "step")
    shape = (len(dead), len(present), *dead.shape[1:3])
    values = {name: np.full(shape, np.nan) for name in QUARTILES}
    for place, name in np.ndindex(shape[:2]):
        own = dead[place][..., fate[place] == present[name]]
        for layer, step in np.ndindex(own.shape[:2]):
            seeds = own[layer, step][np.isfinite(own[layer, step])]  # all, or none
            for quartile, probability in QUARTILES.items():
                if len(seeds):
                    values[quartile][place, name, layer, step] = statistics.quantile(seeds, probability)
    about = {"low": "lower quartile over seeds", "median": "median over seeds", "high": "upper quartile over seeds"}
    found = {
        name: panels.variable(dims, values[name], "1", f"share of the layer's units that are dead, {about[name]}")
        for name in QUARTILES
    }
    members = np.stack([(fate == name).sum(1) for name in present], axis=1)
    return found | {"members": panels.variable(dims[:2], members, "1", "members of this fate")}


def draw(numbers: xarray.Dataset, figure: Figure) -> None:
    """A row (or more) a configuration, a panel a layer."""
    layers = numbers["median"].notnull().any(("fate", "step")).values
    columns = max(1, min(int(layers.sum(1).max()), int(figure.get_figwidth() / LEAST)))
    rows = [-(-int(own.sum()) // columns) for own in layers]
    titles = [_title(numbers.isel(configuration=place), figure.get_figwidth()) for place in range(len(rows))]
    inches = [0.25 + 0.16 * title.count("\n") + HEIGHT * count for title, count in zip(titles, rows, strict=True)]
    figure.set_figheight(0.3 + sum(inches))
    parts = figure.subfigures(len(rows), 1, squeeze=False, height_ratios=inches)[:, 0]
    for place, (part, count) in enumerate(zip(parts, rows, strict=True)):
        part.suptitle(titles[place], fontsize="medium")
        axes = list(part.subplots(count, columns, squeeze=False, sharex=True, sharey=True).flat)
        own = np.flatnonzero(layers[place])
        for panel, layer in zip(axes, own, strict=False):
            _panel(panel, numbers.isel(configuration=place, layer=layer))
        for panel in axes[len(own) :]:
            panel.remove()
    figure.supxlabel("step", fontsize="medium")
    figure.supylabel("dead units (share of the layer)", fontsize="medium")
    panels.fate_legend(figure, numbers["fate"].values)


def _title(of: xarray.Dataset, inches: float) -> str:
    counts = panels.counts(np.repeat(of["fate"].values, of["members"].values))
    return panels.wrapped(": ".join(filter(None, (of["label"].item(), counts))), 0.9 * inches)


def _panel(axes: Axes, of: xarray.Dataset) -> None:
    panels.plain(axes)
    axes.set_title(f"layer {of['layer'].item() + 1}", fontsize=7)
    axes.set(ylim=(-0.04, 1.04), yticks=(0, 0.5, 1))
    axes.yaxis.set_major_formatter(PercentFormatter(1))
    for fate in of["fate"].values.tolist():
        own = of.sel(fate=fate).dropna("step", subset=["median"])
        look = {**LOOKS[fate], "marker": "" if own.sizes["step"] > 1 else LOOKS[fate]["marker"]}
        axes.fill_between(own["step"], own["low"], own["high"], color=look["color"], alpha=0.25, linewidth=0)
        axes.plot(own["step"], own["median"], **look)
