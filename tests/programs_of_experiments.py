"""The compiled programs of the named experiments, at two steps; which of them the suite has time for."""

import dataclasses
from collections.abc import Callable

import pytest

from jaxbox import config
from jaxbox.config import Plan
from jaxbox.experiments import EXPERIMENTS
from jaxbox.training import groups
from jaxbox.training.groups import Group

SHORT = {"steps": 2, "eval_every": 1}
SEEDS = 2


def programs(in_the_suite: Callable[[str, int, Group], bool]):
    """A parameter a program, none twice; slow where `in_the_suite` says no to experiment, number and group."""
    found = {}
    for name, experiment in EXPERIMENTS.items():
        short = [config.settle(dataclasses.replace(each, **SHORT)) for each in experiment()]
        for number, group in enumerate(groups.group(Plan.of(list(dict.fromkeys(short)), SEEDS))):
            marks = [] if in_the_suite(name, number, group) else [pytest.mark.slow]
            # What is slow in one experiment may be in the suite for another.
            if not marks or group.static not in found:
                found[group.static] = pytest.param(group, id=f"{name} {number}", marks=marks)
    return list(found.values())
