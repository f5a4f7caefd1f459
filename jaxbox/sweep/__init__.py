"""Sweeps from Python: `run(configurations, seeds=64)`, which `python -m jaxbox.sweep` is as a command, and `score`.

JAX is imported only once there is something to train, so that help and refusals come at once.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from jaxbox import config
from jaxbox.config import Configuration, ConfigurationError, Plan, RunError, stretches
from jaxbox.sweep.score import Score, score

if TYPE_CHECKING:
    import xarray

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
    stop_after: float | None = None,
    quiet: bool = False,
    experiment: str = "",
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
        stop_after: minutes after which it does as after a signal.
        quiet: show no progress.
        experiment: the name of the sweep, kept with the run.

    Raises:
        ConfigurationError: a configuration that cannot be run, a field that is set and that none of them reads, or less
            than the run has.
        RunError: a folder that cannot be used or written.
    """
    _check_options(seeds, first_seed, name, members_per_chunk, checkpoint_seconds, stop_after)
    if resume is None and (steps is not None or added):
        raise ConfigurationError("resume: None is not allowed with steps or added; it must be a run that is to grow")
    fitted = tuple(map(config.fit, configurations))
    plan = Plan.of(fitted, 64 if seeds is None else seeds, experiment, first_seed or 0) if configurations else None
    if plan is None and resume is None:
        raise ConfigurationError("configurations: none given; it must be at least one, or resume a run")
    for configuration in plan.configurations if plan else ():
        config.check_values(configuration)

    from jaxbox import store
    from jaxbox.store import results
    from jaxbox.sweep import growth
    from jaxbox.training import checks, devices, memory

    if resume is None:
        assert plan is not None
        path = Path(out) / (name or datetime.now().strftime("%Y%m%d-%H%M%S"))
    else:
        path, stored = Path(resume), store.load_plan(Path(resume))
        if plan and seeds is None:
            plan = dataclasses.replace(plan, blocks=stored.blocks)
        if plan and plan.fingerprint != stored.fingerprint:
            raise ConfigurationError(f"resume: {path} was made with {_difference(plan, stored)}; leave the fields out")
        store.require_known(path)
        before = store.import_named(path, stored)
        store.require_checkpoints(path, before)
        plan = before if plan else growth.grown(before, seeds, first_seed, steps, [config.fit(each) for each in added])
    warning = devices.one_device_per_core()
    checks.check_sweep(plan.configurations, plan.seed_count)
    # The members' arrays of a configuration, and the Dataset that is made of them, are there together.
    needed = 2 * results.dataset_bytes(plan) // len(plan.configurations)
    memory.require_fit("seeds", plan.seed_count, needed, "the results of a configuration take")
    devices.float32_products()
    if resume is None:
        store.create(path, plan, overwrite)
        stored = before = plan
    with store.lock(path):
        if resume is not None and store.load_plan(path) != stored:
            raise RunError(f"run: {path} has grown in another process meanwhile; ask again")
        if grows := plan != before:
            store.grow(path, plan)
        return _train(path, plan, members_per_chunk, checkpoint_seconds, stop_after, quiet, warning, grows)


def _check_options(
    seeds: int | None,
    first_seed: int | None,
    name: str | None,
    members_per_chunk: int | None,
    checkpoint_seconds: float,
    stop_after: float | None,
) -> None:
    """Refuse options that are out of range, before JAX is loaded."""
    for field, value in (("seeds", seeds), ("members_per_chunk", members_per_chunk), ("first_seed", first_seed)):
        least = 0 if field == "first_seed" else 1
        config.require(value is None or type(value) is int, field, repr(value), "an integer")
        config.require(value is None or value >= least, field, value, f"at least {least}")
    last = (first_seed or 0) + (seeds or 1) - 1
    config.require(last <= config.LARGEST_INT, "seeds", seeds, f"such that the last is at most {config.LARGEST_INT}")
    config.require(checkpoint_seconds >= 0, "checkpoint_seconds", checkpoint_seconds, "at least 0")
    config.require(stop_after is None or stop_after > 0, "stop_after", stop_after, "greater than 0")
    if name is not None:
        config.check_name(name)


def _difference(asked: Plan, stored: Plan) -> str:
    """The first thing in which two plans differ."""
    if asked.seed_count != stored.seed_count:
        return f"seeds {stored.seed_count}, not {asked.seed_count}"
    if asked.seeds != stored.seeds:
        return f"seeds {stretches.in_words(stored.seeds)}, not {stretches.in_words(asked.seeds)}"
    if len(asked.configurations) != len(stored.configurations):
        return f"{len(stored.configurations)} configurations, not {len(asked.configurations)}"
    for ours, theirs in zip(asked.configurations, stored.configurations, strict=True):
        asked_values, stored_values = dict(config.flatten(ours)), dict(config.flatten(theirs))
        for path in asked_values | stored_values:
            value, other = asked_values.get(path), stored_values.get(path)
            if value != other:
                return f"{path} {other}, not {value}"
    return "the same configurations in another order"


def _train(
    path: Path,
    plan: Plan,
    members_per_chunk: int | None,
    checkpoint_seconds: float,
    stop_after: float | None,
    quiet: bool,
    warning: str,
    grows: bool,
) -> xarray.Dataset:
    import jax

    from jaxbox import store
    from jaxbox.sweep import loop
    from jaxbox.sweep.progress import Report
    from jaxbox.sweep.publishing import Publisher
    from jaxbox.sweep.signals import stop_on_signal
    from jaxbox.training import cache

    cache.keep_programs()
    manifest = store.Manifest(path, jax.local_devices())
    # A resumed run cuts the groups that it had not begun as it would have: another size is another program.
    members_per_chunk = members_per_chunk or manifest.content.get("members_per_chunk")
    manifest.content["members_per_chunk"] = members_per_chunk
    manifest.content["outside"] = store.hashes(plan)

    def gather() -> None:
        store.gather(path, plan, manifest.content)

    if grows:  # until then, who reads the run waits
        gather()
    seconds = None if stop_after is None else 60 * stop_after
    with Report(plan.seed_steps, quiet) as report, stop_on_signal(report, seconds) as stop:
        for line in (warning, manifest.changes()):
            if line:
                report.say(line)
        publish = Publisher(gather, checkpoint_seconds)
        loop.train(path, plan, manifest, stop, report, members_per_chunk, checkpoint_seconds, publish)
    gather()
    manifest.finish("interrupted" if stop.by else "complete", stop.by)
    return store.open_run(path)
