"""The command `python -m jaxbox.export RUN --to csv`: a run as files that other programs read."""

import dataclasses
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import tyro

from jaxbox import command_line, config

Flag = tyro.conf.FlagCreatePairsOff[bool]


@dataclasses.dataclass(frozen=True)
class Arguments:
    """Write a run for other programs: as two long tables, members (a row a member) and curves (a row a member and
    evaluation), or for a tracker of experiments, which shows each member as a run of its own.

    Nothing is sent anywhere: runs of Weights & Biases are offline, unless your WANDB_MODE is online.
    """

    run: Annotated[tyro.conf.Positional[str], tyro.conf.arg(metavar="RUN")] = ""
    """The run's folder."""
    to: str = "csv"
    """csv, parquet, tensorboard or wandb; the last three need the extra of that name."""
    out: Annotated[Path | None, tyro.conf.arg(metavar="FOLDER")] = None
    """Where to; RUN/export if left out."""
    overwrite: Flag = False
    """Replace what is there."""


def main(words: Sequence[str] | None = None) -> int:
    """The command line; returns the exit code: 2 for bad input."""
    words = sys.argv[1:] if words is None else words
    return command_line.exit_code("jaxbox.export", lambda: _export(words))


def _export(words: Sequence[str]) -> int:
    arguments = command_line.read(Arguments(), words, "python -m jaxbox.export")
    config.require(bool(arguments.run), "run", "nothing", "the folder of a run")

    from jaxbox import export

    paths = export.export(arguments.run, arguments.to, arguments.out, arguments.overwrite)
    print(*paths, sep="\n")
    if closing := export.FORMATS[arguments.to].closing(paths[0]):
        print(closing)
    return 0


if __name__ == "__main__":
    command_line.own_process(main)
