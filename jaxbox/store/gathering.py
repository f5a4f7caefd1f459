"""Gathers the results of a run from its checkpoints, a block of configurations after the other."""

from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import xarray

from jaxbox.config import Plan
from jaxbox.store import archive, chunks, results
from jaxbox.store.folder import describe
from jaxbox.store.manifest import seconds_by_configuration

BLOCK_BYTES = 2**26
"""A block has about as many bytes, but at least one configuration with all of its seeds."""


def gather(path: Path, plan: Plan, manifest: Mapping[str, Any]) -> None:
    """Replace the results of a run by what its checkpoints have.

    Args:
        path: the run's folder, held by this process.
        manifest: which groups have begun, and how they are cut.

    Raises:
        RunError: a checkpoint is damaged, or the results cannot be written.
    """
    read = lru_cache(maxsize=2)(_measures)  # most blocks begin in the chunk in which the one before has ended
    entries = list(enumerate(manifest["groups"]))
    firsts = (_first_checkpoint(path, number) for number, _ in entries)
    layers = max((read(first)["dead_fraction"].shape[-1] for first in firsts if first), default=0)
    each = max(1, results.dataset_bytes(plan, layers) // len(plan.configurations))
    length = max(1, BLOCK_BYTES // each)

    def blocks() -> Iterator[xarray.Dataset]:
        seconds = seconds_by_configuration(manifest)
        for start in range(0, len(plan.configurations), length):
            block = range(len(plan.configurations))[start : start + length]
            members = {}
            for number, entry in entries:
                members |= _members(path, plan, number, entry, block, read)
            yield results.dataset(plan, members, seconds, describe(path), block, layers)

    archive.save_results(path, blocks())


def _members(
    path: Path,
    plan: Plan,
    number: int,
    entry: Mapping[str, Any],
    block: range,
    read: Callable[[Path], dict[str, np.ndarray]],
) -> dict[tuple[int, int], dict[str, np.ndarray]]:
    """What there is of the members of a group that are in the block: (configuration, seed) -> arrays of `allocate`."""
    found = {}
    if not any(index in block for index in entry["configurations"]):
        return found
    for chunk, members in enumerate(chunks.cut(plan, entry)):
        rows = [row for row, (index, _) in enumerate(members) if index in block]
        checkpoint = _last(chunks.chunk_folder(path, number, chunk)) if rows else None
        if checkpoint:
            measures = read(checkpoint)
            found |= {members[row]: {name: array[row] for name, array in measures.items()} for row in rows}
    return found


def _first_checkpoint(path: Path, group: int) -> Path | None:
    return _last(chunks.chunk_folder(path, group, 0))


def _last(folder: Path) -> Path | None:
    step = chunks.last_checkpoint(folder)
    return None if step is None else folder / str(step)


def _measures(checkpoint: Path) -> dict[str, np.ndarray]:
    found: Any = chunks.load_checkpoint(checkpoint, {"measures": results.like()})
    return found["measures"]
