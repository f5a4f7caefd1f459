"""A run as pandas tables: one row a member, or one row a member and evaluation."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas
import xarray

from jaxbox import config
from jaxbox.config import Plan
from jaxbox.store import measures
from jaxbox.store.archive import open_with_plan
from jaxbox.training.metrics import FINALS, MEASURES, SAMPLED
from jaxbox.training.probes import EARLY

SPREAD = ("split", "axis", "layer", "kernel")
"""Dimensions that become part of a column's name, as mse_unseen_x."""


def member_table(run: str | Path) -> pandas.DataFrame:
    """A row a member: configuration, seed, *every* field of its configuration by dotted path, and its final measures.

    Final measures are `r2_all` (over both coordinates), `collapsed`, `dead_layer`, those at a member's last
    evaluation (one column an axis, split and layer), and `finite`, `failed_step`, `last_step`, and of a run that
    drops members `dropped_step`. Units: runs/README.md.

    Args:
        run: the run's folder.

    Raises:
        RunError: not a run, or a run without results yet.
    """
    return members_of(*open_with_plan(run))


def members_of(results: xarray.Dataset, plan: Plan) -> pandas.DataFrame:
    """As `member_table`, of results of a run with this plan, or of some of its configurations."""
    fields = {"r2_all": measures.final_r2(results), "collapsed": measures.collapsed(results)}
    fields["dead_layer"] = measures.dead_layer(results)
    for name in curves_in(results):
        fields |= _columns(name, measures.at_end(results, name))
    scalars = [name for name, row in FINALS.items() if not row.dims]
    fields |= {name: results[name].load() for name in [*scalars, "dropped_step"] if name in results}
    table = xarray.Dataset(_bare(fields)).to_dataframe().reset_index()
    return _with_fields(results, table, plan)


def curve_table(run: str | Path, name: str) -> pandas.DataFrame:
    """A row a member and evaluation: configuration, seed, step, every field that varies, and the measure.

    The measure has one column, or one for each axis, split and layer (`mse_unseen_x`). Evaluations that a member has
    not got to are left out.

    Args:
        run: the run's folder.
        name: of a measure that has the dimension step, such as loss.

    Raises:
        ConfigurationError: no such measure.
        RunError: not a run, or a run without results yet.
    """
    results, plan = open_with_plan(run)
    config.look_up(dict.fromkeys(curves_in(results)), name, "name")
    return curves_of(results, plan, [name])


def curves_in(results: xarray.Dataset) -> list[str]:
    """The measures that have the dimension step; an older run lacks what came since."""
    return [name for name in [*MEASURES, *EARLY, *SAMPLED] if name in results]


def curves_of(results: xarray.Dataset, plan: Plan, names: Sequence[str]) -> pandas.DataFrame:
    """As `curve_table`, of several measures of results of a run with this plan, or of some of its configurations."""
    columns: dict[str, xarray.DataArray] = {}
    for name in names:
        columns |= _columns(name, results[name].load())
    table = xarray.Dataset(_bare(columns)).to_dataframe().reset_index()
    last = results["last_step"].load().to_series().rename("last_step").reset_index()
    last = last[["configuration", "seed", "last_step"]]
    table = table.merge(last, on=["configuration", "seed"])
    steps = pandas.MultiIndex.from_tuples(
        (index, step) for index, c in enumerate(plan.configurations) for step in c.evaluation_steps()
    )
    own = pandas.MultiIndex.from_arrays([table["configuration"], table["step"]]).isin(steps)
    reached = table["step"] <= table["last_step"]
    table = table.loc[reached & own].drop(columns="last_step").reset_index(drop=True)
    return _with_fields(results, table, plan, list(plan.varied()))


def _columns(name: str, values: xarray.DataArray) -> dict[str, xarray.DataArray]:
    """The measure by column: one for each combination of the dimensions in SPREAD that it has."""
    columns = {name: values}
    for dim in SPREAD:
        if dim in values.dims:
            columns = {
                f"{column}_{label}": array.sel({dim: label}, drop=True)
                for column, array in columns.items()
                for label in values[dim].values.tolist()
            }
    return columns


def _bare(fields: dict[str, xarray.DataArray]) -> dict[str, Any]:
    """Without the coordinates of what varies: all fields of the configuration are added as columns."""
    return {name: array.reset_coords(drop=True) for name, array in fields.items()}


def _with_fields(
    results: xarray.Dataset, table: pandas.DataFrame, plan: Plan, paths: list[str] | None = None
) -> pandas.DataFrame:
    """The table with the run's attributes and, after the columns that say which member a row is, the fields of its
    configuration: all, or these."""
    rows = [dict(config.flatten(configuration)) for configuration in plan.configurations]
    chosen = pandas.DataFrame(rows, columns=list(paths if paths is not None else plan.types()))
    # A tuple is text, as in the results' coordinates: pandas cannot group by what it takes for several values.
    chosen = chosen.map(lambda value: str(value) if isinstance(value, tuple) else value)
    chosen["configuration"] = range(len(chosen))
    keys = [key for key in ("configuration", "seed", "step") if key in table]
    merged = table.merge(chosen, on="configuration", how="left")
    numbers = [column for column in table if column not in keys]
    order = [*keys, *(path for path in chosen if path != "configuration"), *numbers]
    ordered = merged.sort_values(keys, ignore_index=True).reindex(columns=order)
    ordered.attrs = dict(results.attrs)
    return ordered
