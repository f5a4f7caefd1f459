"""Predicted against true position, of one member of each fate that occurs, beside an image of its task."""

from pathlib import Path
from typing import Any

import jax
import numpy as np
import xarray
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from analysis.comparison import FATES, snapshot
from analysis.figures import fates, panels, selection
from jaxbox import task as tasks
from jaxbox.config import Task
from jaxbox.plotting import OKABE_ITO
from jaxbox.task import scenes
from jaxbox.training.metrics import AXES

LOOKS: dict[str, dict[str, Any]] = {
    "x": {"color": OKABE_ITO["blue"], "marker": "o", "markerfacecolor": "none", "linestyle": ""},
    "y": {"color": OKABE_ITO["vermillion"], "marker": "+", "linestyle": ""},
}
"""Of the coordinates; where they lie on each other both are seen."""
DRAWN = ("prediction", "target")
# Of the lattice: neither in a corner nor in the middle, where the mean would be right.
PLACE = 0.3
# Predictions so many times as far out as any target have an axis of their own.
FAR = 1.5


def numbers(run: Path) -> xarray.Dataset:
    """`prediction` and `target` (fate, position, axis) of one member a fate, and `image` (picture, row, column)."""
    results, plan, compared = snapshot(run)
    selection.require_begun(run, compared, "predictions")
    present = [fate for fate in reversed(FATES) if (compared["fate"] == fate).any()]
    chosen = [_representative(compared, fate) for fate in present]
    used = [plan.configurations[place].task for place, _ in chosen]
    pictured = list(dict.fromkeys(used))
    variables = _members(results, compared, chosen) | _pictures(pictured)
    counts = [int((compared["fate"] == fate).sum()) for fate in present]
    variables["members"] = panels.variable(["fate"], counts, "1", "members of this fate")
    pictures = [pictured.index(task) for task in used]
    variables["picture_of"] = panels.variable(["fate"], pictures, "1", "which picture is of the member's task")
    found = xarray.Dataset(variables, {"fate": present, "axis": list(AXES)})
    found.attrs["caption"] = (
        "Predicted against true position at every place of the box, for the member with the median R2 of each fate, "
        f"one of {panels.plural(compared.sizes['seed'], 'seed')} a configuration; "
        "dashed: every prediction right; pale: the mean."
    )
    return found


def _members(results: xarray.Dataset, compared: xarray.Dataset, chosen: list[tuple[int, int]]) -> dict[str, tuple]:
    """The variables of the members at these places (configuration, seed), one a fate."""
    members = [results.isel(configuration=place, seed=seed) for place, seed in chosen]
    facts = [compared.isel(configuration=place, seed=seed) for place, seed in chosen]
    prediction, target = (np.stack([each[name].values.astype(float) for each in members]) for name in DRAWN)
    dims, units = ("fate", "position", "axis"), "target units"
    return {
        "prediction": panels.variable(dims, prediction, units, "prediction at the last evaluation"),
        "target": panels.variable(dims, target, units, "true position of the box's centre"),
        "mean": panels.variable(("fate", "axis"), np.nanmean(target, 1), units, "mean of the target"),
        "r2": panels.variable(("fate", "axis"), np.stack([each["r2"].values for each in facts]), "1", "R2"),
        "configuration": panels.variable(["fate"], [place for place, _ in chosen], "1", "of the member shown"),
        "seed": panels.variable(["fate"], [each["seed"].item() for each in facts], "1", "of the member shown"),
        "label": panels.variable(["fate"], [each["label"].item() for each in facts], "1", "its configuration"),
    }


def _representative(compared: xarray.Dataset, fate: str) -> tuple[int, int]:
    """The places (configuration, seed) of the member whose R2, averaged over the axes, is the median of this fate."""
    where = np.argwhere((compared["fate"] == fate).values)
    scores = compared["r2"].mean("axis").values[tuple(where.T)]
    configuration, seed = where[np.argsort(scores, kind="stable")[(len(where) - 1) // 2]]
    return int(configuration), int(seed)


def _pictures(pictured: list[Task]) -> dict[str, tuple]:
    """An image of each task, its noise drawn, averaged over channels; smaller ones are padded with NaN."""
    height, width = (max(getattr(task, side) for task in pictured) for side in ("height", "width"))
    image, centre = np.full((len(pictured), height, width), np.nan), np.zeros((len(pictured), 2))
    for place, task in enumerate(pictured):
        position = tasks.position(task, np.array([int(PLACE * tasks.position_count(task))]))
        observed = tasks.observe(task, tasks.render(task, position), jax.random.key(0))
        image[place, : task.height, : task.width] = np.asarray(observed)[0].mean(-1)
        centre[place] = np.asarray(scenes.of(task).centre(task, position))[0]
    about = "an image of the task, noise included, mean over channels; 0 is black, 1 white; NaN: outside"
    return {
        "image": panels.variable(("picture", "row", "column"), image, "1", about),
        "centre": panels.variable(("picture", "axis"), centre, "pixel", "its box's centre, from the upper left corner"),
    }


def draw(numbers: xarray.Dataset, figure: Figure) -> None:
    """The pictures, then a panel a fate."""
    count = numbers.sizes["picture"]
    pictures = [numbers.isel(picture=place) for place in range(count)]
    members = [numbers.isel(fate=place) for place in range(numbers.sizes["fate"])]
    titles = [_picture_title(of, f" {place + 1}" * (count > 1)) for place, of in enumerate(pictures)]
    titles += [_title(of, f", image {of['picture_of'].item() + 1}" * (count > 1)) for of in members]
    axes = panels.grid(figure, titles, height=1.6)
    for panel, of in zip(axes, pictures, strict=False):
        _picture(panel, of)
    for panel, of in zip(axes[count:], members, strict=True):
        _panel(panel, of)
    panels.legend(figure, [Line2D([], [], **LOOKS[axis]) for axis in AXES], list(AXES))


def _picture_title(of: xarray.Dataset, number: str) -> tuple[str, ...]:
    return (
        f"image{number}, + its target",
        f"black {float(of['image'].min()):.2g}, white {float(of['image'].max()):.2g}",
    )


def _title(of: xarray.Dataset, picture: str) -> tuple[str, ...]:
    words = fates.words(of["fate"].item()), f"1 of {of['members'].item()}"
    fate = ", ".join(word.replace(" ", panels.TOGETHER) for word in words)
    return fate, of["label"].item(), f"seed {of['seed'].item()}{picture}"


def _picture(axes: Axes, of: xarray.Dataset) -> None:
    axes.imshow(of["image"].dropna("row", how="all").dropna("column", how="all"), cmap="gray")
    x, y = of["centre"].values - 0.5  # matplotlib's 0 is the middle of the first pixel
    axes.plot(x, y, "+", color=OKABE_ITO["vermillion"], markersize=8, markeredgewidth=1.5)
    for side in (axes.xaxis, axes.yaxis):
        side.set_major_locator(MaxNLocator(4, integer=True))
    axes.set_xlabel("column (pixel)", fontsize=panels.TITLE)
    axes.set_ylabel("row (pixel)", fontsize=panels.TITLE)


def _panel(axes: Axes, of: xarray.Dataset) -> None:
    panels.plain(axes)
    axes.set_xlabel("true (target units)", fontsize=panels.TITLE)
    axes.set_ylabel("predicted (target units)", fontsize=panels.TITLE)
    scores = axes.text(0.98, 0.03, f"R2 of x: {_r2(of, 'x')}\nof y: {_r2(of, 'y')}", transform=axes.transAxes)
    scores.set(fontsize=panels.SMALL, ha="right", va="bottom", path_effects=panels.OUTLINE)
    low, high = float(of["target"].min()), float(of["target"].max())
    for axis in reversed(AXES):
        own = of.sel(axis=axis)
        axes.plot(own["target"], own["prediction"].where(np.isfinite(own["prediction"])), **LOOKS[axis])
        axes.axhline(own["mean"].item(), color="0.75", linewidth=2.5, zorder=1)
    axes.plot([low, high], [low, high], color="black", linestyle="--", linewidth=0.8)
    finite = of["prediction"].values[np.isfinite(of["prediction"].values)]
    edge = FAR * max(abs(low), abs(high))
    axes.set_ylim(-edge, edge)
    if not len(finite):
        axes.text(0.5, 0.75, "predictions\noverflowed", transform=axes.transAxes, ha="center", va="center")
    elif abs(finite).max() > edge:
        low, high = finite.min(), finite.max()
        axes.set_ylim(low - (high - low) / 3, high + (high - low) / 10)  # with room for the scores


def _r2(of: xarray.Dataset, axis: str) -> str:
    value = of["r2"].sel(axis=axis).item()
    # Plus 0: a rounded zero has no sign.
    return f"{round(value, 3) + 0:.3f}" if value > -10 else f"{value:.0e}"
