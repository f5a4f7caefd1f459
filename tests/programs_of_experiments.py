"""The compiled programs of the named experiments, at two steps; which of them the suite has time for."""

import dataclasses
from collections.abc import Callable
from functools import cache

import pytest

from jaxbox import config
from jaxbox.config import Plan
from jaxbox.experiments import EXPERIMENTS
from jaxbox.training import groups
from jaxbox.training.groups import Group

SHORT = {"steps": 2, "eval_every": 1}
SEEDS = 2


@cache
def grouped() -> list[tuple[str, int, Group]]:
    """(experiment, number, group) of every program; expanding the experiments takes seconds, so it is done once."""
    found = []
    for name, experiment in EXPERIMENTS.items():
        short = [config.settle(dataclasses.replace(each, **SHORT)) for each in experiment()]
        plan = Plan.of(list(dict.fromkeys(short)), SEEDS)
        found += [(name, number, group) for number, group in enumerate(groups.group(plan))]
    return found


def programs(in_the_suite: Callable[[str, int, Group], bool]):
    """A parameter a program, none twice; slow where `in_the_suite` says no to experiment, number and group."""
    found = {}
    for name, number, group in grouped():
        marks = [] if in_the_suite(name, number, group) else [pytest.mark.slow]
        # What is slow in one experiment may be in the suite for another.
        if not marks or group.static not in found:
            found[group.static] = pytest.param(group, id=f"{name} {number}", marks=marks)
    return list(found.values())
