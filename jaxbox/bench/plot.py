"""The picture of a comparison: throughput against seeds, a panel for each network, scene and image size."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import matplotlib
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from jaxbox.bench import problem
from jaxbox.bench.sides import SIDES
from jaxbox.plotting import LOOKS, STYLE, TWO_COLUMNS


def draw(cases: Sequence[Mapping[str, Any]], path: Path) -> None:
    """Write the picture; the suffix of the path says in which format."""
    rows = list(dict.fromkeys(map(_row, cases)))
    sizes = sorted({case["size"] for case in cases})
    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(TWO_COLUMNS, 0.8 + 1.7 * len(rows)), layout="constrained")
        panels = figure.subplots(len(rows), len(sizes), sharex=True, sharey="row", squeeze=False)
        for row, name in zip(panels, rows, strict=True):
            for axes, size in zip(row, sizes, strict=True):
                own = [case for case in cases if (_row(case), case["size"]) == (name, size)]
                _panel(axes, f"{name}, {size} × {size} pixels", own)
        figure.supxlabel("seeds", fontsize=STYLE["axes.labelsize"])
        figure.supylabel("seed-steps per second", fontsize=STYLE["axes.labelsize"])
        # The legend shows lines and markers without error bars, which would hide the markers.
        lines = {bars.get_label(): bars.lines[0] for axes in panels.flat for bars in axes.containers}
        names = [name for name in SIDES if name in lines]
        figure.legend([lines[name] for name in names], names, loc="outside upper center", ncols=4, frameon=False)
        figure.savefig(path)


def _row(case: Mapping[str, Any]) -> str:
    """The network and the scene, which have a row of panels."""
    return problem.label(case["model"], case.get("scene", problem.BOX))


def _panel(axes: Axes, title: str, cases: Sequence[Mapping[str, Any]]) -> None:
    if not cases:
        axes.set_axis_off()
        return
    axes.set_title(title)
    axes.set(xscale="log", yscale="log")
    # A side has the same look in every picture, whichever others are drawn.
    for name, look in zip(SIDES, LOOKS, strict=False):
        points = [(case["seeds"], case["sides"][name]) for case in cases if name in case["sides"]]
        if points:
            _line(axes, name, look, points)
    seeds = sorted({case["seeds"] for case in cases})
    axes.set_xticks(seeds, [str(count) for count in seeds])
    axes.set_xlim(seeds[0] / 2, seeds[-1] * 2)  # a single count of seeds comes to lie in the middle
    axes.minorticks_off()
    axes.grid(which="major", linewidth=0.4, alpha=0.4)
    axes.spines[["top", "right"]].set_visible(False)


def _line(axes: Axes, name: str, look: Mapping[str, Any], points: Sequence[tuple[int, Mapping[str, Any]]]) -> None:
    rates = [side["seed_steps_per_second"] for _, side in points]
    times = [side["ms_per_seed_step"] for _, side in points]
    below = [rate - 1e3 / time["upper"] for rate, time in zip(rates, times, strict=True)]
    above = [1e3 / time["lower"] - rate for rate, time in zip(rates, times, strict=True)]
    axes.errorbar([seeds for seeds, _ in points], rates, yerr=(below, above), label=name, **look)
