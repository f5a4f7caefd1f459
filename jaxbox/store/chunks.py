"""Checkpoints: the state and the measures so far of a chunk of members, at group-G/chunk-C/STEP.

Orbax's present interface (its version 1) writes them; what its documentation calls legacy is not used.
"""

import shutil
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import jax
import numpy as np
from jaxtyping import PyTree
from orbax.checkpoint import v1 as orbax

from jaxbox.config import Plan, RunError, one_line, stretches
from jaxbox.store import cuts, files
from jaxbox.store.folder import load_plan
from jaxbox.store.manifest import load_manifest
from jaxbox.training import groups, memory

ONE_AT_A_TIME = threading.Lock()
"""Orbax takes files of one thread for those of another where two write, or write and read, at once."""


def chunk_folder(path: Path, group: int, chunk: int) -> Path:
    """Where the checkpoints of a chunk lie, each in a folder named by its step."""
    return cuts.group_folder(path, group) / f"chunk-{chunk:05d}"


def last_checkpoint(folder: Path) -> int | None:
    """The step of the last whole checkpoint in a chunk's folder."""
    return max(_steps(folder), default=None)


def _steps(folder: Path) -> list[int]:
    try:
        return sorted(int(entry.name) for entry in folder.iterdir() if entry.name.isdigit())
    except FileNotFoundError:
        return []


def has_part(folder: Path, part: str) -> bool:
    """Whether a chunk's last checkpoint has a part of this name, as `save_checkpoint` had it."""
    step = last_checkpoint(folder)
    return step is not None and (folder / str(step) / part).is_dir()


def save_checkpoint(
    folder: Path,
    step: int,
    parts: Mapping[str, PyTree[np.ndarray]],
    last: bool = False,
    instead_of: int | None = None,
) -> None:
    """Write a checkpoint and then drop older ones, but for the one before it, which a reader may have begun to read.

    Two processes may train a chunk at once, since both write the same bits: what is there is kept, and nothing is
    dropped but what is older.

    Args:
        parts: trees by name, which can be loaded one without the other.
        last: whether it is the chunk's last, beside which no other is needed.
        instead_of: the step of a later one that is dropped, since nobody can go on from it.

    Raises:
        RunError: it cannot be written; the one before it is still there.
    """
    if any(other > step and other != instead_of for other in _steps(folder)):
        return  # of another process, which is ahead
    aside = folder / files.own_name(str(step))
    with files.writing(folder / str(step)):
        files.make_folder(folder)
        # Asked for first: orbax's threads each print a traceback where there is no room.
        files.require_room(folder, memory.tree_bytes(parts))
        files.remove_abandoned(folder)
        try:
            with ONE_AT_A_TIME:
                orbax.save_checkpointables(str(aside), dict(parts))
            files.put_folder(aside, folder / str(step))
        except BaseException:
            for half in folder.glob(f"{aside.name}*"):
                shutil.rmtree(half, ignore_errors=True)
            raise
        older = [number for number in _steps(folder) if number < step]
        dropped = older if last else older[:-1]
        for number in dropped + [instead_of] * (instead_of not in (None, step)):
            files.discard(folder / str(number))


def load_last(folder: Path, like: Mapping[str, PyTree[Any]]) -> tuple[int, dict[str, PyTree[np.ndarray]]] | None:
    """The step of a chunk's last checkpoint and these parts of it, as `load_checkpoint` does; None if there is none.

    One that another process drops meanwhile, having written a later one, is not missed.

    Raises:
        RunError: it is damaged or of another structure.
    """
    while (step := last_checkpoint(folder)) is not None:
        try:
            return step, load_checkpoint(folder / str(step), like)
        except RunError:
            if (folder / str(step)).exists():
                raise
    return None


def load_checkpoint(checkpoint: Path, like: Mapping[str, PyTree[Any]]) -> dict[str, PyTree[np.ndarray]]:
    """These parts of a checkpoint, each with the structure and types of `like`, as NumPy arrays of the saved shapes.

    Raises:
        RunError: it is damaged or of another structure.
    """
    try:
        wanted = jax.tree.map(lambda leaf: np.zeros(1, leaf.dtype), dict(like))
        with ONE_AT_A_TIME:
            return orbax.load_checkpointables(str(checkpoint), wanted)
    except Exception as error:  # orbax and TensorStore have many types for what is damaged
        raise RunError(f"run: the checkpoint {checkpoint} is damaged: {one_line(error)}") from None


class Found(NamedTuple):
    """A chunk of a run's plan: `step` is that of its last checkpoint if it has one, `steps` its last.

    `members` are (configuration, seed) each; none as long as nobody has said how the group is cut.
    """

    group: int
    chunk: int
    step: int | None
    steps: int
    members: list[tuple[int, int]]
    folder: Path


def walk(path: Path, plan: Plan) -> Iterator[Found]:
    """Every chunk of a run; of a group that is not cut yet, one that stands for all.

    Raises:
        RunError: the manifest or a cut is damaged.
    """
    entries = {entry["number"]: entry for entry in load_manifest(path).get("groups", [])}
    for number, group in enumerate(groups.group(plan)):
        steps = group.static.configuration.steps
        own = [chunk.members for chunk in cuts.chunks(plan, entries[number])] if number in entries else [[]]
        for chunk, members in enumerate(own):
            folder = chunk_folder(path, number, chunk)
            yield Found(number, chunk, last_checkpoint(folder), steps, members, folder)


def unfinished(path: Path, plan: Plan) -> set[tuple[int, int]]:
    """(group, chunk) of each that is not at its last step, as `walk` finds them."""
    return {(found.group, found.chunk) for found in walk(path, plan) if found.step != found.steps}


def members_without_state(path: Path, plan: Plan) -> int:
    """How many members have a last checkpoint from which nobody can go on."""
    begun = (found for found in walk(path, plan) if found.step is not None)
    return sum(len(found.members) for found in begun if not has_part(found.folder, "state"))


def require_checkpoints(path: Path, plan: Plan) -> None:
    """Refuse to train a run again that was complete and has lost a checkpoint.

    Raises:
        RunError: with the chunk whose checkpoint is lost.
    """
    if load_manifest(path).get("status") != "complete":
        return
    lost = next((found.folder for found in walk(path, plan) if found.step is None), None)
    if lost:
        raise RunError(f"run: {lost} has lost its checkpoint; the run was complete, and its results still are")


def member_location(path: Path, configuration: int, seed: int) -> tuple[Path, int]:
    """(folder of the chunk, place in the chunk) of a member.

    Raises:
        RunError: there is no such configuration or seed.
    """
    plan = load_plan(path)
    if not 0 <= configuration < len(plan.configurations):
        last = len(plan.configurations) - 1
        raise RunError(f"configuration: {configuration} is not in this run; allowed: 0 to {last}")
    seeds = plan.seeds_of(configuration)
    if not any(seed in stretch for stretch in seeds):
        raise RunError(f"seed: {seed} is not in this run; allowed: {stretches.in_words(seeds)}")
    for entry in load_manifest(path).get("groups", []):
        if configuration in entry["configurations"]:
            for number, chunk in enumerate(cuts.chunks(plan, entry)):
                if (configuration, seed) in chunk.members:
                    return chunk_folder(path, entry["number"], number), chunk.members.index((configuration, seed))
    raise RunError(f"configuration: {configuration} has not started training")
