"""The command `python -m jaxbox.export RUN --to csv`: a run as files that any other program reads."""

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
    """Write a run as two long tables: members (a row a member) and curves (a row a member and evaluation)."""

    run: Annotated[tyro.conf.Positional[str], tyro.conf.arg(metavar="RUN")] = ""
    """The run's folder."""
    to: str = "csv"
    """csv or parquet."""
    out: Annotated[Path | None, tyro.conf.arg(metavar="FOLDER")] = None
    """Where to; RUN/export if left out."""
    overwrite: Flag = False
    """Replace files that are there."""


def main(words: Sequence[str] | None = None) -> int:
    """The command line; returns the exit code: 2 for bad input."""
    words = sys.argv[1:] if words is None else words
    return command_line.exit_code("jaxbox.export", lambda: _export(words))


def _export(words: Sequence[str]) -> int:
    arguments = command_line.read(Arguments(), words, "python -m jaxbox.export")
    config.require(bool(arguments.run), "run", "nothing", "the folder of a run")

    from jaxbox import export

    for path in export.export(arguments.run, arguments.to, arguments.out, arguments.overwrite):
        print(path)
    return 0


if __name__ == "__main__":
    sys.exit(main())
