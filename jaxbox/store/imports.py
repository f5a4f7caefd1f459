"""Imports the code from outside that a run names, for who trains or loads members: says so, and refuses other code."""

import dataclasses
import sys
from pathlib import Path
from typing import Any

from jaxbox import config
from jaxbox.config import ConfigurationError, Plan, RunError, outside
from jaxbox.store.manifest import load_manifest


def hashes(plan: Plan) -> dict[str, dict[str, str]]:
    """Each outside file of a plan as its names have it (mine.py, or a module): where it is, and its SHA-256.

    Raises:
        ConfigurationError: there is none, or it has changed since it was imported.
    """
    found = {}
    for name, field in plan.outside().items():
        file = outside.file_of(field, name)
        found[outside.split(name)[0]] = {"file": str(file), "sha256": outside.sha256(file)}
    return found


def import_named(path: Path, plan: Plan) -> Plan:
    """A run's plan, with sections of the classes that its code from outside names; says on stderr what it imports.

    Raises:
        NotExecuted: in `outside.reading`.
        RunError: a file that is not there, does not import, or is not the one with which the run was made.
    """
    for name, field in plan.outside().items():
        outside.refuse_while_reading(field, name)
    manifest = load_manifest(path)
    try:
        found = hashes(plan)
        if manifest:
            for place, now in found.items():
                _require_same(path, place, now, manifest.get("outside", {}).get(place))
        for name, field in plan.outside().items():
            file = outside.file_of(field, name)
            if not outside.is_imported(file):
                print(f"jaxbox: importing {file}, which {path} names as its {field}", file=sys.stderr)
            outside.load(field, name)
        return dataclasses.replace(plan, configurations=tuple(map(config.fit, plan.configurations)))
    except ConfigurationError as error:
        raise RunError(f"run: {path}: {error}{_was_at(manifest)}") from error


def _require_same(path: Path, place: str, now: dict[str, str], before: Any) -> None:
    """Refuse a file whose content is not that with which the run was made."""
    then = before.get("sha256") if isinstance(before, dict) else None
    if now["sha256"] != then:
        raise RunError(
            f"run: {path} was made with another {place}: {now['file']} has SHA-256 {now['sha256'][:12]}, the manifest "
            f"{str(then)[:12]}; put that file back, or start a new run"
        )


def _was_at(manifest: dict[str, Any]) -> str:
    """Where the files were, for who starts from another folder."""
    files = [str(each["file"]) for each in manifest.get("outside", {}).values()]
    return f" (when the run was made: {', '.join(files)})" if files else ""
