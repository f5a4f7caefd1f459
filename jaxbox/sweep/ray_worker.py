"""A worker in a process of its own, somewhere in a Ray cluster: it is made with a run's folder, and given chunks."""

import os
from pathlib import Path
from typing import Any

from jaxbox.sweep.worker import Settings


class RayWorker:
    """What a process of the cluster does; Ray starts it again wherever it was lost.

    Args:
        path: the run's folder, absolute; it may come to be later.
        folder: the working directory of who started the run, from which names of files count.
        devices: how many of them are this worker's.
    """

    def __init__(self, path: Path, folder: str, settings: Settings, devices: int):
        from jaxbox.training import cache
        from jaxbox.training import devices as local

        if Path(folder).is_dir():
            os.chdir(folder)
        local.one_device_per_core(devices)
        local.float32_products()
        cache.keep_programs()
        self.path, self.settings = path, settings
        self.devices = local.local(devices)
        self._worker: Any = None
        self._stopped_by = ""

    def describe(self) -> dict[str, Any]:
        """What the bits of this worker depend on (`store.bits`)."""
        from jaxbox.store import bits

        return bits.describe(self.devices)

    def count(self, group: int) -> int:
        """How many chunks a group is cut into; says so in the run's folder, unless that was said before."""
        return len(self._begun().cut(group))

    def train(self, group: int, place: int) -> tuple[int, int, int]:
        """Train a chunk to its end or to a stop; returns the updates that its members had made before, those that they
        have made now, and its step."""
        worker = self._begun()
        worker.stop.by = self._stopped_by
        chunk = worker.chunk(group, place)
        before = chunk.done
        worker.train(group, chunk)
        worker.wait()
        return before, chunk.done - before, chunk.step or 0

    def stop(self, by: str) -> None:
        """Save at the end of the segment at hand, and train no more."""
        self._stopped_by = by
        if self._worker is not None:
            self._worker.stop.by = by

    def leave(self) -> None:
        """The run is done."""
        if self._worker is not None:
            self._worker.session.end(self._stopped_by)

    def _begun(self) -> Any:
        """The worker of this process, once there is a run."""
        if self._worker is None:
            self._worker = self._begin()
        return self._worker

    def _begin(self) -> Any:
        from jaxbox import store
        from jaxbox.sweep.progress import Report
        from jaxbox.sweep.signals import Stop
        from jaxbox.sweep.worker import Worker

        plan = store.import_named(self.path, store.load_plan(self.path))
        begun_with = store.load_manifest(self.path)["begun_with"]
        session, report = store.Session(self.path, self.devices), Report(plan.seed_steps, quiet=True)
        return Worker(self.path, plan, self.devices, self.settings, session, Stop(), report, begun_with)
