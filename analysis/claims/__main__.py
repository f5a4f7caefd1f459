"""The command `python -m analysis.claims`: the verdict on every claim of the thread, and what it rests on."""

import dataclasses
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import tyro

from jaxbox import command_line
from jaxbox.config import RunError

Flag = tyro.conf.FlagCreatePairsOff[bool]
HTML, CSV = ".html", ".csv"


@dataclasses.dataclass(frozen=True)
class Arguments:
    """Say which claims of the thread are true, and on what that rests.

    Without names, a table of all claims; with names, their stories. Claims whose runs are missing are undecided.
    """

    names: Annotated[tyro.conf.Positional[tuple[str, ...]], tyro.conf.arg(metavar="[CLAIM ...]")] = ()
    """Which claims; all if left out."""
    run: Flag = False
    """First make the runs that are missing, of all claims or of those that are named; goes on where it was stopped."""
    full: Flag = False
    """Judge by the experiments' full size, which needs a GPU, instead of the small settings."""
    runs: Path = Path("runs/claims")
    """Folder of the claims' runs."""
    html: Annotated[Path | None, tyro.conf.arg(metavar="FILE")] = None
    """Write the page: one .html file that needs nothing else."""
    csv: Annotated[Path | None, tyro.conf.arg(metavar="FILE")] = None
    """Write every comparison and its numbers as a .csv file."""
    overwrite: Flag = False
    """Replace files that exist."""


def main(words: Sequence[str] | None = None) -> int:
    """The command line; returns the exit code: 2 for bad input, 130 when interrupted."""
    words = sys.argv[1:] if words is None else words
    return command_line.exit_code("analysis.claims", lambda: _claims(words))


def _claims(words: Sequence[str]) -> int:
    arguments = command_line.read(Arguments(), words, "python -m analysis.claims")
    for file, suffix in ((arguments.html, HTML), (arguments.csv, CSV)):
        if file:
            _check_file(file, suffix, arguments.overwrite)

    from analysis.claims import making, provenance, telling, verdicts
    from analysis.claims.table import CLAIMS
    from jaxbox.config import look_up

    for name in arguments.names:
        look_up(CLAIMS, name, "names")
    if arguments.run and not making.make(arguments.runs, arguments.names, arguments.full):
        print("interrupted; the same command goes on with it", file=sys.stderr)
        return 130
    found = verdicts.stories(arguments.runs, arguments.names, arguments.full)
    print("\n\n\n".join(map(telling.story, found)) if arguments.names else telling.table(found))
    jobs = dict.fromkeys(each.placed.job for story in found for each in story.outcomes)
    if from_where := provenance.summary(provenance.origins(arguments.runs, jobs)):
        print(f"\nfrom {arguments.runs}: {from_where}")
    if arguments.csv:
        telling.write_csv(found, arguments.csv)
        print(f"numbers: {arguments.csv}")
    if arguments.html:
        from analysis.claims import page

        arguments.html.write_text(page.html(found, arguments.runs), encoding="utf-8")
        print(f"page: {arguments.html}")
    return 0


def _check_file(file: Path, suffix: str, overwrite: bool) -> None:
    """Refuse what cannot be written, before anything is trained."""
    if file.suffix != suffix:
        raise RunError(f"{suffix[1:]}: {file} must end in {suffix}")
    if file.is_dir() or (file.exists() and not overwrite):
        raise RunError(f"{suffix[1:]}: {file} exists; --overwrite replaces a file")
    if not file.parent.is_dir():
        raise RunError(f"{suffix[1:]}: {file.parent} is not a folder")


if __name__ == "__main__":
    command_line.own_process(main)
