"""What is known of a task against the closed forms themselves, on the very images that members are evaluated on."""

import dataclasses
import hashlib
import json

import jax
import numpy as np
import pytest
from scipy.signal import correlate2d
from scipy.special import softmax

from analysis import bayes, closed_forms, linear, linear_estimate
from analysis.comparison import estimates, known
from jaxbox import store, sweep
from jaxbox import task as tasks
from jaxbox.config import Configuration, Data, Model, Optimizer, Task, outside

NOISY = Task(height=8, width=7, box_size=3, noise="white", noise_level=0.7, inputs="byte")
CLEAN = dataclasses.replace(NOISY, noise="none", noise_level=0.0)


@pytest.fixture
def few_samples(monkeypatch):
    monkeypatch.setattr(linear_estimate, "IMAGES_PER_INPUT", 4)
    monkeypatch.setattr(linear_estimate, "FEWEST_IMAGES", 200)
    monkeypatch.setattr(estimates, "SAMPLES", 200)


def test_exact_parts_are_the_closed_forms_and_estimates_have_their_error(few_samples):
    table = known.known(NOISY)
    for place, predictor in enumerate((linear.ramp, linear.minimum_norm, linear.lmmse)):
        np.testing.assert_array_equal(table.mse[place], predictor(NOISY).mse)
        assert (table.mse_error[place] == 0).all()
    again = bayes.mmse(NOISY, jax.random.key(1), 4_000)  # other images
    information = bayes.coordinate_information(NOISY, jax.random.key(2), 4_000)
    for found, error, other in (
        (table.mse[3], table.mse_error[3], again),
        (table.information, table.information_error, information),
    ):
        assert (error > 0).all()
        assert np.all(np.abs(found - other.value) < 4 * np.hypot(error, other.standard_error))
    np.testing.assert_allclose(table.entropy, np.log([5, 6]))


def test_without_noise_all_is_known_exactly():
    table = known.known(CLEAN)
    np.testing.assert_allclose(table.mse, 0, atol=1e-20)
    assert (table.mse_error == 0).all()
    np.testing.assert_array_equal(table.information, table.entropy)


def test_estimates_are_kept_beside_the_run(tmp_path, few_samples, monkeypatch):
    first = known.known(NOISY, tmp_path)
    monkeypatch.setattr(bayes, "mmse_and_information", lambda *_: pytest.fail("computed again"))
    same = known.known(NOISY, tmp_path, Data(train_size=7, split="held_out"))  # no property of an image
    for field in dataclasses.fields(known.Known):
        np.testing.assert_array_equal(getattr(first, field.name), getattr(same, field.name))
    monkeypatch.undo()
    monkeypatch.setattr(estimates, "SAMPLES", 200)
    other = known.known(dataclasses.replace(NOISY, noise_level=0.8), tmp_path)
    assert (other.mse[3] > first.mse[3]).all()
    for law in (
        Data(law="beta"),
        Data(law="beta", concentration=9.0),
        Data(law="corner"),
        Data(law="corner", split="quadrant"),
    ):
        known.known(NOISY, tmp_path, law)
    # What is best of all under each of them, and the best linear one under the law that is no product of axes.
    assert len(json.loads((tmp_path / estimates.CACHE).read_text())) == 5 + 1


@pytest.mark.parametrize("content", ["{", "[]", '{"a": [[1, 2]]}', '{"a": 1}', "\x00\x01"])
def test_a_file_that_is_not_what_was_written_is_computed_anew(tmp_path, few_samples, content):
    (tmp_path / estimates.CACHE).write_text(content)
    expected, found = known.known(NOISY), known.known(NOISY, tmp_path)
    np.testing.assert_array_equal(found.mse, expected.mse)
    assert len(json.loads((tmp_path / estimates.CACHE).read_text())) == 1


def test_a_folder_that_cannot_be_written_is_no_hindrance(tmp_path, few_samples):
    found = known.known(NOISY, tmp_path / "missing")
    assert np.isfinite(found.mse).all()
    assert not (tmp_path / "missing").exists()


def test_predictions_are_on_the_images_of_the_evaluation(tmp_path):
    configuration = Configuration(
        NOISY,
        Model("linear"),
        optimizer=Optimizer("sgd", 1e-6),
        data=Data(train_size=50),
        batch_size=4,
        steps=2,
        eval_every=1,
    )
    run = sweep.run([configuration], 2, name="noisy", out=tmp_path, quiet=True)
    images = known.evaluation_inputs(NOISY, np.arange(30))
    for seed in (0, 1):
        bias, kernel = jax.tree.leaves(store.load_params(tmp_path / "noisy", 0, seed))
        expected = images.reshape(30, -1) @ np.asarray(kernel, float).T + np.asarray(bias, float)
        stored = run["prediction"].values[0, seed]
        # 56 products of up to 255 and a weight, added in float32.
        np.testing.assert_allclose(stored, expected, rtol=0, atol=56 * 255 * 2.0**-24 * np.abs(kernel).max() * 8)
    found = known.predictions(NOISY)
    for place, predictor in enumerate((linear.ramp, linear.minimum_norm, linear.lmmse)):
        np.testing.assert_allclose(found[place], predictor(NOISY).predict(images), rtol=0, atol=1e-12)


def test_bayes_is_a_box_filter_a_softmax_and_an_expectation():
    images = known.evaluation_inputs(NOISY, np.arange(30))[..., 0] / 255
    sums = np.stack([correlate2d(image, np.ones((3, 3)), mode="valid") for image in images]).reshape(30, -1)
    expected = softmax(sums / 0.7**2, axis=1) @ known.lattice(NOISY)
    # Pixels are float32, and the gain is 255 / .49 / 255 of a sum of nine.
    np.testing.assert_allclose(known.predictions(NOISY)[3], expected, rtol=0, atol=1e-6)


def test_blocks_make_no_difference(monkeypatch):
    whole = known.predictions(NOISY)
    monkeypatch.setattr(known, "BLOCK_PIXELS", 7 * 8 * 7)
    np.testing.assert_allclose(known.predictions(NOISY), whole, rtol=0, atol=1e-12)


@pytest.fixture
def no_forms(monkeypatch):
    monkeypatch.setitem(closed_forms.FORMS, "scene", {"box": ()})


def test_a_task_without_closed_forms_is_unknown_and_says_so_with_nan(no_forms, few_samples):
    table = known.known(NOISY)
    for values in (np.delete(table.mse, known.LMMSE, 0), table.information, table.entropy, known.predictions(NOISY)):
        assert np.isnan(values).all()


@pytest.mark.parametrize("data", [Data(), Data(law="beta", concentration=8.0)], ids=["uniform", "beta"])
def test_without_a_closed_form_the_best_linear_predictor_is_estimated(data, request):
    exact = linear.lmmse(NOISY, data).mse
    request.getfixturevalue("no_forms")
    table = known.known(NOISY, data=data)
    found, error = table.mse[known.LMMSE], table.mse_error[known.LMMSE]
    assert (error > 0).all()
    assert (np.delete(table.mse_error, known.LMMSE, 0) == 0).all()
    # 20,000 images for 56 weights and an intercept: the fit adds as large a share of the error.
    assert linear_estimate.image_count(NOISY) == 20_000
    assert (np.abs(found - exact * (1 + 57 / 20_000)) < 4 * error).all()


def test_without_a_closed_form_and_without_noise_it_is_exact(few_samples, tmp_path, monkeypatch):
    task = Task(height=8, width=7, box_size=3, scene="overhanging_box", overhang=2)
    table = known.known(task, tmp_path, Data(law="corner"))
    np.testing.assert_array_equal(table.mse[known.LMMSE], linear_estimate.least_error(task, Data(law="corner")))
    assert (table.mse_error == 0).all()
    monkeypatch.setattr(linear_estimate, "least_error", lambda *_: pytest.fail("computed again"))
    np.testing.assert_array_equal(known.known(task, tmp_path, Data(law="corner")).mse, table.mse)
    # More positions than images: too many to solve for.
    monkeypatch.setattr(linear_estimate, "image_count", lambda _: 50)
    assert (known.known(task, tmp_path).mse_error[known.LMMSE] > 0).all()


def test_the_estimate_is_kept_beside_that_of_bayes(tmp_path, few_samples, monkeypatch):
    corner = Data(law="corner")
    first = known.known(NOISY, tmp_path, corner)
    monkeypatch.setattr(linear_estimate, "best_linear", lambda *_: pytest.fail("computed again"))
    monkeypatch.setattr(bayes, "mmse_and_information", lambda *_: pytest.fail("computed again"))
    again = known.known(NOISY, tmp_path, corner)
    np.testing.assert_array_equal(again.mse, first.mse)
    np.testing.assert_array_equal(again.mse_error, first.mse_error)
    assert (first.mse[known.LMMSE] > first.mse[known.BAYES]).all()


def test_what_was_kept_before_there_were_such_estimates_is_still_found(tmp_path, monkeypatch):
    # As it was written then: 20,000 images, and the law only if it is another than the uniform one.
    text = json.dumps({"task": dataclasses.asdict(NOISY), "samples": 20_000}, sort_keys=True)
    kept = {hashlib.sha256(text.encode()).hexdigest(): [[0.1, 0.2], [0.3, 0.4], [0.5, 0.6], [0.7, 0.8]]}
    (tmp_path / "known.json").write_text(json.dumps(kept))
    monkeypatch.setattr(bayes, "mmse_and_information", lambda *_: pytest.fail("computed again"))
    table = known.known(NOISY, tmp_path)
    assert table.mse[known.BAYES].tolist() == [0.1, 0.2]
    assert table.information_error.tolist() == [0.7, 0.8]


@pytest.mark.parametrize(
    "task",
    [
        Task(height=33, width=32, scene="dots"),
        Task(height=20, width=20, scene="red_box", channels=3),
        Task(noise="mine.py:Noise"),
        Task(scene="mine:Scene"),
    ],
)
def test_it_is_not_estimated_where_it_would_take_long_or_is_not_ours(task, monkeypatch):
    monkeypatch.setattr(linear_estimate, "best_linear", lambda *_: pytest.fail("computed"))
    monkeypatch.setattr(known, "entropy", lambda *_: np.zeros(2))
    with outside.reading():
        table = known.known(task)
    assert np.isnan(table.mse).all()
    assert (table.mse_error == 0).all()


def test_the_lattice_is_that_of_the_targets():
    np.testing.assert_array_equal(known.lattice(NOISY), tasks.targets(NOISY, tasks.positions(NOISY)))
    assert known.is_noisy(NOISY)
    assert not known.is_noisy(CLEAN)
    assert not known.is_noisy(dataclasses.replace(NOISY, noise_level=0.0))
