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
    "inverted": "orange",
    "offset": "green",
    "memorised": "purple",
    "noise-limited": "sky blue",
}
_MARKERS = dict(zip(FATES, "xvp*d+<s^Do", strict=True))
_DASHES: dict[str, Any] = {
    **{"none": "-", "dead": "--", "partly dead": "-.", "diverged": ":"},
    **{"shrunk": (0, (5, 1)), "jitter": (0, (1, 1)), "nonlinear": (0, (3, 1, 1, 1)), "inverted": (0, (2, 1))},
    **{"offset": (0, (8, 3)), "memorised": (0, (5, 1, 1, 1, 1, 1)), "noise-limited": (0, (1, 3))},
}
LOOKS: dict[str, dict[str, Any]] = {
    fate: {"color": OKABE_ITO[_COLOURS[fate]], "marker": _MARKERS[fate], "linestyle": _DASHES[fate]} for fate in FATES
}
"""Keywords of matplotlib's `plot`, by fate of `analysis.comparison`."""


def words(fate: str) -> str:
    """The fate as a reader is told it: `none` is the name of no collapse."""
    return "not collapsed" if fate == "none" else fate
