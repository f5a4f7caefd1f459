"""What fields were in earlier versions, by name and by what is now asked for, so that what was stored can be read."""

from collections.abc import Mapping
from typing import Any

MOVED = {"task.train_size": "data.train_size", "shared_batches": "data.shared_batches"}
"""Dotted paths: where a field was, and where it is."""
BEFORE = {"eval_positions": 0}
"""Fields of the configuration itself that have come since, and what was done before there was a choice: their defaults
may be another, and a run goes on as it has begun."""


def migrated(values: Mapping[str, Any]) -> dict[str, Any]:
    """A stored configuration, as nested dictionaries, with its fields where they are now, and those since then.

    What is no dictionary where a section should be is left as it is, for `from_dict` to refuse.
    """
    new = {key: dict(value) if isinstance(value, dict) else value for key, value in values.items()}
    for old, path in MOVED.items():
        section, _, name = old.rpartition(".")
        holder = new.get(section) if section else new
        if isinstance(holder, dict) and name in holder:
            section, _, moved = path.rpartition(".")
            new.setdefault(section, {})[moved] = holder.pop(name)
    return BEFORE | new
