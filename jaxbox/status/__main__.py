"""The command `python -m jaxbox.status RUN`: how far a run is, and what it has found so far."""

from __future__ import annotations

import dataclasses
import shutil
import sys
import time
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import tyro

from jaxbox import command_line, config
from jaxbox.config import RunError

if TYPE_CHECKING:
    from jaxbox.status import Status

Flag = tyro.conf.FlagCreatePairsOff[bool]


@dataclasses.dataclass(frozen=True)
class Arguments:
    """Say how far a run is: members done, speed and time left of each group, and what is known of them so far."""

    run: Annotated[tyro.conf.Positional[str], tyro.conf.arg(metavar="RUN")] = ""
    """The run's folder."""
    watch: Flag = False
    """Say it again and again, until the run has ended or Ctrl-C."""
    every: Annotated[float, tyro.conf.arg(metavar="SECONDS")] = 5.0
    """Between one time and the next."""


def main(words: Sequence[str] | None = None) -> int:
    """The command line; returns the exit code: 2 for bad input, 130 after Ctrl-C."""
    words = sys.argv[1:] if words is None else words
    return command_line.exit_code("jaxbox.status", lambda: _status(words))


def _status(words: Sequence[str]) -> int:
    arguments = command_line.read(Arguments(), words, "python -m jaxbox.status")
    config.require(bool(arguments.run), "run", "nothing", "the folder of a run")
    config.require(arguments.every > 0, "every", arguments.every, "greater than 0")

    from jaxbox import status

    while True:
        found = status.status(arguments.run)
        print(text(found, _so_far(arguments.run)), flush=True)
        if not arguments.watch or found.state in ("complete", "interrupted", "failed"):
            return 0
        time.sleep(arguments.every)
        print()


def text(found: Status, so_far: str) -> str:
    """The lines that the command prints."""
    saved = "" if found.saved is None else f", saved {timedelta(seconds=round(found.saved))} ago"
    lines = [f"{found.name}: {found.state}{saved}" + (f", on {', '.join(found.devices)}" if found.devices else "")]
    for number, group in enumerate(found.groups, 1):
        share = 100 * group.done / group.seed_steps
        speed = f", {group.speed:,.0f} seed-steps/s" if group.speed else ""
        left = group.seconds_left
        time_left = "" if not left else f", {timedelta(seconds=round(left))} left"
        done = f"{group.finished} of {group.members} members done, {share:.0f}% of the steps"
        lines.append(f"group {number} ({group.name}): {done}{speed}{time_left}")
    for worker in found.workers:
        lines.append(f"worker: {worker.name}, saved {timedelta(seconds=round(worker.saved))} ago")
    lines += [f"failed: {line}" for line in found.failures]
    return "\n".join([*lines, "", so_far])


def _so_far(run: str) -> str:
    """The closing table of the results as they are."""
    from jaxbox import store
    from jaxbox.sweep import closing_table
    from jaxbox.sweep.until import words

    try:
        results = store.open_run(Path(run))
    except RunError as error:
        return str(error)
    decided = words.of_run(Path(run), results, anytime=True)
    return "\n\n".join(filter(None, [closing_table.table(results, shutil.get_terminal_size().columns), decided]))


if __name__ == "__main__":
    command_line.own_process(main)
