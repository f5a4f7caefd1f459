"""Which runs a page's numbers are from: their sizes, versions, and digests by which one can tell them from others."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
import xarray

from jaxbox import store

UNKNOWN = "unknown"
DIGESTED = {"loss": "<f4", "last_step": "<i4"}
"""Variables of a run whose bytes are its digest: every loss at every evaluation, and where each member got to."""


@dataclasses.dataclass(frozen=True)
class Origin:
    """A run. `seeds`: the fewest and the most that a configuration has; None without results, as `digest` is empty."""

    name: str
    status: str
    members: int
    seeds: tuple[int, int] | None
    versions: str
    plan: str
    digest: str


def origins(folder: Path, names: Iterable[str]) -> list[Origin]:
    """Those of the named runs that exist.

    Raises:
        RunError: a run that is damaged.
    """
    return [_origin(folder / name) for name in names if (folder / name / store.CONFIGURATION).exists()]


def _origin(path: Path) -> Origin:
    manifest = store.load_manifest(path)
    sessions = manifest.get("sessions", [])
    versions = sessions[-1].get("versions", {}) if sessions else {}
    told = ", ".join(f"{name} {versions.get(name, UNKNOWN)}" for name in ("jaxbox", "jax"))
    status = manifest.get("status", UNKNOWN)
    if not (path / store.RESULTS).exists():  # not begun, or killed before its first results
        return Origin(path.name, status, 0, None, told, store.load_plan(path).fingerprint, "")
    run, plan = store.open_with_plan(path)
    begun = (run["last_step"].transpose("configuration", "seed").values >= 0).sum(1)
    seeds = (int(begun.min()), int(begun.max()))
    return Origin(path.name, status, int(begun.sum()), seeds, told, plan.fingerprint, digest(run))


def digest(run: xarray.Dataset) -> str:
    """SHA-256 of the numbers, in the same order of bytes on every machine."""
    found = hashlib.sha256()
    for name, kind in DIGESTED.items():
        found.update(np.ascontiguousarray(run[name].values, kind).tobytes())
    return found.hexdigest()


def summary(origins: Sequence[Origin]) -> str:
    """All of them in a line, with one digest of all; empty where there is none."""
    if not origins:
        return ""
    # Without the plans: a field that configurations get later, at its default, makes another plan of the same numbers.
    every = "".join(sorted(f"{each.name} {each.digest}\n" for each in origins))
    versions = "; ".join(dict.fromkeys(each.versions for each in origins))
    members = sum(each.members for each in origins)
    digest_of_all = hashlib.sha256(every.encode()).hexdigest()[:16]
    return f"{len(origins)} runs, {members:,} networks, {versions}, SHA-256 of their numbers {digest_of_all}"
