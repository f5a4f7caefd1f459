"""One chunk of a run: trains from wherever its checkpoints left off, between evaluations."""

import time
from collections.abc import Callable, Iterator
from functools import cached_property, partial
from pathlib import Path
from typing import Any

import jax
import numpy as np

from jaxbox import store
from jaxbox.store import results
from jaxbox.sweep import dying
from jaxbox.sweep.later import Later
from jaxbox.sweep.progress import Report
from jaxbox.sweep.signals import Stop
from jaxbox.training import strata
from jaxbox.training.groups import Group
from jaxbox.training.member import State
from jaxbox.training.population import Population

KEPT: dict[str, Callable[[State], dict[str, Any]]] = {
    "all": lambda state: {"state": state},
    "parameters": lambda state: {"weights": state.weights},
    "measures": lambda state: {},
}
"""What of a member's last state is kept beside its measures: all, to go on from; its network's numbers; nothing."""
SHARE = 0.02
"""Of the time, for looking at all positions on the way, so that who opens the run meanwhile has predictions."""


class Chunk:
    """A chunk of a group's members: its measures so far and its checkpoints in `folder`.

    Args:
        population: makes the group's programs, which only training needs.
        keep: of KEPT, what its last checkpoint has.
        later: writes that last checkpoint.
    """

    def __init__(
        self,
        population: Callable[[], Population],
        group: Group,
        members: list[tuple[int, int]],
        folder: Path,
        keep: str,
        later: Later,
    ):
        self._population, self.group, self.members, self.folder = population, group, members, folder
        self.keep, self.later = keep, later
        self.configuration = group.configurations[0][1]
        self.steps = self.configuration.evaluation_steps()
        self.step = store.last_checkpoint(folder)
        self.spent: int | None = None
        """The step of a checkpoint from which nobody can go on, and that is not far enough."""
        if self.step is not None and not self.finished and not store.has_part(folder, "state"):
            self.step, self.spent = None, self.step
        self.measures: dict[str, np.ndarray] = {}
        self.saved_at = time.monotonic()

    @cached_property
    def population(self) -> Population:
        """The programs that train it."""
        return self._population()

    @property
    def done(self) -> int:
        """Updates of all members together, so far."""
        return len(self.members) * (self.step or 0)

    @property
    def finished(self) -> bool:
        """Whether its last checkpoint is that of its last step."""
        return self.step is not None and self.step >= self.steps[-1]

    def train(self, stop: Stop, report: Report, checkpoint_seconds: float) -> Iterator[int]:
        """Train to the last step or to a stop; yield the step of each checkpoint, every `checkpoint_seconds`.

        The last one may still be being written when its step is yielded.
        """
        if self.finished or stop.requested:
            report.skip(self.done)
            return
        state = self._load() if self.step is not None else None
        report.skip(self.done)
        steps = [step for step in self.steps if self.step is None or step > self.step]
        yield from self._advance(state, steps, stop, report, checkpoint_seconds)

    def _advance(
        self, state: Any, steps: list[int], stop: Stop, report: Report, checkpoint_seconds: float
    ) -> Iterator[int]:
        seeds, floats = self.population.inputs(self.members)
        report.begin_chunk()
        own = dict(self.group.configurations)
        configurations = [own[index] for index, _ in self.members]
        if state is None:
            state = self.population.initialize(seeds, floats)
        data = self.population.prepare(seeds, floats, self.step or 0)
        for step in steps:
            previous, last = self.step or 0, step == self.steps[-1]
            state, data, measures = self.population.advance(state, data, seeds, floats, previous, step, last)
            self._record(measures, step)
            report.warning = dying.words(
                configurations, np.asarray(measures["dead_fraction"])[: len(self.members)], step
            )
            report.advance((step - previous) * len(self.members), step)
            due, stopping = time.monotonic() - self.saved_at > checkpoint_seconds, stop.requested
            if due or stopping or last:
                whole = last or not self.population.samples
                if not whole and (stopping or self._long_ago(step)):
                    # What is final is of all positions; curves stay those of the sample, as without a checkpoint here.
                    state, data, measures = self.population.advance(state, data, seeds, floats, step, step)
                    whole = True
                if whole:
                    results.finish(self.measures, measures)
                self._save(state)
                yield step
            if stopping:
                return

    def _long_ago(self, step: int) -> bool:
        """Whether all positions were looked at never before, or so long ago that it takes a SHARE of the time."""
        before = int(self.measures["last_step"].max())
        return before < 0 or (step - before) * SHARE >= strata.steps_worth(self.configuration)

    def _record(self, measures: dict[str, Any], step: int) -> None:
        if not self.measures:
            self.measures = results.allocate(self.configuration, measures, len(self.members))
        results.record(self.measures, measures, self.steps.index(step))
        self.step = step

    def _save(self, state: State) -> None:
        own = jax.tree.map(lambda leaf: leaf[: len(self.members)], jax.device_get(state))
        assert self.step is not None
        parts = {"measures": self.measures, **(KEPT[self.keep](own) if self.finished else {"state": own})}
        last = self.finished
        save = partial(store.save_checkpoint, self.folder, self.step, parts, last=last, instead_of=self.spent)
        # The arrays may be the device's own, which whoever goes on would overwrite.
        self.later.do(save) if last else save()
        self.saved_at = time.monotonic()

    def _load(self) -> State:
        like = {"state": self.population.abstract_state, "measures": results.like(self.configuration)}
        found: Any = store.load_last(self.folder, like)
        self.step, saved = found
        self.measures = results.lengthen(saved["measures"], len(self.steps))
        return self.population.fill(saved["state"])
