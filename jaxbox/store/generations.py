"""Which results are the run's: each set has a mark of its own, the one before is kept, and a reader stays with its own.

So a run can be read while it trains and grows: what was opened stays readable until the results have changed twice.
"""

import json
import time
import uuid
from collections.abc import Mapping
from pathlib import Path

from jaxbox.config import RunError
from jaxbox.store import files
from jaxbox.store.folder import CONFIGURATION, RESULTS

BEFORE = f".{RESULTS}.before"
"""The results that the run's have replaced."""
GENERATION, FINGERPRINT = "generation", "fingerprint"
"""Attributes of results: their mark, and the fingerprint of the plan that they are of."""
MARKS = (GENERATION, FINGERPRINT)
PATIENCE = 5.0
"""Seconds that a reader waits for results that are about to take their place."""


class GoneError(RunError):
    """The results that were opened have been replaced twice."""


def new_marks(path: Path) -> dict[str, str]:
    """The attributes of results that are about to be written for a run."""
    return {GENERATION: uuid.uuid4().hex, FINGERPRINT: planned(path)}


def put(aside: Path, path: Path) -> None:
    """Make finished results those of the run, and keep the ones before."""
    files.sync_tree(aside)
    files.discard(path / BEFORE)
    if (path / RESULTS).exists():
        (path / RESULTS).rename(path / BEFORE)
    aside.rename(path / RESULTS)
    files.sync_folder(path)


def current(path: Path) -> dict[str, str]:
    """The attributes of the run's results, MARKS among them; those of a version that had none have no marks.

    Raises:
        RunError: there are none yet, or they are those of the run before it grew.
    """
    limit = time.monotonic() + PATIENCE
    while True:
        found = _marks(path / RESULTS)
        # The plan of thousands of configurations takes a while to read.
        if found is not None and is_of(found, planned(path)):
            return found
        if found is None and not (path / BEFORE).exists():
            raise RunError(f"run: {path} has no results yet; go on with it: python -m jaxbox.sweep --resume {path}")
        if time.monotonic() > limit:
            raise RunError(
                f"run: {path} has grown, or was killed, and its results have not been gathered since; go on with it: "
                f"python -m jaxbox.sweep --resume {path}"
            )
        time.sleep(0.01)


def is_of(marks: Mapping[str, str], fingerprint: str) -> bool:
    """Whether results with these attributes are of the plan with this fingerprint; those of old are of any."""
    return marks.get(FINGERPRINT, fingerprint) == fingerprint


def folder_of(path: Path, generation: str) -> Path:
    """Where the results with this mark are now.

    Raises:
        GoneError: nowhere.
    """
    for folder in (path / RESULTS, path / BEFORE):
        if (_marks(folder) or {}).get(GENERATION, "") == generation:
            return folder
    raise GoneError(f"run: the results of {path} have changed twice since they were opened; open them again")


def _marks(folder: Path) -> dict[str, str] | None:
    """The attributes of results; none where they are not, or cannot be read."""
    try:
        return json.loads((folder / "zarr.json").read_text())["attributes"]
    except FileNotFoundError:
        return {} if folder.is_dir() else None  # format 2 of zarr has no such file, nor had its results a mark
    except (OSError, ValueError, KeyError):
        return {}


def planned(path: Path) -> str:
    """The fingerprint of the run's plan; empty if it cannot be read."""
    try:
        return json.loads((path / CONFIGURATION).read_text())["fingerprint"]
    except (OSError, ValueError, KeyError, TypeError):
        return ""
