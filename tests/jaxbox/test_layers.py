"""Convolution against lax and flax.nnx, with rounding bounds; initial values against Glorot's formula."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx
from jax import lax
from scipy.special import expit

from jaxbox import layers
from jaxbox.config import Model, Task
from jaxbox.models import MODELS

# (height, width, kernel size, stride, padding): even, odd, rectangles, kernels of 1, kernels larger than the image;
# few output pixels and, with stride 1 and in the larger images, many.
CASES = [
    (8, 8, 5, 2, "SAME"),
    (7, 7, 3, 1, "SAME"),
    (7, 7, 3, 2, "VALID"),
    (11, 10, 3, 2, "SAME"),
    (10, 11, 2, 2, "VALID"),
    (9, 6, 2, 1, "SAME"),
    (9, 6, 2, 2, "SAME"),
    (5, 8, 4, 1, "VALID"),
    (5, 8, 4, 2, "SAME"),
    (4, 4, 1, 1, "SAME"),
    (5, 4, 1, 2, "VALID"),
    (3, 2, 5, 1, "SAME"),
    (3, 2, 5, 2, "SAME"),
    (1, 6, 3, 2, "SAME"),
]
NAMES = [f"{case[0]}x{case[1]} kernel {case[2]} stride {case[3]} {case[4]}" for case in CASES]
CONVOLUTIONS = pytest.mark.parametrize(("height", "width", "kernel_size", "stride", "padding"), CASES, ids=NAMES)
UNIT_ROUNDOFF = float(jnp.finfo(jnp.float32).eps) / 2


def reference(images, kernel, stride, padding):
    return lax.conv_general_dilated(
        images, kernel, (stride, stride), padding, dimension_numbers=("NHWC", "OHWI", "NHWC")
    )


def normal(seed, *shape):
    return jax.random.normal(jax.random.key(seed), shape)


def assert_equal_sums(ours, theirs, magnitudes, terms):
    """Two sums of products in any order differ by at most 2 n u / (1 - n u) times the sum of magnitudes, n terms
    (Higham, Accuracy and Stability of Numerical Algorithms, section 3.1)."""
    bound = 2 * terms * UNIT_ROUNDOFF / (1 - terms * UNIT_ROUNDOFF) * np.asarray(magnitudes)
    assert ours.shape == theirs.shape
    assert ours.dtype == theirs.dtype == jnp.float32
    assert (np.abs(np.asarray(ours) - np.asarray(theirs)) <= bound).all()


@CONVOLUTIONS
def test_convolve_and_its_gradients_equal_the_generic_convolution(height, width, kernel_size, stride, padding):
    batch, channels, features = 3, 2, 4
    images, kernel = normal(0, batch, height, width, channels), normal(1, features, kernel_size, kernel_size, channels)

    @jax.jit
    def compare(images, kernel):
        theirs, their_gradients = jax.vjp(lambda a, b: reference(a, b, stride, padding), images, kernel)
        cotangent = jax.random.normal(jax.random.key(2), theirs.shape)
        ours, our_gradients = jax.vjp(lambda a, b: layers.convolve(a, b, stride, padding), images, kernel)
        sizes, gradient_sizes = jax.vjp(lambda a, b: reference(a, b, stride, padding), abs(images), abs(kernel))
        ours, theirs = (ours, *our_gradients(cotangent)), (theirs, *their_gradients(cotangent))
        return ours, theirs, (sizes, *gradient_sizes(abs(cotangent)))

    ours, theirs, sizes = compare(images, kernel)
    per_output, per_pixel = kernel_size**2 * channels, kernel_size**2 * features
    per_weight = batch * ours[0].shape[1] * ours[0].shape[2]
    for *both, size, terms in zip(ours, theirs, sizes, (per_output, per_pixel, per_weight), strict=True):
        assert_equal_sums(*both, size, terms)


@pytest.mark.parametrize(("height", "width", "stride", "padding"), [(6, 5, 2, "SAME"), (5, 7, 1, "VALID")])
def test_members_of_a_vmap_are_convolved_each_with_its_own_kernel(height, width, stride, padding):
    images, kernels = normal(0, 3, 2, height, width, 2), normal(1, 3, 4, 3, 3, 2)

    def both(images, kernel):
        output, pull = jax.vjp(lambda a, b: layers.convolve(a, b, stride, padding), images, kernel)
        return output, *pull(jnp.cos(output))

    together = jax.jit(jax.vmap(both))(images, kernels)
    for member in range(3):
        output, pull = jax.vjp(lambda a, b: reference(a, b, stride, padding), images[member], kernels[member])
        alone = (output, *pull(jnp.cos(output)))
        for ours, theirs in zip(together, alone, strict=True):
            # At most 60 products of size about 1, through one more smooth function: 60 u is 4e-6.
            np.testing.assert_allclose(ours[member], theirs, rtol=1e-5, atol=3e-5)


@pytest.mark.parametrize(("stride", "padding"), [(1, "SAME"), (2, "VALID")])
def test_the_layer_equals_flax(stride, padding):
    images, bias = normal(0, 2, 7, 6, 3), normal(1, 4)
    ours = layers.Conv(3, 4, 2, stride, padding, rngs=nnx.Rngs(params=0))
    theirs = nnx.Conv(3, 4, (2, 2), strides=(stride, stride), padding=padding, rngs=nnx.Rngs(params=1))
    theirs.kernel[...], theirs.bias[...], ours.bias[...] = ours.kernel[...].transpose(1, 2, 3, 0), bias, bias
    # 12 products of size under 1 and a bias: 13 u is 8e-7.
    np.testing.assert_allclose(ours(images), theirs(images), rtol=1e-5, atol=5e-6)


@CONVOLUTIONS
def test_axis_padding_is_what_lax_pads(height, width, kernel_size, stride, padding):
    before = lax.padtype_to_pads((height, width), (kernel_size,) * 2, (stride,) * 2, padding)
    for size, pads in zip((height, width), before, strict=True):
        output_size, *ours = layers.axis_padding(size, kernel_size, stride, padding)
        assert tuple(ours) == tuple(pads)
        assert output_size == (size + sum(pads) - kernel_size) // stride + 1


def test_valid_refuses_a_kernel_larger_than_the_image():
    with pytest.raises(ValueError, match="kernel_size 5 is larger than the 4 pixels"):
        layers.axis_padding(4, 5, 1, "VALID")


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


def test_dense_is_a_matrix_product_of_the_flattened_example():
    images = normal(0, 4, 3, 2, 2)
    layer = layers.Dense(12, 5, rngs=nnx.Rngs(params=0))
    layer.bias[...] = normal(1, 5)
    expected = np.asarray(images, float).reshape(4, 12) @ np.asarray(layer.kernel[...], float).T
    np.testing.assert_allclose(layer(images), expected + np.asarray(layer.bias[...], float), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize(
    ("name", "formula"),
    [
        ("relu", lambda x: np.maximum(x, 0)),
        ("sigmoid", expit),
        ("tanh", np.tanh),
        ("gelu", lambda x: x / 2 * (1 + np.tanh(np.sqrt(2 / np.pi) * (x + 0.044715 * x**3)))),
    ],
)
def test_activations(name, formula):
    values = np.linspace(-4, 4, 33)
    np.testing.assert_allclose(layers.ACTIVATIONS[name](jnp.asarray(values)), formula(values), rtol=1e-5, atol=1e-6)
    assert set(layers.ACTIVATIONS) == {"relu", "sigmoid", "tanh", "gelu"}


def test_the_linear_model_is_affine_in_the_pixels():
    task = Task(height=3, width=4, box_size=2, channels=3)
    network = MODELS["linear"](Model("linear"), task, rngs=nnx.Rngs(params=0))
    first, second = normal(0, 2, 3, 4, 3), normal(1, 2, 3, 4, 3)
    middle = network((first + second) / 2)
    np.testing.assert_allclose(middle, (network(first) + network(second)) / 2, rtol=1e-5, atol=1e-5)


def test_the_mlp_is_its_formula():
    task, model = Task(height=3, width=4, box_size=2), Model("mlp", hidden=7, activation="sigmoid")
    network = MODELS["mlp"](model, task, rngs=nnx.Rngs(params=0))
    params = jax.tree.map(lambda leaf: np.asarray(leaf, float), nnx.to_pure_dict(nnx.state(network, nnx.Param)))
    images = normal(0, 5, 3, 4, 1)
    hidden = expit(np.asarray(images, float).reshape(5, 12) @ params["hidden"]["kernel"].T + params["hidden"]["bias"])
    expected = hidden @ params["head"]["kernel"].T + params["head"]["bias"]
    np.testing.assert_allclose(network(images), expected, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("padding", ["SAME", "VALID"])
def test_the_cnn_is_a_chain_of_convolutions(padding):
    task = Task(height=9, width=7, box_size=2, channels=3)
    model = Model("cnn", features=(3, 4), kernel_size=3, padding=padding, activation="tanh")
    network = MODELS["cnn"](model, task, rngs=nnx.Rngs(params=0))
    params = nnx.to_pure_dict(nnx.state(network, nnx.Param))
    values = images = normal(0, 5, 9, 7, 3)
    for layer in params["convolutions"].values():
        values = jnp.tanh(reference(values, layer["kernel"], 2, padding) + layer["bias"])
    expected = values.reshape(5, -1) @ params["head"]["kernel"].T + params["head"]["bias"]
    np.testing.assert_allclose(network(images), expected, rtol=1e-5, atol=1e-5)
