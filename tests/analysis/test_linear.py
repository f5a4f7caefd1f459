"""Closed forms against dense linear algebra on enumerated images, scikit-learn, and simulated noise."""

import dataclasses

import jax
import numpy as np
import pytest
from latin import latin
from sklearn.linear_model import LinearRegression

from analysis import closed_forms
from analysis.linear import LinearPredictor, expected_mse, fit_ols, fit_ridge, lmmse, minimum_norm, ramp
from analysis.moments import gram_modes, r_squared, target_variance
from jaxbox import task as tasks
from jaxbox.config import Data, Task, tables

SHAPES = {
    "square": Task(height=8, width=8, box_size=3),
    "b divides": Task(height=8, width=12, box_size=4),
    "rectangle": Task(height=5, width=11, box_size=2),
    "margins": Task(height=9, width=10, box_size=3, margin_left=2, margin_right=1, margin_top=0, margin_bottom=3),
    "b = 1": Task(height=4, width=5, box_size=1),
    "one pixel of freedom": Task(height=6, width=6, box_size=5),
    "one column": Task(height=7, width=4, box_size=4),
    "b = W": Task(height=4, width=4, box_size=4),
    "colour": Task(height=6, width=7, box_size=3, channels=3, margin_right=2),
}
SHAPE = pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES.keys())
KNOWN_INPUTS = [name for name, forms in closed_forms.FORMS["inputs"].items() if closed_forms.LINEAR in forms]
INPUTS = pytest.mark.parametrize("inputs", KNOWN_INPUTS)
NOISES = {
    "weak white": ("white", 0.05),
    "white": ("white", 2.0),
    "salt_pepper": ("salt_pepper", 0.3),
    "salt_pepper alone": ("salt_pepper", 1.0),
}
SHAPE_INPUTS_NOISE = pytest.mark.parametrize(
    ("shape", "inputs", "noise", "noise_level"), latin(SHAPES, KNOWN_INPUTS, NOISES)
)
# The designs below have condition numbers under 1e3, whose square times 2^-52 bounds the error of either side.
TOLERANCE = 1e-9


def enumerated(task):
    """All clean inputs, flattened (N, H*W*C), and their targets."""
    places = tasks.positions(task)
    return tasks.inputs(task, tasks.render(task, places)).reshape(len(places), -1), tasks.targets(task, places)


def layer(predictor, task):
    """The same predictor as weights (H*W*C, 2) on every channel."""
    weights = np.repeat(predictor.weights[:, :, None] / task.channels, task.channels, axis=2)
    return weights.reshape(-1, 2)


def dense_noise(task):
    """Second moments of observed inputs, pixel by pixel: mean of each image and variance of each pixel."""
    places = tasks.positions(task)
    clean = tasks.render(task, places).reshape(len(places), -1)
    scale, offset = tasks.input_scale(task)
    if task.noise == "salt_pepper":
        # A pixel is 0 or 1: the mean is the probability q of 1, the variance q (1 - q).
        lit = task.noise_level / 2 + (1 - task.noise_level) * clean
        return scale * lit + offset, scale**2 * (lit * (1 - lit)).mean(axis=0)
    return scale * clean + offset, np.full(clean.shape[1], (scale * task.noise_level) ** 2)


def dense_lmmse(task, probability=None):
    """Weights (H*W*C, 2), intercept and mean squared error from the covariance of every pair of pixels."""
    means, variance = dense_noise(task)  # a noisy pixel's variance is the same, lit or dark
    targets = enumerated(task)[1]
    share = np.full(len(targets), 1 / len(targets)) if probability is None else probability
    centred, deviation = means - share @ means, targets - share @ targets
    covariance = centred.T @ (share[:, None] * centred) + np.diag(variance)
    cross = centred.T @ (share[:, None] * deviation)
    weights = np.linalg.solve(covariance, cross)
    return weights, share @ (targets - means @ weights), share @ deviation**2 - np.sum(cross * weights, axis=0)


@INPUTS
@SHAPE
def test_minimum_norm_is_scikit_learn_on_every_image(shape, inputs):
    task = dataclasses.replace(shape, inputs=inputs)
    images, targets = enumerated(task)
    expected = LinearRegression().fit(images, targets)
    predictor = minimum_norm(task)
    scale = 1 + np.abs(expected.coef_).max()
    np.testing.assert_allclose(layer(predictor, task), expected.coef_.T, atol=TOLERANCE * scale)
    np.testing.assert_allclose(predictor.intercept, expected.intercept_, atol=TOLERANCE)
    np.testing.assert_allclose(predictor.mse, 0, atol=1e-20)


@INPUTS
@SHAPE
def test_minimum_norm_with_its_intercept_is_a_pseudo_inverse(shape, inputs):
    task = dataclasses.replace(shape, inputs=inputs)
    images, targets = enumerated(task)
    augmented = np.pad(images, ((0, 0), (0, 1)), constant_values=1)
    # Singular values of a single background image are exactly 0, those of the boxes above 1e-3 of the largest.
    expected = np.linalg.pinv(augmented, rcond=1e-7) @ targets
    predictor = minimum_norm(task, free_intercept=False)
    actual = np.vstack([layer(predictor, task), predictor.intercept])
    np.testing.assert_allclose(actual, expected, atol=TOLERANCE * np.abs(expected).max() + 1e-15)


@INPUTS
@SHAPE
def test_ramp_is_exact_on_clean_images(shape, inputs):
    task = dataclasses.replace(shape, inputs=inputs)
    places = tasks.positions(task)
    images = tasks.inputs(task, tasks.render(task, places))
    np.testing.assert_allclose(ramp(task).predict(images), tasks.targets(task, places), atol=1e-12)
    np.testing.assert_allclose(ramp(task).mse, 0, atol=1e-24)


@pytest.mark.parametrize(("size", "box_size"), [(8, 2), (12, 3), (30, 5), (20, 10)])
def test_ramp_costs_more_norm_than_the_staircase(size, box_size):
    task = Task(height=2 * box_size, width=size, box_size=box_size)
    squared = [np.sum(predictor(task).weights[..., 0] ** 2) for predictor in (ramp, minimum_norm)]
    assert squared[0] / squared[1] == pytest.approx((size**2 - 1) / (size**2 - box_size**2), rel=1e-12)


@SHAPE_INPUTS_NOISE
def test_lmmse_solves_the_dense_normal_equations(shape, inputs, noise, noise_level):
    task = dataclasses.replace(shape, inputs=inputs, noise=noise, noise_level=noise_level)
    weights, intercept, mse = dense_lmmse(task)
    predictor = lmmse(task)
    tolerance = TOLERANCE * (1e-9 + np.abs(weights).max())
    np.testing.assert_allclose(layer(predictor, task), weights, atol=tolerance)
    np.testing.assert_allclose(predictor.intercept, intercept, atol=TOLERANCE)
    np.testing.assert_allclose(predictor.mse, mse, atol=1e-11)


@pytest.mark.parametrize("concentration", [0.4, 3.0, 30.0])
@pytest.mark.parametrize("name", ["margins", "colour", "b = 1"])
def test_under_another_law_lmmse_solves_the_dense_weighted_equations(name, concentration):
    data = Data(law="beta", concentration=concentration)
    for noise, level, inputs in (("white", 0.4, "byte"), ("salt_pepper", 0.3, "standardized")):
        task = dataclasses.replace(SHAPES[name], noise=noise, noise_level=level, inputs=inputs)
        weights, intercept, mse = dense_lmmse(task, tasks.probability(task, data))
        predictor = lmmse(task, data)
        np.testing.assert_allclose(layer(predictor, task), weights, atol=TOLERANCE * np.abs(weights).max())
        np.testing.assert_allclose(predictor.intercept, intercept, atol=TOLERANCE)
        np.testing.assert_allclose(predictor.mse, mse, atol=1e-12)
        np.testing.assert_allclose(expected_mse(predictor, task, data), mse, atol=1e-12)
        scores = [r_squared(task, fit(task, data=data).mse, data) for fit in (lmmse, minimum_norm, ramp)]
        assert np.all(scores[0] > np.maximum(scores[1], scores[2]))


def test_a_beta_law_of_parameter_1_is_uniform_and_no_noise_leaves_no_error():
    flat, noisy = Data(law="beta", concentration=1.0), dataclasses.replace(SHAPES["margins"], noise="white")
    noisy = dataclasses.replace(noisy, noise_level=0.3)
    for fit in (lmmse, minimum_norm, ramp):
        np.testing.assert_allclose(fit(noisy, data=flat).weights, fit(noisy).weights, atol=1e-12)
        np.testing.assert_allclose(fit(noisy, data=flat).mse, fit(noisy).mse, rtol=1e-10)
        np.testing.assert_allclose(fit(SHAPES["margins"], data=Data(law="beta")).mse, 0, atol=1e-25)
    with pytest.raises(
        ValueError, match=r"data.law: 'corner' does not have a linear closed form; allowed: uniform, beta"
    ):
        lmmse(noisy, Data(law="corner"))


@pytest.mark.parametrize("name", [name for name in SHAPES if name != "b = W"])
def test_ridge_on_every_image_is_lmmse(name):
    task = dataclasses.replace(SHAPES[name], noise="white", noise_level=0.3)
    places = tasks.positions(task)
    images, targets = tasks.render(task, places), tasks.targets(task, places)
    ridge = fit_ridge(task, images, targets, penalty=len(places) * 0.3**2 / task.channels)
    expected = lmmse(task)
    np.testing.assert_allclose(ridge.weights, expected.weights, atol=TOLERANCE)
    np.testing.assert_allclose(ridge.mse, expected.mse, atol=TOLERANCE)
    ols = fit_ols(task, images, targets)
    np.testing.assert_allclose(ols.weights, minimum_norm(task).weights, atol=TOLERANCE)
    np.testing.assert_allclose(ols.mse, minimum_norm(task).mse, rtol=TOLERANCE, atol=1e-18)


@SHAPE
@pytest.mark.parametrize("noise", ["white", "salt_pepper"])
def test_lmmse_tends_to_minimum_norm_without_noise_and_to_the_mean_with_much(shape, noise):
    exact = minimum_norm(dataclasses.replace(shape, noise="none"))
    # Relative change of the weights: N s2 / (smallest t_y t_x), s2 = level^2 or about level / 2.
    rows, columns = tasks.position_shape(shape)
    smallest = np.prod([min(m.values.min(initial=9.0) for m in gram_modes(p, shape.box_size)) for p in (rows, columns)])
    level = 1e-7
    bound = 2 * rows * columns * level / smallest * np.abs(exact.weights).max() * np.sqrt(exact.weights[..., 0].size)
    near = lmmse(dataclasses.replace(shape, noise=noise, noise_level=level))
    np.testing.assert_allclose(near.weights, exact.weights, atol=bound + 1e-11)
    for silent in (dataclasses.replace(shape, noise=noise, noise_level=0.0), dataclasses.replace(shape, noise="none")):
        np.testing.assert_array_equal(lmmse(silent).weights, exact.weights)
    far = lmmse(dataclasses.replace(shape, noise=noise, noise_level=1e6 if noise == "white" else 1 - 1e-6))
    np.testing.assert_allclose(far.mse, target_variance(shape), rtol=1e-8)


@SHAPE_INPUTS_NOISE
def test_stated_errors_are_the_expected_ones(shape, inputs, noise, noise_level):
    task = dataclasses.replace(shape, inputs=inputs, noise=noise, noise_level=noise_level)
    means, variance = dense_noise(task)
    targets = enumerated(task)[1]
    weights = np.random.default_rng(0).standard_normal((task.height, task.width, 2))
    arbitrary = LinearPredictor(weights, np.array([0.3, -2.0]), np.zeros(2))
    for predictor in (ramp(task), minimum_norm(task), minimum_norm(task, free_intercept=False), lmmse(task), arbitrary):
        weights = layer(predictor, task)
        residual = means @ weights + predictor.intercept - targets
        dense = np.mean(residual**2, axis=0) + variance @ weights**2
        np.testing.assert_allclose(expected_mse(predictor, task), dense, rtol=1e-10, atol=1e-12)
        if predictor is not arbitrary:
            np.testing.assert_allclose(predictor.mse, dense, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("inputs", ["unit", "standardized"])
@pytest.mark.parametrize(("noise", "noise_level"), [("white", 0.7), ("salt_pepper", 0.3)])
def test_expected_error_is_that_of_images_as_the_task_observes_them(noise, noise_level, inputs):
    task = Task(height=4, width=5, box_size=2, channels=3, noise=noise, noise_level=noise_level, inputs=inputs)
    places = np.repeat(tasks.positions(task), 3000, axis=0)
    observed = tasks.observe(task, jax.numpy.asarray(tasks.render(task, places)), jax.random.key(0))
    images = tasks.inputs(task, np.asarray(observed, np.float64))
    for predictor in (lmmse(task), ramp(task)):
        errors = (predictor.predict(images) - tasks.targets(task, places)) ** 2
        # 36,000 images; 5 standard errors are passed by chance once in a million.
        assert np.all(np.abs(errors.mean(axis=0) - predictor.mse) < 5 * errors.std(axis=0) / np.sqrt(len(errors)))


def test_finite_sample_fits_solve_their_normal_equations():
    task = Task(height=5, width=6, box_size=2, channels=3, noise="white", noise_level=0.5, inputs="byte")
    places = np.asarray(tasks.position(task, np.arange(60) % tasks.position_count(task)))
    observed = tasks.observe(task, jax.numpy.asarray(tasks.render(task, places)), jax.random.key(1))
    images, targets = tasks.inputs(task, np.asarray(observed, np.float64)), tasks.targets(task, places)
    for penalty in (0.0, 500.0):
        fit = fit_ridge(task, images, targets, penalty) if penalty else fit_ols(task, images, targets)
        residual = targets - fit.predict(images)
        # Both gradients vanish: of the intercept, and of the weights with their penalty.
        np.testing.assert_allclose(residual.sum(axis=0), 0, atol=1e-10)
        gradient = np.tensordot(images.mean(axis=3), residual, axes=(0, 0)) - penalty * fit.weights
        np.testing.assert_allclose(gradient, 0, atol=1e-8)
        assert np.all(fit.mse > lmmse(task).mse)


def test_two_examples_are_fitted_exactly():
    task = SHAPES["margins"]
    places = tasks.positions(task)[[0, -1]]
    images, targets = tasks.render(task, places), tasks.targets(task, places)
    np.testing.assert_allclose(fit_ols(task, images, targets).predict(images), targets, atol=1e-14)


def test_a_predictor_keeps_the_weights_that_its_error_is_of():
    with pytest.raises(dataclasses.FrozenInstanceError):
        ramp(SHAPES["square"]).weights = np.zeros((8, 8, 2))


def test_gram_modes_diagonalise_the_overlaps_with_exact_parity():
    for positions, box_size in [(1, 4), (2, 1), (7, 3), (10, 10), (64, 5)]:
        indicator = np.array([[c <= j < c + box_size for j in range(positions + box_size)] for c in range(positions)])
        even, odd = gram_modes(positions, box_size)
        vectors = np.hstack([even.vectors, odd.vectors])
        gram = vectors * np.concatenate([even.values, odd.values]) @ vectors.T
        np.testing.assert_allclose(gram, indicator @ indicator.T.astype(float), atol=1e-12 * box_size * positions)
        np.testing.assert_array_equal(even.vectors[::-1], even.vectors)
        np.testing.assert_array_equal(odd.vectors[::-1], -odd.vectors)


def test_a_noisy_task_of_another_size():
    task = Task(height=32, width=32, box_size=5, noise="white", noise_level=1.0)
    np.testing.assert_allclose(lmmse(task).mse, dense_lmmse(task)[2], rtol=1e-11)
    # A third calculation's digits, so that a slip shared by both sides shows.
    np.testing.assert_allclose(r_squared(task, lmmse(task).mse), 0.377, atol=5e-4)
    np.testing.assert_allclose(r_squared(task, minimum_norm(task).mse), -1.12, atol=5e-3)


@pytest.mark.parametrize("solve", [ramp, minimum_norm, lmmse])
@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"box_size": 9}, "task.box_size: 9"),
        ({"noise_level": float("nan")}, "task.noise_level: nan"),
        ({"noise": "pink"}, "task.noise: unknown name 'pink'"),
        ({"noise": "salt_pepper", "noise_level": 1.5}, "at most 1"),
        ({"inputs": "bytes"}, "did you mean byte"),
    ],
)
def test_tasks_that_cannot_be_run_are_refused(solve, change, message):
    with pytest.raises(ValueError, match=message):
        solve(dataclasses.replace(SHAPES["square"], **change))


def test_a_task_without_a_closed_form_is_refused(monkeypatch):
    monkeypatch.setitem(tables.TARGETS, "squared", tables.TARGETS["symmetric"])
    with pytest.raises(ValueError, match="'squared' does not have a linear closed form; allowed: symmetric"):
        minimum_norm(dataclasses.replace(SHAPES["square"], targets="squared"))


def test_bad_arguments_are_refused_by_name():
    task = SHAPES["square"]
    images, targets = tasks.render(task, tasks.positions(task)), tasks.targets(task, tasks.positions(task))
    holed = np.where(images > 0, np.nan, images)
    with pytest.raises(ValueError, match=r"images has shape \(36, 8, 7, 1\)"):
        lmmse(task).predict(images[:, :, 1:])
    with pytest.raises(ValueError, match=r"images has shape \(8, 8, 1\); it must be \(any, 8, 8, any\)"):
        lmmse(task).predict(images[0])
    with pytest.raises(ValueError, match="images has NaN"):
        lmmse(task).predict(holed)
    with pytest.raises(ValueError, match="images has NaN"):
        fit_ols(task, holed, targets)
    with pytest.raises(ValueError, match=r"targets has shape \(35, 2\); it must be \(36, 2\)"):
        fit_ols(task, images, targets[1:])
    with pytest.raises(ValueError, match="at least 2"):
        fit_ols(task, images[:1], targets[:1])
    for penalty in (0.0, -1.0, np.nan, np.inf):
        with pytest.raises(ValueError, match="penalty is"):
            fit_ridge(task, images, targets, penalty)
    with pytest.raises(ValueError, match=r"weights has shape \(8, 8, 2\); it must be \(7, 4, 2\)"):
        expected_mse(ramp(task), SHAPES["one column"])
    with pytest.raises(ValueError, match="1 columns and 4 rows"):
        r_squared(SHAPES["one column"], np.zeros(2))
