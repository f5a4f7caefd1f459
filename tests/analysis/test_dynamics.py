"""Closed-form learning curves and rates against explicit gradient descent and dense second moments."""

import dataclasses

import jax.numpy as jnp
import numpy as np
import pytest
from latin import latin
from scipy.optimize import minimize_scalar

from analysis import closed_forms
from analysis.dynamics import glorot_variance, max_stable_learning_rate, mean_squared_error, spectrum, steps_to_r2
from analysis.linear import lmmse, minimum_norm
from analysis.moments import target_mean, target_variance
from jaxbox import task as tasks
from jaxbox.config import Configuration, Model, Task
from jaxbox.training import member

SHAPES = {
    "square": Task(height=7, width=7, box_size=3),
    "b divides": Task(height=6, width=8, box_size=2),
    "unequal margins": Task(height=8, width=7, box_size=2, margin_left=2, margin_bottom=3),
    "b = 1": Task(height=3, width=4, box_size=1),
    "one pixel of freedom": Task(height=5, width=5, box_size=4),
    "one column": Task(height=6, width=3, box_size=3),
    "b = W": Task(height=3, width=3, box_size=3),
    "off-centre and constant": Task(height=3, width=4, box_size=3, margin_left=1),
    "colour": Task(height=5, width=6, box_size=2, channels=3, margin_right=1),
}
SHAPE = pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES.keys())
KNOWN_INPUTS = [name for name, forms in closed_forms.FORMS["inputs"].items() if closed_forms.LINEAR in forms]
INPUTS = pytest.mark.parametrize("inputs", KNOWN_INPUTS)
NOISES = {"none": ("none", 0.0), "white": ("white", 0.4), "salt_pepper": ("salt_pepper", 0.3)}
SHAPE_INPUTS_NOISE = pytest.mark.parametrize(
    ("shape", "inputs", "noise", "noise_level"), latin(SHAPES, KNOWN_INPUTS, NOISES)
)


def dense_moments(task):
    """(M, E[x~ y], E[y^2]) from every clean image, pixel by pixel; x~ has a 1 appended."""
    places = tasks.positions(task)
    clean = tasks.render(task, places).reshape(len(places), -1)
    scale, offset = tasks.input_scale(task)
    if task.noise == "salt_pepper":
        clean = task.noise_level / 2 + (1 - task.noise_level) * clean
        variance = np.mean(clean * (1 - clean), axis=0)
    else:
        variance = np.full(clean.shape[1], task.noise_level**2)
    images = np.pad(scale * clean + offset, ((0, 0), (0, 1)), constant_values=1)
    targets = tasks.targets(task, places)
    moment = images.T @ images / len(images) + np.diag(np.append(scale**2 * variance, 0))
    return moment, images.T @ targets / len(images), np.mean(targets**2, axis=0)


def dense_error(moments, weights):
    moment, cross, power = moments
    return np.sum(weights * (moment @ weights), axis=0) - 2 * np.sum(weights * cross, axis=0) + power


def descend(moments, weights, learning_rate, steps):
    moment, cross, _ = moments
    for _ in range(steps):
        weights = weights - learning_rate * (moment @ weights - cross)
    return weights


@SHAPE_INPUTS_NOISE
def test_error_follows_explicit_gradient_descent_from_zero(shape, inputs, noise, noise_level):
    task = dataclasses.replace(shape, inputs=inputs, noise=noise, noise_level=noise_level)
    moments, rate = dense_moments(task), 0.9 * max_stable_learning_rate(task)
    steps, weights = [0, 1, 2, 30, 200], np.zeros_like(moments[1])
    expected = []
    for before, step in zip([0, *steps], steps, strict=False):
        weights = descend(moments, weights, rate, step - before)
        expected.append(dense_error(moments, weights))
    # At 1e-15 a step, relative to E[y^2] < 1, and the cancelling terms of the dense error up to 1e3 times as large.
    np.testing.assert_allclose(mean_squared_error(task, rate, steps), expected, atol=1e-11)


@SHAPE_INPUTS_NOISE
def test_the_spectrum_is_that_of_the_dense_second_moments(shape, inputs, noise, noise_level):
    task = dataclasses.replace(shape, inputs=inputs, noise=noise, noise_level=noise_level)
    expected = np.linalg.eigvalsh(dense_moments(task)[0])[::-1]
    np.testing.assert_allclose(spectrum(task), expected, atol=1e-12 * expected[0])
    assert max_stable_learning_rate(task) == pytest.approx(2 / expected[0], rel=1e-12)


@pytest.mark.parametrize(
    ("shape", "inputs", "noise", "noise_level"),
    latin(SHAPES, KNOWN_INPUTS, {name: NOISES[name] for name in ("none", "white")}),
)
def test_the_stable_rate_divides_convergence_from_divergence(shape, inputs, noise, noise_level):
    task = dataclasses.replace(shape, inputs=inputs, noise=noise, noise_level=noise_level)
    moments, rate = dense_moments(task), max_stable_learning_rate(task)
    start = np.random.default_rng(0).standard_normal(moments[1].shape)
    excess = []
    for factor in (0.99, 1.01):
        weights = descend(moments, start, factor * rate, 1000)
        gradients = [np.linalg.norm(moments[0] @ w - moments[1]) for w in (start, weights)]
        excess.append(gradients[1] / gradients[0])
    # The top mode's factors are .98^1000 = 2e-9 and 1.02^1000 = 4e8; others only shrink, and the slowest barely.
    assert excess[0] < 0.9
    assert excess[1] > 1e4


def test_from_zero_a_rate_slightly_too_large_still_converges():
    task = Task(height=8, width=8, box_size=3)
    rate = 1.05 * max_stable_learning_rate(task)
    errors = mean_squared_error(task, rate, [0, 10, 1000])
    assert np.all(np.diff(errors, axis=0) < 0)
    off_centre = dataclasses.replace(task, margin_left=1)
    diverged = mean_squared_error(off_centre, 1.05 * max_stable_learning_rate(off_centre), [0, 1000, 10**6])
    assert diverged[1, 0] > 1e10
    assert diverged[2, 0] == np.inf


@SHAPE_INPUTS_NOISE
def test_the_first_error_is_that_of_zero_and_the_last_that_of_the_best_linear_predictor(
    shape, inputs, noise, noise_level
):
    task = dataclasses.replace(shape, inputs=inputs, noise=noise, noise_level=noise_level)
    errors = mean_squared_error(task, 0.9 * max_stable_learning_rate(task), [0, 10**15])
    # The largest eigenvalue is up to 1e5 times the bias's (byte), and 2^-52 of it is every eigenvalue's error.
    np.testing.assert_allclose(errors[0], target_variance(task) + target_mean(task) ** 2, rtol=1e-10, atol=1e-15)
    np.testing.assert_allclose(errors[1], lmmse(task).mse, rtol=1e-10, atol=1e-14)


@INPUTS
@pytest.mark.parametrize("name", ["square", "unequal margins", "off-centre and constant", "colour"])
def test_without_noise_gradient_descent_ends_at_the_minimum_norm(name, inputs):
    task = dataclasses.replace(SHAPES[name], inputs=inputs)
    places = tasks.positions(task)
    images = tasks.inputs(task, tasks.render(task, places)).reshape(len(places), -1)
    images, targets = np.pad(images, ((0, 0), (0, 1)), constant_values=1), tasks.targets(task, places)
    # Descent from zero stays in the span of the images, w = images' g, where it reads g <- g - rate (K g - y) / N.
    # Doubling: if k steps map g to P g + q, then 2 k steps map it to P P g + P q + q.
    step = 0.9 * max_stable_learning_rate(task) / len(places)
    power, coefficients = np.eye(len(places)) - step * images @ images.T, step * targets
    for _ in range(40):
        power, coefficients = power @ power, coefficients + power @ coefficients
    end = images.T @ coefficients
    limit = minimum_norm(task, free_intercept=False)
    weights = np.repeat(limit.weights[:, :, None] / task.channels, task.channels, axis=2).reshape(-1, 2)
    np.testing.assert_allclose(end, np.vstack([weights, limit.intercept]), atol=1e-9 * np.abs(end).max())


def growth(moment, fourth, rate, batch_size):
    """Largest eigenvalue of E[(1 - rate M_B)^2] - 1, M_B the second moments of B independent examples."""
    square = (1 - 1 / batch_size) * moment @ moment + fourth / batch_size
    return np.linalg.eigvalsh(rate**2 * square - 2 * rate * moment)[-1]


@pytest.mark.parametrize(("shape", "inputs", "batch_size"), latin(SHAPES, KNOWN_INPUTS, [1, 2, 10]))
def test_minibatches_contract_in_mean_square_below_the_stable_rate(shape, inputs, batch_size):
    task = dataclasses.replace(shape, inputs=inputs)
    places = tasks.positions(task)
    images = tasks.inputs(task, tasks.render(task, places)).reshape(len(places), -1)
    images = np.pad(images, ((0, 0), (0, 1)), constant_values=1)
    moment = images.T @ images / len(images)
    fourth = images.T * np.sum(images**2, axis=1) @ images / len(images)
    rate = max_stable_learning_rate(task, batch_size)
    assert growth(moment, fourth, 0.999 * rate, batch_size) < 1e-12
    if batch_size == 1:
        # Every mode with data grows beyond the limit: it is sharp.
        assert growth(moment, fourth, 1.001 * rate, batch_size) > 1e-5


@INPUTS
@pytest.mark.parametrize("noise_level", [0.02, 0.3, 1.0])
@pytest.mark.parametrize("noise", ["white", "salt_pepper"])
def test_minibatches_of_noisy_images_contract_too(noise, noise_level, inputs):
    task = Task(height=2, width=3, box_size=1, noise=noise, noise_level=noise_level, inputs=inputs)
    places = tasks.positions(task)
    clean = tasks.render(task, places).reshape(len(places), -1)
    if noise == "salt_pepper":
        # All 2^6 images, each with its probability under the 6 positions.
        pixels = np.array([[(i >> j) & 1 for j in range(6)] for i in range(2**6)], float)
        lit = noise_level / 2 + (1 - noise_level) * clean[:, None]
        weights = np.prod(np.where(pixels == 1, lit, 1 - lit), axis=2).mean(axis=0)
    else:
        # A Gauss-Hermite grid, exact for the fourth moments: 3 nodes integrate degree 5.
        nodes, masses = np.array([-np.sqrt(3), 0, np.sqrt(3)]), np.array([1, 4, 1]) / 6
        grid = np.stack(np.meshgrid(*[np.arange(3)] * 6), axis=-1).reshape(-1, 6)
        pixels = (clean[:, None] + noise_level * nodes[grid]).reshape(-1, 6)
        weights = np.tile(masses[grid].prod(axis=1), len(places)) / len(places)
    images = tasks.inputs(task, pixels.reshape(-1, 2, 3, 1)).reshape(-1, 6)
    images = np.pad(images, ((0, 0), (0, 1)), constant_values=1)
    moment = images.T * weights @ images
    fourth = images.T * (weights * np.sum(images**2, axis=1)) @ images
    for batch_size in (1, 3):
        rate = max_stable_learning_rate(task, batch_size)
        assert growth(moment, fourth, 0.999 * rate, batch_size) < 0
        # Nor is the bound idle: at most 1.5 times too careful with single images of 6 pixels.
        assert batch_size > 1 or growth(moment, fourth, 1.5 * rate, batch_size) > 0


@INPUTS
@pytest.mark.parametrize("noise", ["white", "salt_pepper"])
def test_the_rate_of_noisy_single_images_is_the_best_that_the_inequality_allows(noise, inputs):
    """2 |a b| <= k a^2 + b^2 / k leaves two multiples of the two parts of M, whose larger one counts: least over k."""
    task = dataclasses.replace(SHAPES["colour"], noise=noise, noise_level=0.3, inputs=inputs)
    (scale, offset), pixels = tasks.input_scale(task), 5 * 6 * 3
    if noise == "white":
        variance = scale**2 * 0.3**2
        images = tasks.inputs(task, tasks.render(task, tasks.positions(task)))
        signal = np.mean(np.sum(images**2, axis=(1, 2, 3)))

        def multiple(log_k):
            return max(2 * variance * np.exp(log_k), 2 * (variance + signal / np.exp(log_k)))
    else:
        variance, contrast = scale**2 * 0.15 * 0.85, abs(scale) * 0.7

        def multiple(log_k):
            return abs(scale + 2 * offset) * max(variance * np.exp(log_k), contrast + pixels / np.exp(log_k))

    least = minimize_scalar(multiple, bounds=(-15, 15), method="bounded", options={"xatol": 1e-10}).fun
    expected = 2 / (np.trace(dense_moments(task)[0]) + least)
    assert max_stable_learning_rate(task, batch_size=1) == pytest.approx(expected, rel=1e-8)


@pytest.mark.parametrize("inputs", KNOWN_INPUTS)
def test_one_image_at_a_time_the_distance_to_a_solution_shrinks_or_grows_at_every_step(inputs):
    task = dataclasses.replace(SHAPES["unequal margins"], inputs=inputs)
    places = tasks.positions(task)
    images = tasks.inputs(task, tasks.render(task, places)).reshape(len(places), -1)
    images = np.pad(images, ((0, 0), (0, 1)), constant_values=1)
    random = np.random.default_rng(0)
    for factor, sign in ((0.99, -1), (1.01, 1)):
        rate = factor * max_stable_learning_rate(task, batch_size=1)
        error = random.standard_normal(images.shape[1])
        distances = [np.linalg.norm(error)]
        for image in random.permutation(images):
            error = error - rate * image * (image @ error)
            distances.append(np.linalg.norm(error))
        assert np.all(sign * np.diff(distances) > 0)


@pytest.mark.parametrize(("rate", "steps"), [(1.0, 19), (0.1, 189), (0.01, 1890), (0.001, 18900)])
def test_the_steps_that_the_threads_last_answer_needed(rate, steps):
    task = Task(height=100, width=100, box_size=5)
    # Three digits are quoted.
    np.testing.assert_allclose(steps_to_r2(task, rate, 0.9), steps, rtol=3e-3)


@pytest.mark.parametrize(
    ("inputs", "rate"), [("unit", 1.88), ("byte", 4.6e-4), ("inverted", 2.0e-4), ("standardized", 0.074)]
)
def test_the_stable_rates_of_the_threads_images(inputs, rate):
    task = Task(height=100, width=100, box_size=5, inputs=inputs)
    assert max_stable_learning_rate(task) == pytest.approx(rate, rel=2e-2)


@INPUTS
@pytest.mark.parametrize(("noise", "noise_level"), [("none", 0.0), ("white", 0.1)])
def test_steps_to_r2_is_the_first_step_of_explicit_descent_to_reach_it(noise, noise_level, inputs):
    task = Task(height=6, width=5, box_size=2, margin_left=1, noise=noise, noise_level=noise_level, inputs=inputs)
    moments, rate = dense_moments(task), 0.7 * max_stable_learning_rate(task)
    steps = steps_to_r2(task, rate, 0.5)
    for coordinate, step in enumerate(steps):
        before = descend(moments, np.zeros_like(moments[1]), rate, step - 1)
        after = descend(moments, before, rate, 1)
        variance = target_variance(task)[coordinate]
        r2 = [1 - dense_error(moments, weights)[coordinate] / variance for weights in (before, after)]
        assert r2[0] < 0.5 <= r2[1]


def test_bad_arguments_are_refused_by_name():
    task = Task(height=6, width=6, box_size=2)
    for rate in (-0.1, float("nan"), float("inf")):
        with pytest.raises(ValueError, match="learning_rate is"):
            mean_squared_error(task, rate, [1])
    for steps in (np.array(bad) for bad in ([-1], [0.5], [[1]], [True])):
        with pytest.raises(ValueError, match="steps is"):
            mean_squared_error(task, 0.1, steps)
    with pytest.raises(ValueError, match="batch_size is 0"):
        max_stable_learning_rate(task, batch_size=0)
    for rate in (0.0, 1.001 * max_stable_learning_rate(task)):
        with pytest.raises(ValueError, match=r"learning_rate is .* less than"):
            steps_to_r2(task, rate, 0.9)
    for r2 in (1.0, 1.5, float("nan")):
        with pytest.raises(ValueError, match=r"r2 is .* less than 1"):
            steps_to_r2(task, 0.1, r2)
    with pytest.raises(ValueError, match="R2 needs at least 2"):
        steps_to_r2(SHAPES["one column"], 0.1, 0.5)
    with pytest.raises(ValueError, match="coupled modes"):
        spectrum(Task(height=1024, width=1024, box_size=5))
    with pytest.raises(ValueError, match=r"task\.box_size"):
        spectrum(Task(height=4, width=4, box_size=5))


@SHAPE_INPUTS_NOISE
def test_random_starts_add_what_each_weight_alone_leaves_behind(shape, noise, noise_level, inputs):
    task = dataclasses.replace(shape, noise=noise, noise_level=noise_level, inputs=inputs)
    moment, _, _ = dense_moments(task)
    rate = 0.5 * max_stable_learning_rate(task)
    left, expected = np.eye(len(moment))[:, :-1], []  # a start at each weight, none at the bias
    for _ in range(6):
        expected.append(np.einsum("is,ij,js->", left, moment, left))
        left = left - rate * moment @ left
    added = mean_squared_error(task, rate, range(6), 0.25) - mean_squared_error(task, rate, range(6))
    np.testing.assert_allclose(added, 0.25 * np.array(expected)[:, None] * [1, 1], rtol=1e-7, atol=1e-9 * expected[0])


def test_glorot_variance_is_that_of_the_weights_that_members_start_with():
    configuration = Configuration(SHAPES["colour"], Model("linear"))
    kernels = [
        np.asarray(member.initialize(configuration, jnp.uint32(seed)).params["head"]["kernel"]) for seed in range(40)
    ]
    assert np.var(kernels) == pytest.approx(glorot_variance(configuration.task), rel=0.05)
    # Uniform: no weight is beyond sqrt(3) standard deviations.
    assert np.abs(kernels).max() <= np.sqrt(3 * glorot_variance(configuration.task))


@pytest.mark.parametrize("variance", [-1.0, np.inf, np.nan])
def test_a_start_without_a_variance_is_refused(variance):
    with pytest.raises(ValueError, match="start_variance"):
        mean_squared_error(SHAPES["square"], 0.1, [1], variance)


AFFINE = [name for name, forms in closed_forms.FORMS["targets"].items() if closed_forms.DESCENT in forms]


@pytest.mark.parametrize("targets", AFFINE)
@SHAPE
def test_descent_in_another_scale_is_explicit_descent_judged_in_target_units(shape, targets):
    task = dataclasses.replace(shape, targets=targets, noise="white", noise_level=0.4)
    kind, index = tasks.target_kind(task), np.arange(tasks.position_count(task))
    places = tasks.positions(task)
    clean = np.pad(tasks.render(task, places).reshape(len(places), -1), ((0, 0), (0, 1)), constant_values=1)
    (moment, *_), own = dense_moments(task), kind.encode(task, index)
    rate, cross = 0.5 * max_stable_learning_rate(task), clean.T @ own / len(own)
    weights, expected = np.zeros(cross.shape), []
    # Noise of variance v on every pixel but the bias adds v |w|^2, and what 1 is in target units is linear in w.
    slope = np.subtract(*kind.decode(task, np.array([[1.0, 1.0], [0.0, 0.0]])))
    for _ in range(6):
        errors = kind.decode(task, clean @ weights) - tasks.targets(task, places)
        expected.append((errors**2).mean(0) + 0.4**2 * slope**2 * (weights[:-1] ** 2).sum(0))
        weights = weights - rate * (moment @ weights - cross)
    np.testing.assert_allclose(mean_squared_error(task, rate, range(6)), expected, rtol=1e-7, atol=1e-12)


def test_a_random_start_in_another_scale_counts_by_what_it_is_in_target_units():
    task = SHAPES["unequal margins"]
    rate = 0.5 * max_stable_learning_rate(task)
    pixels = dataclasses.replace(task, targets="pixels")
    one, other = (
        mean_squared_error(each, rate, range(6), 0.25) - mean_squared_error(each, rate, range(6))
        for each in (task, pixels)
    )
    np.testing.assert_allclose(other, one * (2 / np.array([task.width, task.height])) ** 2, rtol=1e-9)


@pytest.mark.parametrize("targets", ["logit", "cell", "cell_mode"])
def test_descent_on_targets_that_are_not_affine_is_refused_and_the_best_predictors_are_not(targets):
    task = dataclasses.replace(SHAPES["square"], targets=targets)
    with pytest.raises(ValueError, match=f"task.targets: '{targets}' does not have a closed form of gradient descent"):
        mean_squared_error(task, 0.1, [1])
    np.testing.assert_array_equal(lmmse(task).mse, lmmse(SHAPES["square"]).mse)
    assert closed_forms.has(task, closed_forms.BAYES)
