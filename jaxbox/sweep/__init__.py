"""Sweeps from Python: `run(configurations, seeds=64)`. `python -m jaxbox.sweep` is the same as a command.

JAX is imported only once there is something to train, so that help and refusals come at once.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from jaxbox import config
from jaxbox.config import Configuration, ConfigurationError, Plan

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
    experiment: str = "",
) -> xarray.Dataset:
    """Train every configuration with seeds 0 to seeds - 1 and return the results, as `store.open_run` would.

    SIGINT and SIGTERM finish the segment at hand, save, and return what there is.

    Args:
        configurations: what to train; may be left out with `resume`.
        seeds: replicates of each configuration.
        name: of the run's folder in `out`, one component of a path; the time if left out.
        out: the folder of the runs.
        resume: a run's folder to go on with.
        overwrite: replace an existing run of that name.
        members_per_chunk: most members trained together between evaluations; None chooses by memory.
        checkpoint_seconds: time between checkpoints of a chunk.
        quiet: show no progress.
        experiment: the name of the sweep, kept with the run.

    Raises:
        ConfigurationError: a configuration that cannot be run, or a field that is set and that none of them reads.
        RunError: a folder that cannot be used or written.
    """
    _check_options(seeds, name, members_per_chunk, checkpoint_seconds)
    plan = Plan(tuple(map(config.fit, configurations)), seeds, experiment) if configurations else None
    if plan is None and resume is None:
        raise ConfigurationError("configurations: none given; it must be at least one, or resume a run")
    for configuration in plan.configurations if plan else ():
        config.check_values(configuration)

    from jaxbox import store
    from jaxbox.store import results
    from jaxbox.training import checks, devices, memory

    if resume is None:
        assert plan is not None
        path = Path(out) / (name or datetime.now().strftime("%Y%m%d-%H%M%S"))
    else:
        path, stored = Path(resume), store.load_plan(Path(resume))
        if plan and plan.fingerprint != stored.fingerprint:
            raise ConfigurationError(f"resume: {path} was made with {_difference(plan, stored)}; leave the fields out")
        store.require_known(path)
        plan = store.import_named(path, stored)
        store.require_checkpoints(path, plan)
    warning = devices.one_device_per_core()
    checks.check_sweep(plan.configurations, plan.seeds)
    # Members' arrays and the Dataset that is made of them, padded to the largest configuration, are there together.
    memory.require_fit("seeds", plan.seeds, 2 * results.dataset_bytes(plan), "the results of all configurations take")
    devices.float32_products()
    if resume is None:
        store.create(path, plan, overwrite)
    with store.lock(path):
        return _train(path, plan, members_per_chunk, checkpoint_seconds, quiet, warning)


def _check_options(seeds: int, name: str | None, members_per_chunk: int | None, checkpoint_seconds: float) -> None:
    """Refuse options that are out of range, before JAX is loaded."""
    for field, value in (("seeds", seeds), ("members_per_chunk", members_per_chunk)):
        config.require(value is None or type(value) is int, field, repr(value), "an integer")
        config.require(value is None or value >= 1, field, value, "at least 1")
    config.require(seeds <= config.LARGEST_INT, "seeds", seeds, f"at most {config.LARGEST_INT}")
    config.require(checkpoint_seconds >= 0, "checkpoint_seconds", checkpoint_seconds, "at least 0")
    if name is not None:
        config.check_name(name)


def _difference(asked: Plan, stored: Plan) -> str:
    """The first thing in which two plans differ."""
    if asked.seeds != stored.seeds:
        return f"seeds {stored.seeds}, not {asked.seeds}"
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
    path: Path, plan: Plan, members_per_chunk: int | None, checkpoint_seconds: float, quiet: bool, warning: str
) -> xarray.Dataset:
    import jax

    from jaxbox import store
    from jaxbox.store import results
    from jaxbox.sweep import loop
    from jaxbox.sweep.progress import Report
    from jaxbox.sweep.signals import stop_on_signal
    from jaxbox.training import cache

    cache.keep_programs()
    manifest = store.Manifest(path, jax.local_devices())
    # A resumed run cuts the groups that it had not begun as it would have: another size is another program.
    members_per_chunk = members_per_chunk or manifest.content.get("members_per_chunk")
    manifest.content["members_per_chunk"] = members_per_chunk
    manifest.content["outside"] = store.hashes(plan)
    total = plan.seeds * sum(configuration.steps for configuration in plan.configurations)
    with Report(total, quiet) as report, stop_on_signal(report) as stop:
        for line in (warning, manifest.changes()):
            if line:
                report.say(line)
        members = loop.train(path, plan, manifest, stop, report, members_per_chunk, checkpoint_seconds)
    dataset = results.dataset(plan, members, manifest.seconds_by_configuration(), store.describe(path))
    store.save_results(path, dataset)
    manifest.finish("interrupted" if stop.requested else "complete")
    return store.open_run(path)
