"""The table at the end of a sweep: how often each configuration collapses, and how good it is otherwise."""

import textwrap
from collections.abc import Sequence
from typing import Any

import numpy as np
import xarray
from jaxtyping import Bool, Float

from jaxbox import config
from jaxbox.config import outside, tables
from jaxbox.store.measures import COLLAPSED_R2, at_end, collapsed, dead_layer, dropped, final_r2, wilson_rate

HEADINGS = ("seeds", "collapsed", "median R2 [quartiles]", "dead layer", "frozen", "seconds")
DROPPED = "dropped"
"""Heading of a further column, of runs that drop members."""
ROWS_PER_HEADING = 20
LEGEND = f"""collapsed: R2 < {COLLAPSED_R2:g} over both coordinates at the end [95% Wilson interval]
dead layer: a ReLU layer is zero on every image [likewise]; -: no such layer
frozen: members whose update overflowed, which ended their training
seconds: wall time; configurations of one compiled program share it equally"""


def labels(run: xarray.Dataset) -> list[str]:
    """A name for each configuration: the values of the fields that vary, numbers with their field's name."""
    varied = [str(name) for name in run.coords if run[name].dims == ("configuration",) and name != "configuration"]
    # What is another kind's own comes last.
    order = {path: place for place, path in enumerate(["model.name", *config.DEFAULTS])}
    varied.sort(key=lambda path: order.get(path, len(order)))
    columns = [_words(run, path) for path in varied]
    return [" ".join(column[index] for column in columns if column[index]) for index in range(len(run.configuration))]


def _words(run: xarray.Dataset, path: str) -> list[str]:
    """What a field adds to each configuration's name: nothing where the names that vary do not read it."""
    words = [_word(path, value) for value in run[path].values]
    for field, readers in tables.readers(path).items():
        if field in run.coords:
            names = run[field].values.tolist()
            # Code from outside is not asked what it reads: that would execute it.
            heard = [name in readers or outside.is_outside(name) for name in names]
            words = [word if reads else "" for word, reads in zip(words, heard, strict=True)]
    return words


def _word(path: str, value: Any) -> str:
    if value != value or value == "":
        return ""  # not a field of this configuration
    if config.field_types().get(path) is str:
        return str(value)
    return f"{path.split('.')[-1]}={f'{value:.12g}' if isinstance(value, float) else value}"


def rate(events: Bool[np.ndarray, " n"]) -> str:
    """A proportion in percent with its 95% Wilson interval, - of nothing."""
    if not len(events):
        return "-"
    value, low, high = (100 * number for number in wilson_rate(events))
    return f"{value:.0f}% [{low:.0f}, {high:.0f}]"


def quartiles(scores: Float[np.ndarray, " n"]) -> str:
    """The median and [the quartiles] of values that may be -inf, in at most 23 characters."""
    if not len(scores):
        return "-"
    with np.errstate(invalid="ignore"):
        lower, median, upper = np.quantile(scores, (0.25, 0.5, 0.75))
    # Between -inf and its neighbour NumPy interpolates to NaN; every point between them is -inf.
    lower, median, upper = (_short(-np.inf if np.isnan(value) else value) for value in (lower, median, upper))
    return f"{median} [{lower}, {upper}]"


def _short(value: float) -> str:
    """At most six characters of an R2: the better it is, the more digits matter."""
    digits = ".4f" if value >= 0 else ".3f" if value > -9.9 else ".0f" if value > -9999 else ".0e"
    return f"{value:{digits}}"


def table(run: xarray.Dataset, width: int = 80) -> str:
    """A row for each configuration; where `width` is too narrow for that, its name is on a line above its numbers.

    rich has no cell that spans columns, and at 80 columns a name needs one: hence a table of our own.
    """
    names = ["configuration", *(f"{index}: {label}" for index, label in enumerate(labels(run)))]
    drops = "dropped_step" in run
    numbers = _align([(*HEADINGS, *[DROPPED] * drops), *_rows(run)])
    longest = max(len(name) for name in names)
    if longest + 2 + len(numbers[0]) <= width:
        heading, *rows = [f"{name:<{longest}}  {line}" for name, line in zip(names, numbers, strict=True)]
    else:
        folded = [textwrap.fill(name, width, subsequent_indent="   ", break_long_words=False) for name in names]
        heading, *rows = [f"{name}\n{line}" for name, line in zip(folded, numbers, strict=True)]
    heading += "\n" + "-" * len(heading.splitlines()[-1])
    starts = range(0, len(rows), ROWS_PER_HEADING)
    parts = ["\n".join([heading, *rows[start : start + ROWS_PER_HEADING]]) for start in starts]
    return "\n\n".join([*parts, LEGEND + _sharing(run) + _dropping(run)])


def _sharing(run: xarray.Dataset) -> str:
    """A line of the legend about seeds that are no replicates; runs from before they could share batches lack it."""
    numbers = np.flatnonzero(~run["replicates"].values) if "replicates" in run else []
    if not len(numbers):
        return ""
    which = "" if len(numbers) == run.sizes["configuration"] else f" in {', '.join(map(str, numbers))}"
    return f"\nshared batches{which}: seeds differ in initial weights only, intervals leave the data's part out"


def _dropping(run: xarray.Dataset) -> str:
    """A line of the legend about members that were dropped, of runs that do so."""
    if "dropped_step" not in run:
        return ""
    return f"\n{DROPPED}: members that were not trained on, since nothing could change the numbers here any more"


def _rows(run: xarray.Dataset) -> list[tuple[str, ...]]:
    relu = at_end(run, "dead_fraction").notnull().any("layer")
    measures = {"r2": final_r2(run), "collapsed": collapsed(run), "dead": dead_layer(run), "relu": relu}
    own = [name for name in ("finite", "last_step", "dropped_step") if name in run]
    members = xarray.Dataset({**measures, **run[own]}).load()
    return [_row(members.isel(configuration=index), time) for index, time in enumerate(run["seconds"].values.tolist())]


def _row(members: xarray.Dataset, seconds: float) -> tuple[str, ...]:
    """The numbers of one configuration's members, those that have begun."""
    begun = members.isel(seed=members["last_step"].values >= 0)
    cells = (
        str(begun.sizes["seed"]),
        rate(begun["collapsed"].values),
        quartiles(begun["r2"].values),
        rate(begun["dead"].values[begun["relu"].values]),
        str(int((~begun["finite"]).sum())),
        "-" if np.isnan(seconds) else f"{seconds:.1f}",
    )
    return (*cells, str(int(dropped(begun).sum()))) if "dropped_step" in begun else cells


def _align(rows: Sequence[Sequence[str]]) -> list[str]:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return ["  ".join(cell.rjust(width) for cell, width in zip(row, widths, strict=True)) for row in rows]
