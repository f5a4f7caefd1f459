"""What becomes of chunks that are handed out, told by what is heard of them: no cluster is needed."""

from typing import Any

import numpy as np
import pytest
from tiny import TINY

from jaxbox import store
from jaxbox.config import Plan, RunError
from jaxbox.sweep.engines import Work
from jaxbox.sweep.handout import LOSSES, Handout, LostError, Task
from jaxbox.sweep.loop import TRIES


class Told:
    """Stands for a report and a session."""

    def __init__(self):
        self.said, self.failed, self.done = [], [], 0

    def say(self, text):
        self.said.append(text)

    def fail(self, *failure):
        self.failed.append(failure)

    def skip(self, steps):
        self.done += steps

    def advance(self, steps, _):
        self.done += steps


@pytest.fixture
def told():
    return Told()


@pytest.fixture
def handout(tmp_path, told):
    fakes: Any = (told, None, told, {}, None)
    return Handout(Work(tmp_path, Plan.of([TINY], 4), *fakes))


def given(handout):
    """All that is there to do, as workers would get it who each say that a group has two chunks."""
    tasks = []
    while handout.todo:
        task = handout.todo.popleft()
        if task.chunk < 0:
            handout.hear(task, 2)
        else:
            tasks.append(task)
    return tasks


def test_a_group_is_counted_first_and_then_its_chunks_are_handed_out_in_order(handout, told):
    assert given(handout) == [Task(0, 0), Task(0, 1)]
    handout.hear(Task(0, 0), (4, 8, 4))
    assert told.done == 12
    assert not handout.todo


def test_a_bug_fails_its_chunk_after_three_tries_and_a_lost_worker_is_no_try(handout, told):
    first, _ = given(handout)
    for _ in range(TRIES - 1):
        handout.hear(first, ZeroDivisionError("a bug"))
        handout.hear(first, LostError("killed"))
        assert handout.todo.pop() == handout.todo.pop() == first
    assert not told.failed
    handout.hear(first, ZeroDivisionError("a bug"))
    assert told.failed == [(0, 0, TINY.steps, "ZeroDivisionError: a bug")]
    assert not handout.todo


def test_a_chunk_that_ends_its_worker_again_and_again_is_left_out(handout, told):
    first, _ = given(handout)
    for _ in range(LOSSES - 1):
        handout.hear(first, LostError("The actor died"))
        assert handout.todo.pop() == first
    handout.hear(first, LostError("The actor died"))
    assert told.failed == [(0, 0, TINY.steps, "LostError: The actor died")]
    assert not handout.todo


def test_machines_that_come_and_go_fail_no_chunk_that_gets_on(handout, told, tmp_path):
    first, _ = given(handout)
    for step in (2, 4):
        for _ in range(LOSSES - 1):
            handout.hear(first, LostError("The actor died"))
            handout.todo.pop()
        store.save_checkpoint(store.chunk_folder(tmp_path, 0, 0), step, {"measures": {"a": np.ones(3)}})
    handout.hear(first, LostError("The actor died"))
    assert list(handout.todo) == [first]
    assert not told.failed


def test_a_disk_that_cannot_be_written_is_no_bug(handout):
    first, _ = given(handout)
    with pytest.raises(RunError, match="full"):
        handout.hear(first, RunError("full"))
