"""Where a run's numbers come from: versions, revisions, commands, devices, dates; from its manifest, as text."""

from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Any

from analysis.report.gather import Gathered
from jaxbox.store.sessions import describe

UNKNOWN = "unknown"


def provenance(run: Gathered) -> list[tuple[str, str]]:
    """(what, value), in the order in which one asks. No time of making: the same run gives the same page."""
    sessions, attributes = run.manifest.get("sessions", []), run.compared.attrs
    seconds = sum(session.get("wall_seconds", 0.0) for session in sessions)
    return [
        ("run", attributes["run"]),
        ("experiment", attributes["experiment"] or "none by name"),
        ("status", run.manifest.get("status", UNKNOWN)),
        ("configurations × seeds", f"{len(run.plan.configurations)} × {run.plan.seed_count}"),
        ("fingerprint", run.plan.fingerprint),
        ("command", _each(session.get("command", UNKNOWN) for session in sessions)),
        ("started", _each(session.get("started", UNKNOWN) for session in sessions)),
        ("wall time", str(timedelta(seconds=round(seconds))) + (f" in {len(sessions)} sessions" * (len(sessions) > 1))),
        ("made by", f"jaxbox {attributes['version']}"),
        ("source revision", _each(_revision(session.get("git")) for session in sessions)),
        ("Python", _each(session.get("python", UNKNOWN) for session in sessions)),
        ("packages", _each(_versions(session.get("versions", {})) for session in sessions)),
        ("devices", _each(", ".join(session.get("devices", [])) or UNKNOWN for session in sessions)),
        ("machine", _each(session.get("machine", UNKNOWN) for session in sessions)),
        ("matrix products", _each(_precision(session.get("matmul_precision")) for session in sessions)),
        ("this page", _maker()),
    ]


def _each(values: Iterable[str]) -> str:
    """The different values over the sessions, in order."""
    return "; then ".join(dict.fromkeys(values)) or UNKNOWN


def _revision(git: Mapping[str, Any] | None) -> str:
    if not git:
        return "not from a checkout"
    return git["revision"] + (", with changes that are not committed" if git["dirty"] else "")


def _versions(versions: Mapping[str, str]) -> str:
    return ", ".join(f"{name} {version}" for name, version in versions.items()) or UNKNOWN


def _precision(name: str | None) -> str:
    return f"precision {name}; training in float32, this page in float64"


def _maker() -> str:
    own = describe([])
    return f"jaxbox {own['versions']['jaxbox']}, Python {own['python']}, source revision {_revision(own['git'])}"
