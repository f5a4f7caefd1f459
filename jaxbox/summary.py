"""The table at the end of a sweep: how often each configuration collapses, and how good it is otherwise."""

from typing import Any

import numpy as np
import xarray
from rich import box
from rich.table import Table
from scipy import stats

COLLAPSED_R2 = 0.05
"""A member with a smaller R2 over both coordinates and all positions, at its last evaluation, has collapsed."""


def at_end(run: xarray.Dataset, name: str) -> xarray.DataArray:
    """A measure at each member's last evaluation; NaN where there was none."""
    last = run["last_step"].load()
    values = run[name].load().sel(step=last.where(last >= 0, run["step"].values[0]))
    return values.where(last >= 0).drop_vars("step")


def final_r2(run: xarray.Dataset) -> xarray.DataArray:
    """R2 over both coordinates at each member's last evaluation: 1 - sum of MSE / sum of target variances."""
    mse = at_end(run, "mse").sel(split="all").sum("axis", skipna=False)
    return 1 - mse / run["target"].load().var("position").sum("axis")


def dead_layer(run: xarray.Dataset) -> xarray.DataArray:
    """Whether a member ends with a ReLU layer that is zero on every evaluation image."""
    return (at_end(run, "dead_fraction") >= 1).any("layer")


def labels(run: xarray.Dataset) -> list[str]:
    """A name for each configuration: the values of the fields that vary, numbers with their field's name."""
    varied = [str(name) for name in run.coords if run[name].dims == ("configuration",) and name != "configuration"]
    varied.sort(key=lambda path: path != "model.name")
    rows = zip(*(run[path].values for path in varied), strict=True) if varied else [()] * run.sizes["configuration"]
    return [" ".join(_word(path, value) for path, value in zip(varied, row, strict=True)) for row in rows]


def _word(path: str, value: Any) -> str:
    return str(value) if isinstance(value, str) else f"{path.split('.')[-1]}={value:g}"


def rate(events: np.ndarray) -> str:
    """A proportion in percent with its 95% Wilson interval (Wilson, JASA 22, 1927)."""
    if not len(events):
        return "-"
    interval = stats.binomtest(int(events.sum()), len(events)).proportion_ci(0.95, method="wilson")
    return f"{100 * events.mean():.0f}% [{100 * interval.low:.0f}, {100 * interval.high:.0f}]"


def table(run: xarray.Dataset) -> Table:
    """One row a configuration."""
    caption = (
        f"collapsed: R2 < {COLLAPSED_R2:g} over both coordinates at the end; dead layer: a ReLU layer that is zero "
    )
    caption += "on every image; frozen: turned non-finite; [95% Wilson intervals]; s: wall time"
    result = Table(caption=caption, caption_justify="left", box=box.SIMPLE_HEAD, pad_edge=False)
    for column in ("configuration", "seeds", "collapsed", "median R2 [quartiles]", "dead layer", "frozen", "s"):
        result.add_column(column, justify="left" if column == "configuration" else "right")
    r2, dead, finite = final_r2(run), dead_layer(run), run["finite"].load()
    for index, label in enumerate(labels(run)):
        scores = r2.isel(configuration=index).values
        trained = run["last_step"].isel(configuration=index).values >= 0
        scores = scores[trained]
        lower, median, upper = np.quantile(scores, (0.25, 0.5, 0.75)) if len(scores) else [np.nan] * 3
        result.add_row(
            label or "the only one",
            str(len(scores)),
            rate(scores < COLLAPSED_R2),
            f"{median:.4g} [{lower:.4g}, {upper:.4g}]",
            rate(dead.isel(configuration=index).values[trained]),
            str(int((~finite.isel(configuration=index).values[trained]).sum())),
            f"{float(run['seconds'][index]):.1f}",
        )
    return result
