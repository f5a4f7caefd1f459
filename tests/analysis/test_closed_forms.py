"""What is known of the scenes beside the box: a pixel is a box of side 1; of the others the positions' entropy."""

import dataclasses

import jax
import numpy as np
import pytest

from analysis import approximation, bayes, closed_forms, dynamics, exact, linear
from analysis.comparison import compare, known
from jaxbox import sweep
from jaxbox import task as tasks
from jaxbox.config import Configuration, Data, Model, Task, tables

PIXEL = Task(5, 6, scene="pixel", noise="white", noise_level=0.3, margin_left=1, inputs="inverted")
SIDE_1 = dataclasses.replace(PIXEL, scene="box", box_size=1)


def noisy(task):
    clean = tasks.render(task, jax.numpy.asarray(tasks.positions(task)))
    return np.asarray(tasks.inputs(task, tasks.observe(task, clean, jax.random.key(0))), float)


FORMS = {
    "ramp": lambda task: linear.ramp(task).weights,
    "minimum norm": lambda task: linear.minimum_norm(task).weights,
    "LMMSE": lambda task: linear.lmmse(task).weights,
    "learning rate": dynamics.max_stable_learning_rate,
    "descent": lambda task: dynamics.steps_to_r2(dataclasses.replace(task, noise="none", noise_level=0.0), 0.01, 0.5),
    "posterior": lambda task: bayes.posterior(task, noisy(task)),
    "error and information": lambda task: np.stack(bayes.mmse_and_information(task, jax.random.key(1), 50)[0]),
    "threshold": bayes.threshold_level,
    "approximation": lambda task: approximation.weights(task, noisy(task), noisy(task)[:, 0, :2, 0]),
    "entropy": known.entropy,
}


@pytest.mark.parametrize("form", FORMS)
def test_a_pixel_is_a_box_of_side_1(form):
    assert PIXEL.box_size == 4, "its own default, which a pixel does not read"
    np.testing.assert_array_equal(FORMS[form](PIXEL), FORMS[form](SIDE_1))


def test_the_command_knows_a_pixel(capsys):
    assert exact.main(["--scene", "pixel", "--height", "5", "--width", "6"]) == 0
    assert "box 1" in capsys.readouterr().out


@pytest.mark.parametrize("scene", sorted(set(tables.SCENES) - {"box", "pixel"}))
def test_of_the_others_it_is_the_entropy_of_the_positions(scene):
    task = Task(12, 13, 3, scene=scene, channels=3 if scene == "red_box" else 1)
    assert [form for form in closed_forms.ALL if closed_forms.has(task, form)] == [closed_forms.ENTROPY]
    targets = tasks.targets(task, tasks.positions(task))
    counts = [np.unique(targets[:, axis], return_counts=True)[1] for axis in (0, 1)]
    assert all((count == count[0]).all() for count in counts), "some coordinate is more frequent"
    np.testing.assert_allclose(known.entropy(task), [np.log(len(count)) for count in counts])


@pytest.mark.slow
def test_a_run_without_closed_forms_is_compared_as_far_as_is_known(tmp_path):
    task = Task(12, 12, 3, scene="dots", inputs="image_standardized")
    own = Configuration(task, Model("linear"), data=Data(train_size=40), batch_size=20, steps=40, eval_every=40)
    sweep.run([own], 2, name="run", out=tmp_path, quiet=True)
    compared = compare(tmp_path / "run")
    for name in ("r2_ramp", "r2_bayes", "linear_share", "information_input"):
        assert np.isnan(compared[name]).all(), name
    assert np.isnan(compared["distance_to"]).all()
    assert (compared["r2_lmmse_error"] > 0).all()
    for name in ("r2", "r2_lmmse", "rate_distortion", "entropy", "information_high"):
        assert np.isfinite(compared[name]).all(), name
    # Two images of one position differ: what is told is estimated, not counted.
    assert np.isnan(compared["information_exact"]).all()
    assert (compared["broken_link"] == "").all()
