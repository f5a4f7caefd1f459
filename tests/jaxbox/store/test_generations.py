"""A run that is read while its results are replaced, by real processes and from one."""

import subprocess
import sys
import time

import numpy as np
import processes
import pytest
import xarray
from old_runs import forget_marks

from jaxbox import store
from jaxbox.config import Configuration, Plan, RunError
from jaxbox.store import generations
from jaxbox.sweep import growth
from jaxbox.sweep.publishing import Publisher

PLAN = Plan.of([Configuration()], 4)


def results(value, seeds=4):
    values = np.full((1, seeds), float(value))
    return xarray.Dataset({"a": (("configuration", "seed"), values), "b": (("configuration", "seed"), values)})


@pytest.fixture
def path(tmp_path):
    store.create(tmp_path / "run", PLAN)
    store.save_results(tmp_path / "run", [results(1)])
    return tmp_path / "run"


def test_what_was_opened_stays_until_it_has_been_replaced_twice(path):
    first = store.open_run(path)
    store.save_results(path, [results(2)])
    assert store.open_run(path)["a"].values.tolist() == [[2] * 4]
    assert first["a"].values.tolist() == [[1] * 4]
    again = store.open_run(path)
    store.save_results(path, [results(3)])
    with pytest.raises(RunError, match="have changed twice since they were opened; open them again"):
        first["b"].load()
    assert again["b"].values.tolist() == [[2] * 4]


def test_a_reader_of_a_run_that_has_grown_waits_for_its_results(path, monkeypatch):
    monkeypatch.setattr(generations, "PATIENCE", 0.05)
    store.grow(path, growth.grown(PLAN, seeds=5))
    with pytest.raises(RunError, match="has grown, or was killed, and its results have not been gathered since"):
        store.open_run(path)
    store.save_results(path, [results(2, 5)])
    assert store.open_run(path).sizes["seed"] == 5


def test_results_from_before_they_had_marks_are_read(path):
    forget_marks(path)
    assert store.open_run(path)["a"].values.tolist() == [[1] * 4]


WRITER = """
import sys
from pathlib import Path
from test_generations import PLAN, results
from jaxbox import store
from jaxbox.sweep import growth
path, plan = Path(sys.argv[1]), PLAN
for value in range(2, 42):
    if value % 4 == 0:
        plan = growth.grown(plan, seeds=plan.seed_count + 1)
        store.grow(path, plan)
    store.save_results(path, [results(value, plan.seed_count)])
"""


@pytest.mark.slow
def test_a_reader_in_another_process_never_sees_a_torn_or_mixed_state(path):
    paths = {"PYTHONPATH": f"{processes.ROOT}:{processes.ROOT / 'tests'}:{processes.ROOT / 'tests/jaxbox/store'}"}
    words = [sys.executable, "-c", WRITER, str(path)]
    writer = subprocess.Popen(words, env=processes.environment() | paths, stderr=subprocess.PIPE, text=True)
    seen, complaints = [], []
    try:
        while writer.poll() is None:
            run = store.open_run(path)
            try:
                values = {*run["a"].values.ravel().tolist(), *run["b"].values.ravel().tolist()}
            except RunError as error:
                complaints.append(str(error))
            else:
                assert len(values) == 1
                seen += values
            time.sleep(0.005)
    finally:
        writer.kill()
        _, err = writer.communicate()
    assert not err, err
    assert all("changed twice" in complaint for complaint in complaints)
    assert seen == sorted(seen)
    assert len(set(seen)) > 5
    assert store.open_run(path)["a"].values.tolist() == [[41] * 14]


def test_publishing_is_as_seldom_as_its_cost_asks_for(monkeypatch):
    now, gathered = [0.0], []

    def gather():
        gathered.append(now[0])
        now[0] += 2.0

    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    publish = Publisher(gather, 20.0)
    for _ in range(300):
        now[0] += 1.0
        publish()
    # 20 s after the start, and then 2 s of gathering in 100.
    assert gathered == [20.0, 122.0, 224.0]
