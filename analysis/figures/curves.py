"""The loss of every seed over the steps, by fate, beside what predicting the mean and the best predictors cost."""

from pathlib import Path

import numpy as np
import xarray
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import NullFormatter

from analysis import laws
from analysis.comparison import DIVERGED, NOT_BEGUN, snapshot
from analysis.figures import panels, selection
from analysis.figures.fates import LOOKS
from jaxbox.config import Plan

PANELS = 6
"""At most so many configurations are drawn."""
LEVELS = {"mean": "predicting the mean", "lmmse": "best linear", "bayes": "best possible"}
ERROR = "lmmse_level_error"
"""The variable that says whether, and how surely, the level of the best linear predictor is estimated."""
# Where their words are: apart where levels are close, and below what curves come down to.
PLACES = {"mean": ("right", "bottom"), "lmmse": ("left", "top"), "bayes": ("right", "top")}
# An error of this share of the variance is a rounded zero.
ZERO = 1e-12
# What has overflowed leaves the panel at the top: this is above every finite loss, and can be drawn.
OVERFLOWED = 1e40
# The axis ends at so many times the largest loss that did not diverge.
HEADROOM = 30


def numbers(run: Path) -> xarray.Dataset:
    """The loss (configuration, seed, step), NaN where there was no evaluation, and its levels (configuration)."""
    results, plan, compared = snapshot(run)
    selection.require_begun(run, compared, "curves")
    chosen = selection.most_collapsed(compared, PANELS)
    reached = selection.reached(plan, results) & (results["step"] > 0)
    loss = results["loss"].load().astype(float)
    loss = loss.where(~((compared["fate"] == DIVERGED) & loss.isnull()), np.inf).where(reached)
    levels = _levels(plan, compared)
    found = xarray.Dataset(
        {
            "loss": panels.variable(
                loss.dims, loss.values, "loss", "training loss, mean since the evaluation before; inf: overflowed"
            ),
            "fate": compared["fate"].reset_coords(drop=True),
            "label": compared["label"].reset_coords(drop=True),
        }
        | {
            f"{name}_level": panels.variable(
                ["configuration"], levels[name], "loss", f"loss of {words}, over all positions; NaN: not known"
            )
            for name, words in LEVELS.items()
        }
        | {
            ERROR: panels.variable(
                ["configuration"], levels[ERROR], "loss", "standard error of lmmse_level; 0 where that is exact"
            )
        },
        {name: compared[name].values for name in ("configuration", "seed")} | {"step": results["step"].values},
    ).isel(configuration=chosen, step=slice(1, None))
    begun = int((found["fate"] != NOT_BEGUN).sum())
    found.attrs["caption"] = (
        f"Training loss of {panels.plural(begun, 'member')}, a line each, by what became of it; "
        f"{panels.plural(compared.sizes['seed'], 'seed')} a configuration."
        f"{_about_levels(found)}{selection.left_out(compared, len(chosen))}"
    )
    return found


def _levels(plan: Plan, compared: xarray.Dataset) -> dict[str, np.ndarray]:
    """Mean squared errors over x and y, by name of LEVELS, and at most the standard error of what is estimated, ERROR:
    (configuration,); NaN for other losses, scales, labels."""
    found = {name: [] for name in (*LEVELS, ERROR)}
    for index, configuration in enumerate(plan.configurations):
        variance, data = laws.target_variance(configuration.task, configuration.data), configuration.data
        in_target_units = (configuration.loss.name, configuration.task.targets) == ("mse", "symmetric")
        in_target_units &= (data.labels, data.split) == ("true", "random")
        variance = variance if in_target_units else np.full(2, np.nan)
        for name in LEVELS:
            share = 0.0 if name == "mean" else compared[f"r2_{name}"].values[index]
            error = np.mean((1 - share) * variance)
            found[name].append(0.0 if error < ZERO * variance.mean() else error)
        found[ERROR].append(np.mean(compared["r2_lmmse_error"].values[index] * variance))
    return {name: np.array(values) for name, values in found.items()}


def _about_levels(found: xarray.Dataset) -> str:
    if found["mean_level"].isnull().all():
        return " What predicting the mean costs is known for squared error only."
    zero = [words for name, words in LEVELS.items() if (found[f"{name}_level"] == 0).any()]
    floors = f" Errors of 0 ({', '.join(zero)}), as without noise, have no place on a logarithmic axis." if zero else ""
    estimated = " but for the best linear, which is estimated where it says so" * bool((found[ERROR] > 0).any())
    return f" Horizontal lines are exact{estimated}.{floors}"


def draw(numbers: xarray.Dataset, figure: Figure) -> None:
    """A panel a configuration, on one logarithmic axis."""
    titles = [
        (label, panels.counts(fate))
        for label, fate in zip(numbers["label"].values.tolist(), numbers["fate"].values, strict=True)
    ]
    axes = panels.grid(figure, titles, sharex=True, sharey=True)
    axes[0].set(yscale="log", ylim=_limits(numbers))
    axes[0].yaxis.set_minor_formatter(NullFormatter())
    for place, panel in enumerate(axes):
        _panel(panel, numbers.isel(configuration=place))
    figure.supxlabel("step", fontsize="medium")
    unit = "\n(squared target units)" if numbers["mean_level"].notnull().all() else ""
    figure.supylabel(f"training loss{unit}", ma="center", fontsize="medium")
    panels.fate_legend(figure, numbers["fate"].values.flat)


def _panel(axes: Axes, of: xarray.Dataset) -> None:
    panels.plain(axes)
    for fate in reversed(LOOKS):  # what collapsed lies on top
        for seed in np.flatnonzero(of["fate"] == fate):
            line = of["loss"].isel(seed=seed).dropna("step")
            look = {**LOOKS[fate], "marker": "" if line.size > 1 else LOOKS[fate]["marker"]}
            axes.plot(line["step"], np.minimum(line, OVERFLOWED), linewidth=0.6, alpha=0.7, **look)
    if (of["fate"] == DIVERGED).any():
        above = axes.text(0.98, 0.97, "↑ diverged", transform=axes.transAxes, ha="right", va="top")
        above.set(fontsize=panels.SMALL, path_effects=panels.OUTLINE)
    for name, words in LEVELS.items():
        level, estimated = of[f"{name}_level"].item(), name == "lmmse" and of[ERROR].item() > 0
        if level > 0:
            _level(axes, level, f"{words}, estimated" if estimated else words, *PLACES[name])


def _level(axes: Axes, level: float, words: str, side: str, vertical: str) -> None:
    # Wide, pale and below the curves: members that predict the mean lie on it.
    axes.axhline(level, color="0.75", linewidth=2.5, zorder=1)
    at, away = (float(side == "right"), level), (-1 if side == "right" else 2, 2 if vertical == "bottom" else -2)
    text = axes.annotate(words, at, away, axes.get_yaxis_transform(), "offset points", zorder=4)
    text.set(fontsize=panels.SMALL, ha=side, va=vertical, path_effects=panels.OUTLINE)


def _limits(numbers: xarray.Dataset) -> tuple[float, float]:
    """Around all levels and every loss that did not diverge, or every one if all did; two decades at least."""
    diverged = numbers["fate"] == DIVERGED
    losses = numbers["loss"].where(~diverged | (diverged | (numbers["fate"] == NOT_BEGUN)).all()).values
    shown = np.concatenate([losses.flat, *(numbers[f"{name}_level"].values for name in LEVELS)])
    shown = shown[np.isfinite(shown) & (shown > 0)]
    low, high = (shown.min() / 2, shown.max() * (HEADROOM if diverged.any() else 3)) if len(shown) else (0.1, 10.0)
    return (low, high) if high / low > 100 else (10 ** np.floor(np.log10(low)), 10 ** np.ceil(np.log10(high)))
