"""The best linear approximation against dense least squares on rendered images, and its share against many images."""

import numpy as np
import pytest
from sklearn.linear_model import LinearRegression

from analysis import approximation, moments
from jaxbox import task as tasks
from jaxbox.config import Task

CLEAN = Task(height=7, width=9, box_size=3, margin_left=1, inputs="byte")
NOISY = Task(height=8, width=7, box_size=3, margin_top=1, noise="white", noise_level=0.6, inputs="inverted")
SALTED = Task(height=6, width=7, box_size=2, noise="salt_pepper", noise_level=0.3)


def draw(task, repeats, random):
    """Noisy inputs in float64, each position `repeats` times."""
    clean = np.repeat(np.asarray(tasks.render(task, tasks.positions(task)), float), repeats, axis=0)
    if task.noise == "white":
        pixels = clean + task.noise_level * random.standard_normal(clean.shape)
    else:
        replaced = random.random(clean.shape) < task.noise_level
        pixels = np.where(replaced, random.integers(0, 2, clean.shape), clean)
    scale, offset = tasks.input_scale(task)
    return scale * pixels + offset


def functions(task, images, seed=0):
    """A linear function, one that is partly so, and one that is far from it; in pixels averaged over channels."""
    scale, offset = tasks.input_scale(task)
    pixels = (images.mean(axis=3) - offset) / scale
    map_ = np.random.default_rng(seed).standard_normal(pixels.shape[1:])
    straight = np.tensordot(pixels, map_, axes=2)
    bent = np.tensordot(np.maximum(pixels - 0.5, 0) ** 2, map_, axes=2)
    return np.stack([straight, straight + bent, np.abs(straight)], axis=1)


@pytest.mark.parametrize("channels", [1, 3])
def test_on_the_lattice_it_is_the_least_squares_solution_of_least_norm(channels):
    task = Task(**{**CLEAN.__dict__, "channels": channels})
    images = np.asarray(tasks.inputs(task, tasks.render(task, tasks.positions(task))), float)
    outputs = np.random.default_rng(1).normal([0, 5, -100], size=(len(images), 3))
    dense = LinearRegression().fit(images.mean(axis=3).reshape(len(images), -1), outputs)
    found = approximation.weights(task, images, outputs)
    # Both invert a Gram matrix whose condition number is below 1e5, in float64.
    scale = np.abs(dense.coef_).max()
    np.testing.assert_allclose(found.reshape(3, -1), dense.coef_, rtol=0, atol=1e-9 * scale)


def test_every_function_on_the_lattice_is_linear_in_the_pixels():
    images = np.asarray(tasks.inputs(CLEAN, tasks.render(CLEAN, tasks.positions(CLEAN))), float)
    outputs = np.random.default_rng(2).standard_normal((len(images), 2))
    design = np.hstack([images.reshape(len(images), -1), np.ones((len(images), 1))])
    residual = outputs - design @ np.linalg.lstsq(design, outputs, rcond=None)[0]
    assert np.abs(residual).max() < 1e-9  # by a dense solve
    outputs = np.hstack([outputs, np.full((len(images), 1), 0.3)])
    share = approximation.linear_share(CLEAN, None, outputs)
    np.testing.assert_array_equal(share.value, [1, 1, np.nan])
    np.testing.assert_array_equal(share.standard_error, [0, 0, np.nan])


@pytest.mark.parametrize("task", [NOISY, SALTED])
def test_the_whitening_is_the_covariance_of_noisy_images(task):
    white = approximation.whitening(task)
    clean = np.asarray(tasks.render(task, tasks.positions(task)), float)[..., 0].reshape(-1, task.height * task.width)
    seen = moments.channel(task)
    dense = seen.scale**2 * np.cov(clean.T, bias=True) + seen.variance * np.eye(clean.shape[1])
    inverse = np.linalg.inv(dense)
    pictures = np.random.default_rng(3).standard_normal((4, task.height, task.width))
    found = white.along_y @ white.solve(white.rotate(pictures)) @ white.along_x.T
    expected = (pictures.reshape(4, -1) @ inverse).reshape(pictures.shape)
    np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-9 * np.abs(expected).max())
    assert white.trace == pytest.approx(np.trace(inverse), rel=1e-9)
    assert white.square_trace == pytest.approx(np.sum(inverse**2), rel=1e-9)


@pytest.mark.parametrize("task", [NOISY, SALTED])
def test_under_noise_it_is_ordinary_least_squares(task):
    images = draw(task, 60, np.random.default_rng(4))
    outputs = functions(task, images)
    dense = LinearRegression().fit(images.reshape(len(images), -1), outputs)
    found = approximation.weights(task, images, outputs).reshape(3, -1)
    # Conjugate gradients stop at 1e-8 of the right-hand side; the condition number of the rest is below 10.
    np.testing.assert_allclose(found, dense.coef_, rtol=0, atol=1e-7 * np.abs(dense.coef_).max())


@pytest.mark.parametrize("task", [NOISY, SALTED])
def test_the_share_under_noise_is_right_on_average_and_within_its_error(task):
    random = np.random.default_rng(5)
    many = draw(task, 1_500, random)
    outputs = functions(task, many)
    design = many.reshape(len(many), -1)
    truth = LinearRegression().fit(design, outputs)
    shares = 1 - np.var(outputs - truth.predict(design), axis=0) / np.var(outputs, axis=0)
    assert shares[0] == pytest.approx(1)
    assert shares[2] < 0.9
    estimates = []
    for _ in range(200):
        images = draw(task, 4, random)
        estimates.append(approximation.linear_share(task, images, functions(task, images)))
    values, errors = (np.array([estimate[part] for estimate in estimates]) for part in (0, 1))
    # Its bias is under .7 of a standard error (module's docstring); the mean of 200 adds three fifteenths of one.
    assert np.all(np.abs(values.mean(0) - shares) < (0.7 + 3 / np.sqrt(200)) * errors.mean(0))
    missed = np.mean(np.abs(values - shares) > 1.96 * errors, axis=0)
    assert np.all(missed <= 0.05 + 3 * np.sqrt(0.05 * 0.95 / 200))


def test_more_images_make_the_error_smaller_as_one_over_their_number():
    random = np.random.default_rng(6)
    few, many = draw(NOISY, 1, random), draw(NOISY, 16, random)
    small, large = (approximation.linear_share(NOISY, images, functions(NOISY, images)) for images in (few, many))
    # Of the two parts one falls as 1/n and one as 1/sqrt(n).
    assert np.all(large.standard_error < small.standard_error / 4)
    assert np.all(large.standard_error > small.standard_error / 20)


def test_refusals():
    with pytest.raises(ValueError, match=r"task.noise is 'none' of level 0.0; it must be noise of a level above 0"):
        approximation.whitening(CLEAN)
    no_noise = Task(**{**NOISY.__dict__, "noise_level": 0.0})
    with pytest.raises(ValueError, match=r"level 0\.0"):
        approximation.whitening(no_noise)
