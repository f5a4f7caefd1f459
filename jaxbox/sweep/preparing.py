"""From what is asked for to a run's folder that a worker can begin with: a new one, or one that goes on or grows."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING

from jaxbox import config
from jaxbox.config import Configuration, ConfigurationError, Plan, RunError, stretches
from jaxbox.sweep.part import Part

if TYPE_CHECKING:
    from jaxbox.sweep.engines import Engine


KEEP = ("all", "parameters", "measures")
"""What finished chunks keep: all, to go on from; measures and the networks' numbers; measures."""
DROP = ("none", "dead")
"""Which members are not trained on: none; those whose fate is sealed (`training.sealing`)."""
ENGINES = ("here", "ray")
"""Where chunks are trained: in this process, or by workers of a cluster."""


@dataclasses.dataclass(frozen=True)
class Asked:
    """What is to be computed, as `sweep.run` takes it."""

    configurations: tuple[Configuration, ...]
    seeds: int | None
    first_seed: int | None
    steps: int | None
    added: tuple[Configuration, ...]
    experiment: str
    added_seeds: int | None = None
    """Of each of them; as many as the run has if left out."""

    def plan(self) -> Plan | None:
        """Of a new run; None if no configuration says which."""
        fitted = tuple(map(config.fit, self.configurations))
        count = 64 if self.seeds is None else self.seeds
        return Plan.of(fitted, count, self.experiment, self.first_seed or 0) if fitted else None


@dataclasses.dataclass(frozen=True)
class Execution:
    """How it is to be computed, as `sweep.run` takes it."""

    members_per_chunk: int | None
    checkpoint_seconds: float
    keep: str | None
    retrain: bool
    stop_after: float | None
    part: Part
    on: str
    workers: int | None
    worker_devices: int | None
    other_bits: bool
    quiet: bool
    drop: str | None = None
    """Of DROP; what the run was begun with if left out."""
    until: tuple[str, int] | None = None
    """The rule that says when there are seeds enough, as the manifest keeps it, and the most that there may be."""


@dataclasses.dataclass(frozen=True)
class Prepared:
    """A run's folder and its plan. `stored` is what the folder of one that goes on had, `grows` whether the plan is
    more; `warning` says what is lost."""

    path: Path
    plan: Plan
    stored: Plan | None = None
    grows: bool = False
    warning: str = ""


def check(asked: Asked, name: str | None, resume: bool, execution: Execution) -> None:
    """Refuse options that are out of range, before JAX is loaded.

    Raises:
        ConfigurationError: the first of them.
    """
    _check_counts(asked, execution)
    _check_execution(execution)
    meets = name is not None or resume or execution.part.count == 1
    config.require(meets, "name", "nothing", f"said with part {execution.part}: the parts of a run meet by it")
    if name is not None:
        config.check_name(name)
    if not resume and (asked.steps is not None or asked.added):
        raise ConfigurationError("resume: None is not allowed with steps or added; it must be a run that is to grow")
    if not resume and not asked.configurations:
        raise ConfigurationError("configurations: none given; it must be at least one, or resume a run")
    for configuration in map(config.fit, asked.configurations):
        config.check_values(configuration)


def _check_counts(asked: Asked, execution: Execution) -> None:
    counts = {"seeds": asked.seeds, "first_seed": asked.first_seed}
    counts |= {name: getattr(execution, name) for name in ("members_per_chunk", "worker_devices", "workers")}
    for field, value in counts.items():
        least = 0 if field == "first_seed" else 1
        config.require(value is None or type(value) is int, field, repr(value), "an integer")
        config.require(value is None or value >= least, field, value, f"at least {least}")
    last = (asked.first_seed or 0) + (asked.seeds or 1) - 1
    config.require(
        last <= config.LARGEST_INT, "seeds", asked.seeds, f"such that the last is at most {config.LARGEST_INT}"
    )


def _check_execution(execution: Execution) -> None:
    seconds, minutes = execution.checkpoint_seconds, execution.stop_after
    config.require(seconds >= 0, "checkpoint_seconds", seconds, "at least 0")
    config.require(minutes is None or minutes > 0, "stop_after", minutes, "greater than 0")
    config.require(execution.keep in (None, *KEEP), "keep", execution.keep, f"one of {', '.join(KEEP)}")
    config.require(execution.drop in (None, *DROP), "drop", execution.drop, f"one of {', '.join(DROP)}")
    config.require(execution.on in ENGINES, "on", execution.on, f"one of {', '.join(ENGINES)}")
    several = execution.on == "ray"
    config.require(several or execution.workers is None, "workers", execution.workers, "left out, unless --on ray")
    if several and execution.part.count > 1:
        raise ConfigurationError(f"part: {execution.part} is not allowed with --on ray, which shares the chunks itself")


def begin(path: Path, asked: Asked, overwrite: bool, execution: Execution, engine: Engine) -> Prepared:
    """A new run in an empty folder; for a part of one, that which another part has begun.

    Args:
        engine: what will train it.

    Raises:
        ConfigurationError: what cannot be trained.
        RunError: a folder that is there already, or that cannot be written.
    """
    from jaxbox import store

    plan = asked.plan()
    assert plan is not None
    parts = execution.part.count > 1
    config.require(not (parts and overwrite), "overwrite", True, "left out with part, of which any may be the first")
    if parts and path.exists():
        stored = store.load_plan(path)
        _require_same(path, plan, stored, "give another name")
    warning = _check(plan, execution)
    told = execution.members_per_chunk, execution.drop
    content = store.new_manifest(engine.describe(), store.hashes(plan), *told)
    if not store.create(path, plan, overwrite, content, join=parts):
        plan = store.import_named(path, store.load_plan(path))
    return Prepared(path, plan, warning=_join(warning, _drop_warning(path, plan, execution)))


def resume(path: Path, asked: Asked, execution: Execution) -> Prepared:
    """A run that goes on, with more than it had if that is asked for. It still has to grow (`store.grow`).

    Raises:
        ConfigurationError: other configurations than the run has, or less of them.
        RunError: not a run, or one that cannot be gone on with.
    """
    from jaxbox import store
    from jaxbox.sweep import growth

    plan, stored = asked.plan(), store.load_plan(path)
    if plan and asked.seeds is None:
        plan = dataclasses.replace(plan, blocks=stored.blocks)
    if plan:
        _require_same(path, plan, stored, "leave the fields out")
    store.require_known(path)
    before = store.import_named(path, stored)
    store.require_checkpoints(path, before)
    if plan:
        grown = before
    else:
        added = [*map(config.fit, asked.added)]
        grown = growth.grown(before, asked.seeds, asked.first_seed, asked.steps, added, asked.added_seeds)
    if not execution.retrain:
        _refuse_to_train_again(path, before, grown)
    if grown != before and execution.part.count > 1:
        raise ConfigurationError(
            f"part: {execution.part} is not allowed with more than the run has; let it grow in a run without parts"
        )
    warning = _join(_drop_warning(path, grown, execution), _check(grown, execution))
    return Prepared(path, grown, stored, grown != before, warning)


def _join(*lines: str) -> str:
    return "\n".join(filter(None, lines))


def _drop_warning(path: Path, plan: Plan, execution: Execution) -> str:
    """A line about a run whose dead layers cannot be told to stay dead, though it is to drop members.

    Raises:
        ConfigurationError: the run was begun with another `drop`.
    """
    from jaxbox import store
    from jaxbox.training import sealing

    drop = store.drop_of(store.load_manifest(path))
    if execution.drop not in (None, drop):
        raise ConfigurationError(f"drop: {execution.drop} is not allowed; {path} was begun with --drop {drop}")
    reasons = [sealing.refusal(configuration) for configuration in plan.configurations] if drop == "dead" else [None]
    if None in reasons:
        return ""
    return f"drop: only members that overflowed are dropped; a dead layer may come back: {reasons[0]}"


def _refuse_to_train_again(path: Path, before: Plan, grown: Plan) -> None:
    """Refuse more steps where finished chunks cannot be gone on with: they have kept too little."""
    from jaxbox.store import chunks

    if grown.configurations[0].steps == before.configurations[0].steps:
        return
    lost = chunks.members_without_state(path, before)
    if lost:
        steps = grown.configurations[0].steps
        raise ConfigurationError(
            f"steps: {steps} is not allowed: {lost:,} members have kept no state to go on from (--keep); "
            f"give --retrain to train them again from the start, {lost * steps:,} seed-steps"
        )


def grow(prepared: Prepared) -> None:
    """Make a run that this process holds what was prepared.

    Raises:
        RunError: it has grown in another process since.
    """
    from jaxbox import store

    if prepared.stored is not None and store.load_plan(prepared.path) != prepared.stored:
        raise RunError(f"run: {prepared.path} has grown in another process meanwhile; ask again")
    if prepared.grows:
        store.grow(prepared.path, prepared.plan)


def _check(plan: Plan, execution: Execution) -> str:
    """Refuse what cannot be trained; returns a line about cores that are left out."""
    from jaxbox.store import results
    from jaxbox.training import cache, checks, devices, memory

    warning = devices.one_device_per_core(execution.worker_devices)
    cache.keep_programs()
    checks.check_sweep(plan.configurations, plan.seed_count)
    # The members' arrays of a configuration, and the Dataset that is made of them, are there together.
    needed = 2 * results.dataset_bytes(plan) // len(plan.configurations)
    memory.require_fit("seeds", plan.seed_count, needed, "the results of a configuration take")
    devices.float32_products()
    return warning


def _require_same(path: Path, asked: Plan, stored: Plan, advice: str) -> None:
    asked, stored = _alike(asked), _alike(stored)
    if asked.fingerprint != stored.fingerprint:
        raise ConfigurationError(f"resume: {path} was made with {_difference(asked, stored)}; {advice}")


def _alike(plan: Plan) -> Plan:
    """The plan as a version would store it that knew no sample of positions, where there is none."""
    from jaxbox.training import strata

    return dataclasses.replace(plan, configurations=tuple(map(strata.settled, plan.configurations)))


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
