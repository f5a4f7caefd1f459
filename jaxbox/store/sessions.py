"""Sessions: what each process did for a run, in a file that no other process writes.

sessions/STARTED-HOST-PID.json holds where its numbers come from (`describe`), and how long each group took it.
"""

import json
import os
import platform
import socket
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import jax
import psutil

from jaxbox.config import RunError
from jaxbox.store import files

SESSIONS = "sessions"
SILENT_SECONDS = 6 * 3600.0
"""A process of another machine that has saved nothing for so long is taken for lost."""
PACKAGES = ("jaxbox", "jax", "jaxlib", "flax", "optax", "numpy", "xarray", "zarr", "orbax-checkpoint")


class Session:
    """What this process does for a run, on disk after each `save`.

    Args:
        path: the run's folder.
        devices: on which it trains.
        part: which share of the chunks it has, as `--part` says; empty for all of them.
    """

    def __init__(self, path: Path, devices: Sequence[Any], part: str = ""):
        self.content: dict[str, Any] = {**describe(devices), "host": socket.gethostname(), "pid": os.getpid()}
        self.content |= {"part": part, "groups": {}, "failures": [], "ended": False}
        self._start = time.monotonic()
        stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%S.%f")
        self.file = path / SESSIONS / f"{stamp}-{self.content['host']}-{os.getpid()}.json"
        with files.writing(self.file):
            files.make_folder(self.file.parent)
        self.save()

    def save(self) -> None:
        """Write it, with the wall time so far.

        Raises:
            RunError: it cannot be written.
        """
        self.content["wall_seconds"] = time.monotonic() - self._start
        files.write_json(self.file, self.content)

    def spend(self, group: int, seconds: float, compile_seconds: float) -> None:
        """A group has taken this long in all, of which compiling its program took so much."""
        self.content["groups"][str(group)] = {"seconds": seconds, "compile_seconds": compile_seconds}

    def fail(self, group: int, chunk: int, steps: int, error: str) -> None:
        """A chunk of a group could not be trained to this step, its last."""
        self.content["failures"].append({"group": group, "chunk": chunk, "steps": steps, "error": error})
        self.save()

    def end(self, stopped_by: str = "") -> None:
        """The process is done, or has stopped before: what stopped it, a signal or the time."""
        self.content |= {"ended": True, "stopped_by": stopped_by}
        self.save()


def load_sessions(path: Path) -> list[dict[str, Any]]:
    """Every session of a run, in the order in which they started; `saved` is when its file was written, a time stamp.

    Raises:
        RunError: one is damaged.
    """
    found = []
    for file in sorted((path / SESSIONS).glob("*.json")):
        try:
            found.append(json.loads(file.read_text()) | {"saved": file.stat().st_mtime})
        except ValueError as error:
            raise RunError(f"run: {file} is damaged: {error}") from None
    return found


def own_session(path: Path) -> dict[str, Any]:
    """The last session of this process.

    Raises:
        RunError: a session's file is damaged.
    """
    host, process = socket.gethostname(), os.getpid()
    return [each for each in load_sessions(path) if (each["host"], each["pid"]) == (host, process)][-1]


def may_be_alive(session: Mapping[str, Any], others_only: bool = False) -> bool:
    """Whether a session has not ended, its process being on this machine and there, or on another and heard of lately.

    Args:
        others_only: not that of this process.
    """
    if session.get("ended", True):
        return False
    if session["host"] != socket.gethostname():
        return time.time() - session["saved"] < SILENT_SECONDS
    own = others_only and session["pid"] == os.getpid()
    return not own and psutil.pid_exists(session["pid"])


def failures(path: Path) -> list[dict[str, Any]]:
    """The `group`, the `chunk`, the last step (`steps`) and the `error` of each chunk that a session has given up.

    Raises:
        RunError: a session's file is damaged.
    """
    return [each for session in load_sessions(path) for each in session["failures"]]


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
