"""Trains the chunks of a run from wherever their checkpoints left off, and can be asked to stop between segments."""

import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import jax
import numpy as np

from jaxbox import results, store
from jaxbox.member import State
from jaxbox.population import Population
from jaxbox.progress import Report


class Stop:
    """Whether someone asked the run to stop."""

    requested = False


@contextmanager
def stop_on_signal(report: Report) -> Iterator[Stop]:
    """Turn the first SIGINT or SIGTERM into a request to stop; a second one acts as it would without this.

    Outside the main thread signals cannot be caught, and are left alone.
    """
    stop, previous = Stop(), {}

    def handler(number: int, frame: Any) -> None:
        stop.requested = True
        report.say("stopping after this segment; once more stops at once and loses what came after the checkpoint")
        for caught, old in previous.items():
            signal.signal(caught, old)

    try:
        for number in (signal.SIGINT, signal.SIGTERM):
            previous[number] = signal.signal(number, handler)
    except ValueError:
        previous = {}
    try:
        yield stop
    finally:
        for number, old in previous.items():
            signal.signal(number, old)


class Chunk:
    """A chunk of a population's members: its measures so far and its checkpoints in `folder`."""

    def __init__(self, population: Population, members: list[tuple[int, int]], folder: Path):
        self.population, self.members, self.folder = population, members, folder
        self.configuration = population.group.configurations[0][1]
        self.steps = self.configuration.evaluation_steps()
        self.step = store.last_checkpoint(folder)
        self.measures: dict[str, np.ndarray] = {}
        self.saved_at = time.monotonic()

    def train(
        self, stop: Stop, report: Report, checkpoint_seconds: float
    ) -> dict[tuple[int, int], dict[str, np.ndarray]]:
        """Train to the last step or to a stop, with a checkpoint there and every `checkpoint_seconds`.

        Returns the arrays of `results.allocate` by member; nothing if it was stopped before it began.
        """
        steps = [step for step in self.steps if self.step is None or step > self.step]
        state = self._load(report) if self.step is not None else None
        if steps and not stop.requested:
            self._advance(state, steps, stop, report, checkpoint_seconds)
        rows = range(len(self.members)) if self.measures else ()
        return {self.members[row]: {name: array[row] for name, array in self.measures.items()} for row in rows}

    def _advance(self, state: Any, steps: list[int], stop: Stop, report: Report, checkpoint_seconds: float) -> None:
        report.compiled(self.population.compile())
        seeds, floats = self.population.inputs(self.members)
        if state is None:
            state = self.population.initialize(seeds, floats)
        data = self.population.prepare(seeds, self.step or 0)
        for step in steps:
            previous = self.step or 0
            state, data, measures = self.population.advance(state, data, seeds, floats, previous, step)
            self._record(measures, step)
            report.advance((step - previous) * len(self.members), step)
            due, stopping = time.monotonic() - self.saved_at > checkpoint_seconds, stop.requested
            if due or stopping or step == self.steps[-1]:
                results.finish(self.measures, measures)
                self._save(state)
            if stopping:
                return

    def _record(self, measures: dict[str, Any], step: int) -> None:
        if not self.measures:
            self.measures = results.allocate(self.configuration, measures, len(self.members))
        results.record(self.measures, measures, self.steps.index(step))
        self.step = step

    def _save(self, state: State) -> None:
        own = jax.tree.map(lambda leaf: leaf[: len(self.members)], jax.device_get(state))
        assert self.step is not None
        store.save_checkpoint(self.folder, self.step, {"state": own, "measures": self.measures})
        self.saved_at = time.monotonic()

    def _load(self, report: Report) -> State:
        assert self.step is not None
        like = {"state": self.population.abstract_state(), "measures": results.like(self.configuration)}
        saved: Any = store.load_checkpoint(self.folder, self.step, like)
        self.measures = saved["measures"]
        report.skip(self.step * len(self.members))
        return self.population.fill(saved["state"])


def chunks(population: Population, folder: Path) -> Iterator[Chunk]:
    """The chunks of a population, each with a folder of its own inside its group's folder."""
    for number, members in enumerate(population.chunks()):
        yield Chunk(population, members, folder / f"chunk-{number:05d}")
