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

    drops = False
    """Whether members are left out whose fate is sealed."""

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
        self.configuration, own = group.configurations[0][1], dict(group.configurations)
        self.configurations = [own[index] for index, _ in members]
        self.steps = self.configuration.evaluation_steps()
        self.step = store.last_checkpoint(folder)
        self.spent: int | None = None
        """The step of a checkpoint from which nobody can go on, and that is not far enough."""
        if self.step is not None and not self.finished and not store.has_part(folder, "state"):
            self.step, self.spent = None, self.step
        self.measures: dict[str, np.ndarray] = {}
        self.saved_at = time.monotonic()
        self.inputs: Any = None
        self.state: Any = None
        self.data: Any = None
        """On the devices, while it trains."""
        self.spared = 0
        """Updates that need not be made any more since the last evaluation."""

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
        yield from self._advance(state, stop, report, checkpoint_seconds)

    def _advance(self, state: Any, stop: Stop, report: Report, checkpoint_seconds: float) -> Iterator[int]:
        report.begin_chunk()
        self.begin(state)
        for step in [step for step in self.steps if self.step is None or step > self.step]:
            before = self.done
            measures = self.advance(step)
            report.warning = partial(self.warning, step)
            report.skip(self.spared)
            report.advance(self.done - before - self.spared, step)
            due, stopping = time.monotonic() - self.saved_at > checkpoint_seconds, stop.requested
            if due or stopping or self.finished:
                self.finish(measures, stopping)
                self._save()
                yield self.step or 0
            if stopping or self.finished:
                return

    def begin(self, state: State | None) -> None:
        """Lay the members out over the devices, in this state, or in that before their first step."""
        seeds, floats = self.inputs = self.population.inputs(self.members)
        self.state = self.population.initialize(seeds, floats) if state is None else self.population.fill(state)
        self.data = self.population.prepare(seeds, floats, self.step or 0)

    def advance(self, step: int) -> dict[str, Any]:
        """Train to this step and record what is measured there, which is returned, too."""
        seeds, floats = self.inputs
        given = self.state, self.data, seeds, floats, self.step or 0, step, step == self.steps[-1]
        self.state, self.data, measures = self.population.advance(*given)
        self._allocate(measures)
        results.record(self.measures, measures, self.steps.index(step))
        self.step = step
        return measures

    def finish(self, measures: dict[str, Any], stopping: bool) -> None:
        """Record what is kept of the last evaluation only, which is of all positions.

        After one of a sample it is made on purpose; curves stay those of the sample, as without a checkpoint here.
        """
        if self.finished or not self.population.samples:
            results.finish(self.measures, measures)
        elif stopping or self._long_ago():
            seeds, floats = self.inputs
            given = self.state, self.data, seeds, floats, self.step or 0, self.step or 0
            self.state, self.data, measures = self.population.advance(*given)
            results.finish(self.measures, measures)

    def _long_ago(self) -> bool:
        """Whether all positions were looked at never before, or so long ago that it takes a SHARE of the time."""
        before = int(self.measures["last_step"].max())
        return before < 0 or ((self.step or 0) - before) * SHARE >= strata.steps_worth(self.configuration)

    def own_state(self) -> State:
        """The state of each member, in their order, on the host."""
        return jax.tree.map(lambda leaf: leaf[: len(self.members)], jax.device_get(self.state))

    def parts(self) -> dict[str, Any]:
        """What a checkpoint of the chunk has beside its measures."""
        return KEPT[self.keep](self.own_state()) if self.finished else {"state": self.own_state()}

    def warning(self, step: int) -> str:
        """What is to be said of its members at this step, if they are not well."""
        return dying.words(self.configurations, self.measures["dead_fraction"][:, self.steps.index(step)], step)

    def _allocate(self, measures: dict[str, Any]) -> None:
        if not self.measures:
            self.measures = results.allocate(self.configuration, measures, len(self.members), self.drops)

    def _save(self) -> None:
        assert self.step is not None
        parts = {"measures": self.measures, **self.parts()}
        last = self.finished
        save = partial(store.save_checkpoint, self.folder, self.step, parts, last=last, instead_of=self.spent)
        # The arrays may be the device's own, which whoever goes on would overwrite.
        self.later.do(save) if last else save()
        self.saved_at = time.monotonic()

    def _load(self) -> State:
        """The state of each member at the last checkpoint, whose measures become those so far."""
        found: Any = store.load_last(self.folder, self.like())
        self.step, saved = found
        self.measures = results.lengthen(saved["measures"], len(self.steps))
        self.take(saved)
        return saved["state"]

    def take(self, saved: dict[str, Any]) -> None:
        """What else the parts of a checkpoint say."""

    def like(self) -> dict[str, Any]:
        """The parts of a checkpoint from which the chunk goes on."""
        return {"state": self.population.abstract_state, "measures": results.like(self.configuration, drops=self.drops)}
