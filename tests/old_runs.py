"""Runs as earlier versions have left them."""

import json
import shutil

from jaxbox import store
from jaxbox.store.generations import MARKS


def forget_marks(path):
    """Make a run's results what a version wrote that gave them no marks."""
    file = path / store.RESULTS / "zarr.json"
    content = json.loads(file.read_text())
    content["attributes"] = {name: value for name, value in content["attributes"].items() if name not in MARKS}
    file.write_text(json.dumps(content))


def keep_all_in_the_manifest(path):
    """Make a run what a version wrote whose manifest held its sessions and how its groups are cut."""
    content = store.load_manifest(path)
    sessions = [
        _without(session, "groups", "failures", "ended", "saved", "host", "pid") for session in content["sessions"]
    ]
    groups = [_without(group, "number") for group in content["groups"]]
    kept = _without(content, "begun_with", "keep") | {"sessions": sessions, "groups": groups}
    (path / store.MANIFEST).write_text(json.dumps(kept))
    shutil.rmtree(path / "sessions")
    for file in (path / store.CHECKPOINTS).glob("*/cut.json"):
        file.unlink()


def _without(values, *names):
    return {name: value for name, value in values.items() if name not in names}
