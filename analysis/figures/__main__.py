"""The command `python -m analysis.figures`: draws a figure of a run, beside a CSV of the numbers in it.

python -m analysis.figures curves runs/thread --width one
"""

import dataclasses
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import tyro

from analysis.figures import FIGURES
from jaxbox import command_line, config
from jaxbox.config import ConfigurationError, RunError

Flag = tyro.conf.FlagCreatePairsOff[bool]
Word = tyro.conf.Positional[str]
ALL = "all"


@dataclasses.dataclass(frozen=True)
class Arguments:
    """Draw a figure of a run: NAME.pdf, NAME.png and NAME.svg, and NAME.csv with every number in it."""

    name: Annotated[Word, tyro.conf.arg(metavar="NAME")] = ""
    """A figure, see --list; all: every one that the run can fill."""
    run: Annotated[Word, tyro.conf.arg(metavar="RUN")] = ""
    """The run's folder."""
    out: Annotated[Path | None, tyro.conf.arg(metavar="FOLDER")] = None
    """Where to put it; RUN/figures if left out."""
    width: str = "two"
    """The columns of a page that it goes across, one or two: 3.25 or 6.75 inches."""
    list: Flag = False
    """Show the figures, and stop."""


def main(words: Sequence[str] | None = None) -> int:
    """The command line; returns the exit code: 2, after one line that says why, for bad input."""
    words = sys.argv[1:] if words is None else words
    try:
        return _draw(command_line.read(Arguments(), words, "python -m analysis.figures"))
    except KeyboardInterrupt:
        print("analysis.figures: stopped", file=sys.stderr)
        return 130
    except BrokenPipeError:  # the reader of the output, such as head, has gone
        sys.stderr.close()
        return 1
    except (ConfigurationError, RunError) as error:
        print(f"analysis.figures: {error}", file=sys.stderr)
        return 2


def _draw(arguments: Arguments) -> int:
    if arguments.list:
        for name, row in FIGURES.items():
            print(f"{name:<20}{row.summary}")
        return 0
    config.require(bool(arguments.name), "figure", "nothing", f"one of {', '.join([*FIGURES, ALL])}")
    if arguments.name != ALL:
        config.look_up(FIGURES, arguments.name, "figure")
    config.require(bool(arguments.run), "run", "nothing", "a run's folder")
    config.require(arguments.width in ("one", "two"), "width", arguments.width, "one or two")
    run = Path(arguments.run)
    names = list(FIGURES) if arguments.name == ALL else [arguments.name]
    unfilled = [name for name in names if not _one(name, run, arguments, arguments.name == ALL)]
    return 2 if len(unfilled) == len(names) else 0


def _one(name: str, run: Path, arguments: Arguments, skip: bool) -> bool:
    """Draw one figure and say where it is; whether the run could fill it."""
    from analysis.figures import contract, saving

    figure = contract.load(name)
    try:
        numbers = figure.numbers(run)
    except contract.Unfilled as error:
        if not skip:
            raise
        print(f"skipped: {error}")
        return False
    canvas = saving.draw(figure, numbers, arguments.width)
    for path in saving.save(canvas, numbers, arguments.out or run / "figures", name):
        print(path)
    return True


if __name__ == "__main__":
    sys.exit(main())
