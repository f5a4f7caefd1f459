"""How the fates of members look: the same colour, marker and dashes in every figure, told apart in grey as well."""

from typing import Any

from analysis.comparison import FATES
from jaxbox.plotting import OKABE_ITO

_COLOURS = {
    "none": "blue",
    "dead": "vermillion",
    "partly dead": "orange",
    "diverged": "black",
    "shrunk": "purple",
    "jitter": "sky blue",
    "nonlinear": "green",
    "inverted": "yellow",
    "offset": "green",
    "memorised": "purple",
    "noise-limited": "sky blue",
}
_MARKERS = dict(zip(FATES, "xvp*d+<s^Do", strict=True))
_DASHES: dict[str, Any] = dict.fromkeys(FATES, (0, (1, 1))) | {
    "none": "-",
    "dead": "--",
    "partly dead": "-.",
    "diverged": ":",
}
LOOKS: dict[str, dict[str, Any]] = {
    fate: {"color": OKABE_ITO[_COLOURS[fate]], "marker": _MARKERS[fate], "linestyle": _DASHES[fate]} for fate in FATES
}
"""Keywords of matplotlib's `plot`, by fate of `analysis.comparison`."""


def words(fate: str) -> str:
    """The fate as a reader is told it: `none` is the name of no collapse."""
    return "not collapsed" if fate == "none" else fate
