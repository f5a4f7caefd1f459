"""Layers against flax.nnx and NumPy; initial values against Glorot's formula."""

import chex
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx
from jax import lax
from scipy.special import expit

from jaxbox import layers
from jaxbox.config import ConfigurationError, Model, Task, tables


def reference(images, kernel, stride, padding):
    return lax.conv_general_dilated(
        images, kernel, (stride, stride), padding, dimension_numbers=("NHWC", "OHWI", "NHWC")
    )


def normal(seed, *shape):
    return jax.random.normal(jax.random.key(seed), shape)


@pytest.mark.parametrize(("stride", "padding"), [(1, "SAME"), (2, "VALID")])
def test_the_layer_equals_flax(stride, padding):
    images, bias = normal(0, 2, 7, 6, 3), normal(1, 4)
    ours = layers.Conv(3, 4, 2, stride, padding, rngs=nnx.Rngs(params=0))
    theirs = nnx.Conv(3, 4, (2, 2), strides=(stride, stride), padding=padding, rngs=nnx.Rngs(params=1))
    theirs.kernel[...], theirs.bias[...], ours.bias[...] = ours.kernel[...].transpose(1, 2, 3, 0), bias, bias
    # 12 products of size under 1 and a bias: 13 u is 8e-7.
    np.testing.assert_allclose(ours(images), theirs(images), rtol=1e-5, atol=5e-6)


@pytest.mark.parametrize(
    ("layer", "fan_in", "fan_out"),
    [
        (lambda rngs: layers.Conv(16, 32, 5, 2, "SAME", rngs=rngs), 25 * 16, 25 * 32),
        (lambda rngs: layers.Dense(200, 50, rngs=rngs), 200, 50),
    ],
    ids=["Conv", "Dense"],
)
def test_kernels_start_glorot_uniform_and_biases_at_zero(layer, fan_in, fan_out):
    made = layer(nnx.Rngs(params=0))
    kernel, limit = np.asarray(made.kernel[...], np.float64).ravel(), np.sqrt(6 / (fan_in + fan_out))
    assert np.abs(kernel).max() <= limit
    # A uniform variable's mean and second moment have variances limit^2 / 3 and limit^4 4 / 45; five deviations.
    assert abs(kernel.mean()) <= 5 * limit / np.sqrt(3 * kernel.size)
    assert abs(np.mean(kernel**2) - limit**2 / 3) <= 5 * limit**2 * np.sqrt(4 / 45 / kernel.size)
    assert not np.asarray(made.bias[...]).any()


@pytest.mark.parametrize("examples", [4, 600])
def test_dense_is_a_matrix_product_of_the_flattened_example(examples):
    images = normal(0, examples, 3, 2, 2)
    layer = layers.Dense(12, 5, rngs=nnx.Rngs(params=0))
    layer.bias[...] = normal(1, 5)
    expected = np.asarray(images, float).reshape(examples, 12) @ np.asarray(layer.kernel[...], float).T
    np.testing.assert_allclose(layer(images), expected + np.asarray(layer.bias[...], float), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize(
    ("name", "formula"),
    [
        ("relu", lambda x: np.maximum(x, 0)),
        ("sigmoid", expit),
        ("tanh", np.tanh),
        ("gelu", lambda x: x / 2 * (1 + np.tanh(np.sqrt(2 / np.pi) * (x + 0.044715 * x**3)))),
        ("leaky_relu", lambda x: np.where(x > 0, x, 0.01 * x)),
        ("elu", lambda x: np.where(x > 0, x, np.expm1(x))),
        ("silu", lambda x: x * expit(x)),
        ("identity", lambda x: x),
        ("softplus", lambda x: np.log1p(np.exp(x))),
    ],
)
def test_activations(name, formula):
    values = np.linspace(-4, 4, 33)
    fields = [field for field in ("model.activation", "model.output") if name in tables.TABLES[field]]
    for field in fields:
        ours = layers.Activation(name, field)(jnp.asarray(values))
        np.testing.assert_allclose(ours, formula(values), rtol=1e-5, atol=1e-6)
    assert fields


def test_an_unknown_activation_is_refused():
    with pytest.raises(ConfigurationError, match="swish"):
        layers.Activation("swish")(jnp.zeros((1, 2)))


def test_the_linear_model_is_affine_in_the_pixels():
    task = Task(height=3, width=4, box_size=2, channels=3)
    network = tables.load("model.name", "linear")(Model("linear"), task, 2, rngs=nnx.Rngs(params=0))
    first, second = normal(0, 2, 3, 4, 3), normal(1, 2, 3, 4, 3)
    middle = network((first + second) / 2)
    np.testing.assert_allclose(middle, (network(first) + network(second)) / 2, rtol=1e-5, atol=1e-5)


def test_the_mlp_is_its_formula():
    task, model = Task(height=3, width=4, box_size=2), Model("mlp", hidden=(7,), activation="sigmoid")
    network = tables.load("model.name", "mlp")(model, task, 2, rngs=nnx.Rngs(params=0))
    params = jax.tree.map(lambda leaf: np.asarray(leaf, float), nnx.to_pure_dict(nnx.state(network, nnx.Param)))
    images = normal(0, 5, 3, 4, 1)
    hidden = expit(np.asarray(images, float).reshape(5, 12) @ params["hidden"]["kernel"].T + params["hidden"]["bias"])
    expected = hidden @ params["head"]["kernel"].T + params["head"]["bias"]
    np.testing.assert_allclose(network(images), expected, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("padding", ["SAME", "VALID"])
def test_the_cnn_is_a_chain_of_convolutions(padding):
    task = Task(height=9, width=7, box_size=2, channels=3)
    model = Model("cnn", features=(3, 4), kernel_size=3, padding=padding, activation="tanh")
    network = tables.load("model.name", "cnn")(model, task, 2, rngs=nnx.Rngs(params=0))
    params = jax.device_get(nnx.to_pure_dict(nnx.state(network, nnx.Param)))
    values = images = normal(0, 5, 9, 7, 3)
    for layer in params["convolutions"].values():
        values = np.tanh(np.asarray(reference(values, layer["kernel"], 2, padding)) + layer["bias"])
    expected = values.reshape(5, -1) @ params["head"]["kernel"].T + params["head"]["bias"]
    np.testing.assert_allclose(network(images), expected, rtol=1e-5, atol=1e-5)


def test_a_unit_is_lit_if_it_is_above_zero_anywhere():
    activations = np.zeros((4, 3, 3, 5))
    activations[2, 1, 0, 1] = 1e-20
    activations[..., 3] = 2.0
    activations[0, 0, 0, 4] = -1.0
    assert layers.lit_units(jnp.asarray(activations)).tolist() == [False, True, False, True, False]
    assert layers.lit_units(jnp.asarray(activations[:, 0, 0])).tolist() == [False, False, False, True, False]


class Recording(nnx.Module):
    """Two activations, and something that the network keeps for itself."""

    def __init__(self):
        self.hidden = layers.Dense(2, 3, rngs=nnx.Rngs(params=0))
        self.relu, self.tanh = layers.Activation("relu"), layers.Activation("tanh")

    def __call__(self, batch):
        hidden = self.relu(self.hidden(batch))
        self.kept = nnx.Intermediate(hidden)
        return self.tanh(hidden)


def test_what_a_network_keeps_itself_is_not_taken_for_lit_units():
    network = Recording()
    network.hidden.kernel[...], network.hidden.bias[...] = jnp.eye(3, 2), jnp.array([0.0, -1.0, 0.0])
    network(jnp.array([[1.0, 0.5], [-1.0, 0.5]]))
    lit = nnx.to_pure_dict(nnx.state(network, layers.LitUnits))
    chex.assert_trees_all_equal(lit, {"relu": {"lit": jnp.array([True, False, False])}})
    kept = nnx.to_pure_dict(nnx.state(network, nnx.Intermediate))
    chex.assert_trees_all_equal(kept, {"kept": jnp.array([[1.0, 0.0, 0.0], [0.0, 0.0, 0.0]])})
