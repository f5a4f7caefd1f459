"""Each step about linearity, descent, losses and splits, computed a second time in another way."""

import numpy as np
import pytest
from scipy.optimize import minimize_scalar

from analysis.claims import information, steps


def images(height, width, box, left=0):
    """Every image of a whole box, drawn one by one, and the column of its left edge; it may leave to the sides."""
    drawn, columns = [], []
    for row in range(height - box + 1):
        for column in range(-left, width - box + 1 + left):
            image = np.zeros((height, width))
            image[row : row + box, max(column, 0) : column + box] = 1
            drawn.append(image.ravel())
            columns.append(column)
    return np.array(drawn), np.array(columns)


def overlaps(positions, box):
    """How many pixels two boxes share along an axis."""
    places = np.arange(positions)
    return np.maximum(box - np.abs(places[:, None] - places), 0).astype(float)


def second_moments(pixels):
    with_bias = np.column_stack([pixels, np.ones(len(pixels))])
    return with_bias.T @ with_bias / len(pixels)


def steps_of_descent(positions, box, scale, rate):
    """Steps of plain descent from zero weights to R2 = 0.9 of x: what it predicts at every place, weights left out."""
    shared, x = overlaps(positions, box), np.arange(positions) - (positions - 1) / 2
    target = np.tile(x, (positions, 1))
    error, step = -target, 0
    while np.mean(error**2) > 0.1 * np.mean(target**2):
        error = error - rate / positions**2 * (scale**2 * shared @ error @ shared + error.sum())
        step += 1
    return step


def test_the_unscaled_ramp_on_images_drawn_one_by_one():
    pixels, columns = images(16, 16, 4)
    predicted = [sum(value * (place % 16) / 16 for place, value in enumerate(image)) for image in pixels]
    assert steps.unscaled_ramp().true == pytest.approx(np.mean((predicted - (columns + 2) / 16) ** 2))


def test_the_scaled_ramp_is_exact_on_whole_boxes_and_not_on_clipped_ones():
    weights = np.tile((np.arange(16) + 0.5) / 16 / 16, 16)
    for step, left in ((steps.scaled_ramp, 0), (steps.clipped_ramp, 2)):
        pixels, columns = images(16, 16, 4, left)
        assert step().true == pytest.approx(np.mean((pixels @ weights - (columns + 2) / 16) ** 2), abs=1e-15)


def left_over(pixels, x, weight):
    """The share of the variance that least squares leaves, from moments and a pseudo-inverse."""
    pixels, x = pixels - weight @ pixels, x - weight @ x
    covariance, cross = (pixels * weight[:, None]).T @ pixels, pixels.T @ (weight * x)
    return 1 - cross @ np.linalg.pinv(covariance, rcond=1e-10, hermitian=True) @ cross / (weight @ x**2)


def test_one_size_is_linear_and_several_are_not():
    pixels, columns = images(16, 16, 4)
    assert steps.one_size_is_linear().true == pytest.approx(left_over(pixels, columns, np.full(169, 1 / 169)), abs=1e-9)
    parts = [(*images(16, 16, side), side) for side in range(2, 7)]
    pixels = np.concatenate([drawn for drawn, _, _ in parts])
    x = np.concatenate([columns + side / 2 for _, columns, side in parts])
    weight = np.concatenate([np.full(len(drawn), 0.2 / len(drawn)) for drawn, _, _ in parts])
    assert steps.sizes_are_not_linear().true == pytest.approx(left_over(pixels, x, weight), rel=1e-6)


def test_descent_at_one_grows_as_the_dense_eigenvalue_says():
    moments = second_moments(images(16, 16, 4)[0])
    assert steps.descent_at_one().true == pytest.approx(abs(1 - np.linalg.eigvalsh(moments)[-1]))
    error = np.random.default_rng(0).standard_normal(len(moments))
    for _ in range(200):
        error = error - moments @ error
    assert np.linalg.norm(error) > 1e6


@pytest.mark.slow
def test_small_rates_are_slow_and_no_more():
    assert steps.small_rate_is_stuck().true == steps_of_descent(96, 5, 1, 0.001)


def test_the_scale_of_the_pixels_hardly_changes_the_steps():
    counts = []
    for scale in (1, 255):
        limit = 2 / np.linalg.eigvalsh(second_moments(scale * images(16, 16, 4)[0]))[-1]
        counts.append(steps_of_descent(13, 4, scale, limit / 2))
    assert steps.pixel_scale_is_slow().true == counts[0] / counts[1]


def test_the_background_makes_one_direction_steep():
    shared, largest = overlaps(96, 5), []
    # Inner products of two images and a 1 appended: the overlap, and for black boxes on white what neither covers.
    for elsewhere in (0, 100 * 100 - 2 * 5**2):
        values = np.ones((96, 96))
        for _ in range(100):
            values = shared @ values @ shared + (elsewhere + 1) * values.sum()
            size = np.linalg.norm(values)
            values = values / size
        largest.append(size)
    assert steps.condition_is_why().true == pytest.approx(largest[1] / largest[0], rel=1e-6)


def test_the_best_constant_of_the_sum_by_brute_force():
    targets = (np.arange(200_000) + 0.5) / 200_000

    def loss(constant):
        logarithms = np.log(constant + 1e-9) - np.log(targets + 1e-9)
        return np.mean((constant - targets) ** 2 + 5 * logarithms**2)

    best = minimize_scalar(loss, bounds=(0.1, 0.9), method="bounded", options={"xatol": 1e-9}).x
    assert steps.msle_constant().true == pytest.approx(best, abs=1e-4)


def test_new_places_by_drawing_images_one_after_the_other():
    # How probable each number of places seen is, after each image.
    seen = np.zeros(785)
    seen[0] = 1
    places = np.arange(785)
    for _ in range(8000):
        seen = seen * places / 784 + np.concatenate([[0], (seen * (784 - places) / 784)[:-1]])
    assert steps.validation_is_new().true == pytest.approx(seen @ (784 - places) / 784, rel=1e-6)


def test_a_prediction_that_is_only_too_small_says_everything():
    assert information.error_of_the_mean().true == pytest.approx(np.log(2))
