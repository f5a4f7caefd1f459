"""What trains the chunks of a run, from where checkpoints left off: this process, or the workers of a cluster."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from jaxbox import store
from jaxbox.config import Plan
from jaxbox.store import bits
from jaxbox.sweep import loop
from jaxbox.sweep.preparing import Execution
from jaxbox.sweep.progress import Report
from jaxbox.sweep.signals import Stop
from jaxbox.sweep.worker import Settings, Worker
from jaxbox.training import devices


class Work(NamedTuple):
    """A run that is to be trained, and who is told how it goes."""

    path: Path
    plan: Plan
    session: store.Session
    stop: Stop
    report: Report
    begun_with: dict[str, Any]
    publish: Callable[[], None]


class Engine(Protocol):
    """Trains runs."""

    def describe(self) -> dict[str, Any]:
        """What the bits of numbers from here depend on (`store.bits`)."""
        ...

    def devices(self) -> list[Any]:
        """Those of this process that train."""
        ...

    def train(self, work: Work) -> None:
        """Train what is left of a run, to the end or to a stop.

        Raises:
            RunError: a checkpoint is damaged or cannot be written, or the run would get other bits.
        """
        ...

    def again(self) -> "Engine":
        """What trains the run once it has grown."""
        ...


def settings_of(execution: Execution) -> Settings:
    """What a worker is told."""
    return Settings(execution.members_per_chunk, execution.checkpoint_seconds, execution.keep, execution.other_bits)


class Here:
    """This process, with its share of the chunks."""

    def __init__(self, execution: Execution):
        self.execution = execution

    def describe(self) -> dict[str, Any]:
        """What the bits of numbers from here depend on."""
        return bits.describe(self.devices())

    def devices(self) -> list[Any]:
        """The local devices, or as many of them as were asked for."""
        return devices.local(self.execution.worker_devices)

    def again(self) -> "Here":
        """The same."""
        return self

    def train(self, work: Work) -> None:
        """Train this process's share of what is left."""
        settings = settings_of(self.execution)
        told = work.session, work.stop, work.report, work.begun_with, work.publish
        worker = Worker(work.path, work.plan, self.devices(), settings, *told)
        try:
            loop.train(worker, self.execution.part)
        finally:
            worker.wait()
