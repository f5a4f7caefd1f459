"""Exact gradient descent against trained linear members, and at which rates either is stable.

Members start from random weights, which descent unlearns slowly: the closed form from zero weights, which is exact, is
not theirs. Beside it stands the expectation over such starts. Both are for full batches of all positions.
"""

from pathlib import Path
from typing import Any

import numpy as np
import xarray
from jaxtyping import Float
from matplotlib.axes import Axes
from matplotlib.figure import Figure as Canvas
from matplotlib.lines import Line2D

from analysis import closed_forms
from analysis import dynamics as exact
from analysis.figures import series
from analysis.figures.contract import Unfilled
from analysis.figures.panels import legend, plain, variable
from analysis.figures.selection import reached
from analysis.figures.series import End
from jaxbox.config import Configuration
from jaxbox.store import measures
from jaxbox.store.archive import open_with_plan

RATE = "optimizer.learning_rate"
COMMAND = (
    "python -m jaxbox.sweep base --model.name linear --optimizer.name sgd --vary optimizer.learning_rate "
    "0.1 0.5 0.8 1.0 --steps 200 --eval_every 10 --seeds 16 --name sgd"
)
MOST_PANELS, MOST_RATES = 4, 6
"""Panels, and rates whose curves are drawn."""
EXPECTED: dict[str, Any] = {"color": "black", "linestyle": "--"}
FROM_ZERO: dict[str, Any] = {"color": "0.5", "linestyle": ":"}
LIMITS: dict[str, dict[str, Any]] = {"limit_full": {"color": "black"}, "limit_batch": {"color": "0.65"}}
LACKING = " Members whose training set lacks positions stay above exact descent, which learns from all of them."
SQUARED = "squared target units"


def numbers(run: Path) -> xarray.Dataset:
    """Errors of members on (configuration, seed, step), of exact descent on (configuration, step), and the limits."""
    results, plan = open_with_plan(run)
    if not (results["last_step"].load() >= 0).any():
        raise Unfilled(f"figure: dynamics needs members that have begun; go on: python -m jaxbox.sweep --resume {run}")
    chosen = [number for number, own in enumerate(plan.configurations) if _is_descent(own)]
    if not chosen:
        need = "linear networks, sgd and mse on a task with a closed form of descent"
        raise Unfilled(f"figure: dynamics needs {need}, which {run} has not; for example: {COMMAND}")
    names = series.words(results, but=(RATE,))
    panels = series.kept([names[number] for number in chosen], MOST_PANELS)
    drawn = [number for number in chosen if names[number] in panels]
    configurations = [plan.configurations[number] for number in drawn]
    evaluated, results = reached(plan, results), results.isel(configuration=drawn)
    mse, last = _mse(results["mse"]), _mse(measures.at_end(results, "mse"))
    known = evaluated.isel(configuration=drawn)
    data = xarray.Dataset({"mse": mse.where(known).transpose("configuration", "seed", "step")})
    data["members"] = (results["last_step"] >= 0).sum("seed")
    data["grown"] = ((last > mse.isel(step=0)) & known.isel(step=0)).sum("seed")
    data = data.reset_coords(drop=True).assign(_exact(configurations, results["step"].values))
    data = data.assign_coords(
        panel=("configuration", [names[number] for number in drawn]),
        rate=("configuration", [own.optimizer.learning_rate for own in configurations]),
        batch_size=("configuration", [own.batch_size for own in configurations]),
    )
    shown = data["rate"].isin(series.kept(sorted(data["rate"].values.tolist()), MOST_RATES))
    data = data.assign({name: data[name].where(shown) for name in ("mse", "from_zero", "expected")})
    data["mse"].attrs = {
        "units": SQUARED,
        "description": "mean squared error of a member, mean of x and y, over all positions",
    }
    data["members"].attrs = {"units": "1", "description": "members that have begun"}
    data["grown"].attrs = {"units": "1", "description": "members whose error is larger at the end than at the start"}
    omitted = series.left_out([names[number] for number in chosen], panels)
    lacking = (~results["seen"].load().all("position") & (results["last_step"] >= 0)).any()
    return data.assign_attrs(caption=_caption(data) + (LACKING if lacking else "") + omitted)


def _mse(values: xarray.DataArray) -> xarray.DataArray:
    """Mean of x and y over all positions; infinite where it overflowed or is of a member that has not begun."""
    chosen = values.sel(split="all", drop=True).load().astype(float).mean("axis", skipna=False)
    return chosen.fillna(np.inf)


def _is_descent(own: Configuration) -> bool:
    named = (own.model.name, own.optimizer.name, own.loss.name) == ("linear", "sgd", "mse")
    return named and closed_forms.has(own.task, closed_forms.DESCENT, own.data)


def _exact(configurations: list[Configuration], steps: np.ndarray) -> dict[str, Any]:
    """What holds without training; an evaluation that a configuration does not have is left out."""
    zero, expected = np.full((2, len(configurations), len(steps)), np.nan)
    for number, own in enumerate(configurations):
        at = np.isin(steps, own.evaluation_steps())
        rate, variance = own.optimizer.learning_rate, exact.glorot_variance(own.task)
        zero[number, at] = _mean(exact.mean_squared_error(own.task, rate, steps[at]))
        expected[number, at] = _mean(exact.mean_squared_error(own.task, rate, steps[at], variance))
    full = [exact.max_stable_learning_rate(own.task) for own in configurations]
    batch = [exact.max_stable_learning_rate(own.task, own.batch_size) for own in configurations]
    dims = ("configuration", "step")
    return {
        "from_zero": variable(dims, zero, SQUARED, "exact descent from zero weights"),
        "expected": variable(dims, expected, SQUARED, "exact descent, expected over Glorot-uniform starts"),
        "limit_full": variable(dims[:1], full, "1", "largest stable learning rate of a full batch"),
        "limit_batch": variable(dims[:1], batch, "1", "largest stable learning rate of the batch size"),
    }


def _mean(errors: Float[np.ndarray, "steps 2"]) -> Float[np.ndarray, " steps"]:
    with np.errstate(over="ignore"):
        return errors.mean(1)


def _caption(data: xarray.Dataset) -> str:
    grown, members = int(data["grown"].sum()), int(data["members"].sum())
    return (
        "Error over the steps of gradient descent on batches, a line for each linear member "
        f"({series.seeds(data['members'])} a rate), beside exact descent on full batches: expected over random starts "
        "such as theirs, and from zero weights. Below: the rates, crosses where members ended with a larger error than "
        f"at the start ({grown} of {members} in all), and the largest stable rates."
        + (" Curves of some rates only." if data["expected"].isnull().all("step").any() else "")
    )


def draw(numbers: xarray.Dataset, figure: Canvas) -> None:
    """A panel for each scale of inputs, or whatever else varies but the rate, and a strip for the rates of all."""
    names = list(dict.fromkeys(numbers["panel"].values.tolist()))
    *curves, strip = _axes(figure, len(names))
    looks = {rate: series.look(number) for number, rate in enumerate(sorted(set(numbers["rate"].values.tolist())))}
    of_panel = [numbers.isel(configuration=numbers["panel"].values == name) for name in names]
    for axes, name, own in zip(curves, names, of_panel, strict=True):
        _curves(axes, own, looks)
        axes.set_title(name)
    _strip(strip, of_panel, looks)
    strip.set_yticks(range(len(names)), [name or "rates" for name in names])
    sizes = sorted(set(numbers["batch_size"].values.tolist()))
    styles: list[dict[str, Any]] = [{"color": "0.3", "linewidth": 0.5}, EXPECTED, FROM_ZERO]
    handles = [Line2D([], [], **look) for look in styles]
    handles += [Line2D([], [], linestyle="", marker="|", markersize=9, **look) for look in LIMITS.values()]
    limits = ["stable, full batch", f"stable, batches of {', '.join(map(str, sizes))}"]
    legend(figure, handles, ["a member", "exact, random start", "exact, zero start", *limits], 1.5)
    figure.draw_without_rendering()  # so that the height of the panels is known
    for axes, own in zip(curves, of_panel, strict=True):
        series.end_labels(axes, _ends(own, looks))


def _axes(figure: Canvas, count: int) -> list[Axes]:
    """Panels in rows, and below all of them the strip."""
    width = figure.get_size_inches()[0]
    columns = 1 if width < series.NARROW else min(2, count)
    rows = -(-count // columns)
    heights = [2.2] * rows + [0.6 + 0.25 * count]
    figure.set_size_inches(width, sum(heights) + 0.2)
    grid = figure.add_gridspec(rows + 1, columns, height_ratios=heights)
    return [*(figure.add_subplot(grid[place // columns, place % columns]) for place in range(count)),
            figure.add_subplot(grid[rows, :])]  # fmt: skip


def _curves(axes: Axes, own: xarray.Dataset, looks: dict[float, Any]) -> None:
    steps = own["step"].values
    own = own.isel(configuration=own["expected"].notnull().any("step").values)
    start = float(own["expected"].isel(step=0).max())
    stable = own["expected"].where(own["expected"] < start)
    low = min(float(stable.min()) if stable.notnull().any() else start, float(own["from_zero"].isel(step=0).min()))
    axes.set(
        yscale="log", ylim=(low / 30, start * 100), xlabel="step", ylabel="mean squared error\n(squared target units)"
    )
    for number, rate in enumerate(own["rate"].values.tolist()):
        row, colour = own.isel(configuration=number), looks[rate]["color"]
        members = np.minimum(row["mse"].values.T, series.ENDLESS)
        axes.plot(steps, members, color=colour, linewidth=0.5, alpha=0.5)
        for name, look in (("expected", EXPECTED), ("from_zero", FROM_ZERO)):
            axes.plot(steps, np.minimum(row[name].values, series.ENDLESS), **look)
    plain(axes)


def _ends(own: xarray.Dataset, looks: dict[float, Any]) -> list[End]:
    rows = {rate: row[~np.isnan(row)] for rate, row in zip(own["rate"].values, own["expected"].values, strict=True)}
    last = {rate: float(min(row[-1], series.ENDLESS)) for rate, row in rows.items() if len(row)}
    return [End(height, f"rate {rate:g}", looks[rate]["color"]) for rate, height in last.items()]


def _strip(axes: Axes, of_panel: list[xarray.Dataset], looks: dict[float, Any]) -> None:
    """A row a panel: the rates, crossed out where errors grew, and the largest stable ones."""
    axes.set(xscale="log", xlabel="learning rate", ylim=(len(of_panel) - 0.5, -0.5))
    for row, own in enumerate(of_panel):
        for limit, look in LIMITS.items():
            axes.vlines(own[limit], row - 0.35, row + 0.35, **look)
        for rate, grown, members in zip(own["rate"].values, own["grown"].values, own["members"].values, strict=True):
            marker = "x" if grown else "o"
            axes.plot(rate, row, linestyle="", marker=marker, color=looks[rate]["color"])
            if 0 < grown < members:
                axes.annotate(f"{grown}/{members}", (rate, row), (5, 0), textcoords="offset points", va="center",
                              fontsize="small")  # fmt: skip
    axes.margins(x=0.12)
    plain(axes)
