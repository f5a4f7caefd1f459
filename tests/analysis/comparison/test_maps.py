"""Maps of members against finite differences, their own parameters and dense least squares."""

import dataclasses

import jax
import numpy as np
import pytest
from sklearn.linear_model import LinearRegression

from analysis import linear
from analysis.comparison import known, maps
from jaxbox import store, sweep
from jaxbox import task as tasks
from jaxbox.config import Configuration, Data, Model, Optimizer, RunError, Task
from jaxbox.training.member import merge

TASK = Task(height=7, width=6, box_size=2, inputs="inverted")
NOISY = dataclasses.replace(TASK, noise="white", noise_level=0.4)
SGD = Optimizer("sgd", 0.01)
BASE = Configuration(
    TASK, Model("linear"), optimizer=SGD, data=Data(train_size=30), batch_size=8, steps=20, eval_every=20
)
MLP = dataclasses.replace(BASE, model=Model("mlp", hidden=(5,), activation="sigmoid"))
RELU = dataclasses.replace(BASE, model=Model("cnn", features=(3, 2), kernel_size=3), task=NOISY)
COLOURED = dataclasses.replace(BASE, task=dataclasses.replace(NOISY, channels=3))
CONFIGURATIONS = [BASE, MLP, RELU, dataclasses.replace(BASE, task=NOISY), COLOURED]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    path = tmp_path_factory.mktemp("runs")
    sweep.run(CONFIGURATIONS, 2, name="maps", out=path, quiet=True)
    return path / "maps"


def kernel(folder, configuration, channels=1):
    """A linear member's own weights as (axis, H, W), summed over channels."""
    bias, found = jax.tree.leaves(store.load_params(folder, configuration, 1))
    assert bias.shape == (2,)
    return np.asarray(found, float).reshape(2, 7, 6, channels).sum(-1)


@pytest.mark.parametrize(("configuration", "channels"), [(0, 1), (3, 1), (4, 3)])
def test_a_linear_members_map_is_its_own_weights(folder, configuration, channels):
    found = maps.weights(folder, configuration, 1)
    own = kernel(folder, configuration, channels)
    for name in ("learned", "jacobian"):
        np.testing.assert_allclose(found["picture"].sel(map=name), own, rtol=0, atol=1e-6)


def test_under_noise_the_best_linear_approximation_of_a_linear_member_is_itself(folder):
    found = maps.weights(folder, 3, 1)["picture"].sel(map="best_linear")
    # Least squares on outputs that are rounded to float32, and the inverse of a covariance above .16.
    np.testing.assert_allclose(found, kernel(folder, 3), rtol=0, atol=1e-5)


@pytest.mark.parametrize("configuration", [0, 1])
def test_without_noise_it_is_the_least_norm_fit_of_the_stored_predictions(folder, configuration):
    images = np.asarray(tasks.inputs(TASK, tasks.render(TASK, tasks.positions(TASK))), float)
    outputs = store.open_run(folder)["prediction"].values[configuration, 1].astype(float)
    dense = LinearRegression().fit(images.reshape(len(images), -1), outputs).coef_.reshape(2, 7, 6)
    found = maps.weights(folder, configuration, 1)["picture"].sel(map="best_linear").values
    # Predictions in float32, differing by rounding between two programs, through a Gram matrix of condition under 1e3.
    np.testing.assert_allclose(found, dense, rtol=0, atol=1e3 * 2.0**-23 * np.abs(outputs).max())


@pytest.mark.parametrize("configuration", [1, 2])
def test_the_jacobian_is_the_mean_slope_by_finite_differences(folder, configuration):
    task = CONFIGURATIONS[configuration].task
    member = store.load_member(folder, configuration, 1)
    network = jax.jit(lambda weights, inputs: merge(member.configuration, weights)(inputs))
    images = known.evaluation_inputs(task, np.arange(tasks.position_count(task))).astype(np.float32)
    found = maps.weights(folder, configuration, 1)["picture"].sel(map="jacobian").values
    # A ReLU network is straight between its kinks: small steps in float32 are noisy, larger ones cross few of them.
    step, tolerance = 2.0**-7, 0.02 * np.abs(found).max()
    for row, column in ((0, 0), (3, 2), (6, 5), (2, 4)):
        shift = np.zeros((7, 6, 1), np.float32)
        shift[row, column] = step
        up, down = (np.asarray(network(member.weights, images + sign * shift), float) for sign in (1, -1))
        slope = (up - down).mean(0) / (2 * step)
        np.testing.assert_allclose(found[:, row, column], slope, rtol=0, atol=tolerance)


def test_exact_maps_and_likeness(folder):
    found = maps.weights(folder, 1, 0)
    for name, predictor in known.LINEAR_PREDICTORS.items():
        expected = np.moveaxis(predictor(TASK).weights, -1, 0)
        np.testing.assert_array_equal(found["picture"].sel(map=name), expected)
    assert found["picture"].sel(map="learned").isnull().all()
    assert found["cosine"].sel(map="ramp", reference="ramp").values == pytest.approx([1, 1])
    assert (found["distance"].sel(map="lmmse", reference="lmmse") == 0).all()
    for axis in ("x", "y"):
        a = found["picture"].sel(map="jacobian", axis=axis).values.ravel()
        b = linear.minimum_norm(TASK).weights[..., "xy".index(axis)].ravel()
        chosen = {"map": "jacobian", "reference": "minimum_norm", "axis": axis}
        assert found["cosine"].sel(chosen).item() == pytest.approx(a @ b / np.sqrt((a @ a) * (b @ b)))
        distance = np.sqrt(np.sum((a - b) ** 2) / (b @ b))
        assert found["distance"].sel(chosen).item() == pytest.approx(distance)


def test_a_run_is_its_path_or_what_open_run_returned(folder):
    by_path, opened = maps.weights(folder, 0, 1), maps.weights(store.open_run(folder), 0, 1)
    assert by_path.identical(opened)
    with pytest.raises(RunError, match="does not know its folder; give the run's path"):
        maps.weights(store.open_run(folder).copy().drop_encoding(), 0, 1)


def test_a_member_that_is_not_there_is_refused(folder):
    with pytest.raises(RunError, match="seed"):
        maps.weights(folder, 0, 9)
