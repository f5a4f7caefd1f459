"""A run's manifest: one of a version that kept everything in it says the same, and its run goes on."""

import dataclasses
import json
import shutil

import pytest
import xarray
from old_runs import keep_all_in_the_manifest
from tiny import TINY

from jaxbox import status, store, sweep
from jaxbox.config import Optimizer, RunError

NESTEROV = dataclasses.replace(TINY, optimizer=Optimizer("nesterov", 0.1))


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    path = tmp_path_factory.mktemp("runs")
    sweep.run([TINY, NESTEROV], 5, out=path, name="now", members_per_chunk=2, quiet=True)
    shutil.copytree(path / "now", path / "before")
    keep_all_in_the_manifest(path / "before")
    return path


def results(path):
    return store.open_run(path).load().drop_vars("seconds").drop_attrs(deep=False)


def test_groups_and_sessions_are_read_wherever_they_are(folder):
    now, before = (store.load_manifest(folder / name) for name in ("now", "before"))
    for ours, theirs in zip(now["groups"], before["groups"], strict=True):
        assert {name: ours[name] for name in ours} == {name: theirs[name] for name in ours}
    assert [session["versions"] for session in now["sessions"]] == [
        session["versions"] for session in before["sessions"]
    ]
    assert [group.finished for group in status.status(folder / "before").groups] == [5, 5]
    assert store.load_member(folder / "before", 1, 3).step == 4


@pytest.mark.slow
def test_a_run_of_before_grows_with_the_bits_of_one_of_now(folder):
    for name in ("now", "before"):
        sweep.run(resume=folder / name, seeds=7, steps=6, quiet=True)
    xarray.testing.assert_identical(results(folder / "before"), results(folder / "now"))
    manifest = store.load_manifest(folder / "before")
    assert [group["members_per_chunk"] for group in manifest["groups"]] == [2, 2]
    assert len(manifest["sessions"]) == 2


def test_one_of_before_on_other_devices_is_refused(folder, tmp_path):
    shutil.copytree(folder / "now", tmp_path / "run")
    keep_all_in_the_manifest(tmp_path / "run")
    manifest = json.loads((tmp_path / "run" / store.MANIFEST).read_text())
    manifest["sessions"][-1]["devices"].append("cpu:99 cpu")
    (tmp_path / "run" / store.MANIFEST).write_text(json.dumps(manifest))
    with pytest.raises(RunError, match=r"was begun with devices \d+, here it is \d+; give --worker_devices"):
        sweep.run(resume=tmp_path / "run", seeds=9, quiet=True)
