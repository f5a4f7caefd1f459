"""A run as files that other programs read: tables as CSV or Parquet, or runs of TensorBoard or Weights & Biases."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import NamedTuple

import xarray

from jaxbox.config import Plan, look_up
from jaxbox.export import tables, trackers
from jaxbox.export.tensorboard import TENSORBOARD
from jaxbox.export.wandb import WANDB
from jaxbox.store.archive import open_with_plan


class Format(NamedTuple):
    """A function of results, the run's plan, a folder and whether to replace, which returns what it wrote; and one of
    the first of these paths, to a line that says how to go on."""

    write: Callable[[xarray.Dataset, Plan, Path, bool], list[Path]]
    closing: Callable[[Path], str] = lambda path: ""


FORMATS = {
    "csv": Format(partial(tables.write, "csv")),
    "parquet": Format(partial(tables.write, "parquet")),
    "tensorboard": Format(partial(trackers.write, TENSORBOARD), TENSORBOARD.closing),
    "wandb": Format(partial(trackers.write, WANDB), WANDB.closing),
}
"""By what the command calls them."""


def export(run: str | Path, to: str = "csv", out: str | Path | None = None, overwrite: bool = False) -> list[Path]:
    """Write a run for another program, and return the files, or the folder.

    - csv, parquet: members.* and curves.*, with columns as `jaxbox.member_table`, and `curve_table` of all measures;
    - tensorboard: event files in RUN'S NAME/INDEX_LABEL/seed-N, a folder a member;
    - wandb: a run of Weights & Biases a member, in RUN'S NAME/. Offline, unless WANDB_MODE is online; in the project
      WANDB_PROJECT, or else the run's name.

    Args:
        run: the run's folder.
        to: a key of FORMATS.
        out: where to; `export` in the run's folder if left out.
        overwrite: replace what has these names.

    Raises:
        ConfigurationError: an unknown format, or a WANDB_MODE in which nothing is kept.
        RunError: not a run, one without results, what exists or cannot be written, or a package that is missing.
    """
    write = look_up(FORMATS, to, "to").write
    folder = Path(run) / "export" if out is None else Path(out)
    return write(*open_with_plan(run), folder, overwrite)
