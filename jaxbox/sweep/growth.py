"""What a run becomes when more is asked of it: seeds, steps, configurations. What it has done already stays."""

import dataclasses
from collections.abc import Iterable, Sequence

from jaxbox import config
from jaxbox.config import Block, Configuration, ConfigurationError, Plan, require, stretches
from jaxbox.training import strata

OPEN_ENDED = ("constant", "step")
"""Schedules of the learning rate that do not ask how many steps there are in all."""


def grown(
    plan: Plan,
    seeds: int | None = None,
    first_seed: int | None = None,
    steps: int | None = None,
    added: Sequence[Configuration] = (),
    added_seeds: int | None = None,
) -> Plan:
    """The plan with what is asked for, each in addition to what it has.

    Args:
        seeds: that each configuration is to have, counted from `first_seed`.
        first_seed: the run's own if left out.
        steps: that each member is to have made.
        added: configurations with all seeds of the run; those that it has already are left out.
        added_seeds: how many of these seeds.

    Raises:
        ConfigurationError: less than there is, or steps that would not be those of a run that was asked for them.
    """
    if steps is not None:
        configurations = _with_steps(plan.configurations, steps)
        plan = dataclasses.replace(plan, configurations=configurations)
        added = [dataclasses.replace(each, steps=steps) for each in added]
    if seeds is not None:
        if first_seed is None:
            require(seeds >= plan.seed_count, "seeds", seeds, f"at least {plan.seed_count}, which the run has")
        start = plan.seeds[0].start if first_seed is None else first_seed
        plan = _with_seeds(plan, range(len(plan.configurations)), [range(start, start + seeds)])
    else:
        require(first_seed is None, "first_seed", first_seed, "left out, unless seeds says how many")
    count, known = len(plan.configurations), set(map(strata.settled, plan.configurations))
    new = [each for each in dict.fromkeys(added) if strata.settled(each) not in known]
    plan = dataclasses.replace(plan, configurations=(*plan.configurations, *new))
    start = plan.seeds[0].start
    wanted = plan.seeds if added_seeds is None else [range(start, start + added_seeds)]
    return _with_seeds(plan, range(count, len(plan.configurations)), wanted)


def with_counts(plan: Plan, counts: Sequence[int]) -> Plan:
    """The plan with at least so many seeds of each configuration, counted from the run's first."""
    start = plan.seeds[0].start
    for count in sorted({int(each) for each in counts} - {0}):
        asked = [index for index, each in enumerate(counts) if each == count]
        plan = _with_seeds(plan, asked, [range(start, start + count)])
    return plan


def _with_steps(configurations: Sequence[Configuration], steps: int) -> tuple[Configuration, ...]:
    several = sorted({configuration.steps for configuration in configurations})
    if len(several) > 1:
        raise ConfigurationError(f"steps: {steps} is not allowed; the run's configurations differ in them: {several}")
    require(steps >= several[0], "steps", steps, f"at least {several[0]}, which the run has")
    if steps > several[0]:
        for configuration in configurations:
            _refuse_another_end(configuration, steps)
    found = tuple(dataclasses.replace(configuration, steps=steps) for configuration in configurations)
    for configuration in found:
        config.check_values(configuration)
    return found


def _refuse_another_end(configuration: Configuration, steps: int) -> None:
    """Refuse where the members so far are not the beginning of members of more steps."""
    schedule, before = configuration.optimizer.schedule, configuration.steps
    if schedule not in OPEN_ENDED:
        raise ConfigurationError(
            f"steps: {steps} is not allowed; the schedule {schedule} was made for {before}; start a new run"
        )
    if before % configuration.eval_every:
        raise ConfigurationError(
            f"steps: {steps} is not allowed; a longer run, evaluated every {configuration.eval_every} steps, "
            f"would not be at {before}, as this one was; start a new run"
        )


def _with_seeds(plan: Plan, configurations: Iterable[int], seeds: Sequence[range]) -> Plan:
    """The plan with blocks of those of these seeds that these configurations do not have."""
    lacking: dict[range, list[int]] = {}
    own: dict[int, list[range]] = {index: [] for index in configurations}
    for block in plan.blocks:
        for index in own.keys() & set(block.configurations):
            own[index].append(block.range)
    for index, ranges in own.items():
        for stretch in stretches.difference(seeds, ranges):
            lacking.setdefault(stretch, []).append(index)
    blocks = [Block(tuple(indices), stretch.start, len(stretch)) for stretch, indices in lacking.items()]
    return dataclasses.replace(plan, blocks=(*plan.blocks, *blocks))
