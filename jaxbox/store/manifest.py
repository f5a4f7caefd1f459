"""A run's manifest: its status, what it measures, what its last bits depend on, and what sessions and groups say."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from jaxbox.config import RunError
from jaxbox.store import bits, cuts, files
from jaxbox.store.folder import CHECKPOINTS, MANIFEST
from jaxbox.store.sessions import load_sessions
from jaxbox.training.metrics import FINALS, MEASURES

TIMES = ("seconds", "compile_seconds")


def load_manifest(path: Path) -> dict[str, Any]:
    """The run's manifest, with its sessions and with the groups that have begun; empty before the first is written.

    Raises:
        RunError: it is damaged, or missing though there are checkpoints.
    """
    content = _load(path)
    if not content:
        return {}
    sessions = [*content.get("sessions", []), *load_sessions(path)]
    earlier = {number: dict(entry, number=number) for number, entry in enumerate(content.get("groups", []))}
    entries = {number: entry for number, entry in earlier.items() if "configurations" in entry}
    for cut in cuts.load_all(path):
        entries[cut["number"]] = {"seconds": 0.0} | earlier.get(cut["number"], {}) | cut
    for session in sessions:
        for number, times in session.get("groups", {}).items():
            if entry := entries.get(int(number)):
                entry |= {name: entry.get(name, 0.0) + times[name] for name in TIMES}
    return content | {"sessions": sessions, "groups": [entries[number] for number in sorted(entries)]}


def _load(path: Path) -> dict[str, Any]:
    file = path / MANIFEST
    try:
        return json.loads(file.read_text())
    except FileNotFoundError:
        if (path / CHECKPOINTS).exists():
            raise RunError(f"run: {file} is missing: without it, checkpoints cannot be matched to members") from None
        return {}
    except ValueError as error:
        raise RunError(f"run: {file} is damaged: {error}") from None


def save_manifest(path: Path, content: Mapping[str, Any]) -> None:
    """Replace the run's manifest.

    Raises:
        RunError: it cannot be written.
    """
    files.write_json(path / MANIFEST, content)


def seconds_by_configuration(content: Mapping[str, Any]) -> dict[int, float]:
    """The wall time of each configuration of a manifest: an equal share of its group's."""
    return {
        index: entry["seconds"] / len(entry["configurations"])
        for entry in content["groups"]
        for index in entry["configurations"]
    }


def drop_of(content: Mapping[str, Any]) -> str:
    """Which members a run with this manifest does not train on (`sweep.preparing.DROP`)."""
    return content.get("drop", "none")


class Manifest:
    """A run's manifest file. Only the process that holds the run writes it; what others add are files of their own.

    Args:
        path: the run's folder.
        now: what the bits of this process, or of its workers, depend on (`bits.describe`).

    Raises:
        RunError: it is damaged, cannot be written, or other things were measured than now.
    """

    def __init__(self, path: Path, now: Mapping[str, Any]):
        self.path = path
        self.content: dict[str, Any] = {"status": "running", **_load(path)}
        measured = [*MEASURES, *FINALS]
        other = set(self.content.setdefault("measures", measured)) ^ set(measured)
        if other:
            raise RunError(f"run: {path} was begun with other measures ({', '.join(sorted(other))}); start a new run")
        self.content.setdefault("begun_with", _of_old(self.content) or now)
        for number, entry in enumerate(self.content.get("groups", [])):
            if "members_per_chunk" in entry:  # a version before this one kept the cut here
                _pin(path, number, entry)

    def begin(
        self,
        outside: Mapping[str, Any],
        members_per_chunk: int | None,
        keep: str | None,
        until: tuple[str, int] | None = None,
    ) -> None:
        """The run trains.

        Args:
            outside: each file from outside that its plan names.
            members_per_chunk: what was asked for, if anything was; else what was asked for before.
            keep: likewise.
            until: rule and most seeds, of a run that grows until it is decided.
        """
        if until is not None:
            self.content["until"] = dict(zip(("rule", "max_seeds"), until, strict=True))
        if keep is not None:
            self.content["keep"] = keep
        if members_per_chunk is not None or "members_per_chunk" not in self.content:
            self.content["members_per_chunk"] = members_per_chunk
        self.content["outside"] = outside
        self.finish("running")

    def finish(self, status: str, stopped_by: str = "") -> None:
        """Write the status, and what stopped the run before its end: a signal or the time."""
        self.content["status"], self.content["stopped_by"] = status, stopped_by
        save_manifest(self.path, self.content)


def new_manifest(
    now: Mapping[str, Any], outside: Mapping[str, Any], members_per_chunk: int | None, drop: str | None = None
) -> dict[str, Any]:
    """The manifest of a run that nobody has begun. Arguments as `Manifest` and `Manifest.begin`.

    Args:
        drop: which members are not trained on (`sweep.preparing.DROP`); said once, for good.
    """
    content = {"status": "running", "measures": [*MEASURES, *FINALS], "begun_with": now}
    content |= {"drop": drop} if drop else {}
    return content | {"outside": outside, "members_per_chunk": members_per_chunk}


def _pin(path: Path, number: int, entry: Mapping[str, Any]) -> None:
    cuts.pin(path, number, entry["configurations"], entry["batches"], lambda: entry["members_per_chunk"])


def _of_old(content: Mapping[str, Any]) -> dict[str, Any]:
    """What the last session of a version that did not keep it says of what bits depend on."""
    if not content.get("sessions"):
        return {}
    session = content["sessions"][-1]
    versions = ", ".join(f"{name} {session['versions'].get(name)}" for name in bits.PACKAGES)
    precision = session.get("matmul_precision", "default")
    return {"devices": len(session["devices"]), "matmul_precision": precision, "versions": versions}
