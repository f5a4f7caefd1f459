"""A run's folder: what was asked, and who holds it.

configuration.json   the configurations, the seeds, the fingerprint, the version that made it
manifest.json        status, what is measured, what last bits depend on
sessions/            a file for each process: versions, devices, git revision, command line, times, failures
checkpoints/         group-G/cut.json: how a group is cut into chunks of members
                     group-G/chunk-C/STEP: state and measures so far of a chunk (orbax)
results.zarr         the labelled results, written when the run ends or is interrupted
"""

import json
from collections.abc import Collection, Mapping
from importlib.metadata import version
from pathlib import Path
from typing import IO, Any

from jaxbox import config
from jaxbox.config import ConfigurationError, Plan, RunError, outside, stored, tables
from jaxbox.store import files, sessions

CONFIGURATION, MANIFEST, RESULTS, CHECKPOINTS = "configuration.json", "manifest.json", "results.zarr", "checkpoints"
FORMAT = 3
"""Of the checkpoints; runs of an earlier one can be read, but not gone on with."""
LOADABLE = (2, FORMAT)
"""Formats whose members can be loaded: from one to the next only measures were added. The first had no number."""


def create(
    path: Path,
    plan: Plan,
    overwrite: bool = False,
    manifest: Mapping[str, Any] | None = None,
    join: bool = False,
) -> bool:
    """Make an empty run folder, with a manifest if one is given.

    Args:
        join: leave a run that is there and has the same plan.

    Returns:
        False where that very run is there already.

    Raises:
        RunError: the folder exists (and, with `overwrite`, is not a run; with `join`, is another one), or cannot be
            written.
    """
    try:
        if not join:
            _make_room(path, overwrite)
        files.make_folder(path.parent)
        aside = path.with_name(files.own_name(path.name))
        aside.mkdir()
        content = _content(plan)
        for name, values in ((CONFIGURATION, content), (MANIFEST, manifest)):
            if values is not None:
                (aside / name).write_text(json.dumps(values, indent=1) + "\n")
        made = files.put_folder(aside, path, overwrite)
    except OSError as error:
        raise RunError(f"run: {path} cannot be written: {error.strerror}") from None
    if not made and _load(path)["fingerprint"] != content["fingerprint"]:
        raise RunError(_exists(path))
    return made


def _exists(path: Path) -> str:
    return f"run: {path} exists; give --resume {path} to go on with it, --overwrite, or another --name"


def grow(path: Path, plan: Plan) -> None:
    """Make a run that this process holds one of a larger plan.

    Raises:
        RunError: it cannot be written.
    """
    files.write_json(path / CONFIGURATION, _content(plan))


def _content(plan: Plan) -> dict[str, Any]:
    made, content = {"version": version("jaxbox"), "format": FORMAT, "experiment": plan.experiment}, plan.content()
    return made | {"fingerprint": config.fingerprint(content)} | content


def _make_room(path: Path, overwrite: bool) -> None:
    """Refuse to take the place of anything but an empty folder or, if asked to, of a run that nobody holds."""
    if not path.exists():
        return
    if not overwrite:
        raise RunError(_exists(path))
    if any(path.iterdir()) if path.is_dir() else True:
        load_plan(path)
        lock(path).close()
        # A part holds no lock, and would go on writing into what takes the run's place.
        for session in sessions.load_sessions(path):
            if sessions.may_be_alive(session, others_only=True):
                raise RunError(f"run: {path} is in use by process {session['pid']} on {session['host']}")


def load_plan(path: Path) -> Plan:
    """What the run at `path` computes.

    Raises:
        RunError: `path` is not a run folder, its configuration is damaged, or a newer version made it.
    """
    content = _load(path)
    try:
        if not all(isinstance(values, dict) for values in content["configurations"]):
            raise TypeError("its configurations are no objects")
        # Of the file's own content: fields that were added since have no part in it.
        own = {name: content[name] for name in ("configurations", "blocks" if "blocks" in content else "seeds")}
        intact = content["fingerprint"] == config.fingerprint(own)
        if not intact:
            raise RunError(f"run: {path / CONFIGURATION} was edited: its fingerprint does not match its content")
        _refuse_newer(path, content, fields=True)
        configurations = tuple(config.from_dict(config.migrated(values)) for values in content["configurations"])
    except (ConfigurationError, KeyError, TypeError, AttributeError) as error:
        raise RunError(f"run: {path / CONFIGURATION} is damaged: {error}") from None
    return Plan(configurations, Plan.blocks_of(content), content.get("experiment", ""))


def _load(path: Path) -> dict[str, Any]:
    try:
        if not path.is_dir():
            raise RunError(f"run: {path} is not a folder")
        content = json.loads((path / CONFIGURATION).read_text())
    except FileNotFoundError:
        raise RunError(f"run: {path} is not a run: it has no {CONFIGURATION}") from None
    except OSError as error:
        raise RunError(f"run: {path} cannot be read: {error.strerror}") from None
    except RunError:
        raise
    except ValueError as error:
        raise RunError(f"run: {path / CONFIGURATION} is damaged: {error}") from None
    if not isinstance(content, dict):
        raise RunError(f"run: {path / CONFIGURATION} is damaged: it holds no object")
    return content


def _refuse_newer(path: Path, content: dict[str, Any], fields: bool) -> None:
    """Refuse an intact run whose configuration has fields, or else names, that this version does not know."""
    for values in content["configurations"]:
        values = config.migrated(values)
        for field, value in _leaves(values):
            if not (_knows_field(values, field) if fields else _knows_name(field, value)):
                raise RunError(
                    f"run: {path} was made by jaxbox {content.get('version', 'before 0.2')} and has "
                    f"{field if fields else f'{field} {value!r}'}, which this one ({version('jaxbox')}) does not know"
                )


def _knows_field(values: dict[str, Any], field: str) -> bool:
    """A field that is ours, or that may be the own one of a name from outside."""
    section = field.split(".")[0]
    return field in config.DEFAULTS or stored.may_have_own_fields(section, values.get(section))


def _knows_name(field: str, value: Any) -> bool:
    return field not in tables.TABLES or outside.is_outside(value) or value in tables.TABLES[field]


def _leaves(values: dict[str, Any], prefix: str = "") -> list[tuple[str, Any]]:
    found = []
    for key, value in values.items():
        found += _leaves(value, f"{prefix}{key}.") if isinstance(value, dict) else [(prefix + key, value)]
    return found


def require_known(path: Path, formats: Collection[int] = (FORMAT,)) -> None:
    """Refuse to train, or to load members of, a run that can only be read: its code or its checkpoints are not ours.

    Args:
        formats: of checkpoints that will do.

    Raises:
        RunError: the run's checkpoints are of another format, or it holds a name that is in no table.
    """
    content = _load(path)
    if content.get("format") not in formats:
        raise RunError(
            f"run: {path} was made by jaxbox {content.get('version', 'before 0.2')}, whose checkpoints this version "
            f"({version('jaxbox')}) cannot read; its results can be opened, for more of it start a new run"
        )
    _refuse_newer(path, content, fields=False)


def describe(path: Path) -> dict[str, str]:
    """The run's name, experiment and version: what tells it from others once they are joined."""
    content = _load(path)
    return {
        "run": path.absolute().name,
        "experiment": content.get("experiment", ""),
        "version": content.get("version", "before 0.2"),
    }


def lock(path: Path) -> IO[str]:
    """Hold the run for this process until the returned file is closed.

    Raises:
        RunError: another process holds it, or it cannot be written.
    """
    try:
        import fcntl
    except ModuleNotFoundError:
        raise RunError(
            "run: this system (Windows) has no locks of the kind that runs need; it can only read them"
        ) from None
    try:
        file = open(path / ".lock", "w")  # noqa: SIM115 - the caller keeps it open
    except OSError as error:
        raise RunError(f"run: {path} cannot be written: {error.strerror}") from None
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        file.close()
        raise RunError(f"run: {path} is in use by another process") from None
    return file
