"""A side in a process of its own: what it answers, how it ends, and what is left of one that fails."""

import sys

import numpy as np
import pytest

from jaxbox.bench import making
from jaxbox.bench.process import Worker, WorkerError


@pytest.fixture
def start(configurations, tmp_path):
    """A program -> the worker that runs it."""
    return lambda program: Worker(
        "flax", configurations["linear"], 2, 0.01, tmp_path, command=(sys.executable, "-c", program)
    )


def test_what_a_failed_process_says_last_is_kept(start):
    with pytest.raises(WorkerError, match=r"^MemoryError: too much$"):
        start("raise MemoryError('too much')")


def test_a_process_ends_with_its_worker(start):
    program = 'import sys; input(); print(\'{"seeds": 2, "steps": 3}\', flush=True); sys.stdin.read()'
    with start(program) as worker:
        assert (worker.seeds, worker.steps) == (2, 3)
        assert worker.process.poll() is None
    assert worker.process.poll() is not None


def test_a_side_in_a_process_of_its_own(configurations, tmp_path):
    made = making.make(configurations["linear"], 2)
    made.save(tmp_path)
    with Worker("jax-loop", configurations["linear"], 8, 0.01, tmp_path) as worker:
        worker.sample()
        worker.sample()
    assert worker.seeds == 2, "it loops over seeds, so two are enough"
    assert worker.samples[0]["seconds"] > 0
    assert worker.spent == sum(sample["seconds"] for sample in worker.samples)
    index = made.first_batches[0][0]
    loss = np.mean((made.images[index].reshape(16, -1) @ made.layers[0][0][0].T - made.targets[index]) ** 2)
    assert worker.facts["losses"][0][0] == pytest.approx(loss, rel=1e-5)
