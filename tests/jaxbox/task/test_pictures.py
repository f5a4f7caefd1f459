"""Every scene against a slow, obvious rendering: loops over pixels, one picture at a time."""

import dataclasses
import math
from functools import partial

import compiled
import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scene_sheet
from scipy import stats

from jaxbox import config
from jaxbox import task as tasks
from jaxbox.config import Configuration, ConfigurationError, Task, tables
from jaxbox.config.tables.task import MARGINS
from jaxbox.task import population, scenes
from jaxbox.training import evaluation

CHANCE = 1e-6
TASKS = {
    "box": Task(7, 8, 3, margin_left=1),
    "subpixel_box": Task(6, 7, 3, subpixels=4, margin_top=1, margin_right=2),
    "subpixel_box thirds": Task(5, 4, 2, subpixels=3, scene="subpixel_box", channels=3),
    "random_size_box": Task(8, 7, 5, smallest_box=2, margin_bottom=1),
    "overhanging_box": Task(5, 6, 4, overhang=2),
    "red_box": Task(12, 14, 3, smallest_box=1, distractors=4, channels=3),
    "grey_box": Task(13, 12, 4, smallest_box=3, distractors=3),
    "grey_box colour": Task(10, 9, 3, distractors=0, scene="grey_box", channels=3),
    "dots": Task(11, 12, 3, distractors=7),
    "pixel": Task(4, 5, margin_left=1, channels=3),
}
TASKS = {name: dataclasses.replace(task, scene=name.split(" ")[0]) for name, task in TASKS.items()}
EACH = pytest.mark.parametrize("task", TASKS.values(), ids=TASKS.keys())


def box_between_pixels(task, left, top, side, parts):
    """Each pixel cut into parts x parts, of which those are counted whose middle is in the box; clipped to the image."""
    fine = np.zeros((task.height * parts, task.width * parts))
    for row in range(fine.shape[0]):
        for column in range(fine.shape[1]):
            x, y = (column + 0.5) / parts, (row + 0.5) / parts
            fine[row, column] = left < x < left + side and top < y < top + side
    image = fine.reshape(task.height, parts, task.width, parts).mean((1, 3))
    return np.repeat(image[..., None], task.channels, axis=2)


def paint_circle(image, centre, diameter, colour):
    for row in range(image.shape[0]):
        for column in range(image.shape[1]):
            if math.hypot(column + 0.5 - centre[0], row + 0.5 - centre[1]) <= diameter / 2:
                image[row, column] = colour


def paint_all(task, image, circles):
    for number in range(task.distractors):
        paint_circle(image, circles.centre[number], circles.diameter[number], circles.colour[number])


def paint_box(task, image, column, row, colour):
    for i in range(task.box_size):
        for j in range(task.box_size):
            image[row + i, column + j] = colour


def looped(task, place, drawn):
    """One image, from its (column, row) and what it has drawn."""
    column, row = place
    black = np.zeros((task.height, task.width, task.channels))
    match task.scene:
        case "box":
            paint_box(task, black, column, row, 1)
        case "pixel":
            black[row, column] = 1
        case "subpixel_box":
            parts = task.subpixels
            return box_between_pixels(task, column / parts, row / parts, task.box_size, parts)
        case "random_size_box":
            less = (task.box_size - drawn) / 2
            return box_between_pixels(task, column + less, row + less, drawn, 2)
        case "overhanging_box":
            return box_between_pixels(task, column - task.overhang, row - task.overhang, task.box_size, 1)
        case "red_box":
            paint_all(task, black, drawn)
            paint_box(task, black, column, row, (1, 0, 0))
        case "grey_box":
            paint_all(task, black, drawn.circles)
            paint_box(task, black, column, row, drawn.grey)
        case "dots":
            middle = column + task.box_size / 2, row + task.box_size / 2
            paint_circle(black, middle, task.box_size, 1)
            paint_all(task, black, drawn)
    return black


def draws_of(task, count):
    keys = jax.random.split(jax.random.key(3), count)
    return keys, jax.device_get(jax.jit(partial(tasks.draw_scene, task))(keys))


def test_every_scene_is_looked_at():
    assert {task.scene for task in TASKS.values()} == set(tables.SCENES)


@EACH
def test_it_renders_what_loops_render(task):
    places = tasks.positions(task)
    keys, drawn = draws_of(task, len(places))
    each = [jax.tree.map(lambda leaf, i=i: leaf[i], drawn) for i in range(len(places))]
    expected = np.stack([looped(task, place, own) for place, own in zip(places, each, strict=True)])
    on_host, on_device = tasks.render(task, places, keys), compiled.render(task, jnp.asarray(places), keys)
    assert (on_host.dtype, on_device.dtype) == (np.float64, jnp.float32)
    np.testing.assert_allclose(on_host, expected, rtol=0, atol=1e-12)
    np.testing.assert_allclose(on_device, expected, rtol=0, atol=1e-6)
    # Inside a compiled step they come with their noise from the same keys.
    drawn_and_rendered = jax.jit(lambda index, keys: tasks.example(task, index, tasks.draw_images(task, keys)))
    images, targets = drawn_and_rendered(jnp.arange(len(places)), keys)
    np.testing.assert_allclose(images, expected, rtol=0, atol=1e-6)
    np.testing.assert_allclose(targets, tasks.targets(task, places), rtol=0, atol=1e-6)


def middle_of_what_is_lit(image):
    lit = image.mean(2)
    rows, columns = np.mgrid[: lit.shape[0], : lit.shape[1]] + 0.5
    return [(lit * columns).sum() / lit.sum(), (lit * rows).sum() / lit.sum()]


@EACH
def test_the_target_is_the_middle_of_what_is_to_be_found(task):
    """Drawn alone, and on a canvas that clips nothing."""
    places = tasks.positions(task)
    beyond = task.overhang if task.scene == "overhanging_box" else 0
    alone = dataclasses.replace(task, distractors=0, smallest_box=task.box_size, overhang=0)
    alone = dataclasses.replace(alone, height=task.height + 2 * beyond, width=task.width + 2 * beyond)
    images = tasks.render(alone, places)
    if task.scene == "red_box":
        images = images[..., :1]
    pixels = np.array([middle_of_what_is_lit(image) for image in images]) - beyond
    expected = 2 * pixels / [task.width, task.height] - 1
    np.testing.assert_allclose(tasks.targets(task, places), expected, rtol=0, atol=1e-6)
    assert np.abs(expected).max() <= 1, "a centre is outside of the image"


@EACH
def test_positions_are_a_lattice_row_by_row(task):
    rows, columns = tasks.position_shape(task)
    places, targets = tasks.positions(task), tasks.targets(task, tasks.positions(task))
    assert len(places) == rows * columns == len({tuple(place) for place in places.tolist()})
    assert places.min() >= 0, "-1 is no position in results"
    steps = np.diff(targets.reshape(rows, columns, 2), axis=1)[..., 0]
    np.testing.assert_allclose(steps, steps.flat[0], rtol=0, atol=1e-12)
    # As far as the image goes: the lattice lies in its middle, margins aside.
    free = dataclasses.replace(task, **{path.split(".")[1]: 0 for path in MARGINS})
    np.testing.assert_allclose(tasks.targets(free, tasks.positions(free)).mean(0), 0, atol=1e-12)
    np.testing.assert_array_equal(jax.jit(lambda i: tasks.position(task, i))(jnp.arange(len(places))), places)


@EACH
def test_moments_are_those_of_all_pixels(task):
    mean, variance = population.moments(task)
    places, error = tasks.positions(task), 0
    images = tasks.render(task, places)
    if scenes.draws(task):
        error = 0.03  # of 200 images a position, and of the estimate's 4096
        render = jax.jit(lambda key: tasks.render(task, jnp.asarray(places), key))
        images = np.array([render(jax.random.key(number)) for number in range(200)], float)
    np.testing.assert_allclose([mean, variance], [images.mean(), images.var()], rtol=error, atol=1e-12)


def test_sizes_and_circles_are_uniform():
    sizes = draws_of(TASKS["random_size_box"], 6000)[1]
    assert stats.chisquare(np.bincount(sizes, minlength=6)[2:6]).pvalue > CHANCE
    assert set(sizes) == {2, 3, 4, 5}
    task, (_, drawn) = TASKS["red_box"], draws_of(TASKS["red_box"], 2000)
    room = np.array([task.width, task.height]) - drawn.diameter[..., None]
    for share in (drawn.colour, (drawn.diameter - 1) / 4, (drawn.centre - drawn.diameter[..., None] / 2) / room):
        assert stats.kstest(share.ravel(), "uniform").pvalue > CHANCE
    assert drawn.colour.shape == (2000, 4, 3)
    task, (_, drawn) = TASKS["grey_box"], draws_of(TASKS["grey_box"], 2000)
    for greys in (drawn.grey, drawn.circles.colour):
        assert stats.kstest(greys.ravel(), "uniform", args=(0.25, 0.75)).pvalue > CHANCE
    assert drawn.circles.diameter.min() >= 3
    assert drawn.circles.diameter.max() <= 5
    dots = draws_of(TASKS["dots"], 2000)[1]
    assert set(dots.diameter.ravel()) == {3.0}
    assert stats.kstest(dots.colour.ravel(), "uniform", args=(0.25, 0.5)).pvalue > CHANCE


@pytest.mark.parametrize("scene", ["random_size_box", "red_box", "grey_box", "dots"])
def test_what_an_image_draws_follows_from_its_key_alone(scene):
    task = dataclasses.replace(TASKS[scene], noise="white", noise_level=0.1)
    keys, place = jax.random.split(jax.random.key(0), 5), jnp.zeros(5, jnp.int32)
    drawn = jax.jit(lambda keys: tasks.example(task, place, tasks.draw_images(task, keys))[0])
    np.testing.assert_array_equal(drawn(keys[::-1]), drawn(keys)[::-1])
    clean = tasks.render(task, np.zeros((5, 2), int), keys)
    assert len({image.tobytes() for image in clean}) > 1, "five examples at one position look the same"
    for level in (0.1, 0.5):
        other = evaluation.draws(dataclasses.replace(task, noise_level=level), np.arange(4))
        jax.tree.map(np.testing.assert_array_equal, other, evaluation.draws(task, np.arange(4)))


REFUSED = {
    "more circles than fit": (
        {"scene": "grey_box", "distractors": 7},
        r"task.distractors: 7 is not allowed; it must be at most 6, as many as fit",
    ),
    "more dots than fit": ({"scene": "dots", "distractors": 16}, r"task.distractors: 16 .* at most 15, as many as fit"),
    "more than a program takes": (
        {"scene": "dots", "distractors": 65, "height": 100, "width": 100},
        r"task.distractors: 65 .* at most 64",
    ),
    "circles larger than the image": (
        {"scene": "grey_box", "height": 5, "width": 50},
        r"task.box_size: 4 .* less: circles of up to 6 pixels do not fit into 5",
    ),
    "red in grey": ({"scene": "red_box"}, r"task.channels: 1 is not allowed; it must be 3 with task.scene red_box"),
    "a smallest that is larger": (
        {"scene": "random_size_box", "smallest_box": 5},
        r"task.smallest_box: 5 .* at most task.box_size, 4",
    ),
    "a centre outside": ({"scene": "overhanging_box", "overhang": 3}, r"task.overhang: 3 .* at most 2, half of"),
    "no subpixel": ({"scene": "subpixel_box", "subpixels": 0}, r"task.subpixels: 0 .* at least 1"),
    "no place for a pixel": ({"scene": "pixel", "margin_left": 16}, r"task.margin_left: 16 .* no place"),
    "a box larger than the image": ({"box_size": 17}, r"task.box_size: 17 .* at most 16, the image less its margins"),
    "a share above one": ({"noise": "salt_pepper", "salt": 1.5}, r"task.salt: 1.5 .* from 0 to 1"),
}


@pytest.mark.parametrize(("fields", "match"), REFUSED.values(), ids=REFUSED.keys())
def test_what_cannot_be_is_refused_in_one_line(fields, match):
    with pytest.raises(ConfigurationError, match=match) as caught:
        config.check_values(Configuration(Task(**fields)))
    assert "\n" not in str(caught.value)


def test_a_field_that_the_scene_does_not_read_does_not_have_to_fit():
    config.check_values(Configuration(Task(3, 3, scene="pixel")))


def test_the_sheet_of_readme_shows_every_scene(tmp_path):
    figure = scene_sheet.sheet()
    assert {panel.get_title("left") for panel in figure.axes} - {""} == set(tables.SCENES)
    scene_sheet.save(tmp_path / "scenes.png")
    assert (tmp_path / "scenes.png").stat().st_size > 1000
