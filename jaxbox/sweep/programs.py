"""The compiled programs of this process: those used last are kept, for runs that grow or follow each other."""

import gc
import itertools
import threading
from collections.abc import Sequence
from typing import Any

from cachetools import LRUCache

from jaxbox.training.groups import Group
from jaxbox.training.population import Population

KEPT = 16
"""A network's programs have some 1,500 memory maps, of which Linux allows a process 65,530."""

_kept: LRUCache[Any, Population] = LRUCache(KEPT)
_made = itertools.count(1)
_one_at_a_time = threading.Lock()
_underway: set[Population] = set()


def compiled(group: Group, size: int, devices: Sequence[Any], drops: bool = False) -> Population:
    """The programs of a group for chunks of this size, compiled unless that was done; any thread may ask.

    Args:
        drops: they leave out members that are dropped (`Population`).
    """
    key = group.static, size, tuple(devices), drops
    with _one_at_a_time:
        found = _kept.get(key)
    if found is None:
        found = Population(group, size, devices, exactly=True, drops=drops)
        _underway.add(found)
        try:
            found.compile()
        finally:
            _underway.discard(found)
        with _one_at_a_time:
            _kept[key] = found
        # They are in cycles, so that forgetting them does not let them go.
        if next(_made) % KEPT == 0:
            gc.collect()
    return found.of(group)


def underway() -> bool:
    """Whether some thread compiles one now."""
    return bool(_underway)
