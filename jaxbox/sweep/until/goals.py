"""A sweep that adds seeds until a rule holds: what it is asked, and the rounds of training and looking."""

from __future__ import annotations

import dataclasses
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from jaxbox import config
from jaxbox.config import ConfigurationError
from jaxbox.sweep.preparing import Asked, Execution, Prepared
from jaxbox.sweep.until.decisions import decide, wanted
from jaxbox.sweep.until.rules import RULES, Rule, parse

if TYPE_CHECKING:
    import xarray

    from jaxbox.sweep.engines import Engine

MAX_SEEDS = 512
"""Of a configuration, unless it is said."""
MEMBERS_PER_CHUNK = 8
"""On CPU, where members train one after another: a look adds few members, and a chunk that is not full costs as much as
one that is."""


@dataclasses.dataclass(frozen=True)
class Goal:
    """A rule and the most seeds that a configuration may have."""

    rule: Rule
    most: int

    def begin(self, asked: Asked, execution: Execution, resume: bool) -> tuple[Asked, Execution]:
        """What is asked for before the first look, and how it is trained."""
        if execution.part.count > 1:
            raise ConfigurationError(
                f"part: {execution.part} is not allowed with until, which shares looks with nobody"
            )
        config.require(asked.seeds is None, "seeds", asked.seeds, "left out with until; max_seeds is the most")
        if not resume:
            if plan := asked.plan():
                self.rule.subjects(plan)
            asked = dataclasses.replace(asked, seeds=self.rule.looks(self.most)[0])
            execution = dataclasses.replace(
                execution, members_per_chunk=execution.members_per_chunk or _together(execution)
            )
        asked = dataclasses.replace(asked, added_seeds=self.rule.looks(self.most)[0])
        return asked, dataclasses.replace(execution, until=(self.rule.name, self.most))


def _together(execution: Execution) -> int | None:
    if execution.on == "ray":  # what a worker trains on is not known here
        return MEMBERS_PER_CHUNK
    from jaxbox.training import devices

    devices.one_device_per_core(execution.worker_devices)
    import jax

    return max(MEMBERS_PER_CHUNK, jax.local_device_count()) if jax.default_backend() == "cpu" else None


def of(until: str | Rule | None, max_seeds: int | None, asked: Asked, run: Path | None) -> Goal | None:
    """The goal that is asked for, or that a run was begun with which is to go on as it is; None if there is none.

    Raises:
        ConfigurationError: an unknown rule, or a number out of range.
    """
    more = (asked.configurations, asked.seeds, asked.first_seed, asked.steps, asked.added)
    if until is None and run is not None and more == ((), None, None, None, ()) and (goal := kept(run, max_seeds)):
        return goal
    if until is None:
        config.require(max_seeds is None, "max_seeds", max_seeds, "left out without until")
        return None
    most = MAX_SEEDS if max_seeds is None else max_seeds
    config.require(type(most) is int, "max_seeds", repr(most), "an integer")
    config.require(most >= 1, "max_seeds", most, "at least 1")
    return Goal(parse(until) if isinstance(until, str) else until, most)


def kept(run: Path, most: int | None = None) -> Goal | None:
    """The goal that a run was begun with; None without one, or where its rule is of somebody's own code.

    Args:
        most: instead of what it was.
    """
    from jaxbox import store

    try:
        found = store.load_manifest(run).get("until")
    except OSError:  # no folder of that name can be, which whoever opens the run says
        return None
    if not found or found["rule"].partition(":")[0] not in RULES:
        return None
    return Goal(parse(found["rule"]), most or found["max_seeds"])


def pursue(
    goal: Goal,
    prepared: Prepared,
    execution: Execution,
    engine: Engine,
    train: Callable[[Prepared, Execution, Engine], xarray.Dataset],
) -> xarray.Dataset:
    """Train and look, until all is decided, or a stop.

    Raises:
        ConfigurationError: the rule has nothing to decide in this sweep.
    """
    from jaxbox import store
    from jaxbox.sweep import growth

    goal.rule.subjects(prepared.plan)
    start = time.monotonic()
    while True:
        run = train(prepared, _with_the_time_left(execution, start), engine)
        if store.load_manifest(prepared.path)["status"] != "complete":
            return run
        decisions = decide(goal.rule, prepared.plan, run, goal.most)
        grown = growth.with_counts(prepared.plan, wanted(decisions, len(prepared.plan.configurations)))
        if not execution.quiet:
            decided = sum(1 for each in decisions if each.answer)
            print(f"{goal.rule.name}: {decided} of {len(decisions)} decided", file=sys.stderr, flush=True)
        if grown == prepared.plan:
            return run
        prepared = dataclasses.replace(prepared, plan=grown, stored=prepared.plan, grows=True, warning="")
        engine = engine.again()


def _with_the_time_left(execution: Execution, start: float) -> Execution:
    if execution.stop_after is None:
        return execution
    left = execution.stop_after - (time.monotonic() - start) / 60
    return dataclasses.replace(execution, stop_after=max(left, 1e-6))
