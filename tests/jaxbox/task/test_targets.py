"""Kinds of targets against plain definitions, and that what a network says is translated back exactly."""

import dataclasses
import types

import jax.numpy as jnp
import numpy as np
import pytest
from scipy import special, stats

from jaxbox import task as tasks
from jaxbox.config import Configuration, ConfigurationError, Loss, Task, tables
from jaxbox.task import scenes
from jaxbox.training import checks, memory

SHAPES = {
    "rectangle": Task(height=9, width=12, box_size=3, margin_left=2, margin_top=1),
    "one column": Task(height=7, width=3, box_size=3),
    "one pixel": Task(height=4, width=5, box_size=1),
}
SHAPE = pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES.keys())
SCALES = sorted(set(tables.TARGETS) - {"cell", "cell_mode"})


def centres(shape):
    """Of the box, in pixels, position by position."""
    return tasks.positions(shape) + shape.box_size / 2


def image(shape):
    return np.array([shape.width, shape.height])


def standardized(shape):
    deviation = centres(shape).std(0)
    return (centres(shape) - centres(shape).mean(0)) / np.where(deviation > 0, deviation, 1)


def shares(values):
    return np.array([(np.sum(values < value) + np.sum(values == value) / 2) / len(values) for value in values])


DEFINITIONS = {
    "symmetric": lambda shape: 2 * centres(shape) / image(shape) - 1,
    "unit": lambda shape: centres(shape) / image(shape),
    "pixels": centres,
    "centred_pixels": lambda shape: centres(shape) - image(shape) / 2,
    "standardized": standardized,
    "quantile": lambda shape: np.stack([shares(values) for values in centres(shape).T], axis=1),
    "logit": lambda shape: special.logit(0.01 + 0.98 * centres(shape) / image(shape)),
    "cell": lambda shape: np.eye(len(centres(shape))),
    "cell_mode": lambda shape: np.eye(len(centres(shape))),
}


def all_targets(shape, name):
    """(kind, task, indices) of a task with these targets."""
    task = dataclasses.replace(shape, targets=name)
    return tasks.target_kind(task), task, np.arange(tasks.position_count(task))


@SHAPE
@pytest.mark.parametrize("name", tables.TARGETS)
def test_it_is_its_definition_in_numpy_and_in_jax(shape, name):
    kind, task, index = all_targets(shape, name)
    expected = DEFINITIONS[name](shape)
    assert kind.numbers(task) == expected.shape[1]
    np.testing.assert_allclose(kind.encode(task, index), expected, rtol=0, atol=1e-12)
    np.testing.assert_allclose(kind.encode(task, jnp.asarray(index)), expected, rtol=1e-5, atol=1e-5)


@SHAPE
@pytest.mark.parametrize("name", tables.TARGETS)
def test_what_it_encodes_is_decoded_to_target_units(shape, name):
    kind, task, index = all_targets(shape, name)
    expected = tasks.targets(task, tasks.positions(task))
    np.testing.assert_allclose(expected, DEFINITIONS["symmetric"](shape), rtol=0, atol=1e-15)
    decoded = kind.decode(task, kind.encode(task, index))
    np.testing.assert_allclose(decoded, expected, rtol=0, atol=1e-12 if name in SCALES else 1e-7)
    single = kind.decode(task, kind.encode(task, jnp.asarray(index)))
    assert single.dtype == jnp.float32
    np.testing.assert_allclose(single, expected, rtol=0, atol=1e-5)


@pytest.mark.parametrize("name", SCALES)
def test_predictions_that_no_target_has_are_decoded_too(name):
    kind, task, index = all_targets(SHAPES["rectangle"], name)
    encoded = kind.encode(task, index)
    beyond = np.stack([encoded.min(0) - 0.3, encoded.max(0) + 0.3])
    low, high = kind.decode(task, beyond)
    expected = tasks.targets(task, tasks.positions(task))
    assert np.all(low < expected.min(0))
    assert np.all(high > expected.max(0))


@SHAPE
def test_the_quantile_of_a_box_is_an_affine_map(shape):
    kind, task, _ = all_targets(shape, "quantile")
    points = np.linspace(-2, 3, 50)[:, None] * np.ones((1, 2))
    bent = np.diff(kind.decode(task, points), n=2, axis=0)
    np.testing.assert_allclose(bent, 0, atol=1e-12)


def test_the_quantile_of_uneven_coordinates_is_uniform(monkeypatch):
    columns = np.array([0.5, 0.5, 0.5, 1.5, 2.0, 7.0])
    uneven = types.SimpleNamespace(
        position_shape=lambda task: (1, 6),
        position=lambda task, index: index[:, None] * np.array([1, 0]),
        centre=lambda task, positions: np.stack([columns[positions[:, 0]], 0 * positions[:, 1]], axis=-1),
    )
    monkeypatch.setattr(scenes, "of", lambda task: uneven)
    kind, task, index = all_targets(Task(), "quantile")
    found = kind.encode(task, index)
    np.testing.assert_allclose(found[:, 0], stats.rankdata(columns) / 6 - 1 / 12)
    np.testing.assert_allclose(kind.decode(task, found), tasks.targets(task, tasks.positions(task)), atol=1e-12)


def test_probabilities_stand_for_their_mean_or_for_the_most_probable_place():
    task = Task(height=5, width=6, box_size=2, targets="cell")
    places = tasks.targets(task, tasks.positions(task))
    random = np.random.default_rng(0)
    probabilities = random.dirichlet(np.ones(len(places)), 7).astype(np.float32)
    mean, mode = (
        tasks.target_kind(dataclasses.replace(task, targets=name)).decode(task, jnp.asarray(probabilities))
        for name in ("cell", "cell_mode")
    )
    np.testing.assert_allclose(mean, probabilities @ places, rtol=0, atol=1e-6)
    np.testing.assert_allclose(mode, places[probabilities.argmax(1)], rtol=0, atol=1e-6)
    for name in ("cell", "cell_mode"):
        broken = jnp.asarray(probabilities).at[2, 3].set(jnp.nan)
        found = tasks.target_kind(dataclasses.replace(task, targets=name)).decode(task, broken)
        assert np.isnan(found).all(1).tolist() == [number == 2 for number in range(7)]


def test_more_classes_than_memory_holds_are_refused(monkeypatch):
    monkeypatch.setattr(memory, "free_bytes", lambda: 2**30)
    task = Task(height=300, width=300, targets="cell")
    with pytest.raises(
        ConfigurationError, match=r"task.targets: cell is not allowed; the outputs .* take [\d,]+ bytes"
    ):
        checks.check_sweep([Configuration(task, loss=Loss("cross_entropy"))], 1)


def test_a_scale_without_a_finite_target_at_some_position_is_refused(monkeypatch):
    far = types.SimpleNamespace(**vars(scenes.of(Task())))
    far.centre = lambda task, positions: positions - 3.0
    monkeypatch.setattr(scenes, "of", lambda task: far)
    with pytest.raises(
        ConfigurationError, match=r"task\.targets: logit is not allowed; it must be a scale that is finite"
    ):
        checks.check_sweep([Configuration(Task(targets="logit"))], 1)
