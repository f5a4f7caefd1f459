"""Inputs against their definitions in NumPy, image by image and pixel by pixel."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxbox import task as tasks
from jaxbox.config import ConfigurationError, Task, tables
from jaxbox.task import population
from jaxbox.task.inputs import GUARD, AffineInputs

NOISES = {
    "none": {},
    "white": {"noise": "white", "noise_level": 0.3},
    "salt_pepper": {"noise": "salt_pepper", "noise_level": 0.4, "salt": 0.8},
}
NOISE = pytest.mark.parametrize("noise", NOISES.values(), ids=NOISES.keys())
TASK = Task(height=6, width=7, box_size=2, margin_right=2, channels=3)


def observed(task, repeats=1):
    """Noisy images of all positions, in float64, as often as asked for."""
    clean = tasks.render(task, jnp.asarray(tasks.positions(task)))
    keys = jax.random.split(jax.random.key(5), repeats)
    return np.concatenate([np.asarray(tasks.observe(task, clean, key), float) for key in keys])


def equalize(image):
    values = image.ravel()
    share = np.array([np.mean(values <= value) for value in values])
    return ((share - share.min()) / (1 - share.min())).reshape(image.shape)


OF_AN_IMAGE = {
    "image_standardized": lambda image: (image - image.mean()) / image.std(),
    "stretched": lambda image: (image - image.min()) / (image.max() - image.min()),
    "equalized": equalize,
}


@NOISE
@pytest.mark.parametrize("name", OF_AN_IMAGE)
def test_what_looks_at_one_image_is_its_definition(name, noise):
    task = dataclasses.replace(TASK, inputs=name, **noise)
    images = observed(task)
    expected = np.stack([OF_AN_IMAGE[name](image) for image in images])
    np.testing.assert_allclose(tasks.inputs(task, images), expected, rtol=0, atol=1e-12)
    on_device = jax.jit(lambda images: tasks.inputs(task, images))(jnp.asarray(images, jnp.float32))
    assert on_device.dtype == jnp.float32
    np.testing.assert_allclose(on_device, expected, rtol=0, atol=2e-6)


@pytest.mark.parametrize("name", OF_AN_IMAGE)
@pytest.mark.parametrize("value", [0.0, 1.0])
def test_an_even_image_is_zero(name, value):
    task = Task(4, 4, 4, inputs=name)
    for even in (np.full((2, 4, 4, 1), value), jnp.full((2, 4, 4, 1), value)):
        np.testing.assert_array_equal(tasks.inputs(task, even), 0)


@pytest.mark.parametrize(
    "noise",
    [noise if name == "none" else pytest.param(noise, marks=pytest.mark.slow) for name, noise in NOISES.items()],
    ids=NOISES.keys(),
)
def test_what_looks_at_the_population_is_its_definition(noise):
    repeats = 1 if not noise else 4000
    images = observed(dataclasses.replace(TASK, **noise), repeats)
    mean, deviation = images.mean(0), images.std(0)
    subtracted = dataclasses.replace(TASK, inputs="mean_subtracted", **noise)
    standardized = dataclasses.replace(TASK, inputs="pixel_standardized", **noise)
    few = images[:50]
    # Of noise there is only an estimate to compare with: its standard error is some .002.
    close = {"rtol": 0, "atol": 1e-12 if repeats == 1 else 0.03}
    np.testing.assert_allclose(tasks.inputs(subtracted, few), few - mean, **close)
    expected = (few - mean) / np.where(deviation > 0, deviation, 1)
    np.testing.assert_allclose(tasks.inputs(standardized, few), expected, **close)
    on_device = tasks.inputs(standardized, jnp.asarray(few, jnp.float32))
    assert on_device.dtype == jnp.float32
    np.testing.assert_allclose(on_device, tasks.inputs(standardized, few), rtol=0, atol=2e-5)


def test_a_pixel_that_is_never_lit_is_guarded():
    task = dataclasses.replace(TASK, inputs="pixel_standardized")
    seen = tasks.inputs(task, observed(task))
    assert (seen[:, :, -2:] == 0).all(), "columns in the margin are never lit"
    lit = tasks.inputs(task, np.ones((1, 6, 7, 3)))[0, 0, -1, 0]
    np.testing.assert_allclose(lit, 1 / GUARD)


def test_moments_of_the_population_follow_a_traced_level_of_noise():
    task = dataclasses.replace(TASK, inputs="pixel_standardized", noise="white")
    images = jnp.asarray(observed(task), jnp.float32)

    def seen(level):
        return tasks.inputs(dataclasses.replace(task, noise_level=level), images)

    np.testing.assert_allclose(jax.jit(seen)(0.3), seen(0.3), rtol=1e-5, atol=1e-5)


def test_estimated_moments_are_close_to_exact_ones(monkeypatch):
    exact = population.pixel_moments(TASK)
    monkeypatch.setattr(population, "MOST_PIXELS", 0)
    population._pixel_moments.cache_clear()
    estimated = population.pixel_moments(TASK)
    population._pixel_moments.cache_clear()
    assert (estimated.mean != exact.mean).any()
    # Six standard errors of a share .2 among 4096.
    np.testing.assert_allclose(estimated.mean, exact.mean, rtol=0, atol=0.04)
    np.testing.assert_allclose(estimated.variance, exact.variance, rtol=0, atol=0.03)


@pytest.mark.parametrize("name", tables.INPUTS)
def test_windows_are_for_one_affine_map_of_all_pixels_alike(name):
    affine = isinstance(tables.load("task.inputs", name), AffineInputs)
    assert affine == ("render" in tables.INPUTS[name].reads)
    if not affine:
        with pytest.raises(ConfigurationError, match=f"task.inputs: '{name}' is no affine map"):
            tasks.input_scale(Task(inputs=name))


def test_unequal_salt_and_pepper():
    task = Task(20, 20, 10, noise="salt_pepper", noise_level=0.4, salt=0.75)
    images = observed(task, 50)
    clean = np.tile(tasks.render(task, tasks.positions(task)), (50, 1, 1, 1))
    np.testing.assert_allclose(images[clean == 0].mean(), 0.4 * 0.75, atol=0.01)
    np.testing.assert_allclose(images[clean == 1].mean(), 1 - 0.4 * 0.25, atol=0.01)
    for salt, value in ((0.0, 0.0), (1.0, 1.0)):
        replaced = observed(dataclasses.replace(task, noise_level=1.0, salt=salt))
        assert (replaced == value).all()


def test_equal_shares_are_what_they_were_bit_for_bit():
    level = np.linspace(0, 1, 100_001, dtype=np.float32)
    half = np.float32(0.5)
    np.testing.assert_array_equal(level * (1 - half), level / 2)
    np.testing.assert_array_equal(1 - level * half, 1 - level / 2)
