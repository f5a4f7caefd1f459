"""The numbers of the plane: members on one side, on the other what holds for every predictor."""

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import xarray

from analysis import closed_forms, laws
from analysis.comparison import DIVERGED, known, member_information, snapshot
from analysis.figures import series
from analysis.figures.contract import Unfilled
from analysis.figures.panels import variable
from analysis.figures.selection import require_begun
from analysis.rate_distortion import shannon_failure
from analysis.shannon import SHANNON_EXCEEDS_ENTROPY
from jaxbox import task as tasks
from jaxbox.config import Configuration, Task
from jaxbox.training.metrics import AXES

MOST_PANELS, POINTS = 4, 200
"""Panels, and points of each curve."""
SMALLEST, BEYOND = 1e-6, 30.0
"""The curves: from this many squared spacings to this many times the target's variance."""
COMMAND = "python -m jaxbox.sweep thread"
NATS, SPACINGS = "nats", "squared spacings"
INFORMATION = ("information", "information_low", "information_high")
CURVES = {
    "rate_distortion": "R(D)",
    "discrete_shannon": "Shannon's bound, lattice",
    "dithered": "Shannon's bound, dithered",
    "thread_bound": "the thread's bound",
}
"""Lower bounds on the information behind an error, and what the legend calls them."""

COUNTED = (
    " Without noise I(Y;Ŷ) from counts is exact, and is H(Y) for nearly every member that is not constant: predictions "
    "that differ in the last digit count as different."
)
ESTIMATED = (
    " Under noise I(Y;Ŷ) is estimated from nearest neighbours, with 95% intervals that include what it misses; so a "
    "point may lie below R(D)."
)


class Place(NamedTuple):
    """What decides the bounds on an axis; of one title all are equal."""

    title: str
    task: Task
    axis: int
    positions: int
    spacing: float


def numbers(run: Path) -> xarray.Dataset:
    """Members on (configuration, seed, axis), bounds on (panel, point), in squared spacings and nats."""
    _, plan, compared = snapshot(run)
    require_begun(run, compared, "information_plane")
    places = [[_place(own, axis) for axis in range(len(AXES))] for own in plan.configurations]
    by_title = {place.title: place for row in places for place in row if place.positions > 1}
    if not by_title:
        need = "boxes with at least 2 places along an axis, all equally likely"
        raise Unfilled(f"figure: information_plane needs {need}, which {run} has not; for example: {COMMAND}")
    titles = series.kept(list(by_title), MOST_PANELS)
    spacing = xarray.DataArray([[place.spacing for place in row] for row in places], dims=("configuration", "axis"))
    data = compared[[*INFORMATION, "fate"]].assign(
        mse=compared["mse"] / spacing**2,
        panel_of=(
            ("configuration", "axis"),
            [[place.title if place.title in titles else "" for place in row] for row in places],
            {"units": "1", "description": "panel of the axis; empty: not drawn"},
        ),
    )
    shown = (data["panel_of"] != "") & (data["fate"] != DIVERGED) & data["information"].notnull()
    data = data.assign({name: data[name].where(shown) for name in (*INFORMATION, "mse")})
    data["mse"].attrs = {"units": SPACINGS, "description": "mean squared error of a member on an axis"}
    data = data.assign(_bounds([by_title[title] for title in titles])).assign(_exact(compared, places, titles))
    data = data.assign_coords(panel=("panel", titles)).drop_attrs(deep=False)
    noisy = [known.is_noisy(by_title[title].task) for title in titles]
    data["noisy"] = variable(("panel",), noisy, "1", "whether information is estimated, not counted")
    name = series.words(compared, but=("task.noise_level", "task.noise"))
    data["label"] = variable(("configuration",), name, "1", "the configuration in words, but for its noise")
    return data.assign_attrs(caption=_caption(data) + series.left_out(list(by_title), titles))


def _place(own: Configuration, axis: int) -> Place:
    task = own.task
    if not (laws.is_uniform(own.data) and closed_forms.has(task, closed_forms.ENTROPY, own.data)):
        return Place("", task, axis, 0, np.nan)
    rows, columns = tasks.position_shape(task)
    title = f"{columns} × {rows} places" + (f", {AXES[axis]}" if rows != columns else "")
    if known.is_noisy(task):
        colours = f" × {task.channels}" if task.channels > 1 else ""
        noise = f"{task.noise.replace('_', ' and ')} noise {task.noise_level:g}"
        title += f" (box {closed_forms.box_side(task)}, {task.width} × {task.height}{colours}), {noise}"
    return Place(title, task, axis, *member_information.spaced(task, axis))


def _bounds(places: list[Place]) -> dict[str, Any]:
    """The curves, at errors from the frame's left to past the variance."""
    spread = [np.geomspace(SMALLEST, (place.positions**2 - 1) / 12 * BEYOND, POINTS) for place in places]
    rows = [
        member_information.bounds(member_information.Lattice(place.task, place.axis), at * place.spacing**2)
        for place, at in zip(places, spread, strict=True)
    ]
    dims = ("panel", "point")
    curves = {name: variable(dims, [row[name] for row in rows], NATS, CURVES[name]) for name in CURVES}
    return {"distortion": variable(dims, spread, SPACINGS, "D, a mean squared error of any predictor"), **curves}


def _exact(compared: xarray.Dataset, places: list[list[Place]], titles: list[str]) -> dict[str, Any]:
    """What a panel has one of."""
    first = {place.title: (number, place.axis) for number, row in enumerate(places) for place in reversed(row)}
    at = [first[title] for title in titles]
    chosen = [places[number][axis] for number, axis in at]
    facts = {
        name: ("panel", [float(compared[name][place]) for place in at], compared[name].attrs)
        for name in ("entropy", "information_input", "information_input_error")
    }
    failure = [shannon_failure(place.positions, 1.0) for place in chosen]
    variance = [(place.positions**2 - 1) / 12 for place in chosen]
    of, impossible = ("panel",), [SHANNON_EXCEEDS_ENTROPY] * len(at)
    false, never = (f"error below which the thread's bound exceeds {what}" for what in ("R(D)", "H(Y)"))
    return facts | {
        "variance": variable(of, variance, SPACINGS, "of the target: the error of predicting the mean"),
        "false_below": variable(of, failure, SPACINGS, false),
        "impossible_below": variable(of, impossible, SPACINGS, never),
    }


def _caption(data: xarray.Dataset) -> str:
    begun = (data["fate"] != "").sum("seed")
    shown, noisy = int(data["mse"].notnull().sum()), data["noisy"]
    alive = (data["fate"] != "") & (data["fate"] != DIVERGED)
    few = int((alive & (data["panel_of"] != "")).sum()) - shown
    gone = int(((data["fate"] == DIVERGED) & (data["panel_of"] != "").any("axis")).sum())
    return (
        f"Error and information of {shown} points, one a member and axis ({series.seeds(begun)} a configuration), "
        "above the bounds that hold for every predictor. Grey: the thread's bound exceeds R(D), and claims what is "
        "false; hatched: it exceeds H(Y)."
        + (COUNTED if not noisy.all() else "")
        + (ESTIMATED if noisy.any() else "")
        + (f" Of {few} more there are too few images for an estimate." if few else "")
        + (f" {gone} members diverged and are not drawn." if gone else "")
    )
