"""How much memory members take, how many fit, and what could never fit."""

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jax
import psutil
from jaxtyping import PyTree

from jaxbox import task
from jaxbox.config import Configuration, ConfigurationError
from jaxbox.training import metrics, probes

CACHE_BYTES = 64 * 2**20
"""On CPU the state of a chunk's members on one device stays near the caches' size: larger chunks gain nothing and
answer Ctrl-C later."""
SHARE_OF_FREE_MEMORY = 1 / 8
"""What the states of all members of a chunk may take at most, of the memory that is free on the host."""
SHARE_OF_ACCELERATOR = 1 / 2
"""What the members of a chunk may take at most, of an accelerator's memory."""
CGROUP = Path("/sys/fs/cgroup")
"""Where Linux says how much memory a container or a job may use, and uses."""
ACCELERATOR_BYTES = 8 * 2**30
"""Assumed of an accelerator that does not say how much memory it has."""


def tree_bytes(tree: PyTree[Any]) -> int:
    """Bytes of all arrays of a tree, which may be abstract."""
    return sum(math.prod(leaf.shape) * leaf.dtype.itemsize for leaf in jax.tree.leaves(tree))


def free_bytes() -> int:
    """Bytes of host memory that are free: of the machine, or of the container or job that this process is in."""
    free = psutil.virtual_memory().available
    try:
        limit = int((CGROUP / "memory.max").read_text())
        statistics = dict(line.split() for line in (CGROUP / "memory.stat").read_text().splitlines())
        used = int((CGROUP / "memory.current").read_text()) - int(statistics["inactive_file"])
    except (OSError, ValueError, KeyError):  # no such system, or no limit ("max")
        return free
    return max(0, min(free, limit - used))


def affordable_members(device: Any, devices: int, state_bytes: int, member_bytes: Callable[[], int]) -> int:
    """How many members may train at once on several devices like this one; at least one a device.

    Args:
        state_bytes: of what one member keeps between steps.
        member_bytes: asks the compiled program how much one member needs in all; called for accelerators only, where
            members go through each step together.
    """
    if device.platform == "cpu":
        per_device = min(CACHE_BYTES, int(free_bytes() * SHARE_OF_FREE_MEMORY) // devices)
        return max(1, per_device // state_bytes) * devices
    limit = (device.memory_stats() or {}).get("bytes_limit", ACCELERATOR_BYTES)
    return max(1, int(limit * SHARE_OF_ACCELERATOR) // member_bytes()) * devices


def result_bytes(configuration: Configuration) -> int:
    """Bytes that one member's results take on the host, from the table of measures; layers are not counted."""
    sizes = {
        "step": configuration.evaluation_count(),
        "split": len(metrics.SPLITS),
        "axis": len(metrics.AXES),
        "layer": 1,
        "kernel": 1,
        "position": task.position_count(configuration.task),
    }
    rows = probes.all_measures(configuration).values()
    return sum(math.prod(sizes[dim] for dim in row.dims) * jax.numpy.dtype(row.dtype).itemsize for row in rows)


def require_fit(field: str, value: Any, needed: int, what: str) -> None:
    """Refuse what cannot fit into the memory that is free.

    Raises:
        ConfigurationError: with the field, its value, and both numbers of bytes.
    """
    free = free_bytes()
    if needed > free:
        raise ConfigurationError(f"{field}: {value} is not allowed; {what} {needed:,} bytes, and {free:,} are free")
