"""Gathers the results of a run from its checkpoints, a block of configurations after the other."""

import contextlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import xarray
from cachetools import LRUCache

from jaxbox.config import Plan
from jaxbox.store import archive, chunks, cuts, results
from jaxbox.store.folder import describe
from jaxbox.store.manifest import drop_of, seconds_by_configuration
from jaxbox.training import memory

BLOCK_BYTES = 2**26
"""A block has about as many bytes, but at least one configuration with all of its seeds."""
READ_BYTES = 2**27
"""As much of what was read is kept: a run that grows gathers the same chunks again and again."""
_read: LRUCache[Any, dict[str, np.ndarray]] = LRUCache(READ_BYTES, getsizeof=memory.tree_bytes)


def gather(path: Path, plan: Plan, manifest: Mapping[str, Any]) -> None:
    """Replace the results of a run by what its checkpoints have.

    Args:
        path: the run's folder, held by this process.
        manifest: which groups have begun, and how they are cut.

    Raises:
        RunError: a checkpoint is damaged, or the results cannot be written.
    """
    drops = drop_of(manifest) != "none"
    found = [measures for cut in manifest["groups"] if (measures := _any_measures(path, plan, cut, drops))]
    sizes, sampled = results.lengths(found), results.sampled(found)
    each = max(1, results.dataset_bytes(plan, sizes, sampled) // len(plan.configurations))
    length = max(1, BLOCK_BYTES // each)

    def blocks() -> Iterator[xarray.Dataset]:
        seconds, run = seconds_by_configuration(manifest), describe(path)
        for start in range(0, len(plan.configurations), length):
            block = range(len(plan.configurations))[start : start + length]
            members = {}
            for cut in manifest["groups"]:
                members |= _members(path, plan, cut, block, drops)
            yield results.dataset(plan, members, seconds, run, block, sizes, sampled, drops)

    archive.save_results(path, blocks())


def _members(
    path: Path, plan: Plan, cut: Mapping[str, Any], block: range, drops: bool
) -> dict[tuple[int, int], dict[str, np.ndarray]]:
    """What there is of the members of a group that are in the block: (configuration, seed) -> arrays of `allocate`."""
    found = {}
    if not any(index in block for index in cut["configurations"]):
        return found
    for number, chunk in enumerate(cuts.chunks(plan, cut)):
        members = chunk.members
        rows = [row for row, (index, _) in enumerate(members) if index in block]
        measures = _measures(path, plan, cut, number, drops) if rows else None
        if measures:
            found |= {members[row]: {name: array[row] for name, array in measures.items()} for row in rows}
    return found


def _any_measures(path: Path, plan: Plan, cut: Mapping[str, Any], drops: bool) -> dict[str, np.ndarray] | None:
    """The measures of the first chunk of a group that has a checkpoint."""
    found = (_measures(path, plan, cut, chunk, drops) for chunk in range(len(cuts.chunks(plan, cut))))
    return next(filter(None, found), None)


def _measures(path: Path, plan: Plan, cut: Mapping[str, Any], chunk: int, drops: bool) -> dict[str, np.ndarray] | None:
    """What a chunk's last checkpoint has measured."""
    folder = chunks.chunk_folder(path, cut["number"], chunk)
    identity = _identity(folder)
    if (kept := _read.get(identity)) is not None:
        return kept
    like = results.like(plan.configurations[cut["configurations"][0]], cut["batches"] == "windows", drops)
    found: Any = chunks.load_last(folder, {"measures": like})
    measures = found and found[1]["measures"]
    if measures and _identity(folder) == identity:
        with contextlib.suppress(ValueError):  # larger than all that is kept
            _read[identity] = measures
    return measures


def _identity(folder: Path) -> tuple[Path, int, int] | None:
    """Of a chunk's last checkpoint, which nobody writes into once it has its name."""
    step = chunks.last_checkpoint(folder)
    try:
        found = (folder / str(step)).stat()
    except FileNotFoundError:
        return None
    return folder / str(step), found.st_ino, found.st_mtime_ns
