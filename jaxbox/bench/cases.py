"""All cases of one network and image size: the processes that serve them, alive together so as to take turns."""

import contextlib
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Self

from jaxbox.bench import comparison, making, problem
from jaxbox.bench.process import Worker, WorkerError
from jaxbox.bench.sides import JAXBOX, SIDES


class Cases:
    """A context manager that starts the workers, compares their losses, and ends them.

    Args:
        names: of the sides, jaxbox first.
        seconds: about how long a sample takes.
        say: tells a person how it goes.

    Raises:
        LossError: a side does not do the same work.
        WorkerError: jaxbox itself failed; a peer that does is named in its cases.
    """

    def __init__(
        self,
        model: str,
        scene: str,
        size: int,
        seeds: Sequence[int],
        names: Sequence[str],
        seconds: float,
        say: Callable[[str], None],
    ):
        self.configuration = problem.configuration(model, size, scene)
        self.seeds, self.names, self.seconds, self.say = sorted(set(seeds)), names, seconds, say
        self.title = f"{problem.label(model, scene)} {size} x {size}"
        self.workers: dict[tuple[int, str], Worker] = {}
        self.unmeasured: dict[tuple[int, str], str] = {}
        self._stack = contextlib.ExitStack()

    def __enter__(self) -> Self:
        with contextlib.ExitStack() as stack:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="jaxbox-bench-")))
            making.make(self.configuration, min(self.seeds[-1], problem.COMPARED_SEEDS)).save(folder)
            for name in self.names:
                self._start(name, folder, stack)
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *error: object) -> None:
        self._stack.close()

    def _start(self, name: str, folder: Path, stack: contextlib.ExitStack) -> None:
        if why := SIDES[name].refusal(self.configuration):
            self._leave_out(name, self.seeds[0], f"is left out: {why}")
            return
        worker, affordable = None, None
        for seeds in self.seeds:
            # A worker that can afford no more members than it has serves all larger counts of seeds, too.
            if worker is None or worker.seeds < min(seeds, worker.facts["affordable"]):
                try:
                    new = Worker(name, self.configuration, seeds, self.seconds, folder, affordable)
                except WorkerError as error:
                    self._leave_out(name, seeds, f"failed: {error}")
                    return
                worker, affordable = stack.enter_context(new), new.facts["affordable"]
                self.say(f"{self.title}: {name} is ready, {worker.seeds} seeds measured, {worker.steps} steps a sample")
                expected = self.workers[seeds, JAXBOX] if name != JAXBOX else worker
                comparison.check_losses(self.title, name, worker.facts["losses"], expected.facts["losses"])
            self.workers[seeds, name] = worker

    def _leave_out(self, name: str, seeds: int, why: str) -> None:
        if name == JAXBOX:
            raise WorkerError(f"{self.title}: {name} {why}")
        self.say(f"{self.title}: {name} {why}")
        self.unmeasured |= {(count, name): why for count in self.seeds if count >= seeds}

    @property
    def turns(self) -> list[Worker]:
        """Each worker once, those of the same case next to each other."""
        return list(dict.fromkeys(self.workers[key] for key in sorted(self.workers, key=lambda key: key[0])))

    def product_flops(self) -> dict[str, float]:
        """Operations a second of large matrix products, by the sides that say."""
        firsts = {name: worker for (_, name), worker in reversed(self.workers.items())}
        found = {name: worker.product_flops() for name, worker in firsts.items()}
        return {name: flops for name, flops in found.items() if flops}

    def records(self, peak_flops: float) -> list[dict[str, Any]]:
        """The cases in which jaxbox has been measured, ready for JSON."""
        measured = [seeds for seeds in self.seeds if self.workers[seeds, JAXBOX].samples]
        return [comparison.summary(self._record(seeds), self.configuration, peak_flops) for seeds in measured]

    def _record(self, seeds: int) -> dict[str, Any]:
        own = {name: worker for (count, name), worker in self.workers.items() if count == seeds and worker.samples}
        scene = self.configuration.task.scene
        return {
            "model": self.configuration.model.name,
            **({} if scene == problem.BOX else {"scene": scene}),
            "size": self.configuration.task.height,
            "seeds": seeds,
            "sides": {name: comparison.record(worker) for name, worker in own.items()},
            "unmeasured": {name: why for (count, name), why in self.unmeasured.items() if count == seeds},
        }
