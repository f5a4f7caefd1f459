"""Runs as earlier versions have left them."""

import json

from jaxbox import store
from jaxbox.store.generations import MARKS


def forget_marks(path):
    """Make a run's results what a version wrote that gave them no marks."""
    file = path / store.RESULTS / "zarr.json"
    content = json.loads(file.read_text())
    content["attributes"] = {name: value for name, value in content["attributes"].items() if name not in MARKS}
    file.write_text(json.dumps(content))
