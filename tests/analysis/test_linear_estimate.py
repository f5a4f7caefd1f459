"""The estimate of the best linear predictor beside closed forms, and scenes that have none."""

import dataclasses

import jax
import numpy as np
import pytest
from sklearn.linear_model import LinearRegression, Ridge

from analysis import linear, linear_estimate
from jaxbox import task as tasks
from jaxbox.config import Data, Task

NOISY = Task(8, 9, 3, noise="white", noise_level=0.5)
KNOWN = {
    "white": NOISY,
    "salt and pepper": dataclasses.replace(NOISY, noise="salt_pepper", noise_level=0.3, inputs="byte"),
    "pixel": dataclasses.replace(NOISY, scene="pixel", noise_level=0.2),
}


@pytest.mark.parametrize("task", KNOWN.values(), ids=KNOWN.keys())
def test_it_encloses_the_closed_form(task):
    exact, found = linear.lmmse(task).mse, linear_estimate.best_linear(task, jax.random.key(0), 6000)
    error = found.mse.standard_error
    assert (found.mse.value > exact - 5 * error).all()
    assert (found.fitted < exact + 5 * error).all()
    # 72 weights from 6000 images: 1.2%.
    np.testing.assert_allclose(found.mse.value, exact, rtol=0.02, atol=5 * error.max())
    variance = tasks.targets(task, tasks.positions(task)).var(0)
    np.testing.assert_allclose(found.r2.value, 1 - found.mse.value / variance)


def test_it_is_of_the_law_of_the_positions_and_of_all_positions():
    data = Data(law="beta", concentration=8.0, split="quadrant")
    exact = linear.lmmse(NOISY, data).mse
    found = linear_estimate.best_linear(NOISY, jax.random.key(3), 6000, data)
    # Under the uniform law it is more than twice as large.
    np.testing.assert_allclose(found.mse.value, exact, rtol=0.02, atol=5 * found.mse.standard_error.max())
    assert (linear.lmmse(NOISY).mse > 2 * exact).all()
    probability = tasks.probability(NOISY, data)
    targets = tasks.targets(NOISY, tasks.positions(NOISY))
    variance = np.average((targets - np.average(targets, 0, probability)) ** 2, 0, probability)
    np.testing.assert_allclose(found.r2.value, 1 - found.mse.value / variance)


def test_the_penalty_and_the_fit_are_those_of_ridge_regression(monkeypatch):
    monkeypatch.setattr(linear_estimate, "BLOCK_PIXELS", 90 * 72)
    blocks = list(linear_estimate.fresh(NOISY, jax.random.key(4), 280))
    assert [len(inputs) for inputs, _ in blocks] == [90, 90, 90, 10]
    weights, intercept, fitted = linear_estimate._ridge(blocks)
    inputs, targets = (np.concatenate(part) for part in zip(*blocks, strict=True))
    scale = 280 * inputs.var(0).mean()
    fits = [Ridge(penalty * scale).fit(inputs, targets) for penalty in linear_estimate.PENALTIES]
    errors = [((fit.predict(inputs) - targets) ** 2).mean(0) for fit in fits]
    best = min(range(len(fits)), key=lambda place: np.abs(weights - fits[place].coef_.T).max())
    np.testing.assert_allclose(weights, fits[best].coef_.T, rtol=0, atol=1e-8)
    np.testing.assert_allclose(intercept, fits[best].intercept_, rtol=0, atol=1e-8)
    np.testing.assert_allclose(fitted, errors[best], rtol=1e-8)
    # 72 weights from 280 images: neither no penalty nor the largest is good.
    assert 0 < best < len(fits) - 1
    # Generalised cross-validation from its definition: the trace of the matrix that makes predictions of targets.
    centred = inputs - inputs.mean(0)
    traces = [
        np.trace(np.linalg.solve(centred.T @ centred + penalty * scale * np.eye(72), centred.T @ centred))
        for penalty in linear_estimate.PENALTIES
    ]
    scores = [error.sum() / (1 - (1 + trace) / 280) ** 2 for error, trace in zip(errors, traces, strict=True)]
    assert best == np.argmin(scores)


def test_a_box_without_noise_is_linear_and_between_pixels_too():
    for task in (Task(8, 9, 3), Task(8, 9, 3, scene="subpixel_box", subpixels=3)):
        assert (linear_estimate.best_linear(task, jax.random.key(1), 2000).mse.value < 1e-6).all()


def test_boxes_that_are_clipped_or_of_many_sizes_are_not_linear():
    clipped = linear_estimate.best_linear(Task(scene="overhanging_box", overhang=2), jax.random.key(2), 4000)
    sizes = linear_estimate.best_linear(
        Task(box_size=6, scene="random_size_box", smallest_box=2), jax.random.key(2), 4000
    )
    assert ((clipped.r2.value > 0.98) & (clipped.r2.value < 0.999)).all()
    assert (sizes.r2.value < 0.95).all()


@pytest.mark.parametrize("data", [Data(), Data(law="corner")], ids=["uniform", "corner"])
def test_without_anything_drawn_it_is_least_squares_on_all_positions(data, monkeypatch):
    task = Task(8, 9, 3, scene="overhanging_box", overhang=2)
    positions, weights = tasks.positions(task), tasks.probability(task, data)
    inputs, targets = tasks.render(task, positions).reshape(len(positions), -1), tasks.targets(task, positions)
    fit = LinearRegression().fit(inputs, targets, weights)
    expected = np.average((fit.predict(inputs) - targets) ** 2, 0, weights)
    assert (expected > 1e-4).all()
    np.testing.assert_allclose(linear_estimate.least_error(task, data), expected, rtol=1e-9)
    monkeypatch.setattr(linear_estimate, "BLOCK_PIXELS", 17 * 72)  # seven blocks
    np.testing.assert_allclose(linear_estimate.least_error(task, data), expected, rtol=1e-9)


def test_what_is_linear_has_no_error():
    for task in (Task(8, 9, 3), Task(8, 9, 3, scene="subpixel_box", subpixels=3, inputs="byte")):
        assert (linear_estimate.least_error(task) < 1e-20).all()


def test_too_few_images_are_refused():
    with pytest.raises(ValueError, match=r"images is 1; it must be at least 2"):
        linear_estimate.best_linear(NOISY, jax.random.key(0), 1)
