"""Error on positions in the training set and on all others, by the size of that set, beside linear fits of the same.

Under noise both are on new images of the position, those of the evaluation: what is seen is a position, not an image.
"""

from pathlib import Path
from typing import Any

import numpy as np
import xarray
from jaxtyping import Bool, Float
from matplotlib.axes import Axes
from matplotlib.figure import Figure as Canvas

from analysis import laws
from analysis.comparison import DIVERGED, snapshot
from analysis.figures import contract, fits, series
from analysis.figures.fits import FITS
from analysis.figures.panels import grid, plain, variable
from analysis.figures.selection import require_begun
from analysis.figures.series import End
from jaxbox import task as tasks
from jaxbox.config import Configuration, Plan
from jaxbox.store import measures

SIZE = "data.train_size"
COMMAND = (
    "python -m jaxbox.sweep base --vary data.train_size 20 60 200 1000 --vary model.name linear mlp cnn "
    "--optimizer.learning_rate 0.001 --batch_size 16 --steps 300 --seeds 12 --name sizes"
)
MOST_TASKS, MOST_LINES, MOST_FITTED = 2, 5, 32
"""Tasks and lines that are drawn, and seeds whose training sets are fitted: each takes some tenths of a second."""
SPLITS = ("seen", "unseen")
STYLES: dict[str, tuple[str, dict[str, Any]]] = {
    "ols": ("least squares", {"color": "black", "linestyle": "-", "marker": "."}),
    "ridge": ("ridge", {"color": "0.45", "linestyle": ":", "marker": "."}),
}
SMALLEST, LARGEST = 1e-6, 1e3
"""The widest frame, as shares of the variance."""
SHARE = "mean squared error of both coordinates / variance of the target"
DESCRIPTIONS = {
    "value": f"median over seeds of the {SHARE}",
    "low": "lower end of the median's 95% interval",
    "high": "upper end of the median's 95% interval",
    "count": "seeds that have such positions",
}


def numbers(run: Path) -> xarray.Dataset:
    """Medians over seeds of members' and fits' errors on (task, split, line, size), as shares of the variance."""
    contract.require_varied(run, "generalisation", (SIZE,), COMMAND)
    results, plan, compared = snapshot(run)
    require_begun(run, compared, "generalisation")
    task_of, line_of = _words(plan, compared)
    shown, lines = series.kept(task_of, MOST_TASKS), series.kept(line_of, MOST_LINES)
    sizes = sorted({own.data.train_size for own in plan.configurations} - {0})
    found = np.full((4, len(shown), len(SPLITS), len(lines) + len(FITS), len(sizes)), np.nan)
    distinct = np.full((len(shown), len(sizes)), np.nan)
    fates = compared["fate"].values
    errors, seen = measures.at_end(results, "mse").load(), results["seen"].load().values
    for number, own in enumerate(plan.configurations):
        begun = fates[number] != ""
        if task_of[number] not in shown or own.data.train_size not in sizes or not begun.any():
            continue
        task, size = shown.index(task_of[number]), sizes.index(own.data.train_size)
        positions = seen[number, begun, : tasks.position_count(own.task)]
        if line_of[number] in lines:
            own_errors = _errors(errors.isel(configuration=number, seed=begun), fates[number][begun])
            found[:, task, :, lines.index(line_of[number]), size] = _medians(own, own_errors, positions)
        if np.isnan(distinct[task, size]):  # the training sets of all lines are the same
            distinct[task, size] = np.median(positions.sum(1))
            fitted = fits.errors(own, np.flatnonzero(begun)[:MOST_FITTED].tolist())
            for place, row in enumerate(fitted):
                found[:, task, :, len(lines) + place, size] = _medians(own, row, positions[:MOST_FITTED])
    names = [*(line or "members" for line in lines), *FITS]
    data = _labelled(found, distinct, {"task": shown, "split": list(SPLITS), "line": names, "size": sizes})
    omitted = series.left_out(task_of, shown) + series.left_out(line_of, lines)
    return data.assign_attrs(caption=_caption(data) + omitted)


def _words(plan: Plan, compared: xarray.Dataset) -> tuple[list[str], list[str]]:
    """The panel and the line of each configuration."""
    of_images = [path for path in plan.varied() if path.startswith(("task.", "data.")) and path != SIZE]
    others = [path for path in plan.varied() if path not in of_images]
    return series.words(compared, but=others), series.words(compared, but=[SIZE, *of_images])


def _errors(errors: xarray.DataArray, fate: np.ndarray) -> Float[np.ndarray, "split seed"]:
    """Members' errors of x and y together on what they have seen and what not; infinite where they diverged."""
    both = errors.sel(split=list(SPLITS)).transpose("split", "seed", "axis").values.astype(float).sum(-1)
    return np.where(fate == DIVERGED, np.inf, both)


def _medians(
    own: Configuration, errors: Float[np.ndarray, "split seed"], seen: Bool[np.ndarray, "seed N"]
) -> Float[np.ndarray, "4 split"]:
    """Over the seeds that have such positions at all, as shares of the variance."""
    some = np.stack([seen.any(1), ~seen.all(1)])
    variance = laws.target_variance(own.task, own.data).sum()
    return np.array(series.medians(errors / variance, some))


def _labelled(found: np.ndarray, distinct: np.ndarray, coords: dict[str, Any]) -> xarray.Dataset:
    dims = ("task", "split", "line", "size")
    variables = {
        name: variable(dims, part, "1", words) for (name, words), part in zip(DESCRIPTIONS.items(), found, strict=True)
    }
    words = "distinct positions in a training set, median over seeds"
    return xarray.Dataset({**variables, "distinct": variable(("task", "size"), distinct, "positions", words)}, coords)


def _caption(data: xarray.Dataset) -> str:
    most = data["count"].max(("task", "line")).fillna(0).astype(int)
    unseen = {int(size): int(most.sel(split="unseen", size=size)) for size in data["size"].values}
    few = [f"{count} at {size}" for size, count in unseen.items() if count < most.max()]
    return (
        "Error on positions in the training set and on all others, by its size: "
        f"{series.behind(most.max())}, beside least squares (of least norm) and ridge "
        "(penalty by leave-one-out) on the same training sets."
        + (f" Fewer seeds have unseen positions: {', '.join(few)} examples." if few else "")
    )


def draw(numbers: xarray.Dataset, figure: Canvas) -> None:
    """Two panels a task, of what was seen and what was not."""
    where = [(task, split) for task in range(numbers.sizes["task"]) for split in range(numbers.sizes["split"])]
    titles = [[str(numbers["task"].values[task]), f"{SPLITS[split]} positions"] for task, split in where]
    axes_of = grid(figure, titles, 2.4, 1.9, sharey=True)
    low, high = _frame(numbers)
    for axes, (task, split) in zip(axes_of, where, strict=True):
        own = numbers.isel(task=task, split=split)
        axes.set(xscale="log", yscale="log", ylim=(low, high))
        _lines(axes, own)
    series.outer_labels(axes_of, "training examples\n(distinct positions)", "1 − R² (share of variance)")
    figure.draw_without_rendering()  # so that the height of the panels is known
    for axes, (task, split) in zip(axes_of, where, strict=True):
        series.end_labels(axes, _ends(numbers.isel(task=task, split=split)))


def _looks(names: list[str]) -> list[tuple[str, dict[str, Any]]]:
    return [STYLES.get(name, (name, series.look(number))) for number, name in enumerate(names)]


def _frame(numbers: xarray.Dataset) -> tuple[float, float]:
    values = numbers["value"].isel(line=[name not in FITS for name in numbers["line"].values]).values
    values = values[np.isfinite(values) & (values > 0)]
    return max(values.min(initial=0.1) / 5, SMALLEST), min(values.max(initial=1.0) * 5, LARGEST)


def _lines(axes: Axes, own: xarray.Dataset) -> None:
    axes.axhline(1, color="0.3", linewidth=0.7)
    axes.annotate("predict the mean", (0.01, 1), (0, 1.5), xycoords=axes.get_yaxis_transform(),
                  textcoords="offset points", fontsize="small")  # fmt: skip
    for number, (label, look) in enumerate(_looks(own["line"].values.tolist())):
        series.line(axes, own["size"].values, own.isel(line=number), look, label)
    sizes, distinct = own["size"].values, own["distinct"].values
    axes.set_xticks(sizes, [f"{size}\n({count:.0f})" for size, count in zip(sizes, distinct, strict=True)])
    axes.minorticks_off()
    plain(axes)


def _ends(own: xarray.Dataset) -> list[End]:
    """Where each line is at the largest size that it has."""
    looks = _looks(own["line"].values.tolist())
    rows = [(label, look["color"], own["value"].isel(line=number).values) for number, (label, look) in enumerate(looks)]
    reached = [(label, colour, row[~np.isnan(row)]) for label, colour, row in rows]
    return [End(float(min(row[-1], series.ENDLESS)), label, colour) for label, colour, row in reached if len(row)]
