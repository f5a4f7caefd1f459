"""The command `python -m analysis.report`: the page about a run, with its figures and tables beside it.

python -m analysis.report runs/thread --out pages/thread
"""

import dataclasses
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import tyro

from jaxbox import command_line, config
from jaxbox.config import outside

# The rest is imported late: JAX and matplotlib take seconds, and --help should answer at once.
QUIET_SECONDS = 5.0
"""A bar is shown to those who wait longer."""


@dataclasses.dataclass(frozen=True)
class Arguments:
    """Write the page about a run: index.html, which needs no other file, report.md, figures and tables as CSV."""

    run: Annotated[tyro.conf.Positional[str], tyro.conf.arg(metavar="RUN")] = ""
    """The run's folder."""
    out: Annotated[Path | None, tyro.conf.arg(metavar="FOLDER")] = None
    """Where to put it; RUN/report if left out. What is not of an earlier report stays as it is there."""
    law: tyro.conf.FlagCreatePairsOff[bool] = False
    """Instead, the page about the law of the collapse, law.md, of a run of fates, and of runs of the law's other
    experiments that lie beside it, each under its experiment's name; RUN/law if --out is left out."""


class Waiting:
    """A bar on a terminal, once the work takes long."""

    def __init__(self, total: int):
        from rich.console import Console
        from rich.progress import Progress

        self._bar = Progress(console=Console(stderr=True), transient=True)
        self._task = self._bar.add_task("report", total=total)
        self._begun = time.monotonic()

    def advance(self, *_: int) -> None:
        """One more part is done."""
        self._bar.advance(self._task)
        if self._bar.console.is_terminal and time.monotonic() - self._begun > QUIET_SECONDS:
            self._bar.start()

    def stop(self) -> None:
        """Take the bar away, if it ever came."""
        if self._bar.live.is_started:
            self._bar.stop()


def main(words: Sequence[str] | None = None) -> int:
    """The command line; returns the exit code: 2, after one line that says why, for bad input."""
    words = sys.argv[1:] if words is None else words
    return command_line.exit_code("analysis.report", lambda: _report(words))


def _report(words: Sequence[str]) -> int:
    arguments = command_line.read(Arguments(), words, "python -m analysis.report")
    config.require(bool(arguments.run), "run", "nothing", "a run's folder")
    run = Path(arguments.run)
    if arguments.law:
        from analysis.collapse_law import page

        print(page.write(run, arguments.out or run / "law"))
        return 0
    print(write(run, arguments.out or run / "report"))
    return 0


def write(run: Path, out: Path) -> Path:
    """Write the report of a run into a folder; returns the page.

    Raises:
        RunError: not a run, one without results yet, or a folder that cannot be written or holds such files already.
    """
    from analysis.figures import FIGURES
    from analysis.report import content, folder, gather, pictures, rendering
    from jaxbox.store import open_run

    results = open_run(run)
    files = folder.Folder(out)
    waiting = Waiting(results.sizes["configuration"] + len(FIGURES))
    try:
        with outside.reading():
            gathered = gather.gather(run, waiting.advance)
            page = content.content(gathered, *pictures.pictures(run, files.figure, waiting.advance))
        for name, frame in page.csv().items():
            files.write(name, frame.to_csv(index=False))
        files.write(folder.MARKDOWN, rendering.markdown(page))
        files.write(folder.PAGE, rendering.html(page))
        files.finish()
    finally:
        waiting.stop()
    return out / folder.PAGE


if __name__ == "__main__":
    command_line.own_process(main)
