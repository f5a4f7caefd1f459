"""Which members of a run figures show, and which of their evaluations."""

from pathlib import Path

import numpy as np
import xarray

from analysis.comparison import NOT_BEGUN
from analysis.figures.contract import Unfilled
from jaxbox.config import Plan
from jaxbox.store import at_end, dropped

FINE = ("none", "noise-limited", "memorised", NOT_BEGUN)
"""Fates that are no collapse."""


def require_begun(run: Path, compared: xarray.Dataset, name: str) -> None:
    """Refuse a run of which no member has begun.

    Raises:
        Unfilled: there is none.
    """
    if (compared["fate"] == NOT_BEGUN).all():
        command = f"python -m jaxbox.sweep --resume {run}"
        raise Unfilled(f"figure: {name} needs members that have begun, which {run} has not; go on with it: {command}")


def most_collapsed(compared: xarray.Dataset, count: int) -> np.ndarray:
    """Places of at most `count` configurations, in the run's order: those with the most collapsed members."""
    collapsed = (~compared["fate"].isin(FINE)).sum("seed").values
    return np.sort(np.argsort(-collapsed, kind="stable")[:count])


def reached(plan: Plan, results: xarray.Dataset) -> xarray.DataArray:
    """Whether a member was evaluated at a step: (configuration, seed, step).

    Configurations with other steps share the dimension, and a member that was stopped has not got to all of its own.
    """
    return _own(plan, results) & (results["step"] <= results["last_step"].load())


def _own(plan: Plan, results: xarray.Dataset) -> xarray.DataArray:
    """At which steps a configuration's members are evaluated, if they get there: (configuration, step)."""
    steps = [configuration.evaluation_steps() for configuration in plan.configurations]
    own = np.array([np.isin(results["step"].values, of) for of in steps])
    return xarray.DataArray(own, dims=("configuration", "step"))


def carried_on(plan: Plan, results: xarray.Dataset, name: str) -> xarray.DataArray:
    """A measure where a member was evaluated, else NaN; that of a dropped member stays what it was then.

    Else those who are left would be taken for all.
    """
    values, known = results[name].load().astype(float), reached(plan, results)
    later = dropped(results).load() & _own(plan, results) & ~known
    return values.where(known).where(~later, at_end(results, name).astype(float))


def left_out(compared: xarray.Dataset, count: int, total: int | None = None) -> str:
    """The sentence of a caption that says which configurations `most_collapsed` left out; nothing where none.

    Args:
        count: configurations that are shown.
        total: of the run, where `compared` has no more than these.
    """
    total, any_collapsed = total or compared.sizes["configuration"], bool((~compared["fate"].isin(FINE)).any())
    which = f"{count} with the most collapsed members" if any_collapsed else f"first {count}"
    return f" Of {total} configurations these are the {which}." if count < total else ""
