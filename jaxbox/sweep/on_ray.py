"""Chunks on the workers of a Ray cluster: who is lost is replaced, and what they had at hand is given to another.

The engine only hands out chunks and learns that they are done. What comes of them is in the run's folder, which all
machines share.
"""

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from jaxbox.config import ConfigurationError, RunError, one_line
from jaxbox.sweep.engines import Work, settings_of
from jaxbox.sweep.handout import Handout, LostError, Task
from jaxbox.sweep.preparing import Execution
from jaxbox.sweep.ray_worker import RayWorker
from jaxbox.training import devices

PATIENCE = 60.0
"""Seconds in which the first worker must have come."""
WAIT = 0.2
"""Seconds between two looks at signals."""
QUIET = {
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",  # a worker without a GPU sees those that it is told of
}


def require() -> Any:
    """The package.

    Raises:
        ConfigurationError: it is not installed.
    """
    try:
        os.environ.update({name: os.environ.get(name, value) for name, value in QUIET.items()})
        import ray
    except ImportError:
        raise ConfigurationError("on: ray is not allowed; it is not installed: pip install 'jaxbox[ray]'") from None
    return ray


@contextlib.contextmanager
def cluster() -> Iterator[None]:
    """Join the cluster that RAY_ADDRESS names, unless this process has joined one; else start one on this machine."""
    ray = require()
    if ray.is_initialized():
        yield
        return
    address = os.environ.get("RAY_ADDRESS", "local")
    local = {"num_cpus": devices.cores(), "include_dashboard": False} if address == "local" else {}
    try:
        ray.init(address=address, log_to_driver=False, logging_level="ERROR", **local)
    except ConnectionError as error:
        raise RunError(f"on: ray cannot join RAY_ADDRESS={address}: {one_line(error)}") from None
    try:
        yield
    finally:
        ray.shutdown()


class Workers:
    """The workers of a run in the cluster; one that has not answered yet, or was lost, gets nothing to do.

    Args:
        path: the run's folder.
        execution: says how many there are (else as many as the cluster has room for), and the devices of each (one).
    """

    def __init__(self, path: Path, execution: Execution):
        self.ray, self.each = require(), execution.worker_devices or 1
        self._made_of = path, execution
        offered = self.ray.cluster_resources()
        self.resource = "GPU" if offered.get("GPU") and os.environ.get("JAX_PLATFORMS", "") != "cpu" else "CPU"
        self.count = execution.workers or max(1, int(offered.get(self.resource, 0)) // self.each)
        options = {"num_gpus" if self.resource == "GPU" else "num_cpus": self.each}
        # Ray starts a lost worker again; what it had at hand is given out here. A second thread hears of stops.
        options |= {"max_restarts": -1, "max_task_retries": 0, "max_concurrency": 2}
        make = self.ray.remote(**options)(RayWorker).remote
        where = path.absolute(), str(Path.cwd())
        self.actors = [make(*where, settings_of(execution), self.each) for _ in range(self.count)]
        self.waiting = {actor.describe.remote(): actor for actor in self.actors}
        """Who has been asked whether it is there."""
        self._described: dict[str, Any] = {}
        self.idle: list[Any] = []
        self.busy: dict[Any, tuple[Any, Task]] = {}

    def describe(self) -> dict[str, Any]:
        """What the bits of the first worker that answers depend on.

        Raises:
            RunError: none has come in time, with what the cluster offers and what was asked for.
        """
        if self._described:
            return self._described
        found, _ = self.ray.wait(list(self.waiting), timeout=PATIENCE)
        if not found:
            offered = self.ray.cluster_resources().get(self.resource, 0)
            raise RunError(
                f"workers: none of {self.count} came within {PATIENCE:.0f} s; each asks for {self.each} "
                f"{self.resource}, and the cluster offers {offered:g}"
            )
        described = self._result(found[0])
        if isinstance(described, self.ray.exceptions.RayError):
            raise RunError(f"workers: the first one could not begin: {str(described).strip().splitlines()[-1]}")
        self.idle.append(self.waiting.pop(found[0]))
        self._described = described
        return described

    def again(self) -> "Workers":
        """New ones: those that were have left, and knew the run before it grew."""
        return Workers(*self._made_of)

    def devices(self) -> list[Any]:
        """None of this process."""
        return []

    def train(self, work: Work) -> None:
        """Have every chunk trained that is not, to the end or to a stop.

        Raises:
            RunError: a worker cannot read or write the run, or would give it other bits; or none is left.
        """
        work.report.start(f"{self.count} workers of {self.each} {self.resource}")
        handout, stopping = Handout(work), False
        while (handout.todo and not stopping) or self.busy:
            if work.stop.requested and not stopping:
                self.stop(work.stop.by)
                stopping = True
            while handout.todo and self.idle and not stopping:
                self.give(handout.todo.popleft())
            work.publish()  # while they are at work
            if not (self.waiting or self.busy):
                raise RunError("workers: none is left, and there is more to train; go on with --resume")
            for task, result in self.heard():
                handout.hear(task, result)
        self.leave()

    def give(self, task: Task) -> None:
        """Have one that is idle do this."""
        actor = self.idle.pop()
        call = actor.count.remote(task.group) if task.chunk < 0 else actor.train.remote(*task)
        self.busy[call] = actor, task

    def heard(self) -> list[tuple[Task, Any]]:
        """What has come back since: each task with its result, or with the error that it raised.

        That of a task whose worker was lost is a LostError.
        """
        calls = [*self.waiting, *self.busy]
        done, _ = self.ray.wait(calls, num_returns=1, timeout=WAIT) if calls else ([], [])
        found = []
        for call in done:
            actor, task = self.busy.pop(call, (None, None))
            actor = actor or self.waiting.pop(call)
            result = self._result(call)
            if isinstance(result, self.ray.exceptions.RayError):
                own = _own(result)
                if own:
                    self.idle.append(actor)
                elif task or not isinstance(result, self.ray.exceptions.ActorDiedError):
                    self.waiting[actor.describe.remote()] = actor
                result = own or LostError(one_line(result))
            else:
                self.idle.append(actor)
            if task:
                found.append((task, result))
        return found

    def _result(self, call: Any) -> Any:
        try:
            return self.ray.get(call)
        except self.ray.exceptions.RayError as error:
            return error

    def stop(self, by: str) -> None:
        """Have all of them save, and train no more."""
        for actor in self.actors:
            actor.stop.remote(by)

    def leave(self) -> None:
        """The run is done."""
        if left := [actor.leave.remote() for actor in self.idle]:
            self.ray.wait(left, num_returns=len(left), timeout=10 * WAIT)
        for actor in self.actors:
            self.ray.kill(actor)


def _own(error: Any) -> Exception | None:
    """What the code of a worker raised; None if the worker itself was lost."""
    cause = getattr(error, "cause", None)
    return cause if isinstance(cause, Exception) and type(error).__name__.startswith("RayTaskError") else None
