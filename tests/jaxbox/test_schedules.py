"""Each schedule against its definition in float64, with floats that are traced, and through training and a resume."""

import dataclasses
import itertools
import math

import chex
import jax
import numpy as np
import pytest

from jaxbox import config, schedules, store
from jaxbox.config import Configuration, Data, Model, Optimizer, Plan, Task, tables
from jaxbox.training import groups
from jaxbox.training.population import Population

STEPS = 10
DEFINITIONS = {
    "constant": lambda step: 1.0,
    "cosine": lambda step: (1 + math.cos(math.pi * step / STEPS)) / 2,
    "step": lambda step: 0.3 ** (step // 4),
}
BASE = Configuration(
    Task(height=6, width=7, box_size=2),
    Model("linear"),
    data=Data(train_size=8),
    batch_size=4,
    steps=STEPS,
    eval_every=5,
)


def options(schedule, **others):
    """An optimiser whose every option is on."""
    return Optimizer("sgd", schedule=schedule, decay_every=4, decay_factor=0.3, **others)


@pytest.mark.parametrize("warmup", [0, 1, 6, STEPS])
@pytest.mark.parametrize("name", tables.SCHEDULES)
def test_schedule_follows_its_definition(name, warmup):
    @jax.jit
    def rate(learning_rate, factor, step):
        optimizer = dataclasses.replace(options(name), learning_rate=learning_rate, decay_factor=factor)
        optimizer = dataclasses.replace(optimizer, warmup_steps=warmup)
        return schedules.learning_rate(dataclasses.replace(BASE, optimizer=optimizer), step)

    rates = [float(rate(0.05, 0.3, step)) for step in range(STEPS + 1)]
    expected = [0.05 * DEFINITIONS[name](step) * min(1, (step + 1) / max(warmup, 1)) for step in range(STEPS + 1)]
    # A cosine near pi is known to 1e-7 of 1.
    np.testing.assert_allclose(rates, expected, rtol=1e-6, atol=0.05 * 2e-7)


def test_every_schedule_has_a_definition():
    assert set(tables.SCHEDULES) == set(DEFINITIONS)


def population(optimizer):
    configuration = config.settle(dataclasses.replace(BASE, optimizer=optimizer))
    (group,) = groups.group(Plan.of([configuration], 2))
    return Population(group, devices=jax.devices()[:1])


def advanced(many, cuts, between=lambda state: state):
    """(state, measures) of a population's members after training from cut to cut."""
    seeds, floats = many.inputs(many.chunks()[0])
    state, measures = many.initialize(seeds, floats), {}
    for first, last in itertools.pairwise(cuts):
        data = many.prepare(seeds, floats, first)
        state, _, measures = many.advance(between(state), data, seeds, floats, first, last)
    return jax.device_get((state, measures))


@pytest.mark.parametrize("schedule", tables.SCHEDULES)
def test_training_goes_by_the_schedule(schedule):
    """Of networks that start anew at each step: how far the weights move is the gradient's norm times the rate."""
    many = population(options(schedule, learning_rate=0.05, warmup_steps=3))
    changes, norms = [], []
    for step in range(STEPS):
        seeds, floats = many.inputs(many.chunks()[0])
        state = many.initialize(seeds, floats)
        before = jax.device_get(state.params)
        state, _, measures = many.advance(state, many.prepare(seeds, floats, step), seeds, floats, step, step + 1)
        change = jax.tree.map(lambda new, old: np.sum(np.square(new - old)), jax.device_get(state.params), before)
        changes.append(math.sqrt(sum(jax.tree.leaves(change))))
        norms.append(math.sqrt(float(np.sum(np.square(measures["gradient_norm"])))))
    expected = [0.05 * DEFINITIONS[schedule](step) * min(1, (step + 1) / 3) for step in range(STEPS)]
    np.testing.assert_allclose(np.divide(changes, norms), expected, rtol=1e-3, atol=1e-6)


@pytest.mark.parametrize("name", ["adamw", pytest.param("momentum", marks=pytest.mark.slow)])
def test_a_resume_with_every_option_is_bit_for_bit(name, tmp_path):
    others = {"weight_decay": 0.01, "clip_norm": 0.5, "warmup_steps": 3, "learning_rate": 0.05}
    many = population(dataclasses.replace(options("cosine", **others), name=name))

    numbers = itertools.count()

    def through_disk(state):
        chunk = tmp_path / f"chunk-{next(numbers)}"
        store.save_checkpoint(chunk, 4, {"state": jax.device_get(state)})
        saved = store.load_checkpoint(chunk / "4", {"state": many.abstract_state})
        return many.fill(saved["state"])

    whole, resumed = advanced(many, (0, 4, STEPS)), advanced(many, (0, 4, STEPS), through_disk)
    chex.assert_trees_all_equal(whole, resumed)
    chex.assert_trees_all_equal(whole[0], advanced(many, (0, STEPS))[0])
    assert np.isfinite(whole[1]["loss"]).all()
