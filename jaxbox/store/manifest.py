"""Where a run's numbers come from: versions, machine, source revision, command line."""

import json
import platform
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import jax

from jaxbox.config import RunError, Static, tables
from jaxbox.store import files
from jaxbox.store.folder import CHECKPOINTS, MANIFEST
from jaxbox.training.metrics import FINALS, MEASURES

PACKAGES = ("jaxbox", "jax", "jaxlib", "flax", "optax", "numpy", "xarray", "zarr", "orbax-checkpoint")


def load_manifest(path: Path) -> dict[str, Any]:
    """The run's manifest, empty before the first is written.

    Raises:
        RunError: it is damaged, or missing though there are checkpoints.
    """
    file = path / MANIFEST
    if not file.exists():
        if (path / CHECKPOINTS).exists():
            raise RunError(f"run: {file} is missing: without it, checkpoints cannot be matched to members")
        return {}
    try:
        return json.loads(file.read_text())
    except ValueError as error:
        raise RunError(f"run: {file} is damaged: {error}") from None


def save_manifest(path: Path, content: dict[str, Any]) -> None:
    """Replace the run's manifest.

    Raises:
        RunError: it cannot be written.
    """
    files.write_json(path / MANIFEST, content)


def require_measures(path: Path, content: dict[str, Any]) -> None:
    """Keep the names of what is measured in a manifest; refuse to go on with a run of which other things are.

    Raises:
        RunError: with the measures that differ.
    """
    measured = [*MEASURES, *FINALS]
    other = set(content.setdefault("measures", measured)) ^ set(measured)
    if other:
        raise RunError(f"run: {path} was begun with other measures ({', '.join(sorted(other))}); start a new run")


def seconds_by_configuration(content: Mapping[str, Any]) -> dict[int, float]:
    """The wall time of each configuration of a manifest: an equal share of its group's."""
    return {
        index: entry["seconds"] / len(entry["configurations"])
        for entry in content["groups"]
        for index in entry["configurations"]
    }


class Manifest:
    """A run's manifest, on disk after each `save`. Sessions are listed, and their times add up, over resumes."""

    def __init__(self, path: Path, devices: Sequence[Any]):
        self.path = path
        self.content = {"status": "running", "sessions": [], "groups": [], **load_manifest(path)}
        require_measures(path, self.content)
        self.content["status"] = "running"
        self.content["sessions"].append(describe(devices))
        self._start = time.monotonic()
        self.save()

    def changes(self) -> str:
        """A line that says what differs between this session and the one before, of what last bits depend on."""
        if len(self.content["sessions"]) < 2:
            return ""
        before, now = self.content["sessions"][-2:]
        names = [name for name in ("versions", "devices", "matmul_precision") if before.get(name) != now[name]]
        return (
            f"this session has other {' and '.join(names)} than the one before: last bits may differ" if names else ""
        )

    def save(self) -> None:
        """Write it, with the wall time of this session so far."""
        self.content["sessions"][-1]["wall_seconds"] = time.monotonic() - self._start
        save_manifest(self.path, self.content)

    def group(self, number: int, configurations: list[int], static: Static) -> dict[str, Any]:
        """The entry of a group, to be changed in place."""
        groups = self.content["groups"]
        if number == len(groups):
            batches = "windows" if tables.uses_windows(static.configuration) else "images"
            groups.append({"configurations": configurations, "seconds": 0.0, "batches": batches})
        groups[number]["configurations"] = configurations  # of a run that has grown there are more
        return groups[number]

    def finish(self, status: str, stopped_by: str = "") -> None:
        """Write the final status, and what stopped the run before its end: a signal or the time."""
        self.content["status"], self.content["stopped_by"] = status, stopped_by
        self.save()


def describe(devices: Sequence[Any]) -> dict[str, Any]:
    """Facts about this process, ready for JSON; `git` is None outside a checkout."""
    settings: Any = jax.config
    return {
        "started": datetime.now(UTC).isoformat(timespec="seconds"),
        "command": " ".join([Path(sys.argv[0]).name, *sys.argv[1:]]),
        "python": platform.python_version(),
        "machine": platform.machine(),
        "versions": {name: version(name) for name in PACKAGES},
        "matmul_precision": settings.jax_default_matmul_precision or "default",
        "devices": [f"{device.platform}:{device.id} {device.device_kind}" for device in devices],
        "git": _git(),
    }


def _git() -> dict[str, Any] | None:
    def ask(*words: str) -> str:
        folder = Path(__file__).parent
        return subprocess.run(["git", *words], cwd=folder, capture_output=True, text=True, check=True).stdout.strip()

    try:
        return {"revision": ask("rev-parse", "HEAD"), "dirty": bool(ask("status", "--porcelain"))}
    except (OSError, subprocess.CalledProcessError):
        return None
