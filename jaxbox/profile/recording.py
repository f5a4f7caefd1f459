"""Runs a configuration's program under JAX's profiler, and adds up what each part of it took."""

import tempfile
import time
from collections import defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import jax
import numpy as np
from jax.profiler import ProfileData

from jaxbox.config import Configuration, Plan
from jaxbox.profile.operations import Operation, operations
from jaxbox.training import groups, peak
from jaxbox.training.population import MEMBERS_ASKED, Population


class Recording(NamedTuple):
    """What was measured of a program."""

    step_seconds: float
    """Of one member's step on one device, without the profiler."""
    evaluation_seconds: float
    """Of one member's evaluation, likewise."""
    seconds: dict[tuple[str, bool, str], float]
    """By part, backward and kind: of one member's step, or, for parts of the evaluation, of one evaluation."""
    flops: dict[tuple[str, bool], float]
    """By part and backward: operations of matrix products, likewise."""
    peak_flops: float
    """Operations a second of large products on one device."""


def record(configuration: Configuration, members: int, seconds: float) -> Recording:
    """Train some members, or as many as memory holds, for about so many seconds under the profiler."""
    run = _Run(configuration, members)
    trained = len(run.inputs[0])  # chunks are filled up with copies, which are trained like any other
    steps = run.steps_in(seconds)
    alone, evaluation = run.seconds(steps), run.seconds(0)
    with tempfile.TemporaryDirectory() as folder:
        with jax.profiler.trace(folder):
            run.seconds(steps)
        (path,) = Path(folder).rglob("*.xplane.pb")
        spent, flops = _added(_events(path), operations(run.program.as_text()), trained, steps)
    per_member = len(run.devices) / trained
    step = max(alone - evaluation, 0.0) / steps * per_member
    # While the others compute as well, as they do in training.
    of_one = peak.product_flops(run.devices) / len(run.devices)
    return Recording(step, evaluation * per_member, spent, flops, of_one)


class _Run:
    """A population in training."""

    def __init__(self, configuration: Configuration, members: int):
        (group,) = groups.group(Plan.of([configuration], members))
        # What a few members need is known only once another program is compiled; many are asked for seldom.
        self.population = Population(group, members if members <= MEMBERS_ASKED else None)
        self.devices = self.population.devices
        self.program = self.population.lower().compile(self.population.options.advance)
        self.inputs = self.population.inputs(self.population.chunks()[0])
        self.state: Any = self.population.initialize(*self.inputs)
        self.data: Any = self.population.prepare(*self.inputs, 0)
        self.step = 0

    def seconds(self, steps: int) -> float:
        """Of so many steps and an evaluation."""
        first, self.step = self.step, self.step + steps
        start = time.perf_counter()
        values = self.state, self.data, *self.inputs, np.int32(first), np.int32(self.step)
        # As on the way: a sample of the positions, where there is one.
        results = self.program(*values, *self.population.flags(whole=False))
        self.state, self.data, measures = jax.block_until_ready(results)
        del measures
        return time.perf_counter() - start

    def steps_in(self, seconds: float) -> int:
        """How many take about so long; at least one."""
        self.seconds(1)
        steps = 1
        while (found := self.seconds(steps) - self.seconds(0)) < seconds / 4 and steps < MOST_STEPS:
            steps *= 2
        return max(1, min(MOST_STEPS, round(steps * seconds / max(found, 1e-6))))


MOST_STEPS = 512
"""Of which reading what the profiler has kept takes seconds."""


def _events(path: Path) -> Iterator[tuple[str, float]]:
    """(instruction, seconds) of everything that was done; on a device that is no CPU, of what it did itself."""
    for plane in ProfileData.from_file(str(path)).planes:
        on_host = plane.name.startswith("/host")
        for line in plane.lines:
            for event in line.events:
                # What a device runs are kernels, which say what instruction they are of.
                name = event.name if on_host else dict(event.stats).get("hlo_op", "")
                yield str(name), event.duration_ns * 1e-9


def _added(
    events: Iterable[tuple[str, float]], known: dict[str, Operation], trained: int, steps: int
) -> tuple[dict[tuple[str, bool, str], float], dict[tuple[str, bool], float]]:
    seconds: defaultdict[tuple[str, bool, str], float] = defaultdict(float)
    flops: defaultdict[tuple[str, bool], float] = defaultdict(float)
    for name, spent in events:
        if name in known:
            own = known[name]
            often = trained * (1 if own.part.startswith("evaluation") else steps)
            seconds[own.part, own.backward, own.kind] += spent / often
            flops[own.part, own.backward] += own.flops / often
    return dict(seconds), dict(flops)
