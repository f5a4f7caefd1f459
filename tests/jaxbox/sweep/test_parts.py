"""Shares of a run in processes of their own: they end with the bits of one process, whoever is killed or comes twice."""

import dataclasses
import itertools
import json
import os
import random
import signal
import socket
import subprocess
import sys
import time

import numpy as np
import processes
import pytest
import xarray
from tiny import TINY

from jaxbox import status, store, sweep
from jaxbox.config import ConfigurationError, Optimizer, RunError
from jaxbox.sweep.__main__ import main
from jaxbox.sweep.chunk import Chunk
from jaxbox.sweep.part import Part

FASTER = dataclasses.replace(TINY, optimizer=Optimizer("sgd", 0.05))
NESTEROV = dataclasses.replace(TINY, optimizer=Optimizer("nesterov", 0.1))
CONFIGURATIONS = [TINY, FASTER, NESTEROV]
OPTIONS = {"seeds": 5, "members_per_chunk": 2, "quiet": True}
WORDS = [
    *"base --model.name linear --vary optimizer.name sgd nesterov --task.height 6 --task.width 5 --steps 60".split(),
    *"--data.train_size 12 --batch_size 4 --eval_every 2 --seeds 7 --members_per_chunk 2 --name run".split(),
    *"--checkpoint_seconds 0".split(),
]
DEADLINE = 120.0


def results(path):
    return store.open_run(path).load().drop_vars("seconds").drop_attrs(deep=False)


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    folder = tmp_path_factory.mktemp("whole")
    sweep.run(CONFIGURATIONS, out=folder, name="run", **OPTIONS)
    return results(folder / "run")


@pytest.mark.parametrize("order", [(2, 1, 0), pytest.param((0, 1, 2), marks=pytest.mark.slow)])
def test_parts_that_come_one_after_the_other_make_the_whole(order, tmp_path, whole):
    for index in order:
        found = sweep.run(CONFIGURATIONS, out=tmp_path, name="run", part=f"{index}/3", **OPTIONS)
        assert bool(found) == (index == 0), "part 0 gathers"
    states = store.load_manifest(tmp_path / "run")
    assert states["status"] == ("complete" if order[-1] == 0 else "running")
    assert [session["part"] for session in states["sessions"]] == [f"{index}/3" for index in order]
    sweep.run(resume=tmp_path / "run", quiet=True)
    assert store.load_manifest(tmp_path / "run")["status"] == "complete"
    xarray.testing.assert_identical(results(tmp_path / "run"), whole)


@pytest.mark.parametrize("count", [1, 2, 3, 5])
def test_each_chunk_is_in_one_part(count):
    for group, chunk in itertools.product(range(4), range(7)):
        assert [Part(index, count).has(group, chunk) for index in range(count)].count(True) == 1


def test_what_a_part_left_is_done_without_parts(tmp_path, whole):
    sweep.run(CONFIGURATIONS, out=tmp_path, name="run", part="1/2", **OPTIONS)
    with pytest.raises(RunError, match="no results yet"):
        store.open_run(tmp_path / "run")
    sweep.run(resume=tmp_path / "run", quiet=True)
    xarray.testing.assert_identical(results(tmp_path / "run"), whole)


@pytest.mark.parametrize("text", ["2/2", "1", "a/b", "-1/2", "1/0", "0/2/3", ""])
def test_a_part_that_is_none_is_refused(text, tmp_path, capsys):
    assert main([*WORDS, "--out", str(tmp_path), f"--part={text}"]) == 2
    assert f"part: {text} is not allowed; it must be I/N" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


def test_parts_meet_in_the_same_run_only(tmp_path, capsys):
    assert main([*WORDS[: WORDS.index("--name")], "--out", str(tmp_path), "--part", "0/2"]) == 2
    assert "name: nothing is not allowed; it must be said with part 0/2" in capsys.readouterr().err
    sweep.run(CONFIGURATIONS, out=tmp_path, name="run", part="1/2", **OPTIONS)
    with pytest.raises(ConfigurationError, match=r"was made with .* give another name"):
        sweep.run([TINY], out=tmp_path, name="run", part="0/2", **OPTIONS)
    with pytest.raises(ConfigurationError, match="part: 0/2 is not allowed with more"):
        sweep.run(resume=tmp_path / "run", seeds=7, part="0/2", quiet=True)
    with pytest.raises(ConfigurationError, match="overwrite: True is not allowed"):
        sweep.run(CONFIGURATIONS, out=tmp_path, name="run", part="0/2", overwrite=True, **OPTIONS)


def test_a_run_that_a_part_still_trains_is_not_replaced(tmp_path):
    sweep.run(CONFIGURATIONS, out=tmp_path, name="run", part="1/2", **OPTIONS)
    (file,) = (tmp_path / "run" / "sessions").iterdir()
    for changed, here in (({"pid": os.getppid()}, True), ({"host": "elsewhere"}, True), ({"pid": 2**22 + 1}, False)):
        file.write_text(
            json.dumps(json.loads(file.read_text()) | {"ended": False, "host": socket.gethostname()} | changed)
        )
        assert bool(status.status(tmp_path / "run").workers) == here
        if here:
            with pytest.raises(RunError, match=r"run is in use by process \d+ on"):
                sweep.run(CONFIGURATIONS, out=tmp_path, name="run", overwrite=True, **OPTIONS)
    sweep.run(CONFIGURATIONS, out=tmp_path, name="run", overwrite=True, **OPTIONS)


def test_a_chunk_that_raises_is_given_up_after_three_tries_and_named(tmp_path, monkeypatch, whole, capsys):
    tries, advance = [], Chunk._advance

    def broken(self, *arguments):
        if self.members[0] == (0, 2):
            tries.append(self.members)
            raise ZeroDivisionError("a bug\nof many lines")
        return advance(self, *arguments)

    monkeypatch.setattr(Chunk, "_advance", broken)
    sweep.run(CONFIGURATIONS, out=tmp_path, name="run", **OPTIONS)
    run = tmp_path / "run"
    assert tries == [[(0, 2), (0, 3)]] * 3
    found = results(run)
    lost = (found["configuration"] == 0) & found["seed"].isin([2, 3])
    assert (found["last_step"] < 0).equals(lost.transpose(*found["last_step"].dims)), "the others are all there"
    assert store.load_manifest(run)["status"] == "failed"
    assert status.status(run).failures == ("group 1, chunk 1: ZeroDivisionError: a bug",)
    assert main(["--resume", str(run)]) == 1
    assert "1 chunks failed" in capsys.readouterr().out
    monkeypatch.undo()
    sweep.run(resume=run, quiet=True)
    assert status.status(run).failures == ()
    assert store.load_manifest(run)["status"] == "complete"
    xarray.testing.assert_identical(results(run), whole)


def start(folder, *words):
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    command = [sys.executable, "-m", "jaxbox.sweep", *words]
    return subprocess.Popen(command, cwd=folder, env=processes.environment(keep=False), **pipes)


@pytest.mark.slow
@pytest.mark.parametrize("kills", [1, 10])
def test_parts_at_once_of_which_one_is_killed_make_the_whole(kills, tmp_path):
    one = tmp_path / "one"
    one.mkdir()
    alone = start(one, *WORDS)
    assert processes.end(alone, DEADLINE)[0] == 0
    draw = random.Random(0)
    first, second = start(tmp_path, *WORDS, "--part", "0/2"), start(tmp_path, *WORDS, "--part", "1/2")
    for _ in range(kills):
        time.sleep(draw.uniform(0.5, 5.0))
        second.send_signal(signal.SIGKILL)
        processes.end(second, DEADLINE)
        second = start(tmp_path, *WORDS, "--part", "1/2")
    assert [processes.end(process, DEADLINE)[0] for process in (first, second)] == [0, 0]
    code, _, err = processes.end(start(tmp_path, "--resume", "runs/run"), DEADLINE)
    assert code == 0, err
    xarray.testing.assert_identical(results(tmp_path / "runs" / "run"), results(one / "runs" / "run"))
    sessions = [json.loads(file.read_text()) for file in (tmp_path / "runs" / "run" / "sessions").iterdir()]
    assert sum(session["ended"] for session in sessions) == 3


WRITER = """
import sys, time
from pathlib import Path
import numpy as np
from jaxbox import store
folder, trials = Path(sys.argv[1]), int(sys.argv[2])
for trial in range(trials):
    while not (folder / f"go-{trial}").exists():
        time.sleep(0.001)
    reached = -1
    for step in range(6):
        tree = {"measures": {"numbers": np.full((3, 4), step, np.float32)}}
        store.save_checkpoint(folder / str(trial), step, tree, last=step == 5)
        now = store.last_checkpoint(folder / str(trial))
        assert now >= max(step, reached), (trial, step, reached, now)
        reached = now
    (folder / f"done-{trial}-{sys.argv[3]}").touch()
"""


@pytest.mark.parametrize("trials", [3, pytest.param(50, marks=pytest.mark.slow)])
def test_two_writers_of_one_chunk_do_not_undo_each_other(trials, tmp_path):
    """A reader looks meanwhile, and never sees less than before, or half of something."""
    command = [sys.executable, "-c", WRITER, str(tmp_path), str(trials)]
    writers = [subprocess.Popen([*command, name], env=processes.environment()) for name in ("a", "b")]
    like = {"measures": {"numbers": np.zeros((3, 4), np.float32)}}
    try:
        for trial in range(trials):
            (tmp_path / f"go-{trial}").touch()
            seen, limit = -1, time.monotonic() + DEADLINE
            while not all((tmp_path / f"done-{trial}-{name}").exists() for name in ("a", "b")):
                assert all(writer.poll() in (None, 0) for writer in writers)
                assert time.monotonic() < limit
                if found := store.load_last(tmp_path / str(trial), like):
                    step, tree = found
                    assert step >= seen
                    assert (tree["measures"]["numbers"] == step).all()
                    seen = step
            assert [entry.name for entry in (tmp_path / str(trial)).iterdir()] == ["5"]
        assert [writer.wait(DEADLINE) for writer in writers] == [0, 0]
    finally:
        for writer in writers:
            writer.kill()
            writer.wait()
