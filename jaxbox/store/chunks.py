"""Checkpoints: the state and the measures so far of a chunk of members, at group-G/chunk-C/STEP.

Orbax's present interface (its version 1) writes them; what its documentation calls legacy is not used.
"""

import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import jax
import numpy as np
from jaxtyping import PyTree
from orbax.checkpoint import v1 as orbax

from jaxbox.config import Plan, RunError, one_line, stretches
from jaxbox.store import files
from jaxbox.store.folder import CHECKPOINTS, load_plan
from jaxbox.store.manifest import load_manifest
from jaxbox.training import groups, memory


def chunk_folder(path: Path, group: int, chunk: int) -> Path:
    """Where the checkpoints of a chunk lie, each in a folder named by its step."""
    return path.absolute() / CHECKPOINTS / f"group-{group:03d}" / f"chunk-{chunk:05d}"


def last_checkpoint(folder: Path) -> int | None:
    """The step of the last whole checkpoint in a chunk's folder."""
    steps = [int(entry.name) for entry in folder.iterdir() if entry.name.isdigit()] if folder.is_dir() else []
    return max(steps, default=None)


def save_checkpoint(folder: Path, step: int, parts: Mapping[str, PyTree[np.ndarray]]) -> None:
    """Write a checkpoint and then drop the ones before it.

    Args:
        parts: trees by name, which can be loaded one without the other.

    Raises:
        RunError: it cannot be written; the one before it is still there.
    """
    # A name of this process's own: what another one, killed or not, has left under way is not in the way.
    aside = folder / f".{step}.{os.getpid()}"
    with files.writing(folder / str(step)):
        files.make_folder(folder)
        # Asked for first: orbax's threads each print a traceback where there is no room.
        files.require_room(folder, memory.tree_bytes(parts))
        shutil.rmtree(aside, ignore_errors=True)
        try:
            orbax.save_checkpointables(str(aside), dict(parts))
            files.put_folder(aside, folder / str(step))
        except BaseException:
            for half in folder.glob(f"{aside.name}*"):
                shutil.rmtree(half, ignore_errors=True)
            raise
        for entry in folder.iterdir():
            if entry.name != str(step):
                shutil.rmtree(entry, ignore_errors=True)


def load_checkpoint(checkpoint: Path, like: Mapping[str, PyTree[Any]]) -> dict[str, PyTree[np.ndarray]]:
    """These parts of a checkpoint, each with the structure and types of `like`, as NumPy arrays of the saved shapes.

    Raises:
        RunError: it is damaged or of another structure.
    """
    try:
        wanted = jax.tree.map(lambda leaf: np.zeros(1, leaf.dtype), dict(like))
        return orbax.load_checkpointables(str(checkpoint), wanted)
    except Exception as error:  # orbax and TensorStore have many types for what is damaged
        raise RunError(f"run: the checkpoint {checkpoint} is damaged: {one_line(error)}") from None


def require_checkpoints(path: Path, plan: Plan) -> None:
    """Refuse to train a run again that was complete and has lost a checkpoint.

    Raises:
        RunError: with the chunk whose checkpoint is lost.
    """
    manifest = load_manifest(path)
    if manifest.get("status") != "complete":
        return
    for number, entry in enumerate(manifest["groups"]):
        for chunk in range(len(cut(plan, entry))):
            folder = chunk_folder(path, number, chunk)
            if last_checkpoint(folder) is None:
                raise RunError(
                    f"run: {folder} has lost its checkpoint; the run was complete, and its results still are"
                )


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
    for number, entry in enumerate(load_manifest(path).get("groups", [])):
        if configuration in entry["configurations"]:
            for chunk, members in enumerate(cut(plan, entry)):
                if (configuration, seed) in members:
                    return chunk_folder(path, number, chunk), members.index((configuration, seed))
    raise RunError(f"configuration: {configuration} has not started training")


def cut(plan: Plan, entry: Mapping[str, Any]) -> list[list[tuple[int, int]]]:
    """The members of each chunk of a group, of which the manifest has this entry."""
    return groups.chunks(groups.blocks_of(plan, entry["configurations"]), entry["members_per_chunk"])
