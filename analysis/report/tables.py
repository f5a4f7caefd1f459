"""The tables of the page: configurations, preferences, the information chain; and the table of members."""

from typing import Any

import numpy as np
import pandas
import xarray

from analysis import statistics
from analysis.comparison import DIVERGED, FATES, VARIABLES
from analysis.figures.fates import words
from analysis.report.collapse_rate import COLLAPSED
from analysis.report.distance import gap_numbers, optimum
from analysis.report.gather import BEST, Gathered
from analysis.report.preference import Preference
from analysis.report.values import NOTHING, Cell, Column, Number, Table, count, number
from jaxbox.store import member_table

GAPS = {
    "rest_iqm": "interquartile mean of R2 of the seeds that neither collapsed nor diverged",
    "lmmse_median": "median distance of their R2 below the best linear predictor's",
    "lmmse_iqm": "its interquartile mean",
    "bayes_median": "median distance of their R2 below the best possible predictor's",
    "bayes_iqm": "its interquartile mean",
}
_COLUMNS = (
    Column("configuration", "#", "number of the configuration"),
    Column("label", "configuration", "what varies"),
    Column("seeds", "seeds", "seeds that have begun"),
    Column("collapsed", "collapsed", "seeds with an R2 under 0.05 at the end [95% Wilson interval]"),
    Column("r2_iqm", "R2, interquartile mean", "over all seeds, diverged ones lowest [95% bootstrap interval]"),
    Column("r2_median", "R2, median", "likewise"),
    Column("r2_lmmse", "best linear", "R2 of the best linear predictor, the LMMSE [95%, where it is estimated]"),
    Column("r2_bayes", "best possible", "R2 of the Bayes-optimal predictor [95%, where it is estimated]"),
    Column("information", "information", "median of I(x;x̂) + I(y;ŷ) in nats, of the seeds that did not diverge"),
    Column("entropy", "of", "H(x) + H(y), all there is to know, in nats"),
    Column(
        "dead_layer", "dead layer", "seeds that end with a ReLU layer that is zero on every image; –: no such layer"
    ),
    Column("seconds", "seconds", "wall time; configurations of one compiled program share it equally"),
    *(Column(f"gap_{key}" if key != "rest_iqm" else key, "", meaning) for key, meaning in GAPS.items()),
)
LAST_BEFORE_FATES = "collapsed"


def configurations(run: Gathered) -> Table:
    """A row a configuration. Each kind of fate that some member has is a column; `diverged` always is."""
    fates = [fate for fate in FATES if fate == DIVERGED or (run.fate == fate).any()]
    place = [column.key for column in _COLUMNS].index(LAST_BEFORE_FATES) + 1
    kinds = [Column(f"fate {fate}", _heading(fate), f"seeds whose worse coordinate is {words(fate)}") for fate in fates]
    rows = tuple(tuple(_configuration(run, row, place, fates)) for row in range(len(run.names)))
    return Table("configurations", (*_COLUMNS[:place], *kinds, *_COLUMNS[place:]), rows)


def _heading(fate: str) -> str:
    # By its R2 a member can have collapsed in no way that has a name.
    return "no kind" if fate == "none" else words(fate)


def _configuration(run: Gathered, row: int, place: int, fates: list[str]) -> list[Cell]:
    begun = run.begun[row]
    seeds = int(begun.sum())
    cells: list[Cell] = [count(row, "configuration"), run.names[row], count(seeds, "last_step")]
    cells.append(_rate(run.collapsed[row, begun], COLLAPSED))
    rates: list[Cell] = [_rate(run.fate[row, begun] == fate, "fate") for fate in fates]
    scores = run.score[row, begun]
    for name, statistic in {"interquartile mean": statistics.interquartile_mean, "median": statistics.median}.items():
        cells.append(number(statistic(scores), "R2", f"{name} over seeds of r2") if seeds else NOTHING)
    told = run.information[row, begun & (run.fate[row] != DIVERGED)]
    cells += [optimum(run, name, row) for name in ("r2_lmmse", "r2_bayes")]
    cells.append(Number(float(np.median(told)), "nats", "median over seeds of information") if len(told) else NOTHING)
    cells.append(Number(float(run.compared["entropy"].values[row].sum()), "nats", "entropy"))
    cells.append(_rate(run.dead_layer[row, run.has_relu[row]], "dead_fraction"))
    cells.append(Number(float(run.results["seconds"].values[row]), "s", "seconds"))
    gaps = gap_numbers(run, row)
    cells += [gaps.get(key, NOTHING) for key in GAPS]
    return [*cells[:place], *rates, *cells[place:]]


def _rate(events: np.ndarray, source: str) -> Cell:
    return number(statistics.wilson(events.sum(), len(events)), "share", source) if len(events) else NOTHING


_PREFERENCES = (
    Column("task", "task", "the images that scores are of: only on the same ones can they be compared"),
    Column("best", "best", "configuration with the highest interquartile mean of R2"),
    Column("r2_iqm", "R2, interquartile mean", "of the best [95% bootstrap interval]"),
    Column("runner_up", "runner-up", "configuration with the next interquartile mean"),
    Column(
        "difference", "ahead by", "difference of their interquartile means, at the same seeds [95% over all rivals]"
    ),
    Column("improvement", "beats it with probability", "of a seed of the best against one of the runner-up [likewise]"),
    Column("undecided", "undecided with", "configurations that the best does not surely beat in both respects"),
)


def preference_table(run: Gathered, found: list[Preference]) -> Table:
    """A row a task."""
    rows = []
    for each in found:
        first = each.rivals[:1]
        cells = [(run.names[rival.index], rival.difference, rival.improvement) for rival in first] or [(NOTHING,) * 3]
        undecided = "; ".join(run.names[other] for other in each.undecided)
        rows.append((run.task_name(each.task), run.names[each.best], each.mean, *cells[0], undecided))
    return Table("preferences", _PREFERENCES, tuple(rows))


def members(run: Gathered) -> pandas.DataFrame:
    """A row a member: what the run says of it (`member_table`), its fate, and its numbers from the comparison."""
    own = run.compared[[name for name, row in VARIABLES.items() if row.dims[:2] == ("configuration", "seed")]]
    columns: dict[str, Any] = {"label": run.compared["label"]}
    columns |= {
        "r2": (("configuration", "seed"), run.score),
        "information": (("configuration", "seed"), run.information),
    }
    for name, values in own.data_vars.items():
        columns |= _spread(str(name), values)
    exact = {name: (("configuration",), getattr(run, name)) for name in BEST}
    found = xarray.Dataset({key: value.reset_coords(drop=True) if isinstance(value, xarray.DataArray) else value
                            for key, value in (columns | exact).items()}).to_dataframe()  # fmt: skip
    first = member_table(run.folder).set_index(["configuration", "seed"])
    found = found.reorder_levels(["configuration", "seed"])
    # What both have is float64 in the comparison.
    return first.drop(columns=first.columns.intersection(found.columns)).join(found).reset_index()


def _spread(name: str, values: xarray.DataArray) -> dict[str, xarray.DataArray]:
    """A column for each axis and predictor."""
    columns = {name: values}
    for dim in ("predictor", "axis"):
        if dim in values.dims:
            columns = {f"{key}_{label}": array.sel({dim: label}, drop=True) for key, array in columns.items()
                       for label in array[dim].values.tolist()}  # fmt: skip
    return columns
