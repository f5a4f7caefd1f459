"""Who opens a run every 50 ms sees only states that were: while parts train it, while it grows and is merged.

Every rename takes its time, as on a file system far away.
"""

import dataclasses
import subprocess
import sys
import time

import numpy as np
import processes
import pytest
from tiny import TINY

from jaxbox import status, store
from jaxbox.config import RunError

LONG = dataclasses.replace(TINY, steps=8)
OPTIONS = {"members_per_chunk": 2, "checkpoint_seconds": 0.0, "quiet": True}
PERIOD = 0.05
DEADLINE = 300.0
pytestmark = pytest.mark.slow
SLOW = """
import dataclasses, sys, time
from pathlib import Path
sys.addaudithook(lambda event, _: time.sleep(0.02) if event == "os.rename" else None)
from test_readers import LONG, OPTIONS
from jaxbox.config import Optimizer
from jaxbox import merge, store, sweep
from jaxbox.sweep import publishing
publishing.LEAST_SECONDS, publishing.SHARE = 0.0, 0.5
nesterov = dataclasses.replace(LONG, optimizer=Optimizer("nesterov", 0.1))
folder, part = Path(sys.argv[1]), sys.argv[2]
run, both = folder / "run", folder / "both"
sweep.run([LONG, nesterov], 4, out=folder, name="run", part=part, **OPTIONS)
if part == "0/2":
    while not all(session["ended"] for session in store.load_sessions(run)) or len(store.load_sessions(run)) < 2:
        time.sleep(0.01)
    sweep.run(resume=run, quiet=True)
    sweep.run(resume=run, seeds=6, checkpoint_seconds=0.0, quiet=True)
    sweep.run(resume=run, steps=12, checkpoint_seconds=0.0, quiet=True)
    faster = dataclasses.replace(LONG, steps=12, optimizer=Optimizer("sgd", 0.05))
    sweep.run(resume=run, added=[faster], quiet=True)
    sweep.run([faster], 2, first_seed=6, out=folder, name="other", **OPTIONS)
    merge.merge([run, folder / "other"], both)
    sweep.run(resume=both, seeds=9, checkpoint_seconds=0.0, quiet=True)
"""


def start(folder, part):
    paths = [processes.ROOT, processes.ROOT / "tests", processes.ROOT / "tests/jaxbox/sweep"]
    kept = processes.environment(keep=False) | {"PYTHONPATH": ":".join(map(str, paths))}
    command = [sys.executable, "-c", SLOW, str(folder), part]
    return subprocess.Popen(command, env=kept, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def look(path, seen, before):
    """Open what there is; a run that is not there, or that has no results yet, is told apart from a torn one."""
    try:
        results, plan = store.open_with_plan(path)
        seen.append((results.load(), plan, store.member_table(path), status.status(path)))
    except RunError as error:
        text = str(error)
        early = "is not a folder" in text or "has no results yet" in text
        assert "changed twice" in text or (early and not seen), text
        before.append(text)


def steps_done(results):
    return int(results["last_step"].clip(min=0).sum())


@pytest.mark.parametrize("name", [pytest.param("run", id="trained, grown"), pytest.param("both", id="merged, grown")])
def test_every_state_that_is_read_is_the_beginning_of_the_last(name, observed):
    folder, states = observed
    seen = states[name]
    last = store.open_run(folder / name).load()
    assert len({steps_done(results) for results, *_ in seen}) >= 3, "there was something to see"
    for results, plan, table, found in seen:
        assert results.sizes["configuration"] == len(plan.configurations)
        assert results.sizes["seed"] == plan.seed_count
        assert len(table) == table["configuration"].nunique() * table["seed"].nunique()
        assert found.state in ("running", "complete", "interrupted")
        for member in ((c, s) for c in range(results.sizes["configuration"]) for s in results["seed"].values):
            _compare(*(each.sel(configuration=member[0], seed=member[1]) for each in (results, last)))
    done = [steps_done(results) for results, *_ in seen]
    assert done == sorted(done), "nothing is taken back"


def _compare(early, late):
    """A member in an early state and in the last: what it had done then it has done still, bit for bit."""
    reached = int(early["last_step"])
    steps = [step for step in early["step"].values if step <= reached]
    for measure in ("mse", "loss", "r2"):
        np.testing.assert_array_equal(early[measure].sel(step=steps), late[measure].sel(step=steps))
        assert early[measure].sel(step=[s for s in early["step"].values if s > reached]).isnull().all()
    if reached >= 0:
        np.testing.assert_array_equal(early["seen"], late["seen"])
    if reached == int(late["last_step"]):
        np.testing.assert_array_equal(early["prediction"], late["prediction"])


@pytest.fixture(scope="module")
def observed(tmp_path_factory):
    """(the folder, by run: what was seen in it, in order)."""
    folder = tmp_path_factory.mktemp("readers")
    writers = [start(folder, part) for part in ("0/2", "1/2")]
    states, before = {"run": [], "both": []}, []
    limit = time.monotonic() + DEADLINE
    try:
        while any(writer.poll() is None for writer in writers) and time.monotonic() < limit:
            for name, seen in states.items():
                look(folder / name, seen, before)
            time.sleep(PERIOD)
    finally:
        ended = [processes.end(writer) for writer in writers]
    assert [code for code, *_ in ended] == [0, 0], ended
    assert any("is not a folder" in text for text in before)
    return folder, states
