"""Predicted against true, with the distribution of either, a panel for each coordinate."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from analysis.diagnose.refusal import Refusal

if TYPE_CHECKING:
    from analysis.collapse import Diagnosis
    from analysis.diagnose.read import Given

MOST = 12
"""Panels of one picture; what is beyond is said in its title."""
BINS = 40


def draw(path: Path, given: Given, verdicts: Sequence[Diagnosis]) -> None:
    """Write a picture of the subsample of pairs, over what may be there.

    Raises:
        Refusal: matplotlib is not installed, or the file cannot be written.
    """
    try:
        import matplotlib
    except ImportError:
        raise Refusal("--plot: matplotlib is missing; it must be installed: pip install matplotlib") from None
    matplotlib.use("Agg")
    from jaxbox.plotting import STYLE

    buffer = io.BytesIO()
    with matplotlib.rc_context(STYLE):
        _figure(given, verdicts[:MOST], len(verdicts)).savefig(buffer, format=path.suffix[1:].lower())
    try:
        path.write_bytes(buffer.getvalue())
    except OSError as error:
        raise Refusal(f"--plot: {str(path)!r} cannot be written: {error.strerror}") from None


def _figure(given: Given, verdicts: Sequence[Diagnosis], count: int) -> Any:
    from matplotlib.figure import Figure

    from jaxbox.plotting import ONE_COLUMN

    across = min(len(verdicts), 3)
    down = -(-len(verdicts) // across)
    figure = Figure(figsize=(ONE_COLUMN * across, ONE_COLUMN * down + 0.4), layout="constrained")
    targets, predictions = given.test.sample
    drawn = f", {targets.shape[1]:,} drawn" if targets.shape[1] < given.test.count else ""
    part = f"; {len(verdicts)} of {count} coordinates" if count > len(verdicts) else ""
    figure.suptitle(
        f"{_cut(given.title)}: {given.test.count:,} pairs{drawn}{part}\ndashed: predicted = true", fontsize=8
    )
    panels = np.ravel(figure.subfigures(down, across, squeeze=False))
    for panel, verdict in zip(panels, verdicts, strict=False):
        name = given.names[verdict.coordinate]
        heading = f"coordinate {name}" if isinstance(name, int) else _cut(name)
        _panel(panel, targets[verdict.coordinate], predictions[verdict.coordinate], heading, verdict)
    return figure


def _panel(panel: Any, targets: np.ndarray, predictions: np.ndarray, heading: str, verdict: Diagnosis) -> None:
    from jaxbox.plotting import OKABE_ITO

    axes = panel.subplot_mosaic(
        [["above", "."], ["pairs", "beside"]], width_ratios=(4, 1), height_ratios=(1, 4), gridspec_kw={"wspace": 0.02}
    )
    blue, grey = OKABE_ITO["blue"], "0.75"
    pairs = axes["pairs"]
    low, high = min(targets.min(), predictions.min()), max(targets.max(), predictions.max())
    room = 0.04 * (high - low)
    ends = (low - room, high + room)
    pairs.plot(ends, ends, color="black", linestyle="--", linewidth=0.8, zorder=3)
    # Few points are to be seen one by one, many as a density.
    size = 3 if len(targets) <= 500 else 1.5
    pairs.plot(targets, predictions, "o", color=blue, markersize=size, markeredgewidth=0, alpha=0.5, rasterized=True)
    pairs.set(xlim=ends, ylim=ends, xlabel="true", ylabel="predicted")
    edges = np.linspace(*ends, BINS + 1)
    axes["above"].hist(targets, edges, color=grey, edgecolor="black", linewidth=0.3)
    axes["beside"].hist(predictions, edges, color=blue, edgecolor="black", linewidth=0.3, orientation="horizontal")
    axes["above"].set(xlim=ends)
    axes["beside"].set(ylim=ends)
    for name in ("above", "beside"):
        axes[name].set_axis_off()
    axes["above"].set_title(f"{heading}: {verdict.kind}{_place(verdict)}, R2 {verdict.r2:.3f}")


def _place(verdict: Diagnosis) -> str:
    return "" if verdict.constant_at in (None, "elsewhere") else f" at {verdict.constant_at}"


def _cut(name: str, most: int = 30) -> str:
    """A column's name is no formula, and must leave room for the rest."""
    shown = name if len(name) <= most else f"{name[: most - 3]}..."
    return shown.replace("$", r"\$")
