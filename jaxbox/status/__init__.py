"""How far a run is, from its folder alone: who asks disturbs nobody, and needs no results.

Speeds are each group's own, because a small network is a thousand times as fast as a large one.
"""

import dataclasses
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from jaxbox.config import Plan
from jaxbox.store import chunks, cuts, folder, sessions
from jaxbox.store.manifest import load_manifest
from jaxbox.training import groups


@dataclasses.dataclass(frozen=True)
class GroupStatus:
    """How far a group is; seed-steps are updates of one seed."""

    name: str
    members: int
    finished: int
    """Members that have made all of their steps."""
    seed_steps: int
    done: int
    """Seed-steps that are in checkpoints."""
    seconds: float
    """That these took, compilation left out."""

    @property
    def speed(self) -> float | None:
        """Seed-steps a second; None where there is nothing to tell it from."""
        return self.done / self.seconds if self.done and self.seconds > 0 else None

    @property
    def seconds_left(self) -> float | None:
        """At that speed; None where it is not known."""
        if self.done == self.seed_steps:
            return 0.0
        return (self.seed_steps - self.done) / self.speed if self.speed else None


@dataclasses.dataclass(frozen=True)
class WorkerStatus:
    """A process that has not ended its session; one of another machine may have been killed since."""

    name: str
    """Its machine and process, and which part it has."""
    saved: float
    """Seconds since it last saved something."""


@dataclasses.dataclass(frozen=True)
class Status:
    """How far a run is."""

    name: str
    state: str
    """running, interrupted, failed or complete, as its manifest has it; planned before there is one."""
    saved: float | None
    """Seconds since a process of it last saved something; None before the first time."""
    devices: tuple[str, ...]
    """Of the session that was the last to begin."""
    groups: tuple[GroupStatus, ...]
    workers: tuple[WorkerStatus, ...]
    failures: tuple[str, ...]
    """A line for each chunk that was given up and has not been trained since."""


def status(run: str | Path) -> Status:
    """How far a run is, at any moment.

    Raises:
        RunError: not a run, or its manifest is damaged.
    """
    path = Path(run)
    plan, manifest = folder.load_plan(path), load_manifest(path)
    entries = {entry["number"]: entry for entry in manifest.get("groups", [])}
    found = [_group(path, plan, number, group, entries.get(number)) for number, group in enumerate(groups.group(plan))]
    known, now = manifest.get("sessions", []), time.time()
    return Status(
        name=path.absolute().name,
        state=manifest.get("status", "planned"),
        saved=min((now - each["saved"] for each in known if "saved" in each), default=None),
        devices=tuple(known[-1].get("devices", ())) if known else (),
        groups=tuple(found),
        workers=tuple(_worker(each, now) for each in known if sessions.may_be_alive(each)),
        failures=_failures(path, known),
    )


def _worker(session: Mapping[str, Any], now: float) -> WorkerStatus:
    part = f", part {session['part']}" if session["part"] else ""
    return WorkerStatus(f"{session['host']}, process {session['pid']}{part}", now - session["saved"])


def _failures(path: Path, known: Sequence[Mapping[str, Any]]) -> tuple[str, ...]:
    found = {}
    for failure in (each for session in known for each in session.get("failures", ())):
        group, chunk = failure["group"], failure["chunk"]
        if chunks.last_checkpoint(chunks.chunk_folder(path, group, chunk)) != failure["steps"]:
            found[group, chunk] = f"group {group + 1}, chunk {chunk}: {failure['error']}"
    return tuple(found.values())


def _group(path: Path, plan: Plan, number: int, group: groups.Group, entry: Mapping[str, Any] | None) -> GroupStatus:
    whole = _not_begun(plan, group)
    if entry is None or "members_per_chunk" not in entry:
        return whole
    steps, done, finished = plan.configurations[group.configurations[0][0]].steps, 0, 0
    for place, chunk in enumerate(cuts.chunks(plan, entry)):
        step = chunks.last_checkpoint(chunks.chunk_folder(path, number, place)) or 0
        done += step * len(chunk.members)
        finished += len(chunk.members) * (step == steps)
    seconds = entry["seconds"] - entry.get("compile_seconds", 0.0)
    return dataclasses.replace(whole, done=done, finished=finished, seconds=max(0.0, seconds))


def _not_begun(plan: Plan, group: groups.Group) -> GroupStatus:
    members = sum(block.member_count for block in group.blocks)
    configuration = plan.configurations[group.configurations[0][0]]
    name = f"{configuration.model.name} {configuration.task.height} x {configuration.task.width}"
    return GroupStatus(name, members, 0, members * configuration.steps, 0, 0.0)
