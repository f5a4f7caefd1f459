"""Sweeps from Python: `run(configurations, seeds=64)`, which `python -m jaxbox.sweep` is as a command, and `score`.

JAX is imported only once there is something to train, so that help and refusals come at once.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from jaxbox.config import Configuration
from jaxbox.sweep import preparing
from jaxbox.sweep.part import Part
from jaxbox.sweep.preparing import Asked, Execution, Prepared
from jaxbox.sweep.score import Score, score
from jaxbox.sweep.until import Rule, goals

if TYPE_CHECKING:
    import xarray

    from jaxbox.sweep.engines import Engine

__all__ = ["Score", "run", "score"]


def run(
    configurations: Sequence[Configuration] = (),
    seeds: int | None = None,
    *,
    first_seed: int | None = None,
    steps: int | None = None,
    added: Sequence[Configuration] = (),
    name: str | None = None,
    out: str | Path = "runs",
    resume: str | Path | None = None,
    overwrite: bool = False,
    members_per_chunk: int | None = None,
    checkpoint_seconds: float = 60.0,
    keep: str | None = None,
    drop: str | None = None,
    retrain: bool = False,
    stop_after: float | None = None,
    part: str = "0/1",
    on: str = "here",
    workers: int | None = None,
    worker_devices: int | None = None,
    other_bits: bool = False,
    quiet: bool = False,
    experiment: str = "",
    until: str | Rule | None = None,
    max_seeds: int | None = None,
) -> xarray.Dataset:
    """Train every configuration with every seed and return the results, as `store.open_run` would.

    SIGINT, SIGTERM and SIGUSR1 finish the segment at hand, save, and return what there is.

    A run that is resumed can be asked for more: seeds, steps, configurations. Its members so far keep their bits, and
    those that are added have the bits of a run that was asked for all of them with the same members a chunk.

    Args:
        configurations: what to train; may be left out with `resume`, and is else to be what the run has.
        seeds: replicates of each configuration: 64, or as many as the run has, if left out.
        first_seed: of them; 0, or the run's own, if left out.
        steps: with `resume`, that each member is to have made.
        added: with `resume`, configurations to train beside those that the run has, with all of its seeds.
        name: of the run's folder in `out`, one component of a path; the time if left out.
        out: the folder of the runs.
        resume: a run's folder to go on with.
        overwrite: replace an existing run of that name.
        members_per_chunk: most members trained together between evaluations; None chooses by memory.
        checkpoint_seconds: time between checkpoints of a chunk.
        keep: what chunks keep once they are finished: all; or parameters, which leaves out optimisers' states, so that
            more steps cost all of them again; or measures, which leaves out the networks, too. All, or what the run
            was begun with, if left out.
        drop: which members are not trained on: none; or dead, those of whom more training cannot change what is
            reported, as they overflowed or have a layer that is dead for good (`training.sealing`). Their curves end at
            `dropped_step`, their final measures are those there, and all others have the bits of a run without. None,
            or what the run was begun with, if left out.
        retrain: with `steps`, train members again from their first step that have kept nothing to go on from.
        stop_after: minutes after which it does as after a signal.
        part: I/N, to train the I-th of N shares of the chunks, counted from 0, while other processes train the
            others, on this machine or on others that share the folder. They meet by the run's name, whoever comes
            first. Part 0 gathers what all have done; the others return an empty Dataset. To resume the run without
            parts does what is left, such as the chunk of a part that was killed, and gathers all.
        on: where chunks are trained: here, in this process, or ray, by the workers of the cluster that RAY_ADDRESS
            names, or of one that is started on this machine.
        workers: of that cluster; as many as there is room for if left out.
        worker_devices: how many devices a worker has: all local ones if left out, and of a cluster one.
        other_bits: go on with a run that was begun on other devices, another processor, or with other versions: the
            last bits of its numbers will differ, which its manifest then says.
        quiet: show no progress.
        experiment: the name of the sweep, kept with the run.
        until: a rule, such as width:0.05, order:0.1 or order_r2:0.05 (`sweep.until`): seeds are added, look by look, to
            the configurations that are not decided yet, until it holds for all. Instead of `seeds`; a run that is
            resumed goes on with the rule that it was begun with.
        max_seeds: with `until`, of a configuration; 512 if left out.

    A chunk whose training raises an error is tried three times, and then left out, which the run's status says.

    Raises:
        ConfigurationError: a configuration that cannot be run, a field that is set and that none of them reads, or less
            than the run has.
        RunError: a folder that cannot be used or written, or a run whose numbers would get other last bits.
    """
    how = members_per_chunk, checkpoint_seconds, keep, retrain, stop_after
    execution = Execution(*how, Part.of(part), on, workers, worker_devices, other_bits, quiet, drop)
    path = Path(out) / (name or datetime.now().strftime("%Y%m%d-%H%M%S")) if resume is None else Path(resume)
    asked = Asked(tuple(configurations), seeds, first_seed, steps, tuple(added), experiment)
    goal = goals.of(until, max_seeds, asked, path if resume else None)
    if goal:
        asked, execution = goal.begin(asked, execution, resume is not None)
    preparing.check(asked, name, resume is not None, execution)
    with _engine(path, execution) as engine:
        if resume is None:
            prepared = preparing.begin(path, asked, overwrite, execution, engine)
        else:
            prepared = preparing.resume(path, asked, execution)
        if not goal:
            return _train(prepared, execution, engine)
        return goals.pursue(goal, prepared, execution, engine, _train)


@contextlib.contextmanager
def _engine(path: Path, execution: Execution) -> Iterator[Engine]:
    """What trains the run that is at `path`, or will be."""
    if execution.on == "ray":
        from jaxbox.sweep import on_ray

        with on_ray.cluster():
            yield on_ray.Workers(path, execution)
    else:
        from jaxbox.sweep.engines import Here

        yield Here(execution)


def _train(prepared: Prepared, execution: Execution, engine: Engine) -> xarray.Dataset:
    """Train what was prepared, or this process's part of it, and gather the results if that is this process's."""
    import xarray

    from jaxbox import store
    from jaxbox.sweep import running

    gathers = execution.part.index == 0
    with store.lock(prepared.path) if gathers else contextlib.nullcontext():
        preparing.grow(prepared)
        running.train(prepared, execution, engine)
        return store.open_run(prepared.path) if gathers else xarray.Dataset()
