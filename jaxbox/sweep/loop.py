"""The loop over the chunks of a run: each trains from wherever its checkpoints left off, between evaluations."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import jax
import numpy as np

from jaxbox import store
from jaxbox.config import Plan
from jaxbox.store import results
from jaxbox.store.manifest import Manifest
from jaxbox.sweep.progress import Report
from jaxbox.sweep.signals import Stop
from jaxbox.training import groups
from jaxbox.training.member import State
from jaxbox.training.population import Population


def train(
    path: Path,
    plan: Plan,
    manifest: Manifest,
    stop: Stop,
    report: Report,
    members_per_chunk: int | None,
    checkpoint_seconds: float,
    publish: Callable[[], None],
) -> None:
    """Train every group of a run, to the end or to a stop. What comes of it is in the checkpoints.

    Args:
        path: the run's folder, held by this process.
        manifest: kept up to date while it trains.
        members_per_chunk: most members trained together between evaluations; None chooses by memory. A group that was
            begun before keeps the number it was begun with: another is another program, with other last bits.
        checkpoint_seconds: time between checkpoints of a chunk.
        publish: called after each of them.

    Raises:
        RunError: a checkpoint is damaged or cannot be written.
    """
    cut = groups.group(plan)
    for number, group in enumerate(cut):
        if stop.requested:
            return
        report.start(f"group {number + 1} of {len(cut)} ({group.static.configuration.model.name})")
        entry = manifest.group(number, [index for index, _ in group.configurations], group.static)
        begun = entry.get("members_per_chunk")
        population = Population(group, begun or members_per_chunk, exactly=begun is not None)
        entry["members_per_chunk"] = population.members_per_chunk
        manifest.save()
        start, earlier = time.monotonic(), entry["seconds"]
        for chunk in _chunks(population, path, number):
            for _ in chunk.train(stop, report, checkpoint_seconds):
                entry["seconds"] = earlier + time.monotonic() - start
                entry["compile_seconds"] = population.compile_seconds or entry.get("compile_seconds", 0.0)
                manifest.save()
                publish()


def _chunks(population: Population, path: Path, group: int) -> "Iterator[Chunk]":
    for number, members in enumerate(population.chunks()):
        yield Chunk(population, members, store.chunk_folder(path, group, number))


class Chunk:
    """A chunk of a population's members: its measures so far and its checkpoints in `folder`."""

    def __init__(self, population: Population, members: list[tuple[int, int]], folder: Path):
        self.population, self.members, self.folder = population, members, folder
        self.configuration = population.group.configurations[0][1]
        self.steps = self.configuration.evaluation_steps()
        self.step = store.last_checkpoint(folder)
        self.measures: dict[str, np.ndarray] = {}
        self.saved_at = time.monotonic()

    def train(self, stop: Stop, report: Report, checkpoint_seconds: float) -> Iterator[int]:
        """Train to the last step or to a stop; yield the step of each checkpoint, every `checkpoint_seconds`."""
        report.skip((self.step or 0) * len(self.members))
        steps = [step for step in self.steps if self.step is None or step > self.step]
        if steps and not stop.requested:
            state = self._load() if self.step is not None else None
            yield from self._advance(state, steps, stop, report, checkpoint_seconds)

    def _advance(
        self, state: Any, steps: list[int], stop: Stop, report: Report, checkpoint_seconds: float
    ) -> Iterator[int]:
        report.begin_chunk(self.population.compile())
        seeds, floats = self.population.inputs(self.members)
        if state is None:
            state = self.population.initialize(seeds, floats)
        data = self.population.prepare(seeds, floats, self.step or 0)
        for step in steps:
            previous = self.step or 0
            state, data, measures = self.population.advance(state, data, seeds, floats, previous, step)
            self._record(measures, step)
            report.advance((step - previous) * len(self.members), step)
            due, stopping = time.monotonic() - self.saved_at > checkpoint_seconds, stop.requested
            if due or stopping or step == self.steps[-1]:
                results.finish(self.measures, measures)
                self._save(state)
                yield step
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

    def _load(self) -> State:
        assert self.step is not None
        like = {"state": self.population.abstract_state, "measures": results.like()}
        saved: Any = store.load_checkpoint(self.folder / str(self.step), like)
        self.measures = results.lengthen(saved["measures"], len(self.steps))
        return self.population.fill(saved["state"])
