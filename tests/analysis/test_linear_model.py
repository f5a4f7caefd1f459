"""jaxbox's own linear model, trained by its own steps, against the closed forms: its way and where it ends."""

import dataclasses
import functools
import itertools

import compiled
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from analysis.dynamics import max_stable_learning_rate, mean_squared_error
from analysis.linear import minimum_norm
from jaxbox import task as tasks
from jaxbox.config import Configuration, Model, Optimizer, Task
from jaxbox.training import member, sampling

# Unequal margins, so that the mean target is not 0 and the bias matters.
GREY = Task(height=6, width=7, box_size=2, margin_left=2, margin_bottom=1)
TASKS = {
    "grey": GREY,
    "byte": dataclasses.replace(GREY, inputs="byte"),
    "standardized": dataclasses.replace(GREY, inputs="standardized"),
    "colour": dataclasses.replace(GREY, channels=3),
    "centred": Task(height=5, width=8, box_size=4),
}
TASK = pytest.mark.parametrize("task", TASKS.values(), ids=TASKS.keys())
# At the rates below the slowest mode shrinks by .991 a step: to 1e-8 after 2000.
STEPS = np.array([0, 1, 2, 5, 20, 100, 500, 2000])


def learning_rate(task):
    # As float32 has it, because the closed form should follow the same rate.
    return float(np.float32(0.9 * max_stable_learning_rate(task)))


def parameters(network, task):
    """Weights and, in the last row, bias of a linear network, read off its answers to single pixels and to darkness."""
    shape = (task.height, task.width, task.channels)
    pixels = jnp.eye(np.prod(shape)).reshape(-1, *shape)
    bias = np.asarray(network(jnp.zeros((1, *shape))), np.float64)
    return np.vstack([np.asarray(network(pixels), np.float64) - bias, bias])


@functools.cache
def train(task):
    """The `parameters` (H W C + 1, 2), in float64, after each of STEPS full-batch steps from zero."""
    optimizer = Optimizer(name="sgd", learning_rate=learning_rate(task))
    count = tasks.position_count(task)
    configuration = Configuration(task, Model(name="linear"), optimizer=optimizer, batch_size=count)
    every = sampling.Examples(jnp.arange(count), jax.random.split(jax.random.key(0), count))
    keys = sampling.keys_of(configuration, jnp.uint32(0))

    @jax.jit
    def advance(state, first, last):
        return jax.lax.fori_loop(
            first, last, lambda i, s: member.train_step(configuration, s, every, keys, i)[0], state
        )

    initial = compiled.initialize(configuration, jnp.uint32(0))
    state = initial._replace(params=jax.tree.map(jnp.zeros_like, initial.params))
    way = []
    for before, step in itertools.pairwise([0, *STEPS]):
        state = advance(state, before, step)
        way.append(parameters(member.merge(configuration, state.weights), task))
    assert state.failed_step == -1
    return way


def augmented(task):
    """Every clean image, flattened, with a 1 for the bias: (N, H W C + 1)."""
    places = tasks.positions(task)
    images = tasks.inputs(task, tasks.render(task, places)).reshape(len(places), -1)
    return np.pad(images, ((0, 0), (0, 1)), constant_values=1)


def rounding(task, weights):
    """How far, in Euclidean norm, float32 takes the weights from those of exact arithmetic, after each of STEPS.

    A prediction sums n terms, off by sqrt(n) roundings of 2^-24 of their total size (Higham and Mary 2019, SIAM J. Sci.
    Comput. 41). With L the largest eigenvalue of the inputs' second moments, errors e of the predictions move a step by
    rate sqrt(L) |e| at most; rounding the weights themselves is added to that. At a stable rate no later step enlarges
    it, and t independent steps add up to sqrt(t) of it: 5 standard deviations.
    """
    images = augmented(task)
    prediction = np.sqrt(images.shape[1]) * np.abs(images).sum(axis=1).max() * np.abs(weights).max()
    step = np.linalg.norm(weights) + learning_rate(task) * largest_gain(task) * prediction
    return 5 * np.sqrt(STEPS) * 2.0**-24 * step


def largest_gain(task):
    """sqrt(L): how much root mean square of the predictions a unit change of the weights can make."""
    return np.linalg.norm(augmented(task), ord=2) / np.sqrt(tasks.position_count(task))


@TASK
def test_sgd_follows_the_closed_form_at_every_step(task):
    targets = tasks.targets(task, tasks.positions(task))
    actual = [np.sqrt(np.mean((augmented(task) @ weights - targets) ** 2, axis=0)) for weights in train(task)]
    expected = np.sqrt(mean_squared_error(task, learning_rate(task), STEPS))
    # Root mean squares, because a norm changes by no more than what is added to its argument.
    tolerance = largest_gain(task) * rounding(task, train(task)[-1]) + 1e-7
    assert np.all(np.abs(actual - expected) <= tolerance[:, None])
    # Not vacuous: half-way, at step 5, the error is still far above what rounding may do.
    assert np.all(expected[3] > 1000 * tolerance[3])


@TASK
def test_sgd_from_zero_ends_at_the_minimum_norm_with_the_bias_counted(task):
    def stacked(predictor):
        weights = np.repeat(predictor.weights[:, :, None] / task.channels, task.channels, axis=2)
        return np.vstack([weights.reshape(-1, 2), predictor.intercept])

    end, expected = train(task)[-1], stacked(minimum_norm(task, free_intercept=False))
    tolerance = rounding(task, expected)[-1]
    assert np.linalg.norm(end - expected) <= tolerance
    assert tolerance < 1e-2 * np.linalg.norm(expected)
    if task is not TASKS["centred"]:
        # A free intercept would make it another solution, which this one is not.
        assert np.linalg.norm(stacked(minimum_norm(task)) - expected) > 20 * tolerance
