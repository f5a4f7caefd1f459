"""What a disk can do to a run: bits that flip, no space, power cuts; and runs of other versions."""

import dataclasses
import hashlib
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import processes
import pytest
import xarray
import zarr
from old_runs import forget_marks

from jaxbox import store, sweep
from jaxbox.config import Configuration, ConfigurationError, Data, Model, Optimizer, Plan, RunError, Task
from jaxbox.store import files, results
from jaxbox.training import metrics

TASK = Task(height=4, width=5, box_size=2)
TINY = Configuration(
    TASK, Model("linear"), optimizer=Optimizer("sgd", 0.1), data=Data(train_size=8), batch_size=4, steps=2, eval_every=1
)


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    path = tmp_path_factory.mktemp("runs")
    sweep.run([TINY, dataclasses.replace(TINY, batch_size=2)], 2, name="run", out=path, quiet=True)
    return path / "run"


@pytest.fixture
def copy(finished, tmp_path):
    return Path(shutil.copytree(finished, tmp_path / "copy"))


def test_results_are_zarr_3_with_a_checksum_for_every_variable(finished):
    group = zarr.open_group(finished / store.RESULTS, mode="r")
    assert group.metadata.zarr_format == 3
    arrays = dict(group.arrays())
    assert {"mse", "prediction", "seed"} <= set(arrays)
    for name, array in arrays.items():
        assert "Crc32c" in type(array.compressors[-1]).__name__, name


@pytest.mark.parametrize("name", ["mse", "prediction", "target", "step", "batch_size"])
def test_a_flipped_bit_is_noticed_and_its_variable_named(copy, name):
    (chunk,) = (file for file in (copy / store.RESULTS / name / "c").rglob("*") if file.is_file())
    content = bytearray(chunk.read_bytes())
    content[len(content) // 2] ^= 4
    chunk.write_bytes(content)
    with pytest.raises(RunError, match=f"results.zarr.*variable '{name}'.* is damaged") as caught:
        store.open_run(copy)[name].load()
    assert "\n" not in str(caught.value)


def test_the_others_can_still_be_read(copy):
    (chunk,) = (file for file in (copy / store.RESULTS / "mse" / "c").rglob("*") if file.is_file())
    chunk.write_bytes(chunk.read_bytes()[:-1])
    assert store.open_run(copy)["loss"].load().notnull().any()


def edit(path, change):
    content = json.loads((path / store.CONFIGURATION).read_text())
    change(content)
    text = json.dumps({name: content[name] for name in ("configurations", "seeds")}, sort_keys=True)
    content["fingerprint"] = hashlib.sha256(text.encode()).hexdigest()
    (path / store.CONFIGURATION).write_text(json.dumps(content))


def test_a_missing_chunk_is_noticed_and_its_variable_named(copy):
    shutil.rmtree(copy / store.RESULTS / "mse" / "c")
    with pytest.raises(RunError, match="variable 'mse' is damaged: 1 of its 1 chunks are missing"):
        store.open_run(copy)["mse"].load()


def test_an_intact_run_of_a_newer_version_is_not_called_damaged(copy):
    edit(copy, lambda c: (c["configurations"][1]["task"].update(law="beta"), c.update(version="9.1")))
    with pytest.raises(RunError, match=r"made by jaxbox 9.1 and has task.law, which this one \(.*\) does not know"):
        store.open_run(copy)


def test_a_run_with_a_name_that_is_in_no_table_is_read_but_not_trained(copy):
    edit(copy, lambda content: content["configurations"][0]["model"].update(name="transformer"))
    forget_marks(copy)
    assert store.open_run(copy)["loss"].load().notnull().any()
    assert len(store.member_table(copy)) == 4
    for use in (lambda: sweep.run(resume=copy, quiet=True), lambda: store.load_member(copy, 0, 0)):
        with pytest.raises(RunError, match=r"has model.name 'transformer', which this one .* does not know"):
            use()


def test_a_run_of_an_older_format_is_read_but_not_gone_on_with(copy):
    edit(copy, lambda content: (content.pop("format"), content.pop("version")))
    # As it was written then: zarr's format 2, which leaves out chunks of fill values, and no attributes.
    stored = store.open_run(copy).load().drop_attrs(deep=False).drop_encoding()
    shutil.rmtree(copy / store.RESULTS)
    text = {name: label.astype(object) for name, label in stored.coords.items() if label.dtype.kind == "U"}
    stored.assign_coords(text).to_zarr(copy / store.RESULTS, zarr_format=2, consolidated=True)
    xarray.testing.assert_equal(store.open_run(copy).load(), stored)
    assert store.open_run(copy).attrs["version"] == "before 0.2"
    for use in (lambda: sweep.run(resume=copy, quiet=True), lambda: store.load_member(copy, 0, 0)):
        with pytest.raises(RunError, match=r"made by jaxbox before 0.2, whose checkpoints .* results can be opened"):
            use()


def test_a_measure_that_came_later_spoils_no_older_run(copy, monkeypatch):
    row = metrics.CURVES["bias"]
    for table in (metrics.MEASURES, metrics.CURVES, results.VARIABLES):
        monkeypatch.setitem(table, "newer", row)
    assert "newer_x" not in store.member_table(copy)
    assert store.load_member(copy, 0, 1).step == 2
    with pytest.raises(ConfigurationError, match=r"name: unknown name 'newer'"):
        store.curve_table(copy, "newer")
    with pytest.raises(RunError, match=r"measures.*newer"):
        sweep.run(resume=copy, quiet=True)


@pytest.mark.parametrize("write", ["checkpoint", "results", "manifest", "create"])
def test_everything_is_on_disk_before_it_gets_its_name(write, tmp_path, monkeypatch):
    """Each file and folder is synced before the rename that makes it count, and the folder that holds it after."""
    events = []
    real_sync, real_rename, real_replace = os.fsync, Path.rename, Path.replace

    def note_sync(descriptor):
        events.append(("sync", os.path.realpath(f"/proc/self/fd/{descriptor}")))
        real_sync(descriptor)

    def note_rename(name, real):
        def rename(self, target):
            inside = [str(entry) for entry in [self, *self.rglob("*")]] if self.is_dir() else [str(self)]
            events.append(("rename", str(target), inside))
            return real(self, target)

        monkeypatch.setattr(Path, name, rename)

    monkeypatch.setattr(os, "fsync", note_sync)
    note_rename("rename", real_rename)
    note_rename("replace", real_replace)
    path = tmp_path / "run"
    path.mkdir()
    WRITES[write](path)
    renames = [(number, *event[1:]) for number, event in enumerate(events) if event[0] == "rename"]
    assert renames
    for number, target, inside in renames:
        if "discarded" in target or ".aside/" in target:
            continue
        synced_before = {event[1] for event in events[:number] if event[0] == "sync"}
        assert set(inside) <= synced_before, f"{target} got its name too early"
        assert ("sync", str(Path(target).parent)) in [event[:2] for event in events[number:]]


WRITES = {
    "checkpoint": lambda path: store.save_checkpoint(path / "chunk", 3, {"a": np.ones((2, 3), np.float32)}),
    "results": lambda path: store.save_results(path, [xarray.Dataset({"a": ("x", np.ones(3))})]),
    "manifest": lambda path: store.save_manifest(path, {"status": "x"}),
    "create": lambda path: store.create(path / "new", Plan.of((TINY,), 2)),
}

FULL = """
import resource, signal, sys
from jaxbox.sweep.__main__ import main
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
import jaxbox.store, jaxbox.store.files as files, os
# From the second checkpoint on no file may be larger than a few bytes: what a full disk does to whoever writes.
save, calls = jaxbox.store.save_checkpoint, []
def full(*arguments, **options):
    calls.append(1)
    if len(calls) == 2:
        resource.setrlimit(resource.RLIMIT_FSIZE, (100, 100))
    save(*arguments, **options)
jaxbox.store.save_checkpoint = full
sys.exit(main(sys.argv[1:]))
"""


def test_a_disk_that_fills_up_ends_in_one_line_and_loses_nothing(tmp_path):
    words = (
        "base --model.name linear --optimizer.name sgd --task.height 8 --task.width 8 --task.box_size 2 "
        "--data.train_size 20 --batch_size 8 --steps 4 --eval_every 1 --seeds 2 "
        f"--name run --out {tmp_path} --checkpoint_seconds 0"
    ).split()
    done = subprocess.run(
        [sys.executable, "-c", FULL, *words], env=processes.environment(), capture_output=True, text=True
    )
    lines = [line for line in done.stderr.splitlines() if "compiled in" not in line and "left" not in line]
    assert done.returncode == 2, done.stderr
    assert len(lines) == 1, done.stderr
    assert "could not be written" in lines[0]
    assert "--resume" in lines[0]
    devices = store.load_manifest(tmp_path / "run")["begun_with"]["devices"]
    run = sweep.run(resume=tmp_path / "run", worker_devices=devices, quiet=True)
    assert (run["last_step"] == 4).all()


def test_what_is_already_one_line_stays_so(tmp_path):
    with pytest.raises(RunError, match=r"^mine$"), files.writing(tmp_path):
        raise RunError("mine")
    full = pytest.raises(RunError, match="could not be written: No space left on device; what was saved before")
    with full, files.writing(tmp_path):
        raise ValueError("INTERNAL: something\nOS error 28: No space left on device\nmore")


READ_ONLY = """
import errno, os, sys
from jaxbox import merge, status, store, sweep
from jaxbox.export import __main__ as export
from jaxbox.merge import __main__ as merge
from jaxbox.sweep import __main__ as sweep

folder, run, other = sys.argv[1:]
WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT
def refuse(event, arguments):
    changes = event in ("os.mkdir", "os.rename", "os.link", "os.remove", "os.rmdir")
    if changes or event == "open" and isinstance(arguments[2], int) and arguments[2] & WRITES:
        if str(arguments[0]).startswith(folder):
            raise OSError(errno.EROFS, os.strerror(errno.EROFS))
sys.addaudithook(refuse)
new = "base --model.name linear --optimizer.name sgd --seeds 2 --steps 2 --eval_every 1 --name new --out".split()
for main, words in (
    (sweep.main, ["--resume", run]),
    (sweep.main, ["--resume", run, "--seeds", "3"]),
    (sweep.main, ["--resume", run, "--part", "1/2"]),
    (sweep.main, [*new, folder]),
    (sweep.main, [*new, folder, "--part", "0/2"]),
    (merge.main, [run, other, "--into", f"{folder}/both"]),
    (export.main, [run, "--to", "csv"]),
):
    print("began", flush=True)
    code = main(words)
    print("ended", code, flush=True)
assert len(store.member_table(run)) == 4
assert status.status(run).groups
"""


def test_on_a_disk_that_is_read_only_all_that_writes_ends_in_one_line_and_all_that_reads_works(finished):
    sweep.run([TINY], 2, first_seed=2, name="other", out=finished.parent, quiet=True)
    words = [sys.executable, "-c", READ_ONLY, str(finished.parent), str(finished), str(finished.parent / "other")]
    merged = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
    done = subprocess.run(words, env=processes.environment(), **merged)
    assert done.returncode == 0, done.stdout
    lines = done.stdout.splitlines()
    assert lines[::3] == ["began"] * 7, done.stdout
    assert lines[2::3] == ["ended 2"] * 7, done.stdout
    assert all("Read-only file system" in line for line in lines[1::3]), done.stdout
