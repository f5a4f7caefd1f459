"""A side as the measuring process sees it: a process of its own that is asked for one sample after another."""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Self

from jaxbox import config
from jaxbox.config import Configuration

COMMAND = (sys.executable, "-m", "jaxbox.bench.worker")


class WorkerError(RuntimeError):
    """A side that failed; the message is the last line that it left."""


class Worker:
    """Starts a side's process, which builds it; a context manager that ends it.

    Args:
        name: in the table SIDES.
        seeds: how many members are asked for; `seeds` is how many are measured.
        seconds: about how long a sample takes, of `steps` steps.
        folder: where the problem is.
        affordable: how many members the side said that it can afford, when it was asked for fewer.
    """

    def __init__(
        self,
        name: str,
        configuration: Configuration,
        seeds: int,
        seconds: float,
        folder: Path,
        affordable: int | None = None,
        command: Sequence[str] = COMMAND,
    ):
        self.name = name
        self.errors = tempfile.TemporaryFile("w+")  # noqa: SIM115 (closed with the process)
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": self.errors, "text": True}
        # JAX would take three quarters of an accelerator at once, and sides are alive together.
        environment = {"XLA_PYTHON_CLIENT_PREALLOCATE": "false", **os.environ}
        # A group of its own: Ctrl-C is for the measuring process, which ends the others.
        self.process = subprocess.Popen(command, process_group=0, bufsize=1, env=environment, **pipes)
        self.samples: list[dict[str, Any]] = []
        request = {"name": name, "seeds": seeds, "seconds": seconds, "folder": str(folder), "affordable": affordable}
        try:
            self.facts = self._ask(request | {"configuration": config.to_dict(configuration)})
        except BaseException:
            self.close()
            raise
        self.seeds, self.steps = self.facts["seeds"], self.facts["steps"]

    def _ask(self, request: Mapping[str, Any]) -> dict[str, Any]:
        assert self.process.stdin
        assert self.process.stdout
        try:
            self.process.stdin.write(json.dumps(request) + "\n")
            answer = self.process.stdout.readline()
        except BrokenPipeError:
            answer = ""
        if not answer:
            raise WorkerError(self._last_words())
        return json.loads(answer)

    def _last_words(self) -> str:
        code = self.process.wait()
        self.errors.seek(0)
        lines = [line.strip() for line in self.errors if line.strip()]
        return lines[-1] if lines else f"ended with code {code}"

    def sample(self) -> None:
        """Measure once more."""
        self.samples.append(self._ask({"steps": self.steps}))

    @property
    def spent(self) -> float:
        """Seconds of all samples so far."""
        return sum(sample["seconds"] for sample in self.samples)

    def product_flops(self) -> float | None:
        """Operations a second of its library's matrix products, if it says."""
        return self._ask({"steps": 0})["product_flops"]

    def close(self) -> None:
        """End the process."""
        self.process.kill()
        self.process.communicate()
        self.errors.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()
