"""Real processes of `python -m jaxbox.sweep`, stopped and killed, end with the bits of one that nothing disturbed."""

import itertools
import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import processes
import pytest
import xarray

from jaxbox import store
from jaxbox.sweep.__main__ import main

ROOT = Path(__file__).parents[3]
DEADLINE = 600
"""Seconds for what takes ten on an idle machine: one that serves others first has been seen to take 150."""
# Two groups (widths of the hidden layer) of two configurations, three seeds each, in chunks of two members; with noise,
# epochs that segments cut, and one configuration that diverges.
PLAN = (
    "base --model.name mlp --optimizer.name momentum --task.height 6 --task.width 6 --task.box_size 2 --task.noise white "
    "--task.noise_level 0.1 --data.train_size 40 --batch_size 8 --steps 30 --eval_every 3 --seeds 3 "
    "--vary model.hidden 4 5 --vary optimizer.learning_rate 0.05 1e30"
).split()
# Runs the command with a pause after each checkpoint (PAUSE seconds), so that a signal meets the process while it
# trains; and kills it (KILL_AT = function:number) inside the given call of a function of the store.
DRIVER = """
import os, signal, sys, time
from pathlib import Path
from jaxbox import store
from jaxbox.store import files
from jaxbox.sweep.__main__ import main

save_checkpoint, rename = store.save_checkpoint, Path.rename
function, number = os.environ.get("KILL_AT", "none:0").split(":")
calls = {"checkpoint": 0, "results": 0}
def due(name):
    calls[name] += 1
    return function == name and calls[name] == int(number)
def slow(folder, step, tree, **options):
    if due("checkpoint"):
        # It is written into a folder of another name: leave one that is half full, and die before it is renamed.
        partial = folder / files.own_name(str(step))
        partial.mkdir(parents=True)
        (partial / "array").write_bytes(b"half")
        os.kill(os.getpid(), signal.SIGKILL)
    save_checkpoint(folder, step, tree, **options)
    time.sleep(float(os.environ.get("PAUSE", "0")))
def cut(self, target):
    if self.name == "results.zarr.aside" and due("results"):
        os.kill(os.getpid(), signal.SIGKILL)
    return rename(self, target)
store.save_checkpoint, Path.rename = slow, cut
sys.exit(main(sys.argv[1:]))
"""

CACHED = {"JAX_ENABLE_COMPILATION_CACHE": "true"}
"""As for a user, so that nothing is compiled twice; where it is, too, once the tests have begun."""
EMITTERS = {"XLA_FLAGS": processes.QUICK} if processes.IN_A_HURRY else {}
"""Programs are optimised as for a user, but by what compiles them in half the time."""


@pytest.fixture(autouse=True, scope="module")
def cache(tmp_path_factory):
    CACHED["XDG_CACHE_HOME"] = str(tmp_path_factory.mktemp("cache"))


def start(*words, plain=False, **environment):
    program = ["-m", "jaxbox.sweep"] if plain else ["-c", DRIVER]
    kept = processes.environment(in_a_hurry=False) | EMITTERS | CACHED
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    return subprocess.Popen([sys.executable, *program, *words], cwd=ROOT, env=kept | environment, **pipes)


def new(folder):
    return (*PLAN, "--out", str(folder), "--name", "run", "--members_per_chunk", "2", "--checkpoint_seconds", "0")


def resume(folder, **environment):
    return processes.end(start("--resume", str(folder / "run"), "--checkpoint_seconds", "0", **environment), DEADLINE)


def checkpoints(folder):
    """(group, chunk, step) of every whole checkpoint."""
    whole = (path for path in (folder / "run" / "checkpoints").glob("*/*/*") if path.name.isdigit())
    return {tuple(path.relative_to(folder / "run" / "checkpoints").parts) for path in whole}


def wait_for_checkpoints(process, folder, count):
    """Wait until `count` checkpoints have been seen, of any chunk."""
    found, limit = set(), time.monotonic() + DEADLINE
    while len(found) < count:
        assert process.poll() is None, processes.end(process, DEADLINE)
        if time.monotonic() > limit:
            process.kill()
            pytest.fail(f"no checkpoint came: {processes.end(process, DEADLINE)}")
        found |= checkpoints(folder)
        time.sleep(0.005)


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    """The results of the plain command, never stopped, that saves only at the end of each chunk."""
    folder = tmp_path_factory.mktemp("undisturbed")
    words = [*PLAN, "--out", str(folder), "--name", "run", "--members_per_chunk", "2"]
    code, out, err = processes.end(start(*words, plain=True), DEADLINE)
    assert code == 0, err
    assert "collapsed" in out
    return store.open_run(folder / "run").load()


def assert_identical(folder, undisturbed):
    run = store.open_run(folder / "run").load()
    xarray.testing.assert_identical(run.drop_vars("seconds"), undisturbed.drop_vars("seconds"))
    assert store.load_manifest(folder / "run")["status"] == "complete"
    assert {step for *_, step in checkpoints(folder)} == {"30"}


def test_the_undisturbed_run_has_something_to_lose(undisturbed):
    assert undisturbed["finite"].sum().item() == 6
    last = undisturbed["mse"].sel(step=30, split="all", axis="x").values
    assert len(set(last[np.isfinite(last)].tolist())) == np.isfinite(last).sum() == 6
    assert (undisturbed["last_step"] == 30).all()


@pytest.mark.parametrize(
    ("number", "after"),
    [
        pytest.param(signal.SIGINT, 1, id="SIGINT"),
        pytest.param(signal.SIGTERM, 25, id="SIGTERM", marks=pytest.mark.slow),
    ],
)
def test_a_signal_and_a_kill_leave_a_run_that_resumes(number, after, tmp_path, undisturbed, capsys):
    process = start(*new(tmp_path), PAUSE="0.05")
    wait_for_checkpoints(process, tmp_path, after)
    process.send_signal(number)
    code, out, err = processes.end(process, DEADLINE)
    assert code == 130, err
    assert "stopping" in err
    assert f"--resume {tmp_path / 'run'}" in out
    assert store.load_manifest(tmp_path / "run")["status"] == "interrupted"
    # What there is can be read already, and is the beginning of the whole.
    partial = store.open_run(tmp_path / "run").load()
    begun = partial["last_step"] >= 0
    assert 0 < begun.sum() < begun.size
    error, whole = partial["mse"].sel(split="all", axis="x"), undisturbed["mse"].sel(split="all", axis="x")
    done = partial["step"] <= partial["last_step"]
    xarray.testing.assert_equal(error, whole.where(done).transpose(*error.dims))
    # Another plan is refused, and the refusal changes nothing.
    assert main([*PLAN, "--steps", "31", "--resume", str(tmp_path / "run")]) == 2
    refusal = capsys.readouterr().err
    assert "steps 30, not 31" in refusal
    assert refusal.count("\n") == 1
    killed_and_resumed(slowly_resumed(tmp_path), tmp_path, [len(checkpoints(tmp_path)) + 5], undisturbed)
    assert len(store.load_manifest(tmp_path / "run")["sessions"]) == 3


def slowly_resumed(folder):
    return start("--resume", str(folder / "run"), "--checkpoint_seconds", "0", PAUSE="0.02")


def killed_and_resumed(process, folder, counts, undisturbed):
    """Kill a process, and those that go on with its run, when so many checkpoints have been seen; the last one ends."""
    for count in counts:
        wait_for_checkpoints(process, folder, count)
        before = checkpoints(folder)
        process.kill()
        assert processes.end(process, DEADLINE)[0] == -signal.SIGKILL
        # No chunk fell behind a checkpoint that was whole before the kill.
        assert last(checkpoints(folder)).items() >= last(before).items() or later(checkpoints(folder), before)
        process = slowly_resumed(folder)
    code, _, err = processes.end(process, DEADLINE)
    assert code == 0, err
    assert_identical(folder, undisturbed)


def test_while_it_trains_another_is_refused_and_told_to_stop_it_says_go_on_with_its_exit_code(tmp_path, capsys):
    process = start(*new(tmp_path), PAUSE="0.2")
    wait_for_checkpoints(process, tmp_path, 1)
    assert main(["--resume", str(tmp_path / "run")]) == 2
    refusal = capsys.readouterr().err
    assert "in use by another process" in refusal
    assert refusal.count("\n") == 1
    process.send_signal(signal.SIGUSR1)
    assert_stopped(process, tmp_path, "SIGUSR1")


@pytest.mark.slow
def test_a_run_that_was_to_stop_says_go_on_with_its_exit_code(tmp_path):
    # 1.2 s are over before the first program is compiled.
    assert_stopped(start(*new(tmp_path), "--stop_after", "0.02", PAUSE="0.05"), tmp_path, "time")


def assert_stopped(process, folder, how):
    code, out, err = processes.end(process, DEADLINE)
    assert code == 75, err
    assert f"--resume {folder / 'run'}" in out
    manifest = store.load_manifest(folder / "run")
    assert (manifest["status"], manifest["stopped_by"]) == ("interrupted", how)


@pytest.mark.slow
@pytest.mark.parametrize("counts", [(9,), (2, 10, 15)], ids=["once", "thrice"])
def test_killed_again_and_again_it_still_ends_the_same(counts, tmp_path, undisturbed):
    killed_and_resumed(start(*new(tmp_path), PAUSE="0.02"), tmp_path, counts, undisturbed)
    assert len(store.load_manifest(tmp_path / "run")["sessions"]) == len(counts) + 1


def last(found):
    """The last step of each chunk."""
    chunks = itertools.groupby(sorted(found), key=lambda key: key[:2])
    return {chunk: max(int(step) for *_, step in keys) for chunk, keys in chunks}


def later(after, before):
    return all(last(after)[chunk] >= step for chunk, step in last(before).items())


@pytest.mark.parametrize("kill_at", ["checkpoint:1", "checkpoint:20", "results:1"])
@pytest.mark.slow
def test_killed_in_the_middle_of_a_write_it_ends_the_same(kill_at, tmp_path, undisturbed):
    code, _, err = processes.end(start(*new(tmp_path), KILL_AT=kill_at), DEADLINE)
    assert code == -signal.SIGKILL, err
    left = last(checkpoints(tmp_path))
    if kill_at == "checkpoint:1":
        assert left == {}
    elif kill_at == "checkpoint:20":
        # 11 evaluations in the first chunk, 8 in the second: at steps 0, 3, ..., 21.
        assert left == {("group-000", "chunk-00000"): 30, ("group-000", "chunk-00001"): 21}
    else:
        assert 30 in left.values()  # on a slow machine results are written before the end, too
    code, _, err = resume(tmp_path)
    assert code == 0, err
    assert_identical(tmp_path, undisturbed)


@pytest.mark.slow
def test_killed_while_the_results_of_a_resumed_run_are_written(tmp_path, undisturbed):
    process = start(*new(tmp_path), PAUSE="0.05")
    wait_for_checkpoints(process, tmp_path, 30)
    process.send_signal(signal.SIGINT)
    assert processes.end(process, DEADLINE)[0] == 130
    assert resume(tmp_path, KILL_AT="results:1")[0] == -signal.SIGKILL
    code, _, err = resume(tmp_path)
    assert code == 0, err
    assert_identical(tmp_path, undisturbed)


def test_a_signal_before_the_first_step_leaves_a_run_that_can_be_read(tmp_path):
    # The driver's own signal comes while the first program compiles, the earliest that the handler can see.
    early = "import os, signal\nfrom jaxbox.training import population\ncompile = population.Population.compile\n"
    early += "def interrupted(self):\n    os.kill(os.getpid(), signal.SIGINT)\n    return compile(self)\n"
    early += "population.Population.compile = interrupted\n"
    words = [sys.executable, "-c", early + DRIVER, *new(tmp_path)]
    kept, pipes = processes.environment(), {"capture_output": True, "text": True}
    done = subprocess.run(words, cwd=ROOT, env=kept, timeout=DEADLINE, **pipes)
    assert done.returncode == 130, done.stderr
    assert json.loads((tmp_path / "run" / store.MANIFEST).read_text())["status"] == "interrupted"
    run = store.open_run(tmp_path / "run")
    assert set(run["last_step"].values.ravel().tolist()) <= {-1, 0}
