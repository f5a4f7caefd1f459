"""Where a run's numbers come from: versions, machine, source revision, command line."""

import platform
import subprocess
import sys
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import jax

from jaxbox import store

PACKAGES = ("jax", "jaxlib", "flax", "optax", "numpy", "xarray", "zarr", "orbax-checkpoint")


class Manifest:
    """A run's manifest, on disk after each `save`. Sessions are listed, and their times add up, over resumes."""

    def __init__(self, path: Path, devices: Sequence[Any]):
        self.path = path
        self.content = {"status": "running", "sessions": [], "groups": [], **store.load_manifest(path)}
        self.content["status"] = "running"
        self.content["sessions"].append(describe(devices))
        self._start = time.monotonic()
        self.save()

    def save(self) -> None:
        """Write it, with the wall time of this session so far."""
        self.content["sessions"][-1]["wall_seconds"] = time.monotonic() - self._start
        store.save_manifest(self.path, self.content)

    def group(self, number: int, configurations: list[int]) -> dict[str, Any]:
        """The entry of a group, to be changed in place."""
        groups = self.content["groups"]
        if number == len(groups):
            groups.append({"configurations": configurations, "seconds": 0.0})
        return groups[number]

    def seconds_by_configuration(self) -> dict[int, float]:
        """The wall time of each configuration: an equal share of its group's."""
        return {
            index: entry["seconds"] / len(entry["configurations"])
            for entry in self.content["groups"]
            for index in entry["configurations"]
        }

    def finish(self, status: str) -> None:
        """Write the final status."""
        self.content["status"] = status
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
