"""What follows a hidden layer's product against NumPy: pooling, normalisation, dropout, and their order."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

from jaxbox import layers
from jaxbox import task as tasks
from jaxbox.config import Configuration, ConfigurationError, Model, Task, tables
from jaxbox.layers.windows import windowed as windows
from jaxbox.training import checks, member


def normal(seed, *shape):
    return jax.random.normal(jax.random.key(seed), shape)


def pooled(images, function):
    """By loops over the output pixels."""
    images = np.asarray(images, np.float64)
    count, height, width, channels = images.shape
    found = np.zeros((count, height // 2, width // 2, channels))
    for row in range(height // 2):
        for column in range(width // 2):
            found[:, row, column] = function(images[:, 2 * row : 2 * row + 2, 2 * column : 2 * column + 2], axis=(1, 2))
    return found


@pytest.mark.parametrize(("name", "function"), [("max", np.max), ("average", np.mean)])
@pytest.mark.parametrize("shape", [(3, 4, 6, 2), (2, 7, 5, 3), (1, 2, 3, 1)])
def test_pooling_takes_every_two_by_two_pixels_and_leaves_an_odd_last_one_out(name, function, shape):
    images = normal(0, *shape)
    layer = tables.load("model.pooling", name)()
    np.testing.assert_allclose(layer(images), pooled(images, function), rtol=1e-6, atol=1e-6)


def test_equal_pixels_share_the_gradient_of_their_maximum():
    layer = tables.load("model.pooling", "max")()
    gradient = jax.grad(lambda images: layer(images).sum())(jnp.zeros((1, 2, 2, 1)))
    np.testing.assert_array_equal(gradient, np.full((1, 2, 2, 1), 0.25))


@pytest.mark.parametrize("count", [12, 500])
def test_windows_stay_windows_where_that_saves_work(count):
    """On the examples' own windows and on shared ones; test_windows.py compares outputs and gradients closely."""
    task, model = Task(24, 24, 3), Model(activation="tanh", normalization="layer")
    index = jnp.arange(count) % tasks.position_count(task)
    draws = tasks.draw_images(task, jax.random.split(jax.random.key(0), count))
    convolution = layers.Conv(1, 2, 3, 1, "SAME", rngs=nnx.Rngs(params=0))
    hidden = layers.Hidden(model, 2, nnx.Rngs(0), "average")

    def rendered(on):
        maps = hidden(convolution(tasks.example(task, index, draws, windows=on)[0]))
        assert isinstance(maps, layers.Windowed) == on
        return windows.render(maps) if on else maps

    ours, expected = (jax.jit(rendered, static_argnums=0)(on) for on in (True, False))
    np.testing.assert_allclose(ours, expected, atol=2e-5)


def test_layer_normalisation_is_over_the_channels_of_each_pixel():
    layer = tables.load("model.normalization", "layer")(4)
    layer.layer.scale[...], layer.layer.bias[...] = jnp.arange(1.0, 5), jnp.arange(4.0)
    values = 3 + 2 * normal(1, 5, 2, 3, 4)
    numbers = np.asarray(values, np.float64)
    centred = numbers - numbers.mean(axis=-1, keepdims=True)
    expected = centred / np.sqrt((centred**2).mean(axis=-1, keepdims=True) + 1e-5) * np.arange(1, 5) + np.arange(4)
    np.testing.assert_allclose(layer(values), expected, rtol=1e-4, atol=1e-5)


def test_batch_normalisation_uses_the_batch_in_training_and_running_statistics_after():
    layer = tables.load("model.normalization", "batch")(3)
    batches = [2 + 3 * normal(seed, 6, 4, 5, 3) for seed in range(3)]
    mean, variance = np.zeros(3), np.ones(3)
    for batch in batches:
        numbers = np.asarray(batch, np.float64)
        own = numbers.mean(axis=(0, 1, 2)), numbers.var(axis=(0, 1, 2))
        np.testing.assert_allclose(layer(batch), (numbers - own[0]) / np.sqrt(own[1] + 1e-5), rtol=1e-4, atol=1e-5)
        mean, variance = 0.9 * mean + 0.1 * own[0], 0.9 * variance + 0.1 * own[1]
    layer.eval()
    expected = (np.asarray(batches[0], np.float64) - mean) / np.sqrt(variance + 1e-5)
    np.testing.assert_allclose(layer(batches[0]), expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("rate", [0.0, 0.25, 0.9])
def test_dropout_drops_a_share_and_keeps_the_mean(rate):
    layer = tables.load("model.dropout", "units")(rate, rngs=nnx.Rngs(0))
    values = jnp.ones((100, 100))
    dropped = np.asarray(layer(values))
    kept = np.count_nonzero(dropped) / dropped.size
    assert abs(kept - (1 - rate)) <= 5 * np.sqrt(rate * (1 - rate) / dropped.size)
    np.testing.assert_allclose(dropped[dropped != 0], 1 / (1 - np.float32(rate)), rtol=1e-6)
    assert rate == 0 or (np.asarray(layer(values)) != dropped).any()
    layer.eval()
    np.testing.assert_array_equal(layer(values), values)


def test_the_rate_is_traced_and_a_rate_of_zero_is_no_dropout():
    def loss(model):
        configuration = Configuration(Task(8, 8, 2), dataclasses.replace(model, features=(3,), kernel_size=3))
        static = dataclasses.replace(configuration, model=dataclasses.replace(configuration.model, dropout_rate=0.5))

        def outputs(rate):
            own = dataclasses.replace(static, model=dataclasses.replace(static.model, dropout_rate=rate))
            weights = member.initialize(own, jnp.uint32(0)).weights
            return member.merge(own, weights, jax.random.key(3))(jnp.ones((2, 8, 8, 1)))

        return jax.jit(outputs)(configuration.model.dropout_rate)

    none, zero, half = loss(Model()), loss(Model(dropout="units", dropout_rate=0.0)), loss(Model(dropout="units"))
    np.testing.assert_allclose(zero, none, rtol=1e-6)
    assert (np.asarray(half) != np.asarray(none)).any()


@pytest.mark.parametrize("name", ["cnn", "mlp"])
def test_what_is_between_layers_leaves_first_weights_alone(name):
    """Configurations that differ in it stay paired."""
    task, model = Task(8, 8, 2), Model(name, features=(3, 4), kernel_size=3, hidden=(5, 4))
    changes = {"normalization": "batch", "dropout": "units"}
    plain, changed = (
        member.initialize(Configuration(task, each), jnp.uint32(4)).params
        for each in (model, dataclasses.replace(model, **changes))
    )
    for layer in plain:
        jax.tree.map(np.testing.assert_array_equal, plain[layer], changed[layer])


def test_the_order_is_normalisation_activation_pooling():
    model = Model(normalization="layer", activation="relu")
    layer, values = layers.Hidden(model, 2, nnx.Rngs(0), "average"), normal(0, 3, 4, 4, 2)
    normalized = tables.load("model.normalization", "layer")(2)(values)
    np.testing.assert_allclose(layer(values), pooled(np.maximum(normalized, 0), np.mean), rtol=1e-5, atol=1e-6)


def test_pooling_that_leaves_nothing_is_refused():
    deep = Configuration(Task(8, 8, 2), Model(features=(2, 2), kernel_size=3, pooling="max"), batch_size=8)
    with pytest.raises(
        ConfigurationError, match=r"model: .* cannot be built .*pooling leaves nothing of a map of 1 pixel"
    ):
        checks.check_sweep([dataclasses.replace(deep, model=dataclasses.replace(deep.model, stride=4))], 1)
