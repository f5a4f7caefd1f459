"""Error against noise: exact predictors from dense solves and simulation, members from raw predictions."""

import itertools

import numpy as np
import pytest
from figure_runs import UNKNOWN

from analysis.figures import noise, saving
from analysis.figures.contract import Unfilled
from jaxbox import task as tasks
from jaxbox.config import Task
from jaxbox.store import open_run

TASK = Task(height=6, width=6, box_size=2)


@pytest.fixture(scope="module")
def numbers(tiny_run):
    return noise.numbers(tiny_run("noisy"))


def clean():
    positions = tasks.positions(TASK)
    return tasks.render(TASK, positions).reshape(len(positions), -1).astype(float), tasks.targets(TASK, positions)


def test_linear_predictors_are_dense_solves(numbers):
    images, targets = clean()
    mean, variance = images.mean(0), targets.var(0).sum()
    covariance, crossed = np.cov(images.T, bias=True), (images - mean).T @ targets / len(images)
    exact = np.linalg.pinv(images - mean) @ targets
    for level in (0.1, 0.5):
        noisy = covariance + level**2 * np.eye(len(mean))
        best = targets.var(0).sum() - np.sum(crossed * np.linalg.solve(noisy, crossed))
        found = numbers["exact"].sel(level=level, panel=numbers["panel"][0])
        assert float(found.sel(predictor="minimum_norm")) == pytest.approx(level**2 * np.sum(exact**2) / variance)
        assert float(found.sel(predictor="lmmse")) == pytest.approx(best / variance)
        assert found.sel(predictor="ramp") > found.sel(predictor="minimum_norm") > found.sel(predictor="lmmse")


def test_bayes_is_the_posterior_mean_of_simulated_images(numbers):
    images, targets = clean()
    random, level, repeats = np.random.default_rng(1), 0.5, 400
    seen = np.repeat(images, repeats, 0) + level * random.standard_normal((len(images) * repeats, images.shape[1]))
    # All images have one norm: the likelihood of a position is exp(image . seen / level^2).
    posterior = np.exp((seen @ images.T) / level**2)
    squares = ((posterior @ targets / posterior.sum(1, keepdims=True) - np.repeat(targets, repeats, 0)) ** 2).sum(1)
    squares = squares / targets.var(0).sum()
    found = numbers.sel(level=level, predictor="bayes").isel(panel=0)
    error = np.hypot(squares.std() / np.sqrt(len(squares)), float(found["exact_error"]))
    assert abs(float(found["exact"]) - squares.mean()) < 4 * error


def test_members_are_medians_of_their_predictions(numbers, tiny_run):
    run = open_run(tiny_run("noisy")).load()
    errors = ((run["prediction"].astype(float) - run["target"].astype(float)) ** 2).mean("position").sum("axis")
    shares = (errors / run["target"].astype(float).var("position").sum("axis")).values
    own = numbers.isel(panel=0, line=0)
    np.testing.assert_allclose(own["value"], np.median(shares, axis=1), rtol=1e-5)
    assert ((own["low"] >= shares.min(1) - 1e-6) & (own["low"] < own["value"])).all()
    assert ((own["high"] <= shares.max(1) + 1e-6) & (own["high"] > own["value"])).all()
    assert own["count"].values.tolist() == [4, 4]


def test_drawn_is_what_the_numbers_say(numbers):
    axes = saving.draw(noise, numbers).axes[0]
    lines = {line.get_label(): line for line in axes.lines}
    for name, (label, _) in noise.EXACT.items():
        np.testing.assert_array_equal(lines[label].get_ydata(), numbers["exact"].sel(predictor=name)[0])
    np.testing.assert_array_equal(lines["members"].get_xydata().T, [numbers["level"], numbers["value"][0, 0]])
    band = axes.collections[-1].get_paths()[0].vertices[:, 1]
    assert set(numbers[["low", "high"]].isel(panel=0, line=0).to_array().values.ravel()) <= set(band)
    assert {text.get_text() for text in axes.texts} == {
        "predict the mean",
        "members",
        *(row[0] for row in noise.EXACT.values()),
    }


def test_an_estimated_best_linear_predictor_is_called_so_and_has_a_band(tiny_run):
    estimated = noise.numbers(tiny_run(UNKNOWN))
    assert (estimated["exact_error"].sel(predictor="lmmse") > 0).all()
    assert estimated["exact"].sel(predictor="bayes").isnull().all()
    axes = saving.draw(noise, estimated).axes[0]
    assert "best linear,\nestimated" in {text.get_text() for text in axes.texts}
    own = estimated.isel(panel=0).sel(predictor="lmmse")
    ends = own["exact"] + 2 * own["exact_error"]
    place = list(noise.EXACT).index("lmmse")
    assert set(ends.values) <= set(axes.collections[place].get_paths()[0].vertices[:, 1])


def test_diverged_members_are_beyond_the_frame_and_those_not_begun_do_not_count(numbers):
    worse = numbers.copy(deep=True)
    worse["value"][0, 0], worse["low"][0, 0], worse["high"][0, 0] = [1.0, np.inf], [np.nan, 1.0], [np.nan, np.inf]
    canvas = saving.draw(noise, worse, "one")
    canvas.draw_without_rendering()
    assert "members ↑" in {text.get_text() for text in canvas.axes[0].texts}


def test_a_run_of_one_level_is_refused_with_a_command(tiny_run):
    with pytest.raises(Unfilled, match=r"needs a run that varies task\.noise_level.*--vary task\.noise_level"):
        noise.numbers(tiny_run("single"))


@pytest.mark.parametrize("width", saving.WIDTHS)
def test_labels_at_the_ends_do_not_overlap(numbers, width):
    longer = numbers.assign_coords(line=["members of a name that is far too long for one line"])
    canvas = saving.draw(noise, longer, width)
    canvas.draw_without_rendering()
    boxes = [text.get_window_extent() for text in canvas.axes[0].texts if text.get_text() != "predict the mean"]
    boxes.sort(key=lambda box: box.y0)
    assert len(boxes) == 5
    assert all(below.y1 <= above.y0 + 1 for below, above in itertools.pairwise(boxes))
