"""Windows against the images that they stand for: outputs, gradients, lit units, and training."""

import contextlib
import dataclasses

import chex
import compiled
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from jaxbox import layers
from jaxbox import task as tasks
from jaxbox.config import Configuration, Model, Optimizer, Task, tables
from jaxbox.layers import LitUnits, Windowed, convolution
from jaxbox.layers.windows import products
from jaxbox.layers.windows import windowed as windows
from jaxbox.training import member, sampling

SMALL = Model(features=(2, 3, 2))
TANH = Model(features=(3, 2), kernel_size=3, stride=1, activation="tanh")
# Boxes in every corner, at every border and at every alignment with the strides: all positions are taken.
CASES = {
    "the thread's network at 16 x 16": (Task(16, 16, 4), SMALL),
    "at 32 x 32": (Task(32, 32, 5), Model(features=(2, 2, 2))),
    "odd rectangle, inverted": (Task(23, 18, 3, inputs="inverted"), SMALL),
    "three channels, standardized": (Task(19, 24, 4, channels=3, inputs="standardized"), SMALL),
    "bytes": (Task(14, 15, 2, inputs="byte"), Model(features=(2, 2), padding="VALID")),
    "VALID, wide": (Task(29, 37, 3), Model(features=(2, 3), padding="VALID")),
    "stride 1": (Task(9, 12, 2, inputs="inverted"), TANH),
    "margins": (Task(20, 17, 5, margin_top=3, margin_left=1, margin_right=2), SMALL),
    "box of 1": (Task(11, 14, 1), Model(features=(2, 2), kernel_size=4, stride=3)),
    "box as large as the image": (Task(7, 7, 7), Model(features=(2, 2), kernel_size=3, stride=2)),
    "one position, wide map": (Task(24, 24, 3, margin_left=21, margin_top=21), Model(features=(2, 2))),
    "kernel of 1, stride 2": (Task(14, 11, 2, inputs="inverted"), Model(features=(2, 2), kernel_size=1)),
    "kernel smaller than the stride": (Task(17, 16, 3), Model(features=(2, 2), kernel_size=2, stride=3)),
    "kernel larger than the image": (Task(5, 6, 2, inputs="inverted"), Model(features=(2, 2), kernel_size=7)),
    "linear": (Task(9, 7, 3, channels=3, margin_left=1), Model("linear")),
    "linear, inverted": (Task(9, 7, 3, inputs="inverted"), Model("linear")),
    "mlp": (Task(6, 9, 2, inputs="standardized"), Model("mlp", hidden=(5,))),
    "mlp, two layers normalised": (Task(6, 9, 2), Model("mlp", hidden=(5, 4), normalization="layer")),
    "soft argmax": (Task(9, 12, 3, inputs="inverted"), Model("soft_argmax", features=(2,), kernel_size=3)),
    "average pooling": (Task(17, 20, 3, inputs="inverted"), dataclasses.replace(TANH, pooling="average")),
    "layer normalisation": (Task(16, 17, 3, inputs="inverted"), dataclasses.replace(SMALL, normalization="layer")),
}
# What these try is among what `test_any_size_kernel_and_stride` draws, or another case's in all but one respect.
SLOW = {
    *("at 32 x 32", "three channels, standardized", "bytes", "box of 1", "box as large as the image"),
    *("kernel of 1, stride 2", "kernel smaller than the stride", "linear, inverted", "mlp, two layers normalised"),
    *("odd rectangle, inverted", "one position, wide map", "layer normalisation"),
}


@contextlib.contextmanager
def precision(name):
    with jax.enable_x64(name == "float64"):
        yield


def outcome(task, model, index, on_windows):
    """Outputs, lit units and the gradient of their squares with respect to every parameter, biases not zero."""
    network = compiled.built(tables.load("model.name", model.name), model, task, 2, seed=1)
    graph, params = nnx.split(network, nnx.Param)
    params = jax.tree.map(
        lambda leaf: np.asarray(leaf) + 0.1 * np.cos(np.arange(leaf.size, dtype=leaf.dtype)).reshape(leaf.shape), params
    )
    keys = jax.random.split(jax.random.key(0), len(index))

    def loss(params):
        inputs, _ = tasks.example(task, index, tasks.draw_images(task, keys), on_windows)
        network = nnx.merge(graph, params)
        outputs = network(inputs)
        lit = jax.tree.leaves(nnx.to_pure_dict(nnx.state(network, LitUnits)))
        return jnp.sum(outputs**2), (outputs, lit)

    gradient, (outputs, lit) = jax.jit(jax.grad(loss, has_aux=True))(params)
    return [outputs, *jax.tree.leaves(gradient)], lit


def assert_windows_are_exact(task, model, index, dtype="float64"):
    """Positions in a NumPy array are known before tracing, as in an evaluation; in a JAX array as in training."""
    with precision(dtype):
        ours, our_lit = outcome(task, model, index, on_windows=True)
        theirs, their_lit = outcome(task, model, jnp.asarray(index), on_windows=False)
        # The largest number of an array sets the scale: single ones may cancel. Bytes square to 65025.
        tolerance = {"float64": 1e-10, "float32": 1e-5}[dtype]
        for mine, other in zip(ours, theirs, strict=True):
            assert mine.dtype == other.dtype == jnp.dtype(dtype)
            np.testing.assert_allclose(mine, other, rtol=0, atol=tolerance * np.abs(other).max())
        chex.assert_trees_all_equal(our_lit, their_lit)


@pytest.mark.parametrize(
    ("task", "model"),
    [pytest.param(*case, id=name, marks=[pytest.mark.slow] if name in SLOW else []) for name, case in CASES.items()],
)
def test_outputs_gradients_and_lit_units_at_every_position(task, model):
    assert_windows_are_exact(task, model, np.arange(tasks.position_count(task)))


@pytest.mark.parametrize(
    "name",
    [
        *(
            pytest.param(name, marks=pytest.mark.slow)
            for name in ("the thread's network at 16 x 16", "margins", "VALID, wide")
        ),
        *("stride 1", "mlp"),
    ],
)
def test_single_precision(name):
    task, model = CASES[name]
    assert_windows_are_exact(task, model, np.arange(tasks.position_count(task)), "float32")


@pytest.mark.parametrize(
    "name",
    [
        *("the thread's network at 16 x 16", "stride 1", "mlp"),
        pytest.param("VALID, wide", marks=pytest.mark.slow),
    ],
)
@pytest.mark.parametrize("size", [pytest.param(1, marks=pytest.mark.slow), 40])
def test_a_batch_smaller_than_the_number_of_windows_with_repeats(name, size):
    task, model = CASES[name]
    index = np.random.default_rng(size).integers(0, tasks.position_count(task), size)
    assert_windows_are_exact(task, model, jnp.asarray(index))


def test_windows_of_their_own_that_reach_over_one_border_only():
    task = Task(12, 12, 2, inputs="inverted", margin_bottom=6)
    model = Model(features=(2,), kernel_size=3, stride=1)
    assert_windows_are_exact(task, model, jnp.array([0, 16, 30]))


@pytest.mark.parametrize(
    ("task", "model", "size"),
    [(Task(20, 17, 3), Model(features=(2,)), 60), (*CASES["mlp"], 1000)],
    ids=["one convolution", "mlp"],
)
def test_a_batch_larger_than_the_number_of_windows(task, model, size):
    index = np.random.default_rng(size).integers(0, tasks.position_count(task), size)
    assert_windows_are_exact(task, model, jnp.asarray(index))


def examples(most):
    return settings(max_examples=most, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])


@examples(4)
@given(st.data())
def test_any_size_kernel_and_stride(data):
    assert_any_windows_are_exact(data)


@pytest.mark.slow
@examples(30)
@given(st.data())
def test_many_sizes_kernels_and_strides(data):
    assert_any_windows_are_exact(data)


def assert_any_windows_are_exact(data):
    size, positive = st.integers(1, 22), st.integers(1, 4)
    height, width = data.draw(size), data.draw(size)
    box = data.draw(st.integers(1, min(height, width)))
    task = Task(height, width, box, inputs=data.draw(st.sampled_from(["unit", "inverted"])))
    model = Model(
        features=(2,) * data.draw(st.integers(1, 3)),
        kernel_size=data.draw(st.integers(1, 6)),
        stride=data.draw(positive),
        activation=data.draw(st.sampled_from(["relu", "tanh"])),
    )
    count = tasks.position_count(task)
    index = data.draw(st.sampled_from([np.arange(count), np.arange(0, count, 3), np.arange(count - 1, -1, -7)]))
    assert_windows_are_exact(task, model, jnp.asarray(index))


@pytest.mark.slow
def test_functions_of_the_pixels_themselves():
    task, index = Task(8, 9, 3), jnp.arange(42)
    keys = jax.random.split(jax.random.key(0), 42)
    batch, _ = tasks.example(task, index, tasks.draw_images(task, keys), windows=True)
    images, _ = tasks.example(task, index, tasks.draw_images(task, keys))
    # The empty image is zero, and its sigmoid is not: zeros outside of the image are another base class.
    first = windows.pointwise(batch, jax.nn.sigmoid)
    np.testing.assert_allclose(windows.render(first), jax.nn.sigmoid(images), atol=2e-7)
    for layer in (
        layers.Conv(1, 2, 3, 2, "SAME", rngs=nnx.Rngs(params=0)),
        layers.Dense(72, 3, rngs=nnx.Rngs(params=0)),
    ):
        output, expected = layer(first), layer(jax.nn.sigmoid(images))
        rendered = windows.render(output) if isinstance(output, Windowed) else output
        np.testing.assert_allclose(rendered, expected, atol=2e-6)


def windows_of(task, count):
    index = np.arange(count) % tasks.position_count(task)
    draws = tasks.Draws(jnp.zeros((count, task.height, task.width, task.channels)), None)
    return tasks.example(task, index, draws, windows=True)[0]


@pytest.mark.parametrize(("box", "inputs"), [(4, "inverted"), (3, "inverted"), (4, "unit")])
def test_the_empty_image_is_not_lit_where_every_example_covers_it(box, inputs):
    task = Task(4, 4, box, inputs=inputs)
    count = tasks.position_count(task)
    images = tasks.inputs(task, tasks.render(task, tasks.positions(task)))
    rectified = windows.pointwise(windows_of(task, count), jax.nn.relu)
    assert windows.lit_units(rectified).tolist() == [bool((images > 0).any())]


@pytest.mark.parametrize(("size", "enough"), [(5, 5), (6, 5), (16, 1)])
def test_windows_are_convolved_where_that_takes_fewer_products(size, enough):
    """A window of 4 pixels in a frame of 5 meets 2, 4, 4 and 2 pixels of the kernel, 12^2 products, in 4 alignments.

    A map of 5 meets 3, 5 and 3, or 11^2 products, one of 6 meets 4, 5 and 3, as many as a window, and one of 16 takes
    8^2 whole kernels.
    """
    padding = (convolution.axis_padding(size, 5, 2, "SAME"),) * 2
    map_cost = {5: 121, 6: 144, 16: 1600}[size]
    for count in (1, 2, 3, 4, 5, 6, 9, 20):
        fewer = min(count, 4) * 144 < count * map_cost
        assert products.saves(windows_of(Task(size, size, 4), count), 5, 2, padding) == fewer
        assert fewer == (count >= enough)


@pytest.mark.parametrize(("inputs", "base_classes"), [("unit", 1), ("inverted", 3)])
def test_an_empty_image_of_zeros_has_no_borders(inputs, base_classes):
    """Under kernels of 5, two apart, the first of 16 pixels of ones lacks one before it, and the last two after it."""
    padding = (convolution.axis_padding(16, 5, 2, "SAME"),) * 2
    batch, kernel = windows_of(Task(16, 16, 4, inputs=inputs), 169), jnp.ones((1, 5, 5, 1))
    base = jax.eval_shape(lambda: products.convolve(batch, kernel, 2, padding).base)
    assert base.shape == (base_classes, base_classes, 1)


def test_boxes_refuse_positions_with_gaps():
    with pytest.raises(ValueError, match="every row and every column"):
        windows.boxes((np.arange(4), np.array([0, 2, 3])), (6, 6, 1), 3, 0.0, 1.0, np.zeros((1, 2), int))


def trained(configuration, seed, steps):
    """Losses of single steps and the last state."""
    state, losses = member.initialize(configuration, seed), []
    data = sampling.prepare(configuration, seed, jnp.int32(0))
    step = jax.jit(lambda state, data, first: member.train(configuration, state, data, seed, first, first + 1))
    for first in range(steps):
        state, data, measures = step(state, data, jnp.int32(first))
        losses.append(float(measures["loss"]))
    return np.array(losses), state


def test_training_on_windows_follows_training_on_images():
    optimizer = Optimizer("sgd", learning_rate=0.05)
    ours = Configuration(Task(12, 12, 3), SMALL, optimizer=optimizer, batch_size=16, steps=200)
    seed = jnp.uint32(4)
    losses, state = trained(ours, seed, 200)
    their_losses, their_state = trained(dataclasses.replace(ours, render=True), seed, 200)
    assert losses[-1] < losses[0] / 4
    # Rounding, 6e-8 a step, grows slowly under gradient descent at a stable rate.
    np.testing.assert_allclose(losses, their_losses, rtol=1e-3)
    chex.assert_trees_all_close(state.params, their_state.params, rtol=1e-7, atol=1e-4)


def inputs_of(configuration):
    """Three inputs, as training has them."""
    keys, on_windows = jax.random.split(jax.random.key(0), 3), tables.uses_windows(configuration)
    draws = tasks.draw_images(configuration.task, keys)
    return tasks.example(configuration.task, jnp.arange(3), draws, on_windows)[0]


@pytest.mark.parametrize("noise", ["white", "salt_pepper"])
def test_noisy_images_are_rendered(noise):
    inputs = inputs_of(Configuration(Task(8, 8, 2, noise=noise, noise_level=0.1)))
    assert inputs.shape == (3, 8, 8, 1)
    assert not isinstance(inputs, Windowed)


def test_clean_images_are_windows_unless_rendering_is_asked_for():
    clean = Configuration(Task(8, 8, 2))
    assert isinstance(inputs_of(clean), Windowed)
    assert not isinstance(inputs_of(dataclasses.replace(clean, render=True)), Windowed)


@pytest.mark.parametrize("name", ["odd rectangle, inverted", "margins"])
def test_means_over_pixels_are_those_of_the_images(name):
    shape, model = CASES[name]
    weights = compiled.initialize(Configuration(shape, model), jnp.uint32(3)).weights
    index = np.arange(tasks.position_count(shape))

    @jax.jit
    def both(weights):
        draws = tasks.draw_images(shape, jax.random.split(jax.random.key(0), len(index)))
        first = member.merge(Configuration(shape, model), weights).convolutions[0]
        batch = first(tasks.example(shape, index, draws, windows=True)[0])
        return layers.activation.pixel_means(batch), layers.activation.pixel_means(windows.render(batch))

    of_windows, of_images = both(weights)
    np.testing.assert_allclose(of_windows, of_images, rtol=1e-5, atol=1e-6)  # sums of some 100 numbers of size 1
