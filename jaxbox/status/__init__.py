"""How far a run is, from its folder alone: who asks disturbs nobody, and needs no results.

Speeds are each group's own, because a small network is a thousand times as fast as a large one.
"""

import dataclasses
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from jaxbox.config import Plan
from jaxbox.store import chunks, folder
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
class Status:
    """How far a run is."""

    name: str
    state: str
    """running, interrupted or complete, as its manifest has it; planned before there is one."""
    saved: float | None
    """Seconds since its manifest was written; None before the first time."""
    devices: tuple[str, ...]
    """Of the session that was the last to begin."""
    groups: tuple[GroupStatus, ...]


def status(run: str | Path) -> Status:
    """How far a run is, at any moment.

    Raises:
        RunError: not a run, or its manifest is damaged.
    """
    path = Path(run)
    plan, manifest = folder.load_plan(path), load_manifest(path)
    entries = manifest.get("groups", [])
    cut = groups.group(plan)
    found = [_group(path, plan, number, cut[number], entry) for number, entry in enumerate(entries)]
    found += [_not_begun(plan, group) for group in cut[len(entries) :]]
    file = path / folder.MANIFEST
    sessions = manifest.get("sessions", [])
    return Status(
        name=path.absolute().name,
        state=manifest.get("status", "planned"),
        saved=time.time() - file.stat().st_mtime if manifest else None,
        devices=tuple(sessions[-1].get("devices", ())) if sessions else (),
        groups=tuple(found),
    )


def _group(path: Path, plan: Plan, number: int, group: groups.Group, entry: Mapping[str, Any]) -> GroupStatus:
    whole = _not_begun(plan, group)
    if "members_per_chunk" not in entry:
        return whole
    steps, done, finished = plan.configurations[group.configurations[0][0]].steps, 0, 0
    for chunk, members in enumerate(chunks.cut(plan, entry)):
        step = chunks.last_checkpoint(chunks.chunk_folder(path, number, chunk)) or 0
        done += step * len(members)
        finished += len(members) * (step == steps)
    seconds = entry["seconds"] - entry.get("compile_seconds", 0.0)
    return dataclasses.replace(whole, done=done, finished=finished, seconds=max(0.0, seconds))


def _not_begun(plan: Plan, group: groups.Group) -> GroupStatus:
    members = sum(block.member_count for block in group.blocks)
    configuration = plan.configurations[group.configurations[0][0]]
    name = f"{configuration.model.name} {configuration.task.height} x {configuration.task.width}"
    return GroupStatus(name, members, 0, members * configuration.steps, 0, 0.0)
