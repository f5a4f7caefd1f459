"""Where a comparison's numbers come from: the machine, the versions of all packages, the source revision."""

import platform
from collections.abc import Iterable
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import psutil

from jaxbox.bench.sides import SIDES
from jaxbox.store import sessions
from jaxbox.training import devices


def describe(names: Iterable[str]) -> dict[str, Any]:
    """Facts ready for JSON, of the machine and of the packages that these sides need."""
    facts = sessions.describe([])
    packages = sorted({package for name in names for package in SIDES[name].needs})
    facts["versions"] |= {package: _version(package) for package in packages}
    facts["processor"] = _processor()
    facts["cores"] = devices.cores()
    facts["memory_bytes"] = psutil.virtual_memory().total
    return facts


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "unknown"


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor()
    return next((line.split(":")[1].strip() for line in lines if line.startswith("model name")), platform.processor())
