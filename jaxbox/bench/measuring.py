"""Measures every case: its sides take turns, and what they needed goes into one file."""

import json
import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

import jax

from jaxbox import config
from jaxbox.bench import machine, problem
from jaxbox.bench.arguments import Arguments
from jaxbox.bench.cases import Cases
from jaxbox.bench.sides import SIDES, available_sides
from jaxbox.training import checks

PATIENCE = 20
"""A side whose samples have together taken this many times the length of one sample sits out the remaining rounds."""


def run(arguments: Arguments, say: Callable[[str], None]) -> dict[str, Any]:
    """Measure every case and write the file; if it is interrupted, with the cases measured so far.

    Args:
        say: tells a person how it goes.

    Returns:
        What the file holds.

    Raises:
        ConfigurationError: an image that is too small for the box or for the network.
        LossError: a side does not do the same work.
        WorkerError: jaxbox itself failed.
    """
    # This process only makes the problems; an accelerator and its memory belong to the sides.
    jax.config.update("jax_platforms", "cpu")
    kinds = arguments.kinds()
    for model, scene, size in kinds:
        configuration = problem.configuration(model, size, scene)
        config.check_values(configuration)
        checks.check_program(configuration)
    names, skipped = available_sides(arguments.peers)
    for name, why in skipped.items():
        say(f"skipped {name}: {why}")
    settings = {field: getattr(arguments, field) for field in ("rounds", "seconds")}
    content = {**machine.describe(names), "settings": settings, "skipped": skipped, "complete": False}
    content |= {"sides": {name: SIDES[name].summary for name in names}, "product_flops": {}, "cases": []}
    try:
        for kind in kinds:
            with Cases(*kind, arguments.seeds, names, arguments.seconds, say) as cases:
                measure(cases, content, arguments)
        content["complete"] = True
    finally:
        if content["cases"]:
            save(content, arguments.out)
    return content


def measure(cases: Cases, content: dict[str, Any], arguments: Arguments) -> None:
    """Add these cases to the content; if it is interrupted, with the samples taken so far."""
    content["devices"] = cases.turns[0].facts["devices"]
    content["product_flops"] = content["product_flops"] or cases.product_flops()
    try:
        alternate(cases.turns, arguments.rounds, PATIENCE * arguments.seconds)
    finally:
        content["cases"] += cases.records(max(content["product_flops"].values()))


class Sampled(Protocol):
    """What takes turns: it can be measured once more, and knows the seconds that this has taken so far."""

    @property
    def spent(self) -> float:
        """Seconds of all samples so far."""
        ...

    def sample(self) -> None:
        """Measure once more."""
        ...


def alternate(sides: Sequence[Sampled], rounds: int, budget: float) -> None:
    """Let the sides take turns. One that has spent its budget of seconds, after at least one sample, sits out."""
    for _ in range(rounds):
        for side in sides:
            if side.spent < budget:
                side.sample()


def save(content: Mapping[str, Any], path: Path) -> None:
    """Write JSON aside and give it its name once it is whole."""
    unfinished = path.with_name(f".{path.name}.{os.getpid()}")
    unfinished.write_text(json.dumps(content, indent=1) + "\n")
    unfinished.replace(path)
