"""The figure of the law: rates against the learning rate, where they lie anywhere, and against the law's variable."""

from __future__ import annotations

import math

import numpy as np
import xarray
from jaxtyping import Bool, Float, Int
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from analysis.collapse_law.table import Settings
from analysis.figures import panels
from jaxbox.forecast.law import Law, gate
from jaxbox.plotting import OKABE_ITO

LEAST_PLATEAU = 0.3
"""Settings with a lower plateau say little of the threshold, and are left out."""
BINS = 14
"""Of the law's variable; each with enough settings shows its mean."""
ENOUGH = 8
CAPTION = (
    "Share of networks that lose a layer, a point a setting of 32 members. Left: against the learning rate. Right: "
    "over the plateau, against the step beside the threshold, with the law (line) and means of settings that it has "
    "not seen (squares). All with Adam."
)
LEFT_OUT = " {left_out} settings whose plateau is under {plateau:.0%} are left out on the right."


def numbers(seen: Settings, unseen: Settings | None, law: Law) -> xarray.Dataset:
    """Of each setting of Adam: `rate`, `learning_rate`, `reduced_step`, `over_plateau` and whether it is `unseen`."""
    parts = [seen] if unseen is None else [seen, unseen]
    columns = [_of(part.of_kind("adam"), law, new) for part, new in zip(parts, (False, True), strict=False)]
    joined = {name: np.concatenate([each[name] for each in columns]) for name in columns[0]}
    low = joined["plateau"] < LEAST_PLATEAU
    joined["over_plateau"] = np.where(low, np.nan, joined["rate"] / joined["plateau"])
    words = {
        "rate": "share of members that lose a layer",
        "learning_rate": "of Adam",
        "reduced_step": "step beside its value where half of the plateau is reached",
        "plateau": "the law's rate for a step of any length",
        "over_plateau": "rate over plateau",
        "unseen": "whether the law was fitted without it",
    }
    found = xarray.Dataset({n: panels.variable(["setting"], joined[n], "1", about) for n, about in words.items()})
    found.attrs = {
        "slope": law.threshold["step"],
        "caption": CAPTION + (LEFT_OUT.format(left_out=int(low.sum()), plateau=LEAST_PLATEAU) if low.any() else ""),
    }
    return found


def _of(part: Settings, law: Law, new: bool) -> dict[str, Float[np.ndarray, " n"] | Bool[np.ndarray, " n"]]:
    known = {name: part.known[name].to_numpy() for name in part.known}
    threshold = gate(law.threshold, known)
    return {
        "rate": part.lost / part.members,
        "learning_rate": np.exp(known["rate"]),
        "reduced_step": (threshold / (1 - threshold)) ** (1 / law.threshold["step"]),
        "plateau": np.asarray(gate(law.plateau, known)),
        "unseen": np.full(len(part.lost), new),
    }


def draw(numbers: xarray.Dataset, figure: Figure) -> None:
    """Two panels."""
    left, right = figure.subplots(1, 2, sharey=False)
    unseen = numbers["unseen"].values
    _points(left, numbers["learning_rate"].values, numbers["rate"].values, unseen)
    left.set(xlabel="learning rate", ylabel="share that lose a layer")
    step, over = numbers["reduced_step"].values, numbers["over_plateau"].values
    _points(right, step, over, unseen)
    line = np.geomspace(max(step.min(), 1e-2), min(step.max(), 30), 200)
    right.plot(line, 1 / (1 + line ** -numbers.attrs["slope"]), color="black", label="law", zorder=3)
    chosen, label = (unseen, "mean, not seen") if unseen.any() else (~unseen, "mean")
    _means(right, step, over, chosen, label)
    right.set(xlabel="step / threshold", ylabel="share over plateau", ylim=(-0.05, 1.6), xlim=(line[0], line[-1]))
    right.legend(loc="upper left", frameon=False)


def _points(axes: Axes, x: Float[np.ndarray, " n"], y: Float[np.ndarray, " n"], unseen: Bool[np.ndarray, " n"]) -> None:
    looks = ((~unseen, "sky blue", "o", "fitted"), (unseen, "vermillion", "^", "not seen"))
    for chosen, colour, marker, label in looks:
        if chosen.any():
            axes.scatter(
                x[chosen], y[chosen], s=4, color=OKABE_ITO[colour], marker=marker, alpha=0.5, lw=0, label=label
            )
    axes.set_xscale("log")


def _means(
    axes: Axes, x: Float[np.ndarray, " n"], y: Float[np.ndarray, " n"], chosen: Bool[np.ndarray, " n"], label: str
) -> None:
    chosen = chosen & np.isfinite(y)
    edges = np.geomspace(x[chosen].min(), x[chosen].max() * (1 + 1e-9), BINS + 1)
    place: Int[np.ndarray, " n"] = np.searchsorted(edges, x, side="right") - 1
    bins = [chosen & (place == number) for number in range(BINS)]
    shown = [
        (math.sqrt(edges[number] * edges[number + 1]), y[own].mean())
        for number, own in enumerate(bins)
        if own.sum() >= ENOUGH
    ]
    axes.plot(*np.transpose(shown), "s", color="black", markerfacecolor="white", markersize=4, label=label, zorder=4)
