"""Networks against their definitions in NumPy, and the soft argmax that is the best possible predictor."""

import dataclasses

import compiled
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx
from scipy.signal import correlate2d
from scipy.special import softmax

from analysis import bayes
from jaxbox import task as tasks
from jaxbox.config import Configuration, ConfigurationError, Loss, Model, Task, check_values, tables


def build(model, task):
    return compiled.built(tables.load("model.name", model.name), model, task, 2)


def params_of(network):
    return jax.tree.map(lambda leaf: np.asarray(leaf, float), nnx.to_pure_dict(nnx.state(network, nnx.Param)))


def convolved(images, layer, mode):
    """Every channel by SciPy's own correlation; odd kernels, stride 1."""
    kernel = layer["kernel"]
    maps = [
        [sum(correlate2d(image[..., c], unit[..., c], mode) for c in range(image.shape[-1])) for unit in kernel]
        for image in np.asarray(images, float)
    ]
    return np.moveaxis(np.array(maps), 1, -1) + layer["bias"]


def images_of(task, count, seed=0):
    index = jnp.arange(count) * 7 % tasks.position_count(task)

    def drawn(key):
        return tasks.example(task, index, tasks.draw_images(task, jax.random.split(key, count)))[0]

    return jax.jit(drawn)(jax.random.key(seed))


def test_an_mlp_of_any_widths_is_a_chain_of_products():
    task, model = Task(4, 5, 2), Model("mlp", hidden=(7, 3, 5), activation="tanh")
    network, images = build(model, task), images_of(task, 6)
    params, values = params_of(network), np.asarray(images, float).reshape(6, -1)
    for layer in (params["hidden"], *params["deeper"].values()):
        values = np.tanh(values @ layer["kernel"].T + layer["bias"])
    expected = values @ params["head"]["kernel"].T + params["head"]["bias"]
    assert [len(layer["bias"]) for layer in (params["hidden"], *params["deeper"].values())] == [7, 3, 5]
    np.testing.assert_allclose(compiled.call(network, images), expected, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("shortcut", ["none", "identity"])
def test_a_cnn_is_its_convolutions_then_its_dense_layers_with_shortcuts_where_shapes_are_equal(shortcut):
    task = Task(5, 6, 2)
    model = Model("cnn", (4, 4), 3, 1, dense=(7, 7), activation="tanh", shortcut=shortcut)
    network, images = build(model, task), normal(task)
    params, values = params_of(network), np.asarray(images, float)
    skips = 1 if shortcut == "identity" else 0
    first, second = params["convolutions"].values()
    values = np.tanh(convolved(values, first, "same"))
    values = np.tanh(convolved(values, second, "same")) + skips * values
    one, two = params["dense"].values()
    values = np.tanh(values.reshape(len(values), -1) @ one["kernel"].T + one["bias"])
    values = np.tanh(values @ two["kernel"].T + two["bias"]) + skips * values
    expected = values @ params["head"]["kernel"].T + params["head"]["bias"]
    np.testing.assert_allclose(compiled.call(network, images), expected, rtol=1e-5, atol=1e-5)


def test_an_mlp_has_shortcuts_past_layers_of_equal_width_only():
    task, model = Task(4, 4, 2), Model("mlp", hidden=(5, 5, 3), activation="tanh", shortcut="identity")
    network, images = build(model, task), images_of(task, 6)
    params = params_of(network)
    one, two, three = (params["hidden"], *params["deeper"].values())
    values = np.tanh(np.asarray(images, float).reshape(6, -1) @ one["kernel"].T + one["bias"])
    values = np.tanh(values @ two["kernel"].T + two["bias"]) + values
    values = np.tanh(values @ three["kernel"].T + three["bias"])
    expected = values @ params["head"]["kernel"].T + params["head"]["bias"]
    np.testing.assert_allclose(compiled.call(network, images), expected, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize(
    ("model", "fits"),
    [
        (Model("cnn", shortcut="identity"), False),
        (Model("cnn", (8, 8), stride=1, shortcut="identity"), True),
        (Model("cnn", (8, 8), stride=1, pooling="max", shortcut="identity"), False),
        (Model("cnn", dense=(16, 16), shortcut="identity"), True),
        (Model("mlp", hidden=(8, 9), shortcut="identity"), False),
        (Model("mlp", hidden=(8, 8), shortcut="identity"), True),
    ],
)
def test_a_shortcut_that_could_be_nowhere_is_refused(model, fits):
    configuration = Configuration(Task(8, 8, 2), model)
    if fits:
        check_values(configuration)
    else:
        with pytest.raises(ConfigurationError, match=r"^model.shortcut: identity is not allowed; it must be none"):
            check_values(configuration)


def test_coordconv_is_its_definition():
    task = Task(6, 5, 2, channels=3)
    network = build(Model("coordconv", features=(4, 3, 2), kernel_size=3, activation="tanh"), task)
    images, params = normal(task), params_of(network)
    y, x = np.meshgrid(2 * np.arange(6) / 5 - 1, 2 * np.arange(5) / 4 - 1, indexing="ij")
    coordinates = np.broadcast_to(np.stack([x, y], axis=-1), (len(images), 6, 5, 2))
    values = np.concatenate([images, coordinates], axis=-1)
    for layer in params["convolutions"].values():
        values = np.tanh(convolved(values, layer, "same"))
    expected = convolved(values, params["head"], "same").max(axis=(1, 2))
    assert [layer["kernel"].shape[1] for layer in params["convolutions"].values()] == [1, 1, 3]
    np.testing.assert_allclose(compiled.call(network, images), expected, rtol=1e-5, atol=1e-5)


def normal(task, count=4):
    return jax.random.normal(jax.random.key(5), (count, task.height, task.width, task.channels))


@pytest.mark.parametrize("padding", ["SAME", "VALID"])
def test_the_soft_argmax_is_the_mean_place_of_its_heat_map(padding):
    task = Task(7, 9, 2)
    network = build(Model("soft_argmax", features=(3,), kernel_size=3, padding=padding, activation="tanh"), task)
    images, params = normal(task), params_of(network)
    hidden = np.tanh(convolved(images, params["convolutions"][0], padding.lower()))
    heat = convolved(hidden, params["heat"] | {"bias": 0}, padding.lower())[..., 0]
    weights = softmax(heat, axis=(1, 2))
    lost = 0 if padding == "SAME" else 2
    x = (np.arange(9 - 2 * lost) + lost + 0.5) * 2 / 9 - 1
    y = (np.arange(7 - 2 * lost) + lost + 0.5) * 2 / 7 - 1
    expected = np.stack([(weights * x[None, None]).sum((1, 2)), (weights * y[None, :, None]).sum((1, 2))], axis=-1)
    np.testing.assert_allclose(compiled.call(network, images), expected, rtol=1e-5, atol=1e-5)


NOISY = {
    "white": Task(9, 8, 3, noise="white", noise_level=0.8),
    "salt and pepper, bytes": Task(8, 9, 2, noise="salt_pepper", noise_level=0.3, inputs="byte"),
    "three channels, inverted, even box": Task(7, 8, 4, channels=3, noise="white", noise_level=1.5, inputs="inverted"),
}


@pytest.mark.parametrize(
    "name", ["white", *(pytest.param(name, marks=pytest.mark.slow) for name in NOISY if name != "white")]
)
def test_a_soft_argmax_with_a_box_filter_of_the_right_gain_is_the_best_possible_predictor(name):
    task = NOISY[name]
    network = build(Model("soft_argmax", features=(), kernel_size=task.box_size, padding="VALID"), task)
    gain = bayes.gain(task) / tasks.input_scale(task).scale
    network.heat.kernel[...] = jnp.full(network.heat.kernel.shape, gain)
    images = images_of(task, 40)
    # A logit is a sum of n products, known to n u of the sum of their sizes, u = 2^-24. Errors of e in all logits move a
    # mean under their softmax by at most 2 e, coordinates being at most 1; its own sums over the pixels add theirs.
    products, unit = task.box_size**2 * task.channels, 2.0**-24
    logit_error = products * unit * products * abs(gain) * float(jnp.abs(images).max())
    tolerance = 2 * logit_error + 4 * task.height * task.width * unit
    expected = bayes.posterior_mean(task, np.asarray(images))
    assert expected.std(axis=0).min() > 20 * tolerance, "the tolerance tells predictors apart"
    np.testing.assert_allclose(compiled.call(network, images), expected, atol=tolerance, rtol=0)


@pytest.mark.slow
def test_without_noise_the_filter_finds_every_box_in_windows_too():
    task = Task(9, 10, 3)
    network = build(Model("soft_argmax", features=(), kernel_size=3, padding="VALID"), task)
    network.heat.kernel[...] = jnp.full((1, 3, 3, 1), 40.0)
    index = jnp.arange(tasks.position_count(task))
    for on in (True, False):
        batch, targets = tasks.example(task, index, tasks.Draws(jnp.zeros((len(index), 9, 10, 1)), None), windows=on)
        np.testing.assert_allclose(network(batch), targets, atol=1e-5)


@pytest.mark.parametrize("name", ["cnn", "linear", "mlp", "coordconv", "soft_argmax"])
@pytest.mark.parametrize("output", ["sigmoid", pytest.param("relu", marks=pytest.mark.slow)])
def test_the_output_function_is_applied_to_every_network(name, output):
    task, model = Task(6, 7, 2), Model(name, features=(3,), kernel_size=3, hidden=(4,))
    images = normal(task)
    plain, other = (
        compiled.call(build(each, task), images) for each in (model, dataclasses.replace(model, output=output))
    )
    function = tables.load("model.output", output)
    np.testing.assert_allclose(other, function(plain), rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize(
    ("targets", "loss", "message"),
    [
        ("cell", "cross_entropy", "task.targets: cell .* symmetric, unit, .* with model.name soft_argmax"),
        ("logit", "mse", "task.targets: logit .* with model.name soft_argmax, whose outputs are a place"),
        ("unit", "gaussian_nll", "loss.name: gaussian_nll .* a loss of .* with model.name soft_argmax"),
    ],
)
def test_a_place_is_no_class_and_has_no_variance(targets, loss, message):
    with pytest.raises(ConfigurationError, match=message):
        check_values(Configuration(Task(targets=targets), Model("soft_argmax"), Loss(loss)))


@pytest.mark.parametrize("targets", ["unit", "pixels", "centred_pixels", "standardized"])
def test_a_place_is_said_in_the_scale_of_the_targets(targets):
    task = Task(9, 10, 3, targets=targets)
    network = build(Model("soft_argmax", features=(), kernel_size=3, padding="VALID"), task)
    network.heat.kernel[...] = jnp.full((1, 3, 3, 1), 40.0)
    index = jnp.arange(tasks.position_count(task))
    images, expected = tasks.example(task, index, tasks.Draws(jnp.zeros((len(index), 9, 10, 1)), None))
    np.testing.assert_allclose(compiled.call(network, images), expected, atol=1e-5 * np.abs(expected).max())
