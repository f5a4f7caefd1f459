"""Which chunks are still to be given to workers, and what became of those that were."""

from collections import deque
from typing import Any, NamedTuple

from jaxbox import store
from jaxbox.config import ConfigurationError, RunError, with_type
from jaxbox.sweep.engines import Work
from jaxbox.sweep.loop import TRIES
from jaxbox.training import groups

LOSSES = 10
"""How often a chunk may lose its worker with no later checkpoint; then it is taken for what ends them, and left out."""


class LostError(Exception):
    """A worker was lost, whatever it was doing."""


class Task(NamedTuple):
    """What a worker has at hand: chunk `chunk` of a group, or, at -1, to say how the group is cut."""

    group: int
    chunk: int


class Handout:
    """Which chunks are still to be trained, how often each was tried, and what became of them.

    Its session is told of those that are given up.
    """

    def __init__(self, work: Work):
        self.steps = [group.static.configuration.steps for group in groups.group(work.plan)]
        self.todo = deque(Task(group, -1) for group in range(len(self.steps)))
        self.report, self.session = work.report, work.session
        self.path = work.path
        self.tries: dict[Task, int] = {}
        self.losses: dict[Task, tuple[int | None, int]] = {}
        """The step that a chunk had reached when it last lost its worker, and how often it did so there."""

    def hear(self, task: Task, result: Any) -> None:
        """What came of a task.

        Raises:
            RunError: a worker cannot read or write the run, or would give it other bits.
        """
        if isinstance(result, Exception):
            self._hear_error(task, result)
        elif task.chunk < 0:
            self.todo.extendleft(Task(task.group, chunk) for chunk in reversed(range(result)))
        else:
            before, trained, step = result
            self.report.skip(before)
            self.report.advance(trained, step)

    def _hear_error(self, task: Task, error: Exception) -> None:
        if isinstance(error, RunError | ConfigurationError):
            raise error
        if isinstance(error, LostError):
            self.report.say(f"a worker was lost: {error}")
            times, most = self._lose(task), LOSSES
        else:
            times, most = self.tries.get(task, 0) + 1, TRIES
            self.tries[task] = times
        if times < most:
            self.todo.appendleft(task)
        else:
            why = with_type(error)
            self.report.say(f"group {task.group + 1}, chunk {task.chunk} failed {times} times: {why}")
            self.session.fail(task.group, max(task.chunk, 0), self.steps[task.group], why)

    def _lose(self, task: Task) -> int:
        """How often a task has lost its worker at the checkpoint that it has reached."""
        step = store.last_checkpoint(store.chunk_folder(self.path, task.group, max(task.chunk, 0)))
        before, times = self.losses.get(task, (step, 0))
        self.losses[task] = step, times + 1 if step == before else 1
        return self.losses[task][1]
