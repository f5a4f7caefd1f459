"""Linear maps as pictures: dense solves, a member's own parameters, slopes from differences."""

import numpy as np
import pytest

from analysis.comparison import compare
from analysis.figures import saving, weights
from analysis.figures.contract import Unfilled
from jaxbox import task as tasks
from jaxbox.config import Task
from jaxbox.store import load_member, load_params

TASK = Task(height=6, width=6, box_size=2)


@pytest.fixture(scope="module")
def numbers(tiny_run):
    return weights.numbers(tiny_run("mixed"))


def images():
    positions = tasks.positions(TASK)
    return tasks.render(TASK, positions).astype(float), tasks.targets(TASK, positions)[:, 0]


def picture(numbers, title):
    return numbers["weights"].sel(picture=title).values


def test_exact_pictures_are_dense_solves(numbers):
    flat, x = images()[0].reshape(25, -1), images()[1]
    centred = flat - flat.mean(0)
    np.testing.assert_allclose(picture(numbers, "minimum norm").ravel(), np.linalg.pinv(centred) @ x, atol=1e-10)
    for level in weights.LEVELS:
        covariance = np.cov(flat.T, bias=True) + level**2 * np.eye(36)
        best = np.linalg.solve(covariance, centred.T @ x / 25)
        np.testing.assert_allclose(picture(numbers, f"best linear, σ = {level:g}").ravel(), best, atol=1e-10)
    np.testing.assert_allclose(picture(numbers, "ramp")[3], (np.arange(6) - 2.5) / 3 / 4, atol=1e-12)


def test_members_are_the_first_healthy_ones_and_their_maps_are_theirs(numbers, tiny_run):
    fates = compare(tiny_run("mixed"))["fate"].values
    own = numbers.sel(picture="linear: weights")
    number, seed = int(own["member_configuration"]), int(own["member_seed"])
    assert (number, seed) == tuple(np.argwhere(np.isin(fates, weights.FINE[:2]))[0])
    kernel = load_params(tiny_run("mixed"), number, seed)["head"]["kernel"]
    np.testing.assert_allclose(own["weights"].values.ravel(), np.asarray(kernel)[0], rtol=1e-5)
    own = numbers.sel(picture="cnn: Jacobian")
    member = load_member(tiny_run("mixed"), int(own["member_configuration"]), int(own["member_seed"]))
    clean, step = images()[0], 1e-2
    for row, column in ((0, 0), (2, 3)):
        shift = np.zeros((6, 6, 1))
        shift[row, column] = step
        slope = (member.predict(clean + shift) - member.predict(clean - shift))[:, 0].mean() / (2 * step)
        assert float(own["weights"][row, column]) == pytest.approx(
            slope, abs=0.02 * float(np.abs(own["weights"]).max())
        )


def test_an_approximation_reproduces_the_network_on_clean_images(numbers, tiny_run):
    own = numbers.sel(picture="cnn: approximation")
    member = load_member(tiny_run("mixed"), int(own["member_configuration"]), int(own["member_seed"]))
    said, mapped = member.predict(images()[0])[:, 0], np.tensordot(images()[0][..., 0], own["weights"].values, axes=2)
    np.testing.assert_allclose(mapped - mapped.mean(), said - said.mean(), atol=1e-4)


def test_cosines_are_with_the_best_map_of_the_members_task(numbers):
    best = picture(numbers, "minimum norm").ravel()
    for place in range(numbers.sizes["picture"]):
        shown = numbers["weights"].values[place].ravel()
        expected = shown @ best / np.linalg.norm(shown) / np.linalg.norm(best)
        assert float(numbers["cosine"][place]) == pytest.approx(expected)


def test_drawn_is_what_the_numbers_say(numbers):
    canvas = saving.draw(weights, numbers)
    shown = [axes for axes in canvas.axes if axes.images]
    for axes, expected, cosine in zip(shown, numbers["weights"].values, numbers["cosine"].values, strict=True):
        np.testing.assert_array_equal(axes.images[0].get_array(), expected)
        assert axes.images[0].get_clim() == (-float(numbers["limit"]), float(numbers["limit"]))
        assert axes.get_xlabel() == f"cos {cosine:.2f}"


@pytest.mark.parametrize("name", ["interrupted", "noisy"])
def test_odd_runs_are_drawn(tiny_run, name):
    found = weights.numbers(tiny_run(name))
    for width in saving.WIDTHS:
        saving.draw(weights, found, width).draw_without_rendering()


@pytest.mark.parametrize(("name", "need"), [("diverged", "a member that has not collapsed"), ("single", "checkpoints")])
def test_runs_without_healthy_members_or_checkpoints_are_refused(tiny_run, name, need):
    with pytest.raises(Unfilled, match=need):
        weights.numbers(tiny_run(name))
