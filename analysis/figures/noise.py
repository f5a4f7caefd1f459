"""Error against the level of noise: what members have learned, beside the best that is possible and two that are not.

Errors are shares of the target's variance, 1 - R2 over both coordinates, so that predicting the mean is at 1.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import xarray
from matplotlib.axes import Axes
from matplotlib.figure import Figure as Canvas

from analysis import laws
from analysis.comparison import DIVERGED, known, snapshot
from analysis.comparison.known import PREDICTORS
from analysis.figures import contract, series
from analysis.figures.panels import grid, plain, variable
from analysis.figures.selection import require_begun
from analysis.figures.series import End, Medians
from jaxbox.config import Configuration, Plan

LEVEL = "task.noise_level"
COMMAND = (
    "python -m jaxbox.sweep base --task.noise white --vary task.noise_level 0.1 0.3 0.5 0.7 1 1.5 "
    "--vary model.name linear mlp cnn --optimizer.learning_rate 0.001 --steps 300 --seeds 12 --name noise"
)
MOST_PANELS, MOST_LINES = 4, 6
SMALLEST = 1e-4
"""The frame ends here: what is less is below it."""
EXACT: dict[str, tuple[str, dict[str, Any]]] = {
    "ramp": ("ramp", {"color": "0.5", "linestyle": ":"}),
    "minimum_norm": ("minimum norm", {"color": "0.5", "linestyle": "-."}),
    "lmmse": ("best linear", {"color": "black", "linestyle": "--"}),
    "bayes": ("Bayes", {"color": "black", "linestyle": "-"}),
}
LEVELS = {
    "white": "standard deviation of white noise\n(pixels in [0, 1])",
    "salt_pepper": "probability that a pixel is replaced",
}
"""What the level of a noise is, for the axis."""
SHARE = "mean squared error of both coordinates / variance of the target"


def numbers(run: Path) -> xarray.Dataset:
    """Exact errors on (panel, predictor, level), learned ones on (panel, line, level), as shares of the variance."""
    contract.require_varied(run, "noise", (LEVEL,), COMMAND)
    _, plan, compared = snapshot(run)
    require_begun(run, compared, "noise")
    of_images = [path for path in plan.varied() if path.startswith(("task.", "data.")) and path != "data.train_size"]
    others = [path for path in plan.varied() if path not in of_images]
    panel_of = series.words(compared, but=(LEVEL, *others))
    line_of = series.words(compared, but=of_images)
    panels, lines = series.kept(panel_of, MOST_PANELS), series.kept(line_of, MOST_LINES)
    levels = sorted({configuration.task.noise_level for configuration in plan.configurations})
    exact = np.full((2, len(panels), len(PREDICTORS), len(levels)), np.nan)
    learned = np.full((4, len(panels), len(lines), len(levels)), np.nan)
    medians = _medians(plan, compared)
    for number, configuration in enumerate(plan.configurations):
        if panel_of[number] not in panels:
            continue
        at = panels.index(panel_of[number]), levels.index(configuration.task.noise_level)
        exact[:, at[0], :, at[1]] = _exact(run, configuration)
        if line_of[number] in lines:
            learned[:, at[0], lines.index(line_of[number]), at[1]] = [part[number] for part in medians]
    kinds = [plan.configurations[panel_of.index(panel)].task.noise for panel in panels]
    data = _labelled(exact, learned, kinds, {"panel": panels, "line": lines, "level": levels})
    omitted = series.left_out(panel_of, panels) + series.left_out(line_of, lines)
    return data.assign_attrs(caption=_caption(data) + omitted)


def _exact(run: Path, own: Configuration) -> np.ndarray:
    """Errors of PREDICTORS as shares of the variance, and their standard errors: (2, predictor)."""
    facts, variance = known.known(own.task, Path(run), own.data), laws.target_variance(own.task, own.data).sum()
    # The axes' estimates are of the same images: their errors may add up.
    return np.stack([facts.mse.sum(1), facts.mse_error.sum(1)]) / variance


def _medians(plan: Plan, compared: xarray.Dataset) -> Medians:
    variance = np.array([laws.target_variance(own.task, own.data).sum() for own in plan.configurations])
    share = compared["mse"].sum("axis", skipna=False).values / variance[:, None]
    fate = compared["fate"].values
    return series.medians(np.where(fate == DIVERGED, np.inf, share), fate != "")


def _labelled(exact: np.ndarray, learned: np.ndarray, kinds: list[str], coords: dict[str, Any]) -> xarray.Dataset:
    of, dims = ("panel", "predictor", "level"), ("panel", "line", "level")
    levels = [LEVELS.get(kind, "level of noise") for kind in kinds]
    variables = {
        "exact": variable(of, exact[0], "1", f"expected value of the {SHARE}"),
        "exact_error": variable(of, exact[1], "1", "its standard error; 0 where it is exact"),
        "value": variable(dims, learned[0], "1", f"median over seeds of the {SHARE}"),
        "low": variable(dims, learned[1], "1", "lower end of the median's 95% interval"),
        "high": variable(dims, learned[2], "1", "upper end of the median's 95% interval"),
        "count": variable(dims, learned[3], "1", "seeds behind the median"),
        "noise": variable(("panel",), levels, "1", "what the level is"),
        "mean": variable((), 1.0, "1", f"{SHARE} of a prediction of the mean"),
    }
    return xarray.Dataset(variables, {**coords, "predictor": list(PREDICTORS)})


def _caption(data: xarray.Dataset) -> str:
    counts = data["count"].values[data["count"].values > 0]
    return (
        f"Error against the level of noise: {series.behind(counts)}, beside expected errors "
        "of exact predictors; what is estimated with a band of two standard errors. At 1 is a prediction of the mean; "
        f"what is below {SMALLEST:g} is not shown."
    )


def draw(numbers: xarray.Dataset, figure: Canvas) -> None:
    """A panel for each task."""
    axes_of = grid(figure, [[title] for title in numbers["panel"].values], 2.4, 2.1, sharey=True)
    for place, axes in enumerate(axes_of):
        _panel(axes, numbers.isel(panel=place))
    for axes in axes_of:
        axes.set_ylabel("1 − R² (share of variance)")
    figure.draw_without_rendering()  # so that the height of the panels is known
    for place, axes in enumerate(axes_of):
        series.end_labels(axes, _ends(numbers.isel(panel=place)))


def _panel(axes: Axes, own: xarray.Dataset) -> None:
    level = own["level"].values
    errors = np.concatenate([own[name].values.ravel() for name in ("exact", "value")])
    errors = errors[np.isfinite(errors) & (errors > 0)]
    low, high = max(errors.min(initial=0.5) / 2, SMALLEST), min(errors.max(initial=1.5) * 2, 1e4)
    axes.set(
        xscale="log" if level.min() > 0 else "linear", yscale="log", ylim=(low, high), xlabel=str(own["noise"].values)
    )
    axes.axhline(float(own["mean"]), color="0.3", linewidth=0.7, label="predict the mean")
    axes.annotate("predict the mean", (0.01, float(own["mean"])), (0, 1.5), xycoords=axes.get_yaxis_transform(),
                  textcoords="offset points", fontsize="small")  # fmt: skip
    for name, label, look in _looks(own):
        exact = own.sel(predictor=name)
        value, error = exact["exact"].values, 2 * exact["exact_error"].values
        axes.plot(level, value, label=label, **look)
        axes.fill_between(level, value - error, value + error, color=look["color"], alpha=0.2, linewidth=0)
    for number, label in enumerate(own["line"].values):
        line = own.sel(line=label)
        series.line(axes, level, line, series.look(number), str(label) or "members")
    axes.set_xticks(level, [f"{value:g}" for value in level])
    axes.minorticks_off()
    plain(axes)


def _looks(own: xarray.Dataset) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Each predictor's name, label and look. Bayes is an estimate under any noise; the best linear says if it is."""
    estimated = bool((own["exact_error"].sel(predictor="lmmse") > 0).any())
    for name, (label, look) in EXACT.items():
        yield name, f"{label}, estimated" if name == "lmmse" and estimated else label, look


def _ends(own: xarray.Dataset) -> list[End]:
    """Where each line is at the highest level that it has."""
    rows = [(label, look["color"], own["exact"].sel(predictor=name)) for name, label, look in _looks(own)]
    for number, label in enumerate(own["line"].values):
        rows.append((str(label) or "members", series.look(number)["color"], own["value"].sel(line=label)))
    reached = [(label, colour, row.values[row.notnull().values]) for label, colour, row in rows]
    return [End(float(min(row[-1], series.ENDLESS)), label, colour) for label, colour, row in reached if len(row)]
