"""Names that fields had in earlier versions, so that what was stored under them can still be read."""

from collections.abc import Mapping
from typing import Any

MOVED = {"task.train_size": "data.train_size", "shared_batches": "data.shared_batches"}
"""Dotted paths: where a field was, and where it is."""


def migrated(values: Mapping[str, Any]) -> dict[str, Any]:
    """A stored configuration, as nested dictionaries, with its fields where they are now.

    What is no dictionary where a section should be is left as it is, for `from_dict` to refuse.
    """
    new = {key: dict(value) if isinstance(value, dict) else value for key, value in values.items()}
    for old, path in MOVED.items():
        section, _, name = old.rpartition(".")
        holder = new.get(section) if section else new
        if isinstance(holder, dict) and name in holder:
            section, _, moved = path.rpartition(".")
            new.setdefault(section, {})[moved] = holder.pop(name)
    return new
