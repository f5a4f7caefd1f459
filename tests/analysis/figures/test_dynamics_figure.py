"""Exact descent beside members: against descent step by step, eigenvalues, and the members themselves."""

import numpy as np
import pytest

from analysis.figures import dynamics, saving
from analysis.figures.contract import Unfilled
from jaxbox import task as tasks
from jaxbox.config import Task
from jaxbox.store import open_run

TASK = Task(height=6, width=6, box_size=2)


@pytest.fixture(scope="module")
def numbers(tiny_run):
    return dynamics.numbers(tiny_run("mixed"))


def inputs():
    """Images with a 1 for the bias, and targets."""
    positions = tasks.positions(TASK)
    images = tasks.render(TASK, positions).reshape(len(positions), -1).astype(float)
    return np.c_[images, np.ones(len(images))], tasks.targets(TASK, positions)


def test_exact_curves_are_descent_step_by_step(numbers):
    images, targets = inputs()
    random = np.random.default_rng(0)
    starts = np.zeros((2001, images.shape[1], 2))
    starts[1:, :-1] = random.uniform(-1, 1, (2000, images.shape[1] - 1, 2)) * np.sqrt(6 / (36 + 2))
    weights, errors = starts, []
    for step in range(61):
        residual = images @ weights - targets
        if step % 20 == 0:
            errors.append((residual**2).mean((1, 2)))
        weights = weights - 0.5 * images.T @ residual / len(images)
    zero, others = np.array(errors)[:, 0], np.array(errors)[:, 1:]
    own = numbers.isel(configuration=0)
    np.testing.assert_allclose(own["from_zero"], zero, rtol=1e-9)
    deviation = others.std(1) / np.sqrt(others.shape[1])
    assert (np.abs(own["expected"] - others.mean(1)) < 4 * deviation).all()


def test_limits_are_of_eigenvalues(numbers):
    images, _ = inputs()
    largest, norm = np.linalg.eigvalsh(images.T @ images / len(images))[-1], np.sum(images[0] ** 2)
    np.testing.assert_allclose(numbers["limit_full"], 2 / largest)
    np.testing.assert_allclose(numbers["limit_batch"], 2 / (largest * 15 / 16 + norm / 16))
    assert set(numbers["batch_size"].values) == {16}


def test_members_are_the_runs_and_those_above_the_limit_grow(numbers, tiny_run):
    run = open_run(tiny_run("mixed")).load().isel(configuration=slice(3))
    assert numbers["rate"].values.tolist() == [0.5, 30.0, 100.0]
    stable = run["mse"].isel(configuration=0).sel(split="all").mean("axis").astype(float)
    np.testing.assert_allclose(numbers["mse"].isel(configuration=0), stable, rtol=1e-6)
    assert numbers["grown"].values.tolist() == [0, 6, 6]
    assert numbers["members"].values.tolist() == [6, 6, 6]
    assert "12 of 18" in numbers.attrs["caption"]


def test_drawn_is_what_the_numbers_say(numbers):
    curves, strip = saving.draw(dynamics, numbers).axes
    drawn = [line.get_ydata() for line in curves.lines]
    rows = iter(drawn)
    for configuration in range(3):
        own = numbers.isel(configuration=configuration)
        for expected in (*own["mse"].values, own["expected"].values, own["from_zero"].values):
            np.testing.assert_array_equal(next(rows), np.minimum(expected, 1e30))
    assert [float(line.get_xdata()[0]) for line in strip.lines] == numbers["rate"].values.tolist()
    assert [line.get_marker() for line in strip.lines] == ["o", "x", "x"]
    limits = {segment[0, 0] for bars in strip.collections for segment in bars.get_segments()}
    assert limits == {*numbers["limit_full"].values, *numbers["limit_batch"].values}


# The slow ones are among the runs that every figure meets, in test_figures.py.
@pytest.mark.parametrize(
    "name",
    ["single", "many", *(pytest.param(name, marks=pytest.mark.slow) for name in ("interrupted", "diverged", "noisy"))],
)
def test_odd_runs_are_drawn(tiny_run, name):
    found = dynamics.numbers(tiny_run(name))
    for width in saving.WIDTHS:
        saving.draw(dynamics, found, width).draw_without_rendering()


def test_of_many_rates_six_are_curves_and_all_are_in_the_strip(tiny_run):
    found = dynamics.numbers(tiny_run("many"))
    assert int(found["expected"].notnull().any("step").sum()) == dynamics.MOST_RATES
    assert len(saving.draw(dynamics, found).axes[-1].lines) == found.sizes["configuration"] == 18


def test_a_run_without_linear_descent_is_refused_with_a_command(tiny_run):
    with pytest.raises(Unfilled, match=r"linear networks, sgd.*python -m jaxbox\.sweep base --model\.name linear"):
        dynamics.numbers(tiny_run("one"))
