"""The command `python -m analysis.figures`: draws a figure of a run, beside a CSV of the numbers in it.

python -m analysis.figures curves runs/thread --width one
"""

import dataclasses
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import tyro

from analysis.figures import FIGURES
from jaxbox import command_line, config

Flag = tyro.conf.FlagCreatePairsOff[bool]
Word = tyro.conf.Positional[str]
ALL = "all"
PATIENCE = 5.0
"""Seconds without a word."""


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
    return command_line.exit_code("analysis.figures", lambda: _draw(_read(words)))


def _read(words: Sequence[str]) -> Arguments:
    return command_line.read(Arguments(), words, "python -m analysis.figures", "\n".join(_described()))


def _draw(arguments: Arguments) -> int:
    if arguments.list:
        print("\n".join(_described()))
        return 0
    config.require(bool(arguments.name), "figure", "nothing", f"one of {', '.join([*FIGURES, ALL])}")
    config.look_up({**FIGURES, ALL: None}, arguments.name, "figure")
    config.require(bool(arguments.run), "run", "nothing", "a run's folder")
    config.require(arguments.width in ("one", "two"), "width", arguments.width, "one or two")
    run = Path(arguments.run)
    _compare(run)
    if arguments.name != ALL:
        _one(arguments.name, run, arguments)
        return 0
    drawn = [_one_of_all(name, run, arguments) for name in FIGURES]
    return 0 if any(drawn) else 2


def _described() -> list[str]:
    return [f"{name:<20}{row.summary}" for name, row in FIGURES.items()]


def _compare(run: Path) -> None:
    """Compare the run with its closed forms, which every figure then has at once, and say how far that is."""
    from analysis.comparison import compare

    said = time.monotonic()

    def progress(done: int, total: int) -> None:
        nonlocal said
        if time.monotonic() - said > PATIENCE and done < total:
            said = time.monotonic()
            print(f"analysis.figures: {done} of {total} configurations compared with closed forms", file=sys.stderr)

    compare(run, progress)


def _one(name: str, run: Path, arguments: Arguments) -> None:
    """Draw one figure, and say where it is and what it shows."""
    from analysis.figures import contract, saving

    figure = contract.load(name)
    numbers = contract.numbers(name, run)
    canvas = saving.draw(figure, numbers, arguments.width)
    paths = saving.save(canvas, numbers, arguments.out or run / "figures", name)
    print(f"{numbers.attrs['caption']}", *paths, sep="\n")


def _one_of_all(name: str, run: Path, arguments: Arguments) -> bool:
    """Draw one figure of several; whether the run could fill it."""
    from analysis.figures.contract import Unfilled

    try:
        _one(name, run, arguments)
    except Unfilled as error:
        print(f"skipped: {error}", file=sys.stderr)
        return False
    return True


if __name__ == "__main__":
    command_line.own_process(main)
