"""Seen and unseen positions: fits on what training really draws, errors from raw predictions."""

import dataclasses

import figure_runs
import jax.numpy as jnp
import numpy as np
import pytest

from analysis.comparison import known
from analysis.figures import fits, generalisation, saving
from analysis.figures.contract import Unfilled
from jaxbox import sweep
from jaxbox import task as tasks
from jaxbox.config import Data
from jaxbox.store import open_run
from jaxbox.training import sampling

TASK = dataclasses.replace(figure_runs.TASK, noise="white", noise_level=0.2)
SIZES = (20, 400)
CONFIGURATIONS = [
    dataclasses.replace(figure_runs.LINEAR, task=TASK, data=Data(train_size=size), batch_size=20, steps=40)
    for size in SIZES
]


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("sizes")
    sweep.run(CONFIGURATIONS, 3, name="sizes", out=folder, quiet=True)
    return folder / "sizes"


@pytest.fixture(scope="module")
def numbers(run):
    return generalisation.numbers(run)


def trained_on(configuration, seed):
    """Position and noise of every example of the first epoch, as training draws them, in the order of training."""
    keys, step = sampling.keys_of(configuration, jnp.uint32(seed)), jnp.int32(0)
    data, found = sampling.prepare(configuration, jnp.uint32(seed), step), []
    for number in range(configuration.data.train_size // configuration.batch_size):
        data, examples = sampling.batch(configuration, keys, data, jnp.int32(number))
        noise = tasks.draw_images(configuration.task, examples.keys)
        images = np.asarray(tasks.example(configuration.task, examples.index, noise)[0])
        found.append(np.c_[examples.index, images.reshape(len(images), -1)])
    return np.concatenate(found)


def test_the_training_set_is_what_training_draws():
    index, inputs = fits.training_set(CONFIGURATIONS[0], 2)
    drawn = trained_on(CONFIGURATIONS[0], 2)
    order = [np.lexsort(rows.T) for rows in (np.c_[index, inputs.reshape(20, -1)], drawn)]
    np.testing.assert_allclose(np.c_[index, inputs.reshape(20, -1)][order[0]], drawn[order[1]], rtol=1e-6)


def test_least_squares_is_a_dense_solve_on_that_set():
    own = CONFIGURATIONS[1]
    drawn, targets = trained_on(own, 1), known.lattice(own.task)
    index, inputs = drawn[:, 0].astype(int), np.c_[drawn[:, 1:], np.ones(len(drawn))]
    weights = np.linalg.lstsq(inputs, targets[index], rcond=None)[0]
    images = known.evaluation_inputs(own.task, np.arange(25)).reshape(25, -1)
    squares = ((np.c_[images, np.ones(25)] @ weights - targets) ** 2).sum(1)
    ols, ridge = fits.errors(own, [1])
    assert ols[0, 0] == pytest.approx(squares[np.unique(index)].mean(), rel=1e-6)
    assert np.isnan(ols[1, 0]) == (len(np.unique(index)) == 25)
    # Ridge with its penalty chosen is near least squares where there are ten times as many examples as weights.
    assert ridge[0, 0] == pytest.approx(ols[0, 0], rel=0.3)


def test_members_are_medians_of_their_predictions(numbers, run):
    results = open_run(run).load()
    squares = ((results["prediction"].astype(float) - results["target"].astype(float)) ** 2).sum("axis")
    shares = squares / results["target"].astype(float).var("position").sum("axis")
    for size in range(2):
        seen, own = results["seen"][size], shares.isel(configuration=size)
        assert float(numbers["distinct"][0, size]) == np.median(seen.sum("position"))
        for split, part in (("seen", seen), ("unseen", ~seen)):
            expected = own.where(part).mean("position").values
            found = numbers.sel(split=split, line="members").isel(task=0, size=size)
            assert int(found["count"]) == np.isfinite(expected).sum()
            if found["count"]:
                assert float(found["value"]) == pytest.approx(np.nanmedian(expected), rel=1e-5)


def test_drawn_is_what_the_numbers_say(numbers):
    canvas = saving.draw(generalisation, numbers)
    for split, axes in zip(generalisation.SPLITS, canvas.axes, strict=True):
        lines = {line.get_label(): line for line in axes.lines}
        for name, label in {"members": "members", "ols": "least squares", "ridge": "ridge"}.items():
            np.testing.assert_array_equal(lines[label].get_ydata(), numbers["value"].sel(split=split, line=name)[0])
        words = [label.get_text() for label in axes.get_xticklabels()]
        assert words == [
            f"{size}\n({count:.0f})" for size, count in zip(SIZES, numbers["distinct"].values[0], strict=True)
        ]


def test_what_is_missing_is_drawn_and_said(numbers):
    odd = numbers.copy(deep=True)
    for name in ("value", "low", "high"):
        odd[name].loc[{"line": "members"}] = np.inf if name != "low" else np.nan
        odd[name].loc[{"line": "ridge"}] = np.nan
    for width in saving.WIDTHS:
        saving.draw(generalisation, odd, width).draw_without_rendering()
    if int(numbers["count"].sel(split="unseen", size=400).max()) < 3:
        assert "Fewer seeds have unseen positions" in numbers.attrs["caption"]


def test_a_run_of_one_size_is_refused_with_a_command(tiny_run):
    with pytest.raises(Unfilled, match=r"varies data\.train_size.*--vary data\.train_size 20"):
        generalisation.numbers(tiny_run("single"))
