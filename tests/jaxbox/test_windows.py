"""Windows against the images that they stand for: outputs, gradients, lit units, and how many windows there are."""

import contextlib
import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from jaxbox import axis, convolution, gather, layers, member, sampling, windows
from jaxbox import task as tasks
from jaxbox.config import Configuration, Model, Optimizer, Task
from jaxbox.models import MODELS

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
    "mlp": (Task(6, 9, 2, inputs="standardized"), Model("mlp", hidden=5)),
}


@contextlib.contextmanager
def precision(name):
    with jax.enable_x64(name == "float64"):
        yield


def outcome(task, model, index, render_images):
    """Outputs, lit units and the gradient of their squares with respect to every parameter, biases not zero."""
    network = MODELS[model.name](model, task, rngs=nnx.Rngs(params=1))
    graph, params = nnx.split(network, nnx.Param)
    params = jax.tree.map(
        lambda leaf: leaf + 0.1 * jnp.cos(jnp.arange(leaf.size, dtype=leaf.dtype)).reshape(leaf.shape), params
    )
    keys = jax.random.split(jax.random.key(0), len(index))

    def loss(params):
        inputs, _ = tasks.example(task, index, tasks.draw_noise(task, keys), render_images)
        network = nnx.merge(graph, params)
        outputs = network(inputs)
        lit = jax.tree.leaves(nnx.to_pure_dict(nnx.pop(network, nnx.Intermediate)))
        return jnp.sum(outputs**2), (outputs, lit)

    gradient, (outputs, lit) = jax.jit(jax.grad(loss, has_aux=True))(params)
    return [outputs, *jax.tree.leaves(gradient)], lit


def assert_windows_are_exact(task, model, index, dtype="float64"):
    """Positions in a NumPy array are known before tracing, as in an evaluation; in a JAX array as in training."""
    with precision(dtype):
        ours, our_lit = outcome(task, model, index, render_images=False)
        theirs, their_lit = outcome(task, model, jnp.asarray(index), render_images=True)
        # The largest number of an array sets the scale: single ones may cancel. Bytes square to 65025.
        tolerance = {"float64": 1e-10, "float32": 1e-5}[dtype]
        for mine, other in zip(ours, theirs, strict=True):
            assert mine.dtype == other.dtype == jnp.dtype(dtype)
            np.testing.assert_allclose(mine, other, rtol=0, atol=tolerance * float(jnp.abs(other).max()))
        assert [units.tolist() for units in our_lit] == [units.tolist() for units in their_lit]


@pytest.mark.parametrize(("task", "model"), CASES.values(), ids=CASES)
def test_outputs_gradients_and_lit_units_at_every_position(task, model):
    assert_windows_are_exact(task, model, np.arange(tasks.position_count(task)))


@pytest.mark.parametrize("name", ["the thread's network at 16 x 16", "margins", "VALID, wide", "mlp"])
def test_single_precision(name):
    task, model = CASES[name]
    assert_windows_are_exact(task, model, np.arange(tasks.position_count(task)), "float32")


@pytest.mark.parametrize("name", ["the thread's network at 16 x 16", "VALID, wide", "stride 1", "mlp"])
@pytest.mark.parametrize("size", [1, 40])
def test_a_batch_smaller_than_the_number_of_windows_with_repeats(name, size):
    task, model = CASES[name]
    index = np.random.default_rng(size).integers(0, tasks.position_count(task), size)
    assert_windows_are_exact(task, model, jnp.asarray(index))


@settings(max_examples=12, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
@given(st.data())
def test_any_size_kernel_and_stride(data):
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


def test_functions_of_the_pixels_themselves():
    task, index = Task(8, 9, 3), jnp.arange(42)
    keys = jax.random.split(jax.random.key(0), 42)
    batch, _ = tasks.example(task, index, tasks.draw_noise(task, keys))
    images, _ = tasks.example(task, index, tasks.draw_noise(task, keys), render_images=True)
    # The empty image is zero, and its sigmoid is not: zeros outside of the image are another ground.
    first = windows.pointwise(batch, jax.nn.sigmoid)
    np.testing.assert_allclose(windows.render(first), jax.nn.sigmoid(images), atol=2e-7)
    for layer in (
        layers.Conv(1, 2, 3, 2, "SAME", rngs=nnx.Rngs(params=0)),
        layers.Dense(72, 3, rngs=nnx.Rngs(params=0)),
    ):
        output, expected = layer(first), layer(jax.nn.sigmoid(images))
        rendered = windows.render(output) if isinstance(output, windows.Windowed) else output
        np.testing.assert_allclose(rendered, expected, atol=2e-6)


def thread_axes(size):
    at = np.arange(size - 4)
    pixels = axis.Axis(np.full(size, -1), at, 5, *[np.zeros(len(at), int)] * 3)
    result = [pixels]
    for _ in range(3):
        padding = convolution.axis_padding(len(result[-1].ground), 5, 2, "SAME")
        result.append(result[-1].convolved(5, 2, padding))
    return result


def test_the_number_of_windows_does_not_grow_with_the_image():
    small, large = thread_axes(128), thread_axes(512)
    for few, many in zip(small, large, strict=True):
        assert few.width == many.width == 5
        assert few.kind.max() == many.kind.max()
        assert few.product.max() == many.product.max()
        assert few.ground.max() == many.ground.max()


def test_take_and_its_gradient_equal_a_loop():
    table, index = np.random.default_rng(0).normal(size=(4, 2, 3)), np.array([3, 0, 3, 1, 3])
    weights = np.random.default_rng(1).normal(size=(5, 2, 3))
    value, pull = jax.vjp(lambda table: gather.take(table, index), jnp.asarray(table, jnp.float32))
    expected = np.zeros_like(table)
    for row, weight in zip(index, weights, strict=True):
        expected[row] += weight
    np.testing.assert_array_equal(value, table[index].astype(np.float32))
    np.testing.assert_allclose(pull(jnp.asarray(weights, jnp.float32))[0], expected, atol=1e-6)


@pytest.mark.parametrize("shape", [(3, 7), (6, 2)])
def test_place_and_its_gradient_equal_a_loop(shape):
    generator = np.random.default_rng(0)
    values, weights = generator.normal(size=(9, 4, 3, 2)), generator.normal(size=(9, *shape, 2))
    corner = generator.integers(-5, 8, (2, 9))
    expected, gradient = np.zeros((9, *shape, 2)), np.zeros(values.shape)
    for n, i, j in np.ndindex(9, 4, 3):
        row, column = corner[0, n] + i, corner[1, n] + j
        if 0 <= row < shape[0] and 0 <= column < shape[1]:
            expected[n, row, column] = values[n, i, j]
            gradient[n, i, j] = weights[n, row, column]
    where = (jnp.asarray(corner[0]), jnp.asarray(corner[1]))

    def placed(values):
        return gather.place(values, where, ((-5, 7), (-5, 7)), shape)

    ours, pull = jax.vjp(placed, jnp.asarray(values, jnp.float32))
    np.testing.assert_array_equal(ours, expected.astype(np.float32))
    np.testing.assert_array_equal(pull(jnp.asarray(weights, jnp.float32))[0], gradient.astype(np.float32))


@pytest.mark.parametrize("whole", [False, True])
@pytest.mark.parametrize(("axis", "width"), [(0, 2), (1, 1), (1, 5)])
def test_moving_sum_and_its_gradient_equal_numpy(axis, width, whole):
    values = np.random.default_rng(0).normal(size=(4, 5, 2)).astype(np.float32)
    weights = np.random.default_rng(1).normal(size=np.delete([4, 5, 2], axis)).astype(np.float32)
    ones = np.ones(width)
    weights = np.repeat(np.expand_dims(weights, axis), values.shape[axis] - width + 1, axis)
    weights *= np.arange(1, weights.size + 1).reshape(weights.shape) / 10
    ours, pull = jax.vjp(lambda values: gather.moving_sum(values, width, axis, whole), jnp.asarray(values))
    expected = np.apply_along_axis(np.convolve, axis, values, ones, "valid")
    gradient = np.apply_along_axis(np.convolve, axis, weights, ones, "full")
    np.testing.assert_allclose(ours, expected, atol=2e-6)
    np.testing.assert_allclose(pull(jnp.asarray(weights))[0], gradient, atol=1e-5)


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
    for mine, other in zip(jax.tree.leaves(state.params), jax.tree.leaves(their_state.params), strict=True):
        np.testing.assert_allclose(mine, other, atol=1e-4)


@pytest.mark.parametrize("noise", ["white", "salt_pepper"])
def test_noisy_images_are_rendered(noise):
    task = Task(8, 8, 2, noise=noise, noise_level=0.1)
    inputs, _ = tasks.example(task, jnp.arange(3), tasks.draw_noise(task, jax.random.split(jax.random.key(0), 3)))
    assert inputs.shape == (3, 8, 8, 1)
    assert not isinstance(inputs, windows.Windowed)
    assert not member.windowed(Configuration(task))
    assert member.windowed(Configuration(Task(8, 8, 2)))
    assert not member.windowed(Configuration(Task(8, 8, 2), render=True))
