"""The command `python -m jaxbox.sweep`, and the same from Python: `run(configurations, seeds=64)`.

JAX is imported only once there is something to train, so that help and refusals come at once.
"""

from __future__ import annotations

import inspect
import shutil
import sys
import time
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jaxbox import arguments as command
from jaxbox.config import Configuration, ConfigurationError, Plan, RunError
from jaxbox.experiments import EXPERIMENTS

if TYPE_CHECKING:
    import xarray


def run(
    configurations: Sequence[Configuration] = (),
    seeds: int = 64,
    *,
    name: str | None = None,
    out: str | Path = "runs",
    resume: str | Path | None = None,
    overwrite: bool = False,
    members_per_chunk: int | None = None,
    checkpoint_seconds: float = 60.0,
    quiet: bool = False,
) -> xarray.Dataset:
    """Train every configuration with seeds 0 to seeds - 1 and return the results, as `store.open_run` would.

    SIGINT and SIGTERM finish the segment at hand, save, and return what there is.

    Args:
        configurations: what to train; may be left out with `resume`.
        seeds: replicates of each configuration.
        name: of the run's folder in `out`; the time if left out.
        out: the folder of the runs.
        resume: a run's folder to go on with.
        overwrite: replace an existing run of that name.
        members_per_chunk: most members that train between two looks of the host; None chooses by memory.
        checkpoint_seconds: time between checkpoints of a chunk.
        quiet: show no progress.

    Raises:
        ConfigurationError: a configuration that cannot be run.
        RunError: a folder that cannot be used.
    """
    from jaxbox import member, population, store

    plan = Plan(tuple(configurations), seeds) if configurations else None
    if resume is None:
        if plan is None:
            raise ConfigurationError("configurations: none given; it must be at least one, or resume a run")
        path = Path(out) / (name or datetime.now().strftime("%Y%m%d-%H%M%S"))
        population.one_device_per_core()
        _check(plan, members_per_chunk, checkpoint_seconds)
        store.create(path, plan, overwrite)
    else:
        path, stored = Path(resume), store.load_plan(Path(resume))
        if plan and plan.fingerprint != stored.fingerprint:
            raise ConfigurationError(f"resume: {path} was made with {_difference(plan, stored)}; leave the fields out")
        plan = stored
        store.check_complete(path, plan)
        population.one_device_per_core()
        for configuration in plan.configurations:
            member.check(configuration)
    population.float32_products()
    with store.lock(path):
        return _train(path, plan, members_per_chunk, checkpoint_seconds, quiet)


def _check(plan: Plan, members_per_chunk: int | None, checkpoint_seconds: float) -> None:
    from jaxbox import member

    for field, value in (("seeds", plan.seeds), ("members_per_chunk", members_per_chunk)):
        if value is not None and value < 1:
            raise ConfigurationError(f"{field}: {value} is not allowed; it must be at least 1")
    if not checkpoint_seconds >= 0:
        raise ConfigurationError(f"checkpoint_seconds: {checkpoint_seconds} is not allowed; it must be at least 0")
    for configuration in plan.configurations:
        member.check(configuration)


def _difference(asked: Plan, stored: Plan) -> str:
    """The first thing in which two plans differ."""
    from jaxbox.config import flatten

    if asked.seeds != stored.seeds:
        return f"seeds {stored.seeds}, not {asked.seeds}"
    if len(asked.configurations) != len(stored.configurations):
        return f"{len(stored.configurations)} configurations, not {len(asked.configurations)}"
    for ours, theirs in zip(asked.configurations, stored.configurations, strict=True):
        for (path, value), (_, other) in zip(flatten(ours), flatten(theirs), strict=True):
            if value != other:
                return f"{path} {other}, not {value}"
    return "the same configurations in another order"


def _train(
    path: Path, plan: Plan, members_per_chunk: int | None, checkpoint_seconds: float, quiet: bool
) -> xarray.Dataset:
    import jax

    from jaxbox import cache, member, population, results, store, training
    from jaxbox.manifest import Manifest
    from jaxbox.progress import Report

    cache.keep_programs()
    manifest = Manifest(path, jax.local_devices())
    # A resumed run cuts the groups that it had not begun as it would have: another size is another program.
    members_per_chunk = members_per_chunk or manifest.content.get("members_per_chunk")
    manifest.content["members_per_chunk"] = members_per_chunk
    total = plan.seeds * sum(configuration.steps for configuration in plan.configurations)
    members: dict[tuple[int, int], dict[str, Any]] = {}
    with Report(total, quiet) as report, training.stop_on_signal(report) as stop:
        groups = population.group(plan.configurations, plan.seeds)
        for number, group in enumerate(groups):
            report.start(f"group {number + 1} of {len(groups)} ({group.static.configuration.model.name})")
            entry = manifest.group(number, [index for index, _ in group.configurations])
            trained = population.Population(group, entry.get("members_per_chunk", members_per_chunk))
            entry["members_per_chunk"] = trained.members_per_chunk
            entry["batches"] = "windows" if member.windowed(group.static.configuration) else "images"
            manifest.save()
            start, earlier = time.monotonic(), entry["seconds"]
            for chunk in training.chunks(trained, store.checkpoint_folder(path, number)):
                members |= chunk.train(stop, report, checkpoint_seconds)
                entry["seconds"] = earlier + time.monotonic() - start
                entry["compile_seconds"] = trained.compile_seconds or entry.get("compile_seconds", 0.0)
                manifest.save()
    dataset = results.dataset(plan, members, manifest.seconds_by_configuration())
    store.save_results(path, dataset)
    manifest.finish("interrupted" if stop.requested else "complete")
    return store.open_run(path)


def main(words: Sequence[str] | None = None) -> int:
    """The command line; returns the exit code: 2 for bad input, 130 when interrupted."""
    words = sys.argv[1:] if words is None else words
    try:
        arguments = command.parse(words)
        if arguments.list:
            _list()
            return 0
        return _sweep(words, arguments)
    except KeyboardInterrupt:
        print("jaxbox.sweep: stopped", file=sys.stderr)
        return 130
    except BrokenPipeError:  # the reader of the output, such as head, has gone
        sys.stderr.close()
        return 1
    except ValueError as error:
        if not isinstance(error, ConfigurationError | RunError):
            raise
        print(f"jaxbox.sweep: {error}", file=sys.stderr)
        return 2


def _sweep(words: Sequence[str], arguments: command.Arguments) -> int:
    planned = not arguments.resume or command.asks_for_a_plan(words, arguments)
    plan = command.plan(words, arguments) if planned else None

    from jaxbox import store, summary

    stamp = datetime.now().strftime("%Y%m%d-%H%M%S")
    name = arguments.name or f"{arguments.experiment}-{stamp}"
    path = arguments.resume or arguments.out / name
    results = run(
        plan.configurations if plan else (),
        plan.seeds if plan else 64,
        name=name,
        out=arguments.out,
        resume=arguments.resume,
        overwrite=arguments.overwrite,
        members_per_chunk=arguments.members_per_chunk,
        checkpoint_seconds=arguments.checkpoint_seconds,
    )
    print(summary.table(results, shutil.get_terminal_size().columns))
    print(f"\nresults: {path / store.RESULTS} (jaxbox.store.open_run({str(path)!r}))")
    if store.load_manifest(path)["status"] == "interrupted":
        print(f"interrupted; go on with it: python -m jaxbox.sweep --resume {path}")
        return 130
    return 0


def _list() -> None:
    """Print what there is to choose from."""
    from jaxbox import layers, losses, models, optimizers, task

    for name, experiment in EXPERIMENTS.items():
        print(f"{name}\n    " + (inspect.getdoc(experiment) or "").replace("\n", "\n    ") + "\n")
    tables = {
        "model.name": models.MODELS,
        "model.activation": layers.ACTIVATIONS,
        "loss.name": losses.LOSSES,
        "optimizer.name": optimizers.OPTIMIZERS,
        "task.noise": task.NOISES,
        "task.inputs": task.INPUTS,
        "task.targets": task.TARGETS,
    }
    for field, table in tables.items():
        print(f"{field}: {', '.join(table)}")


if __name__ == "__main__":
    sys.exit(main())
