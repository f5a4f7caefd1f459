"""The command `python -m jaxbox.sweep`: reads its words, runs the sweep, prints the closing table."""

import inspect
import shutil
import sys
import textwrap
from collections.abc import Sequence
from datetime import datetime

from jaxbox import command_line, experiments, sweep
from jaxbox.config.tables import description
from jaxbox.sweep import arguments as command

GO_ON = 75
"""The exit code of a run that was to stop before its end; sysexits.h calls it a temporary failure, try again."""


def main(words: Sequence[str] | None = None) -> int:
    """The command line; returns the exit code: 2 for bad input, 130 when interrupted, GO_ON if it was to stop."""
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
    stamp = datetime.now().strftime("%Y%m%d-%H%M%S")
    experiment = plan.experiment if plan else ""
    name = f"{experiment.rpartition(':')[2] or 'run'}-{stamp}" if arguments.name is None else arguments.name
    path = arguments.resume or arguments.out / name
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
        stop_after=arguments.stop_after,
        experiment=experiment,
    )

    from jaxbox import store
    from jaxbox.sweep import closing_table, signals

    print(closing_table.table(results, shutil.get_terminal_size().columns))
    print(f"\nresults: {path / store.RESULTS} (jaxbox.open_run({str(path)!r}))")
    manifest = store.load_manifest(path)
    if manifest["status"] == "interrupted":
        print(f"interrupted; go on with it: python -m jaxbox.sweep --resume {path}")
        return GO_ON if manifest["stopped_by"] in (signals.TIME, "SIGUSR1") else 130
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
    sys.exit(main())
