"""The estimate of the best linear predictor beside closed forms, and scenes that have none."""

import dataclasses

import jax
import numpy as np
import pytest

from analysis import linear, linear_estimate
from jaxbox import task as tasks
from jaxbox.config import Task

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


def test_too_few_images_are_refused():
    with pytest.raises(ValueError, match=r"images is 1; it must be at least 2"):
        linear_estimate.best_linear(NOISY, jax.random.key(0), 1)
