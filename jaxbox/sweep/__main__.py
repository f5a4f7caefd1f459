"""The command `python -m jaxbox.sweep`: reads its words, runs the sweep, prints the closing table."""

from __future__ import annotations

import inspect
import shutil
import sys
import textwrap
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from jaxbox import command_line, experiments, sweep
from jaxbox.config.tables import description
from jaxbox.sweep import arguments as command

if TYPE_CHECKING:
    import xarray

    from jaxbox.config import Plan

WHOLE = "0/1"
"""The part that is the whole."""
GO_ON = 75
"""The exit code of a run that was to stop before its end; sysexits.h calls it a temporary failure, try again."""


def main(words: Sequence[str] | None = None) -> int:
    """The command line; returns the exit code: 2 for bad input, 130 when interrupted, GO_ON if it was to stop, 1 if a
    chunk failed."""
    words = sys.argv[1:] if words is None else words
    return command_line.exit_code("jaxbox.sweep", lambda: _sweep(words))


def _sweep(words: Sequence[str]) -> int:
    arguments = command.parse(words)
    if arguments.list:
        _list(arguments.experiment)
        return 0
    planned = not arguments.resume or command.asks_for_a_plan(words, arguments)
    plan = command.plan(words, arguments) if planned else None
    steps = arguments.configuration.steps if "steps" in command_line.named(words) and not planned else None
    if arguments.advise:
        return _advise(arguments, plan)
    stamp = datetime.now().strftime("%Y%m%d-%H%M%S")
    experiment = plan.experiment if plan else ""
    name = arguments.name
    if name is None and arguments.part == WHOLE:
        name = f"{experiment.rpartition(':')[2] or 'run'}-{stamp}"
    path = arguments.resume or arguments.out / (name or "")
    results = sweep.run(
        plan.configurations if plan else (),
        arguments.seeds,
        first_seed=arguments.first_seed,
        steps=steps,
        added=() if planned else command.added(arguments),
        name=name,
        out=arguments.out,
        resume=arguments.resume,
        overwrite=arguments.overwrite,
        members_per_chunk=arguments.members_per_chunk,
        checkpoint_seconds=arguments.checkpoint_seconds,
        keep=arguments.keep,
        drop=arguments.drop,
        retrain=arguments.retrain,
        stop_after=arguments.stop_after,
        part=arguments.part,
        on=arguments.on,
        workers=arguments.workers,
        worker_devices=arguments.worker_devices,
        other_bits=arguments.other_bits,
        experiment=experiment,
        until=arguments.until,
        max_seeds=arguments.max_seeds,
    )
    return _close(path, arguments.part, results)


def _advise(arguments: command.Arguments, plan: Plan | None) -> int:
    """Print what is to be expected of the configurations, or of those of the run that is resumed."""
    from jaxbox.sweep import advising

    if plan is None:
        from jaxbox import store

        plan = store.load_plan(arguments.resume or Path())
    for line in advising.lines(plan.configurations):
        print(line)
    return 0


def _close(path: Path, part: str, results: xarray.Dataset) -> int:
    """Print how it ended, and how to go on; returns the exit code."""
    from jaxbox import store
    from jaxbox.sweep import closing_table, signals
    from jaxbox.sweep.until import words

    if results:
        print(closing_table.table(results, shutil.get_terminal_size().columns))
        if decided := words.of_run(path, results):
            print(f"\n{decided}")
        print(f"\nresults: {path / store.RESULTS} (jaxbox.open_run({str(path)!r}))")
    session = store.own_session(path)
    if failures := session["failures"]:
        print(f"{len(failures)} chunks failed: python -m jaxbox.status {path} says why, --resume {path} tries again")
        return 1
    if session["stopped_by"]:
        shared = "" if part == WHOLE else f" --part {part}"
        print(f"interrupted; go on with it: python -m jaxbox.sweep --resume {path}{shared}")
        return GO_ON if session["stopped_by"] in (signals.TIME, "SIGUSR1") else 130
    if store.load_manifest(path)["status"] == "running":
        print(f"part {part} is done; once all are: python -m jaxbox.sweep --resume {path}")
    return 0


def _list(experiment: str) -> None:
    """Print what an experiment is about, or what there is to choose from if none is named."""
    if experiment:
        print(inspect.getdoc(experiments.named(experiment)) or f"{experiment} has no docstring")
        return
    width = max(map(len, experiments.EXPERIMENTS))
    for name, function in experiments.EXPERIMENTS.items():
        first = (inspect.getdoc(function) or "").partition("\n")[0]
        print(textwrap.fill(f"{name:<{width}}  {first}", 80, subsequent_indent=" " * (width + 2)))
    print("\npython -m jaxbox.sweep EXPERIMENT --list says what one claims, costs and found\n")
    print("\n".join(description.describe()))


if __name__ == "__main__":
    command_line.own_process(main)
