"""A run's folder: what is refused and how, and that a write cut short anywhere leaves the version before it whole."""

import dataclasses
import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
from pathlib import Path

import jax
import numpy as np
import pytest
import xarray

from jaxbox import store, sweep
from jaxbox.config import Configuration, Data, Model, Optimizer, Plan, RunError, Task
from jaxbox.store import generations

TASK = Task(height=4, width=5, box_size=2)
LINEAR = Configuration(
    TASK, Model("linear"), optimizer=Optimizer("sgd", 0.1), data=Data(train_size=8), batch_size=4, steps=2, eval_every=1
)
PLAN = Plan.of((LINEAR, dataclasses.replace(LINEAR, batch_size=2)), 2)


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """A finished run; tests that change it take a copy."""
    path = tmp_path_factory.mktemp("runs")
    sweep.run(PLAN.configurations, PLAN.seed_count, name="run", out=path, members_per_chunk=1, quiet=True)
    return path / "run"


@pytest.fixture
def copy(finished, tmp_path):
    return Path(shutil.copytree(finished, tmp_path / "copy"))


def refused(match, function, *arguments, **options):
    with pytest.raises(RunError, match=match) as caught:
        function(*arguments, **options)
    assert "\n" not in str(caught.value)


def test_a_plan_comes_back(tmp_path):
    store.create(tmp_path / "a" / "b", PLAN)
    assert store.load_plan(tmp_path / "a" / "b") == PLAN
    assert store.load_manifest(tmp_path / "a" / "b") == {}
    store.save_manifest(tmp_path / "a" / "b", {"status": "x", "numbers": [1, 2.5]})
    found = store.load_manifest(tmp_path / "a" / "b")
    assert found == {"status": "x", "numbers": [1, 2.5], "sessions": [], "groups": []}


def test_create_refuses_what_exists(tmp_path):
    store.create(tmp_path / "run", PLAN)
    (tmp_path / "run" / "note").write_text("mine")
    refused("exists; give --resume", store.create, tmp_path / "run", PLAN)
    assert (tmp_path / "run" / "note").read_text() == "mine"


def test_overwrite_replaces_a_run_and_an_empty_folder(tmp_path):
    store.create(tmp_path / "run", PLAN)
    (tmp_path / "run" / "note").write_text("old")
    other = Plan.of(PLAN.configurations, 5)
    store.create(tmp_path / "run", other, overwrite=True)
    assert store.load_plan(tmp_path / "run") == other
    assert not (tmp_path / "run" / "note").exists()
    (tmp_path / "empty").mkdir()
    store.create(tmp_path / "empty", PLAN, overwrite=True)
    assert store.load_plan(tmp_path / "empty") == PLAN
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["empty", "run"]


def test_overwrite_refuses_what_is_not_a_run(tmp_path):
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "one").write_text("dear")
    (tmp_path / "file").write_text("dear")
    refused("is not a run", store.create, tmp_path / "photos", PLAN, overwrite=True)
    refused("is not a folder", store.create, tmp_path / "file", PLAN, overwrite=True)
    assert (tmp_path / "photos" / "one").read_text() == (tmp_path / "file").read_text() == "dear"


def test_overwrite_refuses_a_run_that_another_process_holds(tmp_path):
    store.create(tmp_path / "run", PLAN)
    with store.lock(tmp_path / "run"):
        refused("in use", store.create, tmp_path / "run", PLAN, overwrite=True)
    assert store.load_plan(tmp_path / "run") == PLAN


def test_create_refuses_a_folder_that_cannot_be_written(tmp_path):
    (tmp_path / "file").write_text("")
    refused("run: .*cannot be written", store.create, tmp_path / "file" / "run", PLAN)
    refused("run: .*cannot be written", store.create, Path("/proc/none/run"), PLAN)
    assert [entry.name for entry in tmp_path.iterdir()] == ["file"]


def test_a_run_has_one_holder_at_a_time(tmp_path):
    with store.lock(tmp_path):
        refused("in use by another process", store.lock, tmp_path)
    store.lock(tmp_path).close()


def test_what_is_not_a_run_is_refused(tmp_path):
    refused("is not a folder", store.open_run, tmp_path / "none")
    refused("is not a run: it has no configuration.json", store.open_run, tmp_path)
    store.create(tmp_path / "run", PLAN)
    refused("has no results yet.*--resume", store.open_run, tmp_path / "run")
    refused("has not started", store.load_params, tmp_path / "run", 0, 0)


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"configurations": 3, "seeds": 1, "fingerprint": ""}'])
def test_a_damaged_configuration_is_refused(copy, text):
    (copy / store.CONFIGURATION).write_text(text)
    refused("configuration.json is damaged", store.load_plan, copy)
    refused("configuration.json is damaged", store.open_run, copy)


@pytest.mark.parametrize("edit", [lambda c: c.update(seeds=3), lambda c: c["configurations"][0].update(steps=9)])
def test_an_edited_configuration_is_refused(copy, edit):
    content = json.loads((copy / store.CONFIGURATION).read_text())
    edit(content)
    (copy / store.CONFIGURATION).write_text(json.dumps(content))
    refused("was edited", store.load_plan, copy)


def test_a_run_from_before_a_field_existed_is_read_with_its_default(copy):
    content = json.loads((copy / store.CONFIGURATION).read_text())
    for values in content["configurations"]:
        del values["render"], values["task"]["margin_left"]
    text = json.dumps({name: content[name] for name in ("configurations", "seeds")}, sort_keys=True)
    content["fingerprint"] = hashlib.sha256(text.encode()).hexdigest()
    (copy / store.CONFIGURATION).write_text(json.dumps(content))
    assert store.load_plan(copy) == PLAN


def test_a_damaged_manifest_is_refused(copy):
    (copy / store.MANIFEST).write_text('{"status": ')
    refused("manifest.json is damaged", store.load_manifest, copy)


def test_a_run_whose_manifest_was_deleted_is_not_resumed_as_if_it_were_new(copy):
    # Without it nobody knows which members a chunk's checkpoint holds.
    (copy / store.MANIFEST).unlink()
    refused("manifest.json", sweep.run, resume=copy, quiet=True)


def test_a_finished_run_whose_checkpoints_were_deleted_is_not_trained_again(copy):
    shutil.rmtree(copy / "checkpoints")
    refused("checkpoint", sweep.run, resume=copy, quiet=True)
    assert store.open_run(copy)["finite"].all()


def test_damaged_results_are_refused(copy):
    for file in (copy / store.RESULTS).rglob("zarr.json"):
        file.unlink()
    refused("results.zarr is damaged", store.open_run, copy)


def test_a_damaged_checkpoint_is_refused(copy):
    (folder,) = store.chunk_folder(copy, 0, 0).iterdir()
    for file in list(folder.rglob("*")):
        if file.is_file():
            file.write_bytes(b"")
    refused("checkpoint .*is damaged", store.load_params, copy, 0, 0)


@pytest.mark.parametrize(
    ("member", "field"), [((2, 0), "configuration: 2"), ((0, 2), "seed: 2"), ((0, -1), "seed: -1")]
)
def test_a_member_that_is_not_in_the_run_is_refused(finished, member, field):
    refused(f"{field} is not in this run", store.load_params, finished, *member)


def test_a_member_without_a_checkpoint_is_refused(copy):
    shutil.rmtree(store.chunk_folder(copy, 1, 1))
    assert store.load_params(copy, 1, 0)
    refused("no checkpoint yet", store.load_params, copy, 1, 1)


def test_only_the_last_checkpoint_is_kept(finished):
    chunks = sorted((finished / "checkpoints").glob("*/chunk-*"))
    assert [str(chunk.relative_to(finished / "checkpoints")) for chunk in chunks] == [
        f"group-00{group}/chunk-0000{chunk}" for group in (0, 1) for chunk in (0, 1)
    ]
    assert [[entry.name for entry in chunk.iterdir()] for chunk in chunks] == [["2"]] * 4


def test_the_manifest_tells_where_the_numbers_come_from(finished):
    manifest = store.load_manifest(finished)
    assert manifest["status"] == "complete"
    assert [entry["configurations"] for entry in manifest["groups"]] == [[0], [1]]
    assert [entry["members_per_chunk"] for entry in manifest["groups"]] == [1, 1]
    (session,) = manifest["sessions"]
    assert session["versions"]["numpy"] == np.__version__
    assert session["wall_seconds"] > 0
    assert session["matmul_precision"] == ("default" if jax.default_backend() == "cpu" else "highest")
    assert len(session["devices"]) == jax.local_device_count()
    assert set(session) >= {"started", "command", "python", "git"}


# Runs WRITES[name], of each NAME:STRIDE, in a child process for every event that Python reports of files, or every so
# many, and kills the child there (SIGKILL), until one child comes to the end. Prints what is wrong with what the children
# leave, or else how many were killed.
CUTTER = """
import os, signal, shutil, sys
from pathlib import Path
import numpy as np, xarray
from jaxbox import store
from jaxbox.config import Configuration, Plan

root = Path(sys.argv[1])
def tree(value): return {"state": np.full((2, 3), value), "measures": {"loss": np.full(4, value)}}
def data(value): return xarray.Dataset({"a": ("x", np.full(3, value)), "b": ("x", np.full(3, value))})
old, new = Plan.of((Configuration(),), 1), Plan.of((Configuration(),), 2)
WRITES = {
    "checkpoint": lambda path, value: store.save_checkpoint(path / "chunk", int(value), tree(value)),
    "results": lambda path, value: store.save_results(path, [data(value)]),
    "manifest": lambda path, value: store.save_manifest(path, {"value": value}),
    "overwrite": lambda path, value: store.create(path, old if value == 1 else new, overwrite=True),
}
def read(path):
    if name == "checkpoint":
        step = store.last_checkpoint(path / "chunk")
        found = store.load_checkpoint(path / "chunk" / str(step), tree(0.0))
        values = np.concatenate([found["state"].ravel(), found["measures"]["loss"], [step]])
    elif name == "results":
        if not (path / store.RESULTS).exists():  # between two renames: it will be made again from the checkpoints
            assert not any(path.glob("results*/zarr.json")) or (path / "results.zarr.aside").exists()
            return 1.0
        found = xarray.open_zarr(path / store.RESULTS, chunks=None, consolidated=False)
        values = np.concatenate([found["a"], found["b"]])
    elif name == "manifest":
        values = [store.load_manifest(path)["value"]]
    else:  # the old run, the new one, or none: never a mixture
        if not path.exists() or not any(entry.name == store.CONFIGURATION for entry in path.iterdir()):
            assert not path.exists() or not (path / "mark").exists(), "half of the old run"
            return 1.0
        seeds = store.load_plan(path).seed_count
        assert (path / "mark").exists() == (seeds == 1)
        values = [seeds]
    assert len(set(values)) == 1, f"a mixture: {values}"
    return values[0]
def child(path, last):
    count = 0
    def hook(event, arguments):
        nonlocal count
        if event in ("open", "os.rename", "os.remove", "os.rmdir", "os.mkdir", "shutil.rmtree"):
            count += 1
            if count > last:
                os.kill(os.getpid(), signal.SIGKILL)
    sys.addaudithook(hook)
    WRITES[name](path, 2.0)
    os._exit(0)
for name, stride in (word.split(":") for word in sys.argv[2:]):
    before = root / name / "before"
    before.parent.mkdir()
    if name != "overwrite": before.mkdir()
    pid = os.fork()
    if not pid:
        WRITES[name](before, 1.0)
        os._exit(0)
    assert os.waitpid(pid, 0)[1] == 0
    if name == "overwrite": (before / "mark").write_text("old")
    last = cuts = 0
    while True:
        path = Path(shutil.copytree(before, root / name / str(last)))
        pid = os.fork()
        if not pid:
            child(path, last)
        status = os.waitpid(pid, 0)[1]
        assert status in (0, signal.SIGKILL), status
        pid = os.fork()
        if not pid:
            try:
                value = read(path)
                assert value in (1, 2) and (status or value == 2), value
                WRITES[name](path, 2.0)  # what a resumed run does
                assert read(path) == 2
            except BaseException as error:
                print(f"cut {last}: {error!r}", flush=True)
                os._exit(1)
            os._exit(0)
        assert os.waitpid(pid, 0)[1] == 0
        shutil.rmtree(path, ignore_errors=True)
        if not status:
            break
        last, cuts = last + int(stride), cuts + 1
    print(name, cuts, flush=True)
"""


def cuts(folder, *words):
    """How often a write was cut, by name, of each NAME:STRIDE; all in one process, which takes most of its time to start."""
    done = subprocess.run(
        [sys.executable, "-c", CUTTER, str(folder), *words], capture_output=True, text=True, timeout=200
    )
    assert done.returncode == 0, done.stdout + done.stderr[-3000:]
    found = dict(line.split() for line in done.stdout.splitlines())
    return {name: int(count) for name, count in found.items()}


@pytest.mark.slow
def test_a_checkpoint_that_is_killed_leaves_the_old_or_the_new(tmp_path):
    assert cuts(tmp_path, "checkpoint:8")["checkpoint"] >= 4, "too few places to cut: the events were not seen"


def test_a_write_that_is_killed_leaves_the_old_or_the_new(tmp_path):
    found = cuts(tmp_path, "results:12", "manifest:1", "overwrite:1")
    assert found.keys() == {"results", "manifest", "overwrite"}
    for name, least in (("results", 4), ("manifest", 2), ("overwrite", 4)):
        assert found[name] >= least, f"too few places to cut {name}: the events were not seen"


def test_results_are_replaced_as_a_whole(tmp_path):
    for value in (0.0, 1.0, 2.0):
        store.save_results(tmp_path, [xarray.Dataset({"a": ("x", np.full(3, value))})])
    assert xarray.open_zarr(tmp_path / store.RESULTS, chunks=None, consolidated=False)["a"].values.tolist() == [2.0] * 3
    assert {entry.name for entry in tmp_path.iterdir()} == {store.RESULTS, generations.BEFORE}


def test_the_kill_is_real():
    done = subprocess.run([sys.executable, "-c", "import os; os.kill(os.getpid(), 9)"], check=False)
    assert done.returncode == -signal.SIGKILL
    assert os.name == "posix"


@pytest.mark.slow
def test_threads_may_write_and_read_checkpoints_at_once(tmp_path):
    """Orbax alone takes files of one for those of another: of 120 such writes some three failed."""
    parts, errors = {"measures": {"a": np.ones((3, 4), np.float32)}}, []
    store.save_checkpoint(tmp_path / "read", 1, parts)

    def write(name):
        try:
            for step in range(40):
                store.save_checkpoint(tmp_path / name, step, parts, last=True)
        except Exception as error:
            errors.append(error)

    writers = [threading.Thread(target=write, args=(name,)) for name in ("one", "other")]
    for writer in writers:
        writer.start()
    while any(writer.is_alive() for writer in writers):
        _, read = store.load_last(tmp_path / "read", parts)
        np.testing.assert_array_equal(read["measures"]["a"], parts["measures"]["a"])
    assert not errors
    assert [store.last_checkpoint(tmp_path / name) for name in ("one", "other", "read")] == [39, 39, 1]
