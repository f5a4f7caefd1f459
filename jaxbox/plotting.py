"""How pictures look: widths, type sizes, and lines that are told apart in colour, in grey and by the colour-blind.

Only matplotlib's names stand here; it is imported where something is drawn.
"""

from typing import Any

ONE_COLUMN, TWO_COLUMNS = 3.25, 6.75
"""Inches: a figure in one of the two columns of a page, and one across both."""
SUFFIXES = (".pdf", ".png", ".svg")
"""What the name of a picture may end in."""
STYLE: Any = {
    "font.size": 8,
    "axes.titlesize": 8,
    "axes.labelsize": 8,
    "xtick.labelsize": 7,
    "ytick.labelsize": 7,
    "legend.fontsize": 7,
    "legend.handlelength": 3.5,  # long enough to show the dashes
    "lines.linewidth": 1,
    "lines.markersize": 4,
    "savefig.dpi": 200,
    # Letters stay letters, so that they can be searched and edited.
    "pdf.fonttype": 42,
    "svg.fonttype": "none",
}
"""For `matplotlib.rc_context`."""

OKABE_ITO = {
    "black": "#000000",
    "orange": "#E69F00",
    "sky blue": "#56B4E9",
    "green": "#009E73",
    "yellow": "#F0E442",
    "blue": "#0072B2",
    "vermillion": "#D55E00",
    "purple": "#CC79A7",
}
"""The eight colours of Okabe and Ito (2008), which the colour-blind tell apart. They are matplotlib's colour sequence
okabe_ito, which has them from version 3.11 on, and without names."""

# Yellow is too faint for a line on white.
_COLOURS = ("black", "blue", "vermillion", "green", "orange", "sky blue", "purple")
_MARKERS = "os^vDx+<>pd"
_DASHES: tuple[Any, ...] = (
    *("-", "--", "-.", (0, (5, 1)), ":", (0, (1, 1)), (0, (2, 1))),
    *((0, (3, 1, 1, 1)), (0, (5, 1, 1, 1, 1, 1)), (0, (8, 3)), (0, (1, 3))),
)


def _looks() -> list[dict[str, Any]]:
    looks = []
    for number, (marker, dashes) in enumerate(zip(_MARKERS, _DASHES, strict=True)):
        again = number >= len(_COLOURS)
        # Black is the first line's alone.
        colour = OKABE_ITO[_COLOURS[number % len(_COLOURS) + again]]
        face = "white" if again else colour
        looks.append({"color": colour, "marker": marker, "linestyle": dashes, "markerfacecolor": face})
    return looks


LOOKS = _looks()
"""Keywords of matplotlib's `plot` and `errorbar`, for one line after another. Each has a marker and dashes of its own,
so that grey suffices. The first seven have seven colours of Okabe and Ito; the others have six of these once more, with
hollow markers."""
