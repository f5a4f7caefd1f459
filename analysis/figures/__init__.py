"""Figures of a run, one file each: which numbers are drawn, and how. `python -m analysis.figures --list` names them.

A figure is a module with two functions, and a row in FIGURES:

    numbers(run: Path) -> xarray.Dataset     everything that is drawn, with units; saved as CSV
    draw(numbers: xarray.Dataset, figure: matplotlib.figure.Figure) -> None     from these numbers alone

`numbers` raises `Unfilled` where the run lacks what the figure is about, and says which command would give it.
"""

from typing import NamedTuple


class Row(NamedTuple):
    """A figure of the table: the module it is in, and what it shows in a few words."""

    module: str
    summary: str


FIGURES = {
    "curves": Row("analysis.figures.curves", "loss of every seed over the steps, by fate"),
    "predictions": Row("analysis.figures.predictions", "predicted against true position, one panel a kind of fate"),
    "collapse_rate": Row("analysis.figures.collapse_rate", "how often members collapse, against what varies, by kind"),
    "weights": Row("analysis.figures.weights", "exact and learned linear maps as pictures"),
    "information_plane": Row("analysis.figures.information_plane", "error against information, with every bound"),
    "noise": Row("analysis.figures.noise", "error against the level of noise, learned and exact"),
    "dynamics": Row("analysis.figures.dynamics", "exact gradient descent against trained linear members"),
    "dead_units": Row("analysis.figures.dead_units", "dead ReLU units over the steps, by fate"),
    "profiles": Row("analysis.figures.profiles", "performance profiles and probability of improvement"),
    "generalisation": Row("analysis.figures.generalisation", "seen against unseen positions, by size of training set"),
}
"""By name."""
