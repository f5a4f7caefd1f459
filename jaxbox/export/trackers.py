"""A run as trackers of experiments show it: a tracker's run a member, with its hyperparameters and its curves.

Of a measure there are as many curves as `curve_table` has columns, under their names (`mse_unseen_x`). NaN, which says
that there is no such number, is left out, as in a CSV; what is infinite is kept, and `failed_step` says of what failed.
"""

import fnmatch
import re
import shutil
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, NamedTuple

import pandas
import xarray

from jaxbox.config import Plan, RunError
from jaxbox.store import files, frames
from jaxbox.sweep.closing_table import labels


class Member(NamedTuple):
    """What a tracker is told of one member."""

    run: str
    label: str
    """The configuration's index and what varies, fit for the name of a folder."""
    seed: int
    fields: dict[str, Any]
    """Of its configuration, by dotted path."""
    finals: dict[str, float]
    """What has one value only: `r2_all`, `collapsed`, `finite`, ..."""
    curves: dict[int, dict[str, float]]
    """Step of an evaluation -> column -> number."""


Add = Callable[[Member], None]
"""Writes what a tracker is told of a member."""


class Tracker(NamedTuple):
    """What there is to know of a tracker."""

    opened: Callable[[Path], AbstractContextManager[Add]]
    """Of a folder that is there, and empty."""
    names: str
    """Pattern of the names of all that is then directly in it."""
    closing: Callable[[Path], str]
    """A line that says how to go on with the folder, or none."""


def write(tracker: Tracker, results: xarray.Dataset, plan: Plan, folder: Path, overwrite: bool) -> list[Path]:
    """Write the folder of the run's name into this one; it is there once all of it is.

    Raises:
        RunError: it exists or cannot be written, or a package is missing.
    """
    path = folder / results.attrs["run"]
    if path.exists():
        if not (overwrite and path.is_dir()):
            raise RunError(f"out: {path} exists; give --overwrite, or another --out")
        for other in sorted(entry.name for entry in path.iterdir() if not fnmatch.fnmatch(entry.name, tracker.names)):
            raise RunError(f"out: {path} has {other}, which is of no such export; give another --out")
    aside = path.with_name(files.own_name(path.name))
    with files.writing(path):
        try:
            files.make_folder(aside)
            with tracker.opened(aside) as add:
                for member in members(results, plan):
                    add(member)
            files.put_folder(aside, path, overwrite)
        finally:
            shutil.rmtree(aside, ignore_errors=True)
    return [path]


def members(results: xarray.Dataset, plan: Plan) -> Iterator[Member]:
    """Every member that was evaluated; memory is that of one configuration."""
    for index, words in enumerate(labels(results)):
        label = re.sub(r"[^\w.,=+()-]", "_", f"{index} {words}".strip())[:100]
        part = results.isel(configuration=[index])
        rows = frames.members_of(part, plan).to_dict("records")
        curves = frames.curves_of(part, plan, frames.curves_in(part))
        by_seed = dict(iter(curves.set_index("step").drop(columns=list(plan.varied())).groupby("seed")))
        for row in rows:
            known = {str(name): value for name, value in row.items() if not pandas.isna(value)}
            seed = known.pop("seed")
            if seed in by_seed:
                own = by_seed[seed].drop(columns=["configuration", "seed"])
                fields = {name: value for name, value in known.items() if name in plan.types()}
                finals = {name: known[name] for name in known if name not in {*fields, *own, "configuration"}}
                steps = {int(str(step)): values.dropna().to_dict() for step, values in own.iterrows()}
                yield Member(results.attrs["run"], label, seed, fields, finals, steps)


def missing(extra: str, package: str) -> RunError:
    """What to say of a package that is not installed."""
    return RunError(f"to: {extra} needs {package}, the extra `{extra}`: pip install 'jaxbox[{extra}]'")
