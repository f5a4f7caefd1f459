"""A chunk that leaves out members whose fate is sealed (`training.sealing`): what is left of it takes less time."""

from typing import Any

import jax
import numpy as np
from jaxtyping import Bool

from jaxbox.store import results
from jaxbox.store.results import Rows
from jaxbox.sweep import dealing, dying
from jaxbox.sweep.chunk import Chunk
from jaxbox.training.member import State


class DroppingChunk(Chunk):
    """A chunk whose members are recorded up to the evaluation at which they are dropped, and then left out.

    It ends at its last step, or as soon as nobody is left. Checkpoints also have `places`, which member is where, so
    that a resumed chunk is computed as one that was never stopped.
    """

    drops = True
    places: Any = None

    @property
    def done(self) -> int:
        """Updates of all members together that need not be made any more."""
        if not self.measures:
            return super().done
        return int(np.where(self.live, self.step or 0, self.steps[-1]).sum())

    @property
    def live(self) -> Bool[np.ndarray, " members"]:
        """Who still trains."""
        return self.measures["dropped_step"] < 0 if self.measures else np.ones(len(self.members), bool)

    def begin(self, state: State | None) -> None:
        """As a chunk does; each member at the place that it had."""
        shape = self.population.places
        if self.places is None or len(self.places) != np.prod(shape):  # none yet, or other devices
            self.places = dealing.deal(self.live, shape)
        seeds, floats = self.inputs = self.population.inputs(self.members, self.places)
        if state is None:
            self.state = self.population.initialize(seeds, floats)
        else:
            self.state = self.population.fill(state, self.places)
        self.data = self.population.prepare(seeds, floats, self.step or 0)

    def advance(self, step: int) -> dict[str, Any]:
        """Train to this step, record what is measured of whom, and leave out whose fate is sealed."""
        if not self.live.any():  # of a run that is to make more steps
            self.spared, self.step = 0, self.steps[-1]
            return {}
        self._deal_anew()
        training = self.population.fill(dealing.live_places(self.places, self.live))
        seeds, floats = self.inputs
        given = self.state, self.data, seeds, floats, self.step or 0, step
        self.state, self.data, measures = self.population.advance(*given, live=training)
        self._allocate(measures)
        rows = self._rows(self.live)
        results.record(self.measures, measures, self.steps.index(step), rows)
        sealed = np.asarray(measures["dropped_step"])[rows.places] >= 0
        results.finish(self.measures, measures, Rows(rows.members[sealed], rows.places[sealed]))
        self.spared = int(sealed.sum()) * (self.steps[-1] - step)
        self.step = step if self.live.any() else self.steps[-1]
        return measures

    def finish(self, measures: dict[str, Any], stopping: bool) -> None:
        """Record what is kept of the last evaluation, of those who are not dropped."""
        if self.live.any():
            results.finish(self.measures, measures, self._rows(self.live))

    def own_state(self) -> State:
        """The state of each member, in their order, on the host; of one that was dropped that of then."""
        own = dealing.places_of(self.places)
        return jax.tree.map(lambda leaf: leaf[own], jax.device_get(self.state))

    def parts(self) -> dict[str, Any]:
        """What a checkpoint of the chunk has beside its measures."""
        return super().parts() | {"places": {"member": self.places}}

    def like(self) -> dict[str, Any]:
        """The parts of a checkpoint from which the chunk goes on."""
        return super().like() | {"places": {"member": np.zeros(1, int)}}

    def take(self, saved: dict[str, Any]) -> None:
        """Where each member was."""
        self.places = saved["places"]["member"]

    def warning(self, step: int) -> str:
        """What is to be said of its members at this step: who is dying, and how many were dropped."""
        last = np.searchsorted(self.steps, self.measures["last_step"].clip(0))
        at = np.where(self.live, self.steps.index(step), last)
        dead = self.measures["dead_fraction"][np.arange(len(at)), at]
        dropped = int((~self.live).sum())
        words = [dying.words(self.configurations, dead, step), f"{dropped} dropped" if dropped else ""]
        return "; ".join(filter(None, words))

    def _rows(self, chosen: Bool[np.ndarray, " members"]) -> Rows:
        members = np.flatnonzero(chosen)
        return Rows(members, dealing.places_of(self.places)[members])

    def _deal_anew(self) -> None:
        if (places := dealing.dealt_anew(self.places, self.live, self.population.places)) is not None:
            state, self.places = self.own_state(), places
            self.begin(state)
