"""One member alone and a small population of a configuration, compiled once for each: what invariants compare."""

import itertools
from collections.abc import Callable, Sequence
from functools import cache
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from jaxbox import config
from jaxbox.check.cases import with_other_floats
from jaxbox.config import Configuration, Plan, Static
from jaxbox.training import evaluation, groups, member, sampling
from jaxbox.training.population import Population

SEEDS = 2


@cache
def program(static: Static) -> Callable[..., Any]:
    """(seed, floats, last) -> (weights, measures) of one member after `last` steps, compiled once."""

    @jax.jit
    def train(seed: Any, floats: dict[str, Any], last: Any) -> Any:
        case = static.with_traced(floats)
        state, data = member.initialize(case, seed), sampling.prepare(case, seed, jnp.int32(0))
        state, data, measures = member.train(case, state, data, seed, jnp.int32(0), last)
        return state.weights, measures | evaluation.evaluate(case, state, data.seen, last)

    return train


def alone(case: Configuration, seed: int, steps: int | None = None) -> tuple[Any, dict[str, Any]]:
    """(weights, measures) of one member after its steps, or after this many."""
    floats = {path: np.float32(value) for path, value in config.traced(case).items()}
    return jax.device_get(program(Static.of(case))(np.uint32(seed), floats, np.int32(steps or case.steps)))


@cache
def population_of(case: Configuration) -> Population:
    """Two seeds of the configuration, and of one with other floats, on two devices if there are so many."""
    (group,) = groups.group(Plan.of([case, with_other_floats(case)], SEEDS))
    return Population(group, devices=jax.devices()[:2])


def advanced(many: Population, cuts: Sequence[int], between: Callable[[Any], Any] = lambda state: state) -> Any:
    """(state, measures) of a population's members after training from cut to cut."""
    seeds, floats = many.inputs(many.chunks()[0])
    state, measures = many.initialize(seeds, floats), {}
    for first, last in itertools.pairwise(cuts):
        data = many.prepare(seeds, floats, first)
        state, _, measures = many.advance(between(state), data, seeds, floats, first, last)
    return jax.device_get((state, measures))
