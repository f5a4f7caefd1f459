"""The program of one side's process: builds the side, then measures on request. Lines of JSON come in and go out.

The first request says what to build; each one after it is answered by one line. It ends with its input.
"""

import itertools
import json
import os
import sys
import time
from pathlib import Path
from typing import Any

from jaxbox import config
from jaxbox.bench import arithmetic, sides
from jaxbox.bench.problem import COMPARED_STEPS, Problem
from jaxbox.bench.side import Side

Answer = dict[str, Any]
STEPS = 4
"""Members are added as long as this many steps of all of them fit into one sample."""
MEMORY_SHARE = 1 / 4
"""The members that train at once fill at most 1/4 of the free memory."""


def sample(side: Side, steps: int) -> Answer:
    """Seconds of this many steps of all members; `evaluation_seconds` of them were not spent on steps."""
    start = time.perf_counter()
    side.run(steps)
    seconds = time.perf_counter() - start
    return {"seconds": seconds, "evaluation_seconds": side.evaluation_seconds(), "memory": side.memory()}


def step_seconds(side: Side, one_step: float, seconds: float) -> float:
    """Seconds of a step of all members, from longer and longer samples up to about the length of one that counts.

    Args:
        one_step: seconds of a single one.
        seconds: about how long a sample takes.
    """
    steps, spent = 1, one_step
    while spent < seconds / 2:
        steps *= 3
        # The faster of two: the other one may have waited for somebody else on this machine.
        spent = min(_net_seconds(side, steps) for _ in range(2))
    return spent / steps


def _net_seconds(side: Side, steps: int) -> float:
    taken = sample(side, steps)
    return taken["seconds"] - (taken["evaluation_seconds"] or 0)


def build(name: str, problem: Problem, seeds: int, seconds: float, affordable: int | None) -> tuple[Side, Answer]:
    """A side that is ready to be measured, and its facts, among them how many members it can afford.

    Args:
        seeds: members that are asked for.
        seconds: about how long a sample takes.
        affordable: what it said before, when it was asked for fewer members.
    """
    cls: type[Side] = sides.load(name)
    side, answer = _build(cls, problem, min(seeds, affordable or cls.initial_members), seconds)
    if affordable is None:
        affordable = cls.initial_members
        if cls.scales_with_members:
            affordable = _affordable(side, seconds / answer["step_seconds"])
        if side.seeds < min(seeds, affordable):
            del side
            side, answer = _build(cls, problem, min(seeds, affordable), seconds)
    return side, answer | {"affordable": affordable}


def _affordable(side: Side, steps: float) -> int:
    """How many members are worth measuring, if a sample has room for this many steps of the members it has now."""
    fitting = int(side.free_memory() * MEMORY_SHARE) // arithmetic.step_bytes(side.problem.configuration)
    return max(side.initial_members, min(int(side.seeds * steps / STEPS), fitting))


def _build(cls: type[Side], problem: Problem, seeds: int, seconds: float) -> tuple[Side, Answer]:
    times = [time.perf_counter()]
    side = cls(problem, seeds)
    losses = []
    for step in range(COMPARED_STEPS):
        losses.append(side.compared_losses(step)[: len(problem.layers)].tolist())
        times.append(time.perf_counter())
    first, *others = (after - before for before, after in itertools.pairwise(times))
    taken = step_seconds(side, min(others) - (side.evaluation_seconds() or 0), seconds)
    return side, {
        "seeds": side.seeds,
        "losses": losses,
        "compile_seconds": max(0.0, first - min(others)),
        "steps": max(1, round(seconds / taken)),
        "step_seconds": taken,
        "devices": side.devices(),
    }


def main() -> None:
    """Serve requests until there are no more."""
    # Libraries print what they like; only this copy of standard output is read.
    answers = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)
    request = json.loads(sys.stdin.readline())
    problem = Problem.load(Path(request["folder"]), config.from_dict(request["configuration"]))
    side, answer = build(request["name"], problem, request["seeds"], request["seconds"], request["affordable"])
    print(json.dumps(answer), file=answers)
    for line in sys.stdin:
        steps = json.loads(line)["steps"]
        print(json.dumps(sample(side, steps) if steps else {"product_flops": side.product_flops()}), file=answers)


if __name__ == "__main__":
    main()
