"""A worker: trains chunks of a run in this process, whichever it is given, and compiles what it will need next."""

import concurrent.futures
import dataclasses
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from functools import cached_property, partial
from pathlib import Path
from typing import Any

from jaxbox import store
from jaxbox.config import Plan, tables
from jaxbox.store import bits, cuts
from jaxbox.sweep import programs
from jaxbox.sweep.chunk import Chunk
from jaxbox.sweep.dropping import DroppingChunk
from jaxbox.sweep.later import Later
from jaxbox.sweep.progress import Report
from jaxbox.sweep.signals import Stop
from jaxbox.training import groups
from jaxbox.training.population import Population

UNNOTICED_SECONDS = 0.05
"""A wait for a program that nobody is told of."""


@dataclasses.dataclass(frozen=True)
class Settings:
    """How a run is trained; of these only the size of chunks has a part in its numbers.

    `members_per_chunk`: most members trained together between evaluations; None chooses by memory. A group that was
    begun before keeps the number it was begun with: another is another program, with other last bits.
    `checkpoint_seconds`: time between checkpoints of a chunk.
    `keep`: what finished chunks keep (`chunk.KEPT`); None is what the run was begun with.
    `other_bits`: whether a run may go on where its last bits will be other ones.
    """

    members_per_chunk: int | None = None
    checkpoint_seconds: float = 60.0
    keep: str | None = None
    other_bits: bool = False


class Worker:
    """Trains chunks of a run's groups on some devices.

    Args:
        path: the run's folder.
        devices: over which it cuts a chunk's members.
        session: what this process does, kept up to date.
        begun_with: what the run's bits depend on (`store.bits`).
        saved: called after each checkpoint.
    """

    def __init__(
        self,
        path: Path,
        plan: Plan,
        devices: Sequence[Any],
        settings: Settings,
        session: store.Session,
        stop: Stop,
        report: Report,
        begun_with: dict[str, Any],
        saved: Callable[[], None] = lambda: None,
    ):
        self.path, self.plan, self.devices, self.settings, self.session = path, plan, devices, settings, session
        self.stop, self.report, self.begun_with, self.saved = stop, report, begun_with, saved
        self.groups = groups.group(plan)
        self._later = Later()
        self._thread = ThreadPoolExecutor(1)
        self._next: Callable[[], None] | None = None
        self._foreseen: Future[None] | None = None
        self._cuts: dict[int, list[cuts.CutChunk]] = {}
        """Of the group at hand: those of all would be as large as the run."""
        self._seconds: dict[int, float] = {}
        self._waited: dict[int, float] = {}
        """Of these, for programs."""

    def cut(self, number: int) -> list[cuts.CutChunk]:
        """How a group is cut into chunks; says so in the run's folder, unless that was said before.

        Raises:
            RunError: the run's folder cannot be written.
        """
        if number not in self._cuts:
            start, name = time.monotonic(), self.groups[number].static.configuration.model.name
            self.report.start(f"group {number + 1} of {len(self.groups)} ({name})")
            self._wait_for_what_is_foreseen(number)
            self._cuts = {number: self._pin(number)}
            self._spend(number, start)
        return self._cuts[number]

    def _pin(self, number: int) -> list[cuts.CutChunk]:
        group = self.groups[number]
        batches = "windows" if tables.uses_windows(group.static.configuration) else "images"
        indices = [index for index, _ in group.configurations]
        return cuts.chunks(self.plan, cuts.pin(self.path, number, indices, batches, lambda: self._size(group)))

    def foresee(self, groups: Iterable[int], own: Callable[[int, int], bool]) -> None:
        """Compile what the first chunk of these groups needs that is `own` and not finished, while another trains.

        Only once for the group at hand, and not before that has its own programs: two at once would come twice as late.
        """
        self._next = partial(self._compile_first, groups, own)

    def _compile_first(self, groups: Iterable[int], own: Callable[[int, int], bool]) -> None:
        for group in groups:
            steps = self.groups[group].static.configuration.steps
            for place, cut in enumerate(self._pin(group)):
                if self.stop.requested:
                    return
                if own(group, place) and store.last_checkpoint(store.chunk_folder(self.path, group, place)) != steps:
                    programs.compiled(self.groups[group], cut.size, self.devices, self.drops)
                    return

    def _wait_for_what_is_foreseen(self, group: int) -> None:
        # What went wrong there goes wrong again where it is needed, and is said there.
        if self._foreseen:
            start = time.monotonic()
            concurrent.futures.wait([self._foreseen])
            self._foreseen = None
            self._waited_since(start, group)

    def _waited_since(self, start: float, group: int) -> None:
        """A group's programs were waited for."""
        waited = time.monotonic() - start
        self._waited[group] = self._waited.get(group, 0.0) + waited
        if waited > UNNOTICED_SECONDS:
            self.report.say(f"{self.report.group}: compiled in {waited:.1f} s")

    def chunk(self, group: int, place: int) -> Chunk:
        """A chunk of a group, as far as it is."""
        cut = self.cut(group)[place]
        folder = store.chunk_folder(self.path, group, place)
        population = partial(self._population, group, cut.size)
        kind = DroppingChunk if self.drops else Chunk
        return kind(population, self.groups[group], cut.members, folder, self.keep, self._later)

    def _population(self, group: int, size: int) -> Population:
        """The programs of a group for chunks of this size."""
        start = time.monotonic()
        found = programs.compiled(self.groups[group], size, self.devices, self.drops)
        self._waited_since(start, group)
        if self._next and self._foreseen is None:
            self._foreseen = self._thread.submit(self._next)
        return found

    @cached_property
    def keep(self) -> str:
        """What finished chunks keep."""
        return self.settings.keep or store.load_manifest(self.path).get("keep") or "all"

    @cached_property
    def drops(self) -> bool:
        """Whether members whose fate is sealed are left out, as the run was begun."""
        return store.drop_of(store.load_manifest(self.path)) != "none"

    def _size(self, group: groups.Group) -> int:
        # Groups that nobody has begun are cut as was asked for when the run was.
        asked = self.settings.members_per_chunk or store.load_manifest(self.path).get("members_per_chunk")
        return Population(group, asked, self.devices).members_per_chunk

    def train(self, group: int, chunk: Chunk) -> None:
        """Train a chunk of a group to its end, or to a stop.

        Raises:
            RunError: a checkpoint is damaged or cannot be written, or this process would give other bits.
        """
        if not chunk.finished:
            self._compare_bits()
        start = time.monotonic()
        for _ in chunk.train(self.stop, self.report, self.settings.checkpoint_seconds):
            start = self._spend(group, start)
            self.session.save()
            self.saved()

    def wait(self) -> None:
        """Until the last checkpoint of the last chunk is written, which may take a moment longer than its training.

        Raises:
            RunError: it cannot be written.
        """
        self._later.wait()

    @cached_property
    def _bits(self) -> dict[str, Any]:
        return bits.describe(self.devices)

    def _compare_bits(self) -> None:
        now = self._bits
        if not self.settings.other_bits:
            bits.require_same(self.path, self.begun_with, now)
        elif "other_bits" not in self.session.content and (found := bits.difference(self.begun_with, now)):
            self.report.say(f"{found}: last bits will differ")
            self.session.content["other_bits"] = now

    def _spend(self, group: int, start: float) -> float:
        """Time since `start` went into a group; returns the time now."""
        now = time.monotonic()
        self._seconds[group] = self._seconds.get(group, 0.0) + now - start
        self.session.spend(group, self._seconds[group], self._waited.get(group, 0.0))
        return now
