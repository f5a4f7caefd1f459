"""The picture of a comparison: throughput against seeds, a panel for each network and image size."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from jaxbox.peers import PEERS

SUFFIXES = (".pdf", ".png", ".svg")
TEXT_WIDTH = 6.3
"""Inches, of a page in LaTeX."""
STYLE: Any = {"font.size": 8, "axes.titlesize": 8, "legend.fontsize": 7.5, "pdf.fonttype": 42, "svg.fonttype": "none"}
# Okabe and Ito's colours, which the colour-blind tell apart; markers and dashes tell the sides apart in grey.
COLOURS = (
    "#000000",
    "#0072B2",
    "#D55E00",
    "#CC79A7",
    "#E69F00",
    "#332288",
    "#56B4E9",
    "#009E73",
    "#8C6D1F",
    "#7F7F7F",
    "#9FC131",
)
MARKERS = "os^<vPXDd*h"
DASHES: Any = (
    *("-", "--", "-.", (0, (5, 1)), ":", (0, (1, 1)), (0, (2, 1))),
    *((0, (3, 1, 1, 1)), (0, (5, 1, 1, 1, 1, 1)), (0, (8, 3)), (0, (1, 3))),
)


def draw(cases: Sequence[Mapping[str, Any]], path: Path) -> None:
    """Write the picture; the suffix of the path says in which format."""
    import matplotlib

    models = list(dict.fromkeys(case["model"] for case in cases))
    sizes = sorted({case["size"] for case in cases})
    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(TEXT_WIDTH, 0.8 + 1.7 * len(models)), layout="constrained")
        panels = figure.subplots(len(models), len(sizes), sharex=True, sharey="row", squeeze=False)
        for row, model in zip(panels, models, strict=True):
            for axes, size in zip(row, sizes, strict=True):
                own = [case for case in cases if (case["model"], case["size"]) == (model, size)]
                _panel(axes, f"{model}, {size} × {size} pixels", own)
        figure.supxlabel("seeds", fontsize=8)
        figure.supylabel("seed-steps per second", fontsize=8)
        lines = {line.get_label(): line for axes in panels.flat for line in axes.containers}
        names = [name for name in PEERS if name in lines]
        figure.legend([lines[name] for name in names], names, loc="outside upper center", ncols=4, frameon=False)
        figure.savefig(path, dpi=200)


def _panel(axes: Axes, title: str, cases: Sequence[Mapping[str, Any]]) -> None:
    if not cases:
        axes.set_axis_off()
        return
    axes.set_title(title)
    axes.set(xscale="log", yscale="log")
    for number, name in enumerate(PEERS):
        points = [(case["seeds"], case["sides"][name]) for case in cases if name in case["sides"]]
        if points:
            _line(axes, number, name, points)
    seeds = sorted({case["seeds"] for case in cases})
    axes.set_xticks(seeds, [str(count) for count in seeds])
    axes.set_xlim(seeds[0] / 1.5, seeds[-1] * 1.5)  # a single count of seeds comes to lie in the middle
    axes.minorticks_off()
    axes.grid(which="major", linewidth=0.4, alpha=0.4)
    axes.spines[["top", "right"]].set_visible(False)


def _line(axes: Axes, number: int, name: str, points: Sequence[tuple[int, Mapping[str, Any]]]) -> None:
    rates = [side["seed_steps_per_second"] for _, side in points]
    times = [side["ms_per_seed_step"] for _, side in points]
    below = [rate - 1e3 / time["upper"] for rate, time in zip(rates, times, strict=True)]
    above = [1e3 / time["lower"] - rate for rate, time in zip(rates, times, strict=True)]
    style: dict[str, Any] = {"color": COLOURS[number], "marker": MARKERS[number], "linestyle": DASHES[number]}
    axes.errorbar(
        [seeds for seeds, _ in points],
        rates,
        yerr=(below, above),
        label=name,
        markersize=3.5,
        linewidth=1,
        capsize=1.5,
        **style,
    )
