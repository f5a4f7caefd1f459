"""Predicted against true: whose predictions, of which member, and the picture beside them."""

import numpy as np
import pytest

from analysis.comparison import FATES, compare
from analysis.figures import predictions, saving
from jaxbox import store

# The targets of 6 x 6 pixels and a box of 2: (c + 1) / 3 - 1.
PLACES = np.arange(5) / 3 - 2 / 3


def test_each_fate_has_its_median_member(tiny_run):
    path = tiny_run("mixed")
    numbers, run, compared = predictions.numbers(path), store.open_run(path), compare(path)
    fates = compared["fate"].values
    assert numbers["fate"].values.tolist() == [fate for fate in reversed(FATES) if fate in fates]
    targets = np.stack([np.tile(PLACES, 5), np.repeat(PLACES, 5)], axis=1)
    np.testing.assert_allclose(numbers["target"].values[0], targets, atol=1e-7)
    every = run["prediction"].values.astype(float)
    r2 = 1 - ((every - targets) ** 2).mean(2) / (2 / 9)
    for place, fate in enumerate(numbers["fate"].values):
        member = numbers["configuration"].values[place], numbers["seed"].values[place]
        assert fates[member] == fate
        assert numbers["members"].values[place] == (fates == fate).sum()
        np.testing.assert_array_equal(numbers["prediction"].values[place], every[member])
        np.testing.assert_allclose(numbers["r2"].values[place], r2[member], rtol=1e-5)
        own = r2.mean(-1)[fates == fate]
        assert r2.mean(-1)[member] == pytest.approx(np.quantile(own, 0.5, method="lower"), rel=1e-5)


def test_points_are_the_predictions(tiny_run):
    numbers = predictions.numbers(tiny_run("mixed"))
    canvas = saving.draw(predictions, numbers, "two")
    picture, *panels = canvas.axes
    for place, panel in enumerate(panels):
        points = {line.get_marker(): line.get_data() for line in panel.get_lines() if line.get_linestyle() == "None"}
        for index, axis in enumerate("xy"):
            true, predicted = points[predictions.LOOKS[axis]["marker"]]
            np.testing.assert_array_equal(true, numbers["target"].values[place, :, index])
            np.testing.assert_array_equal(predicted, numbers["prediction"].values[place, :, index])
    np.testing.assert_array_equal(picture.get_images()[0].get_array(), numbers["image"].values[0])


def test_the_picture_is_the_task_and_marks_its_target(tiny_run):
    numbers = predictions.numbers(tiny_run("single"))
    image = numbers["image"].values[0]
    rows, columns = np.nonzero(image)
    assert image.sum() == 4
    assert numbers["centre"].values[0].tolist() == [columns.mean() + 0.5, rows.mean() + 0.5]
    assert not np.allclose(numbers["centre"].values, 3), "in the middle the mean is right"


def test_pictures_of_two_tasks_are_two(tiny_run, monkeypatch):
    noisy = predictions.numbers(tiny_run("noisy"))
    assert np.unique(noisy["image"]).size > 30, "noise is part of the picture"
    tasks = [configuration.task for configuration in store.load_plan(tiny_run("noisy")).configurations]
    pictures = predictions._pictures(tasks)
    image = pictures["image"][1]
    box = np.zeros((6, 6))
    rows, columns = np.nonzero(predictions.numbers(tiny_run("single"))["image"].values[0])
    box[rows, columns] = 1
    # The same draws at two levels.
    np.testing.assert_allclose((image[0] - box) * 5, image[1] - box, atol=1e-5)


def test_predictions_that_overflowed_are_said_to(tiny_run):
    numbers = predictions.numbers(tiny_run("single"))
    numbers["prediction"] = numbers["prediction"] * np.nan
    canvas = saving.draw(predictions, numbers, "one")
    assert "predictions\noverflowed" in [text.get_text() for text in canvas.axes[1].texts]
