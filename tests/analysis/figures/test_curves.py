"""Loss curves: the run's own losses, levels by hand and by NumPy, and lines that are these numbers."""

import numpy as np
import pytest
from figure_runs import UNKNOWN

from analysis.comparison import compare, snapshot
from analysis.figures import curves, saving
from jaxbox import store
from jaxbox import task as tasks


def drawn(numbers):
    canvas = saving.draw(curves, numbers, "two")
    return [[np.asarray(line.get_data()) for line in axes.get_lines()] for axes in canvas.axes]


def test_losses_are_those_of_the_run(tiny_run):
    numbers, run = curves.numbers(tiny_run("mixed")), store.open_run(tiny_run("mixed"))
    assert numbers["step"].values.tolist() == [20, 40, 60]
    # All collapse in 1, 2, 5 and 6; of the others the first two are left.
    assert numbers["configuration"].values.tolist() == [0, 1, 2, 3, 5, 6]
    stored = run["loss"].values[[0, 1, 2, 3, 5, 6], :, 1:].astype(float)
    finite = np.isfinite(stored)
    np.testing.assert_array_equal(numbers["loss"].values[finite], stored[finite])
    assert np.isinf(numbers["loss"].values[~finite]).all(), "an overflow is no gap"


def test_lines_are_the_losses_and_the_level(tiny_run):
    numbers = curves.numbers(tiny_run("mixed"))
    for panel, of in zip(drawn(numbers), numbers["loss"].values, strict=True):
        lines = [values for _, values in panel if len(values) == 3]
        expected = np.minimum(of, curves.OVERFLOWED)
        np.testing.assert_array_equal(sorted(map(tuple, lines)), sorted(map(tuple, expected)))
        levels = [values[0] for _, values in panel if len(values) == 2]
        assert levels == pytest.approx([2 / 9])


def test_levels_without_noise(tiny_run):
    numbers = curves.numbers(tiny_run("single"))
    # Five places per axis, 1/3 apart: variance (1/3)^2 (5^2 - 1) / 12.
    assert numbers["mean_level"].item() == pytest.approx(2 / 9, rel=1e-12)
    assert numbers["lmmse_level"].item() == numbers["bayes_level"].item() == 0
    assert "Errors of 0 (best linear, best possible)" in numbers.attrs["caption"]


def test_the_best_linear_level_under_noise(tiny_run):
    numbers = curves.numbers(tiny_run("noisy"))
    task = store.load_plan(tiny_run("noisy")).configurations[1].task
    positions = tasks.positions(task)
    images = np.asarray(tasks.render(task, positions), float).reshape(25, -1)
    targets = np.asarray(tasks.targets(task, positions), float)
    images, targets = images - images.mean(0), targets - targets.mean(0)
    covariance = images.T @ images / 25 + task.noise_level**2 * np.eye(36)
    cross = images.T @ targets / 25
    mse = (targets**2).mean(0) - np.sum(cross * np.linalg.solve(covariance, cross), axis=0)
    assert numbers["lmmse_level"].values[1] == pytest.approx(mse.mean(), rel=1e-9)
    assert (numbers["bayes_level"] < numbers["lmmse_level"]).all()
    assert (numbers["lmmse_level"] < numbers["mean_level"]).all()
    heights = {round(values[0], 12) for _, values in drawn(numbers)[1] if len(values) == 2}
    assert heights == {round(numbers[f"{name}_level"].values[1], 12) for name in curves.LEVELS}


def test_a_best_linear_level_that_is_estimated_says_so(tiny_run):
    assert (curves.numbers(tiny_run("noisy"))[curves.ERROR] == 0).all()
    numbers = curves.numbers(tiny_run(UNKNOWN))
    compared = compare(tiny_run(UNKNOWN))
    # x and y have the same variance, and 1 - R2 is the share of it.
    share = numbers["lmmse_level"] / numbers["mean_level"]
    np.testing.assert_allclose(share, 1 - compared["r2_lmmse"].mean("axis"))
    np.testing.assert_allclose(numbers[curves.ERROR] / numbers["mean_level"], compared["r2_lmmse_error"].mean("axis"))
    assert numbers["bayes_level"].isnull().all()
    assert "exact but for the best linear, which is estimated" in numbers.attrs["caption"]
    said = [text.get_text() for text in saving.draw(curves, numbers, "two").axes[0].texts]
    assert "best linear, estimated" in said
    assert "best linear" not in said


def test_what_has_not_begun_is_no_line(tiny_run):
    numbers = curves.numbers(tiny_run("interrupted"))
    assert numbers["fate"].values[1].tolist() == [""] * 4
    assert numbers["loss"][1].isnull().all()
    # Only the level is drawn; the others are points at step 20, where they were stopped.
    panels = drawn(numbers)
    assert len(panels[1]) == 1
    assert [step.tolist() for step, _ in panels[0][:-1]] == [[20]] * 4
    assert "4 members" in numbers.attrs["caption"]


def test_another_loss_has_no_levels(tiny_run, monkeypatch):
    path = tiny_run("single")
    plan = store.load_plan(path)
    object.__setattr__(plan.configurations[0].loss, "name", "another")
    taken = snapshot(path)._replace(plan=plan)
    monkeypatch.setattr(curves, "snapshot", lambda run: taken)
    numbers = curves.numbers(path)
    assert all(numbers[f"{name}_level"].isnull().all() for name in curves.LEVELS)
    assert "squared error only" in numbers.attrs["caption"]
    canvas = saving.draw(curves, numbers, "one")
    assert canvas.get_supylabel() == "training loss"
    assert len(canvas.axes[0].get_lines()) == 1
