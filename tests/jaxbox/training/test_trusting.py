"""Steps that are taken on trust are those that look at every update, whatever fails, and when."""

import dataclasses
import sys
from functools import partial

import chex
import compiled
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

from jaxbox import layers
from jaxbox.config import Configuration, Data, Model, Optimizer, Task, tables
from jaxbox.training import member, sampling, trusting

LINEAR = Configuration(
    Task(height=5, width=6, box_size=2),
    Model("linear"),
    optimizer=Optimizer("sgd", 0.1),
    data=Data(train_size=12),
    batch_size=4,
    steps=1,
)
STEPS = 23


class CountsToThree(nnx.Module):
    """A linear network with a count of its calls, and a number that is infinite after the third call alone."""

    def __init__(self, model, task, outputs, rngs):
        self.head = layers.Dense(task.height * task.width, outputs, rngs=rngs)
        self.count, self.number = nnx.Variable(jnp.int32(0)), nnx.Variable(jnp.float32(0))

    def __call__(self, images):
        self.count[...] += 1
        self.number[...] = jnp.where(self.count[...] == 3, jnp.inf, 0.0)
        return self.head(images)


@pytest.fixture(autouse=True)
def row(monkeypatch):
    module = sys.modules[__name__].__name__
    monkeypatch.setitem(tables.MODELS, "counts", tables.Row(f"{module}:CountsToThree", "for this test"))


def both(configuration, cuts, seed=0):
    """(states, measures) after each stretch: of steps each looked at, and of steps on trust."""
    runs = []
    for trainer in (member, trusting):
        train = jax.jit(partial(trainer.train, configuration))
        state = compiled.initialize(configuration, jnp.uint32(seed))
        data, found = sampling.prepare(configuration, jnp.uint32(seed), jnp.int32(0)), []
        for first, last in zip((0, *cuts[:-1]), cuts, strict=True):
            state, data, measures = train(state, data, jnp.uint32(seed), jnp.int32(first), jnp.int32(last))
            found.append(jax.device_get((state.weights, state.failed_step, data, measures)))
        runs.append(found)
    return runs


def agree(looked, trusted):
    """Whether they are the same, but for what two programs may round otherwise: some ulps, which unstable steps multiply
    by a few thousand at most before all overflows."""
    for (weights, failed, data, measures), (weights_, failed_, data_, measures_) in zip(looked, trusted, strict=True):
        assert failed == failed_
        chex.assert_trees_all_equal(data, data_)
        chex.assert_trees_all_close((weights, measures), (weights_, measures_), rtol=1e-3, atol=1e-6)
        assert all(np.isfinite(leaf).all() for leaf in jax.tree.leaves(weights_))


@pytest.mark.parametrize(
    "rate", [0.1, 1e30, *(pytest.param(rate, marks=pytest.mark.slow) for rate in (30, 1e3, 1e5, 1e10, 1e15, 1e20))]
)
def test_whenever_a_member_fails_it_is_found(rate):
    """In one stretch; in several, the later ones without it; and in the first step of one, and in the last."""
    configuration = dataclasses.replace(LINEAR, optimizer=Optimizer("sgd", rate))
    looked, trusted = both(configuration, [STEPS])
    agree(looked, trusted)
    failed = int(looked[0][1])
    assert (failed >= 0) == (rate > 1)
    cuts = {STEPS, max(failed, 1), max(failed, 0) + 1, max(failed, 0) + 4, STEPS - 1}
    agree(*both(configuration, sorted(cuts)))


@pytest.mark.slow
def test_members_fail_at_many_different_steps():
    failed = set()
    for power in (1, 2, 3, 4, 8, 16, 30):
        _, trusted = both(dataclasses.replace(LINEAR, optimizer=Optimizer("sgd", 10.0**power)), [STEPS])
        failed.add(int(trusted[0][1]))
    assert len(failed) >= 6


def test_an_update_that_overflows_though_its_gradient_does_not():
    task = dataclasses.replace(LINEAR.task, inputs="byte")
    configuration = dataclasses.replace(LINEAR, task=task, optimizer=Optimizer("sgd", 3e38))
    looked, trusted = both(configuration, [2, 5])
    assert [int(found[1]) for found in trusted] == [0, 0]
    agree(looked, trusted)


def test_what_is_not_finite_once_and_finite_after_is_found():
    configuration = dataclasses.replace(LINEAR, model=Model("counts"))
    looked, trusted = both(configuration, [7, 9])
    assert [int(found[1]) for found in trusted] == [2, 2]
    assert trusted[1][0].variables["count"] == 2
    agree(looked, trusted)


@pytest.mark.parametrize("size", [12, 0], ids=["epochs", "an endless stream"])
def test_the_order_of_the_examples_goes_on_where_it_was(size):
    configuration = dataclasses.replace(LINEAR, data=Data(train_size=size), optimizer=Optimizer("sgd", 1e5))
    agree(*both(configuration, [4, 11, STEPS]))
