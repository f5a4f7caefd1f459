"""The task against plain Python loops, its formulas, and the statistics of its noise."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import stats

from jaxbox import config
from jaxbox import task as tasks
from jaxbox.config import Configuration, ConfigurationError, Task, tables
from jaxbox.layers.windows import windowed as windows

SHAPES = {
    "square": Task(height=6, width=6, box_size=2),
    "rectangle": Task(height=4, width=7, box_size=3),
    "margins": Task(height=7, width=8, box_size=2, margin_left=1, margin_right=3, margin_top=2, margin_bottom=0),
    "colour": Task(height=5, width=4, box_size=1, channels=3),
    "one position": Task(height=4, width=4, box_size=4),
}
SHAPE = pytest.mark.parametrize("task", SHAPES.values(), ids=SHAPES.keys())
CHANCE = 1e-6
"""The probability with which a right program fails each test of a statistic."""


def looped_positions(task):
    """(column, row) such that the box is inside the image less its margins, row by row."""
    found = []
    for row in range(task.height):
        for column in range(task.width):
            covered = [(row + i, column + j) for i in range(task.box_size) for j in range(task.box_size)]
            rows = range(task.margin_top, task.height - task.margin_bottom)
            columns = range(task.margin_left, task.width - task.margin_right)
            if all(i in rows and j in columns for i, j in covered):
                found.append((column, row))
    return found


def looped_image(task, column, row):
    image = np.zeros((task.height, task.width, task.channels))
    for i in range(task.box_size):
        for j in range(task.box_size):
            for channel in range(task.channels):
                image[row + i, column + j, channel] = 1
    return image


def rendered(task):
    return tasks.render(task, tasks.positions(task))


@SHAPE
def test_positions_are_all_places_inside_the_margins_row_by_row(task):
    expected = looped_positions(task)
    assert tasks.positions(task).tolist() == [list(place) for place in expected]
    assert tasks.position_count(task) == len(expected)
    rows, columns = {row for _, row in expected}, {column for column, _ in expected}
    assert tasks.position_shape(task) == (len(rows), len(columns))


@SHAPE
def test_render_is_the_loop(task):
    expected = np.stack([looped_image(task, column, row) for column, row in looped_positions(task)])
    places = tasks.positions(task)
    ours, on_device = tasks.render(task, places), tasks.render(task, jnp.asarray(places))
    assert ours.dtype == np.float64
    assert on_device.dtype == jnp.float32
    np.testing.assert_array_equal(ours, expected)
    np.testing.assert_array_equal(on_device, expected)


@SHAPE
def test_targets_are_the_mean_coordinates_of_the_lit_pixels(task):
    places = tasks.positions(task)
    lit = rendered(task)[..., 0]
    # The centre of pixel j of W is at (2 j + 1) / W - 1.
    x, y = ((2 * np.arange(size) + 1) / size - 1 for size in (task.width, task.height))
    expected = np.stack([(lit * x).sum((1, 2)), (lit * y[:, None]).sum((1, 2))], axis=1) / task.box_size**2
    ours, on_device = tasks.targets(task, places), tasks.targets(task, jnp.asarray(places))
    assert ours.dtype == np.float64
    assert on_device.dtype == jnp.float32
    np.testing.assert_allclose(ours, expected, atol=1e-14)
    np.testing.assert_allclose(on_device, expected, atol=3e-7)  # two roundings of numbers up to 2


def test_the_lattice_is_centred_and_inside_the_image():
    targets = tasks.targets(SHAPES["rectangle"], tasks.positions(SHAPES["rectangle"]))
    np.testing.assert_allclose(targets.mean(axis=0), 0, atol=1e-15)
    np.testing.assert_allclose(targets.max(axis=0), [1 - 3 / 7, 1 - 3 / 4])


@SHAPE
def test_index_and_position_agree_on_host_and_device(task):
    index = np.arange(tasks.position_count(task))[::-1].copy()
    expected = tasks.positions(task)[::-1]
    np.testing.assert_array_equal(tasks.position(task, index), expected)
    np.testing.assert_array_equal(jax.jit(lambda i: tasks.position(task, i))(jnp.asarray(index)), expected)


@pytest.mark.parametrize("channels", [1, 3])
def test_input_scales(channels):
    def seen(inputs, **options):
        task = Task(height=6, width=5, box_size=2, channels=channels, inputs=inputs, **options)
        return tasks.inputs(task, rendered(task))

    clean = seen("unit")
    assert set(np.unique(clean)) == {0.0, 1.0}
    np.testing.assert_array_equal(seen("byte"), np.where(clean == 1, 255.0, 0.0))
    np.testing.assert_array_equal(seen("inverted"), np.where(clean == 1, 0.0, 1.0))
    np.testing.assert_array_equal(seen("dimmed", contrast=0.25), np.where(clean == 1, 0.25, 0.0))
    signs = np.array([[[1 - 2 * ((row + column) % 2)] for column in range(5)] for row in range(6)])
    np.testing.assert_array_equal(seen("checkerboard"), clean * signs)
    # The lattice is the population: mean 0 and variance 1 exactly, up to rounding.
    np.testing.assert_allclose([seen("standardized").mean(), seen("standardized").var()], [0, 1], atol=1e-12)


def test_a_standardized_image_that_never_changes_stays_finite():
    task = Task(height=4, width=4, box_size=4, inputs="standardized")
    np.testing.assert_array_equal(tasks.inputs(task, rendered(task)), 0)


def test_inputs_keep_the_precision_of_the_images():
    task = Task(height=6, width=5, box_size=2, inputs="standardized")
    assert tasks.inputs(task, rendered(task)).dtype == np.float64
    assert tasks.inputs(task, jnp.asarray(rendered(task))).dtype == jnp.float32


def noise_sample(noise, level, images=400):
    """Clean and observed pixels of the same images, (images, 8, 8, 3)."""
    task = Task(height=8, width=8, box_size=4, channels=3, noise=noise, noise_level=level)
    index = tasks.draw_index(task, jax.random.key(1), images)
    clean = tasks.render(task, tasks.position(task, index))
    return np.asarray(clean), np.asarray(tasks.observe(task, clean, jax.random.key(2)))


@pytest.mark.parametrize("level", [0.1, 2.0])
def test_white_noise_is_gaussian_and_independent(level):
    clean, observed = noise_sample("white", level)
    noise = (observed - clean).astype(float) / level
    deviation = stats.norm.isf(CHANCE / 2)
    assert abs(noise.mean()) < deviation / np.sqrt(noise.size)
    low, high = stats.chi2.ppf([CHANCE / 2, 1 - CHANCE / 2], noise.size)
    assert low < (noise**2).sum() < high
    assert stats.kstest(noise.ravel(), "norm").pvalue > CHANCE
    flat = noise.reshape(len(noise), -1)
    for a, b in [(0, 1), (0, 3), (0, 24), (5, 100)]:  # the next channel, pixel, row; far away
        # The sum of n products of independent standard normals is about normal with variance n.
        assert abs((flat[:, a] * flat[:, b]).sum()) < (deviation + 1) * np.sqrt(len(flat))
    assert abs((flat[0] * flat[1]).sum()) < (deviation + 1) * np.sqrt(flat.shape[1])


@pytest.mark.parametrize("level", [0.1, 0.7, 1.0])
def test_salt_and_pepper_replaces_with_probability_and_either_value_equally_often(level):
    clean, observed = noise_sample("salt_pepper", level)
    assert set(np.unique(observed)) == {0.0, 1.0}
    for value in (0.0, 1.0):
        of_value = observed[clean == value]
        flipped = int((of_value != value).sum())
        # A replaced pixel takes the other value half of the time.
        assert stats.binomtest(flipped, of_value.size, level / 2).pvalue > CHANCE
    # Channels are replaced independently.
    both = (observed != clean)[..., 0] & (observed != clean)[..., 1]
    assert stats.binomtest(int(both.sum()), both.size, (level / 2) ** 2).pvalue > CHANCE


def test_no_noise_and_noise_of_level_zero_leave_the_image():
    for noise in tables.NOISES:
        clean, observed = noise_sample(noise, 0.0, images=5)
        np.testing.assert_array_equal(observed, clean)
    assert set(tables.NOISES) == {"none", "white", "salt_pepper"}


@pytest.mark.parametrize("noise", ["white", "salt_pepper"])
def test_noise_follows_the_image_key_alone(noise):
    task = Task(height=6, width=5, box_size=2, noise=noise, noise_level=0.5)
    keys, index = jax.random.split(jax.random.key(0), 4), jnp.array([3, 3, 7, 1])
    images, _ = tasks.example(task, index, tasks.draw_images(task, keys))
    again, _ = tasks.example(task, index[::-1], tasks.draw_images(task, keys[::-1]))
    np.testing.assert_array_equal(again, images[::-1])
    assert (np.asarray(images[0]) != np.asarray(images[1])).any(), "two examples at one position share their noise"


def test_an_example_is_the_noisy_scaled_image_and_the_target_of_its_position():
    task = Task(height=6, width=5, box_size=2, inputs="byte")
    index = jnp.array([0, 11, 5])
    images, targets = tasks.example(task, index, tasks.draw_images(task, jax.random.split(jax.random.key(0), 3)))
    for place, image, target in zip(index, images, targets, strict=True):
        column, row = looped_positions(task)[place]
        np.testing.assert_array_equal(image, 255 * looped_image(task, column, row))
        np.testing.assert_allclose(target, [2 * (column + 1) / 5 - 1, 2 * (row + 1) / 6 - 1], atol=3e-7)


@pytest.mark.parametrize("inputs", ["unit", "inverted"])
def test_windows_stand_for_the_images_of_their_positions(inputs):
    task = dataclasses.replace(SHAPES["margins"], inputs=inputs)
    index = np.arange(tasks.position_count(task))[::-1].copy()
    expected = np.stack([looped_image(task, column, row) for column, row in looped_positions(task)[::-1]])
    if inputs == "inverted":
        expected = 1 - expected

    def rendered(index):
        return windows.render(tasks.example(task, index, tasks.Draws(jnp.zeros(expected.shape), None), windows=True)[0])

    np.testing.assert_array_equal(jax.jit(lambda: rendered(index))(), expected)
    np.testing.assert_array_equal(jax.jit(rendered)(jnp.asarray(index)), expected)


def test_training_positions_are_uniform():
    task, size = Task(height=4, width=5, box_size=2), 12_000
    index = np.asarray(tasks.draw_index(task, jax.random.key(3), size))
    counts = np.bincount(index, minlength=12)
    assert len(counts) == 12
    assert stats.chisquare(counts).pvalue > CHANCE


@pytest.mark.parametrize(
    ("field", "value", "nearest"), [("noise", "whit", "white"), ("inputs", "bytes", "byte"), ("targets", "s", None)]
)
def test_check_refuses_names_in_no_table(field, value, nearest):
    with pytest.raises(ConfigurationError, match=f"task.{field}: unknown name '{value}'.*{nearest or ''}"):
        config.check_values(Configuration(Task(**{field: value})))
    config.check_values(Configuration())
