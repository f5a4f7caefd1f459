"""Predictions at every position, of one member or many, and which units they light."""

import dataclasses
import sys
from functools import partial

import compiled
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

from jaxbox import layers
from jaxbox import task as tasks
from jaxbox.config import Configuration, Data, Model, Task, tables
from jaxbox.training import evaluation, member
from jaxbox.training.member import Weights

TASK = Task(height=5, width=6, box_size=2)
EVERYWHERE = jnp.ones(tasks.position_count(TASK), bool)


def start(configuration, seed=0):
    return compiled.initialize(configuration, jnp.uint32(seed))


def predict(configuration, weights):
    """Predictions (N, 2), and which units are lit."""
    predictions, lit, _ = jax.jit(partial(evaluation.predict, configuration))(weights)
    return predictions.T, lit


@pytest.mark.parametrize(
    ("model", "batch_size"), [(Model("mlp", hidden=(4,)), 7), (Model("cnn", features=(3, 5), kernel_size=3), 20)]
)
def test_predictions_in_blocks_equal_one_application_of_the_network(model, batch_size):
    task = Task(height=5, width=6, box_size=2, noise="white", noise_level=0.2)
    configuration = Configuration(task, model, data=Data(train_size=20), batch_size=batch_size)
    state = start(configuration)
    predictions, lit = predict(configuration, state.weights)
    everything = dataclasses.replace(configuration, batch_size=20)
    at_once, _ = predict(everything, state.weights)
    assert predictions.shape == (tasks.position_count(task), 2)
    np.testing.assert_allclose(predictions, at_once, rtol=1e-5, atol=1e-6)
    clean = dataclasses.replace(configuration, task=dataclasses.replace(task, noise_level=0.0))
    without_noise, _ = predict(clean, state.weights)
    assert np.abs(np.asarray(without_noise - predictions)).min(axis=1).max() > 1e-4, "the evaluation has its noise"
    images = tasks.inputs(task, tasks.render(task, tasks.positions(task)))
    expected = compiled.outputs(configuration, state.weights, images)
    np.testing.assert_allclose(without_noise, expected, rtol=1e-5, atol=1e-6)
    assert [len(units) for units in lit] == ([4] if model.name == "mlp" else [3, 5])


@pytest.mark.parametrize(
    "model", [Model("linear"), Model("mlp", hidden=(4,)), Model("cnn", features=(3, 5), kernel_size=3)]
)
def test_predictions_by_windows_equal_the_network_on_images(model):
    # Rows and columns of positions differ in number, and margins move their first one away from the corner.
    task = Task(height=9, width=7, box_size=2, margin_left=1, margin_top=2, inputs="standardized")
    configuration = Configuration(task, model, data=Data(train_size=20), batch_size=4)
    weights = Weights(jax.tree.map(lambda leaf: leaf + 0.1, start(configuration).params), {})
    images = tasks.inputs(task, tasks.render(task, tasks.positions(task)))
    expected = compiled.outputs(configuration, weights, images)
    np.testing.assert_allclose(predict(configuration, weights)[0], expected, rtol=1e-5, atol=1e-5)


def one_after_another(function, *values):
    return jax.lax.map(lambda own: function(*own), values)


def together(function, *values):
    return jax.vmap(function)(*values)


LEVELS = (0.0, 0.2, 0.9)


@pytest.fixture(scope="module", params=["none", "white", "salt_pepper"])
def three(request):
    """A configuration, three members of other levels of noise, what they have seen, and how each is evaluated alone."""
    task = dataclasses.replace(TASK, noise=request.param, noise_level=0.5)
    configuration = Configuration(task, Model("mlp", hidden=(4,)), data=Data(train_size=20), batch_size=7)
    states = jax.jit(jax.vmap(partial(member.initialize, configuration)))(jnp.arange(3, dtype=jnp.uint32))
    seen, alone = jnp.arange(3 * 20).reshape(3, 20) % 7 < 3, []
    for number, level in enumerate(LEVELS):
        own = dataclasses.replace(configuration, task=dataclasses.replace(task, noise_level=level))
        state = jax.tree.map(lambda leaf, number=number: leaf[number], states)
        alone.append(compiled.evaluate(own, state, seen[number], jnp.int32(number)))
    return configuration, states, seen, alone


@pytest.mark.parametrize("map_members", [one_after_another, together])
def test_members_evaluated_at_once_are_evaluated_as_each_alone(three, map_members):
    configuration, states, seen, alone = three
    evaluate = partial(evaluation.evaluate, configuration, map_members=map_members)
    ours = jax.jit(evaluate)(states, seen, jnp.arange(3), {"task.noise_level": jnp.array(LEVELS)})
    for number, expected in enumerate(alone):
        for name, value in expected.items():
            np.testing.assert_allclose(ours[name][number], value, rtol=1e-4, atol=1e-5, err_msg=name)


def dead(configuration, kill):
    """dead_fraction after `kill` changed the parameters of a network whose biases are one."""
    state = start(configuration)
    params = jax.tree.map(jnp.array, state.params)
    kill(params)
    measures = compiled.evaluate(configuration, state._replace(params=params), EVERYWHERE, jnp.int32(0))
    return np.asarray(measures["dead_fraction"])


def test_dead_units_are_counted_by_layer():
    def kill(params):
        first, second = params["convolutions"][0], params["convolutions"][1]
        first["bias"] = jnp.array([-100.0, 1, 1, -100.0])
        second["bias"] = jnp.array([100.0, 100.0, -1e4])

    model = Model("cnn", features=(4, 3), kernel_size=3)
    configuration = Configuration(TASK, model, data=Data(train_size=20), batch_size=20)
    np.testing.assert_allclose(dead(configuration, kill), [2 / 4, 1 / 3], rtol=1e-6)


class Backwards(nnx.Module):
    """Applies first what comes last by name."""

    def __init__(self, model, task, outputs, rngs):
        self.z, self.b = layers.Dense(30, 3, rngs=rngs), layers.Dense(3, 4, rngs=rngs)
        self.last, self.earlier = layers.Activation("relu"), layers.Activation("relu")
        self.head = layers.Dense(4, outputs, rngs=rngs)

    def __call__(self, images):
        return self.head(self.earlier(self.b(self.last(self.z(images)))))


def test_layers_are_counted_from_the_input_whatever_their_names(monkeypatch):
    here = f"{sys.modules[__name__].__name__}:Backwards"
    monkeypatch.setitem(tables.MODELS, "backwards", tables.Row(here, "for this test"))
    configuration = Configuration(TASK, Model("backwards"), data=Data(train_size=20), batch_size=20)
    _, lit = predict(configuration, start(configuration).weights)
    assert [len(units) for units in lit] == [3, 4]


def test_a_network_without_relu_has_no_dead_fraction():
    configuration = Configuration(TASK, Model("mlp", hidden=(3,), activation="sigmoid"))
    assert np.isnan(dead(configuration, lambda params: None)).all()
