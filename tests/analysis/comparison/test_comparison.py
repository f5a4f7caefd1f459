"""A run beside its closed forms: every variable against its definition on the run's own arrays, and odd runs."""

import dataclasses
import json

import jax.numpy as jnp
import numpy as np
import pytest
import xarray
from flax import nnx
from jax import lax
from scipy.stats import entropy

from analysis import bayes, closed_forms, comparison, moments
from analysis.collapse import KINDS, diagnose
from analysis.comparison import estimates, known
from analysis.information import discrete_information, rate_distortion
from jaxbox import store, sweep
from jaxbox import task as tasks
from jaxbox.config import Configuration, Data, Model, Optimizer, RunError, Task

TASK = Task(height=8, width=7, box_size=3)
NOISY = Task(height=14, width=13, box_size=3, noise="white", noise_level=0.5)
SGD, ADAM = Optimizer("sgd", 0.2), Optimizer("adam", 0.01)
BASE = Configuration(
    TASK, Model("linear"), optimizer=SGD, data=Data(train_size=40), batch_size=8, steps=60, eval_every=30
)
WILD = dataclasses.replace(BASE, optimizer=Optimizer("sgd", 1e6))
DEAD = dataclasses.replace(BASE, model=Model("cnn", features=(2, 2), kernel_size=3), optimizer=Optimizer("adam", 3.0))
MLP = dataclasses.replace(
    BASE, model=Model("mlp", hidden=(6,)), optimizer=ADAM, task=NOISY, data=Data(train_size=200), steps=40
)
TRAINED = dataclasses.replace(BASE, optimizer=Optimizer("adam", 0.003), task=NOISY, data=Data(train_size=200))
CONFIGURATIONS = [BASE, WILD, DEAD, MLP, TRAINED]
SEEDS = 4


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    path = tmp_path_factory.mktemp("runs")
    sweep.run(CONFIGURATIONS, SEEDS, name="compared", out=path, quiet=True)
    return path / "compared"


@pytest.fixture(scope="module")
def run(folder):
    return store.open_run(folder).load()


@pytest.fixture(scope="module")
def compared(folder):
    return comparison.compare(folder)


def arrays(run, configuration, axis):
    """Predictions (seed, N) and targets (N,) in float64, of the positions that there are."""
    count = tasks.position_count(CONFIGURATIONS[configuration].task)
    predictions = run["prediction"].values[configuration, :, :count, axis].astype(float)
    return predictions, run["target"].values[configuration, :count, axis].astype(float)


def test_every_variable_is_there_with_its_dimensions_and_units(compared):
    assert set(compared.data_vars) == set(comparison.VARIABLES)
    for name, variable in comparison.VARIABLES.items():
        assert compared[name].dims == variable.dims
        assert compared[name].attrs == {"units": variable.units, "description": variable.description}
    assert compared["model.name"].values.tolist() == ["linear", "linear", "cnn", "mlp", "linear"]
    assert set(comparison.FATES) == set(KINDS)


@pytest.mark.parametrize("axis", [0, 1])
@pytest.mark.parametrize("configuration", [0, 2, 3, 4])
def test_errors_are_those_of_the_stored_predictions(run, compared, configuration, axis):
    predictions, targets = arrays(run, configuration, axis)
    found = compared.isel(configuration=configuration, axis=axis)
    mse = ((predictions - targets) ** 2).mean(1)
    np.testing.assert_allclose(found["mse"], mse, rtol=1e-6)
    np.testing.assert_allclose(found["r2"], 1 - mse / targets.var(), rtol=0, atol=1e-5)
    # The run's own measure, in float32 on the device.
    stored = store.measures.at_end(run, "r2").values[configuration, :, axis]
    np.testing.assert_allclose(found["r2"], stored, rtol=1e-4, atol=1e-4)
    noisy = CONFIGURATIONS[configuration].task.noise != "none"
    error = ((predictions - targets) ** 2).std(1, ddof=1) / np.sqrt(len(targets)) if noisy else np.zeros(SEEDS)
    np.testing.assert_allclose(found["mse_error"], error, rtol=1e-6)


def test_exact_scores_are_the_closed_forms(compared):
    for index, configuration in enumerate(CONFIGURATIONS):
        task, found = configuration.task, compared.isel(configuration=index)
        for name, predictor in known.LINEAR_PREDICTORS.items():
            expected = moments.r_squared(task, predictor(task).mse)
            np.testing.assert_allclose(found[f"r2_{name}"], expected, rtol=0, atol=1e-12)
    assert (compared["r2_bayes"][:3] == 1).all()
    assert (compared["r2_bayes_error"][:3] == 0).all()
    assert (compared["r2_bayes_error"][3:] > 0).all()
    # Best of all, best linear, right without noise: in this order whatever the noise.
    assert (compared["r2_bayes"][3] > compared["r2_lmmse"][3]).all()
    assert (compared["r2_lmmse"][3] > compared["r2_minimum_norm"][3]).all()
    np.testing.assert_allclose(compared["entropy"][3], np.log([11, 12]))


class SoftArgmax(nnx.Module):
    """A box filter, a softmax and its expectation: a network whose weights are set, not learned."""

    def __init__(self, task, gain):
        self.kernel = nnx.Param(gain * jnp.ones((task.box_size, task.box_size, 1, 1)))
        self.places = jnp.asarray(known.lattice(task), jnp.float32)

    def __call__(self, images):
        heat = lax.conv_general_dilated(
            images, self.kernel[...], (1, 1), "VALID", dimension_numbers=("NHWC", "HWIO", "NHWC")
        )
        return nnx.softmax(heat.reshape(len(images), -1), axis=1) @ self.places


def test_a_soft_argmax_with_the_bayes_gain_lands_on_bayes(compared):
    network = SoftArgmax(NOISY, bayes.gain(NOISY))
    images = jnp.asarray(known.evaluation_inputs(NOISY, np.arange(132)), jnp.float32)
    said = np.asarray(network(images), float)
    # float32: a box sum of 9 pixels times a gain of 4, exponentiated.
    np.testing.assert_allclose(said, known.predictions(NOISY)[3], rtol=0, atol=1e-4)
    targets = known.lattice(NOISY)
    random = np.random.default_rng(0)
    errors = []
    for _ in range(30):
        clean = np.asarray(tasks.render(NOISY, tasks.positions(NOISY)), np.float32)
        noisy = clean + np.float32(0.5) * random.standard_normal(clean.shape, np.float32)
        errors.append((np.asarray(network(jnp.asarray(noisy)), float) - targets) ** 2)
    errors = np.concatenate(errors)
    r2, error = 1 - errors.mean(0) / targets.var(0), errors.std(0) / np.sqrt(len(errors)) / targets.var(0)
    exact, own = compared["r2_bayes"][3].values, compared["r2_bayes_error"][3].values
    assert np.all(np.abs(r2 - exact) < 4 * np.hypot(error, own))


@pytest.mark.parametrize("configuration", [0, 3])
def test_distances_are_mean_squared_differences_over_positions(run, compared, configuration):
    task = CONFIGURATIONS[configuration].task
    images = known.evaluation_inputs(task, np.arange(tasks.position_count(task)))
    expected = {name: predictor(task).predict(images) for name, predictor in known.LINEAR_PREDICTORS.items()}
    expected["bayes"] = bayes.posterior_mean(task, images)
    for axis in (0, 1):
        predictions, _ = arrays(run, configuration, axis)
        for name, exact in expected.items():
            found = compared["distance_to"].isel(configuration=configuration, axis=axis).sel(predictor=name)
            np.testing.assert_allclose(found, ((predictions - exact[:, axis]) ** 2).mean(1), rtol=1e-6, atol=1e-12)


def test_the_chain_holds_for_every_member_and_its_parts_are_those_of_the_formulas(run, compared):
    assert (compared["broken_link"] == "").all()
    for axis in (0, 1):
        predictions, targets = arrays(run, 0, axis)
        found = compared.isel(configuration=0, axis=axis)
        counts = [discrete_information(targets, row).joint for row in predictions]
        np.testing.assert_allclose(found["information"], counts, rtol=0, atol=1e-12)
        np.testing.assert_array_equal(found["information_exact"], found["information"])
        positions, spacing = (5, 6)[axis], 2 / (7, 8)[axis]
        np.testing.assert_allclose(
            found["rate_distortion"], rate_distortion(found["mse"].values, positions, spacing), rtol=0, atol=1e-9
        )
        rho = [np.corrcoef(row, targets)[0, 1] for row in predictions]
        np.testing.assert_allclose(found["gaussian"], -0.5 * np.log1p(-np.square(rho)), rtol=1e-5)
    noisy = compared.isel(configuration=[3, 4])
    assert noisy["information_exact"].isnull().all()
    assert (noisy["information_low"] <= np.maximum(noisy["information"], 0)).all()
    assert (noisy["information"] <= noisy["information_high"]).all()
    for upper, lower in (
        ("entropy", "information_input"),
        ("rate_distortion", "discrete_shannon"),
        ("discrete_shannon", "dithered"),
    ):
        assert (compared[upper] >= compared[lower] - 1e-5).all()


def test_a_linear_member_is_linear_and_a_share_is_one_without_noise(compared):
    healthy = compared["linear_share"].isel(configuration=0)
    assert (healthy == 1).all()
    trained = compared.isel(configuration=4)
    # Eight estimates of 1, four standard errors each.
    assert (abs(trained["linear_share"] - 1) < 4 * trained["linear_share_error"]).all()


def test_kinds_are_those_of_diagnose_and_a_fate_is_the_worse(run, compared):
    for configuration in (0, 2, 3, 4):
        for seed in range(SEEDS):
            for axis in (0, 1):
                predictions, targets = arrays(run, configuration, axis)
                seen = run["seen"].values[configuration, seed, : len(targets)]
                train = (targets[seen], predictions[seed][seen])
                best = float(compared["r2_bayes"][configuration, axis])
                (expected,) = diagnose(targets, predictions[seed], *train, bayes_r2=best)
                found = compared["kind"].values[configuration, seed, axis]
                if (
                    expected.kind != "memorised" != found
                ):  # judged on all against train here, on unseen against seen there
                    assert found == expected.kind
    order = {fate: place for place, fate in enumerate(comparison.FATES)}
    kinds = compared["kind"].values
    for member in np.ndindex(kinds.shape[:2]):
        assert compared["fate"].values[member] == min(kinds[member], key=order.__getitem__)
    assert (compared["fate"][1] == "diverged").all()
    assert (compared["fate"][2] == "dead").any()
    dead = (compared["kind"] == "dead").values
    assert (compared["constant_at"].values[dead] != "").all()
    assert (compared["information"].values[dead] == 0).all()


def test_what_diverged_has_the_place_of_what_diverged(compared):
    wild = compared.isel(configuration=1)
    assert (wild["mse"] > 1e6).all()
    assert (wild["r2"] < -1e6).all()
    assert (wild["kind"] == "diverged").all()
    assert (wild["rate_distortion"] == 0).all()


def test_it_is_remembered(folder, compared):
    calls = []
    first = comparison.compare(folder, lambda *done: calls.append(done))
    assert comparison.compare(folder) is first
    assert comparison.compare(str(folder)) is first
    assert comparison.compare(store.open_run(folder)) is first
    assert calls == []  # the fixture has asked before
    kept = json.loads((folder / estimates.CACHE).read_text())
    assert len(kept) == 1  # both noisy configurations are of one task


def test_progress_is_told(tmp_path):
    sweep.run([BASE, WILD], 1, name="one", out=tmp_path, quiet=True)
    calls = []
    found = comparison.compare(tmp_path / "one", lambda *done: calls.append(done))
    assert calls == [(1, 2), (2, 2)]
    assert found.sizes["seed"] == 1


def test_members_that_were_not_begun_are_not_there(tmp_path, monkeypatch):
    sweep.run([BASE], 2, name="half", out=tmp_path, quiet=True)
    run = store.open_run(tmp_path / "half").load()
    run["last_step"][0, 1] = -1
    run["prediction"][0, 1] = np.nan
    monkeypatch.setattr(comparison, "open_with_plan", lambda folder: (run, store.load_plan(folder)))
    found = comparison.compare(tmp_path / "half")
    missing, there = found.isel(seed=1), found.isel(seed=0)
    assert (missing["kind"] == "").all()
    assert missing["fate"] == ""
    assert (missing["broken_link"] == "").all()
    for name in ("mse", "r2", "information", "rate_distortion", "distance_to", "linear_share"):
        assert missing[name].isnull().all()
        assert there[name].notnull().all()


def test_an_axis_with_one_position_has_nothing_to_collapse(tmp_path):
    row = dataclasses.replace(BASE, task=Task(height=3, width=9, box_size=3), data=Data(train_size=20))
    sweep.run([row], 2, name="row", out=tmp_path, quiet=True)
    found = comparison.compare(tmp_path / "row").isel(configuration=0)
    assert (found["kind"].sel(axis="y") == "none").all()
    assert found["r2"].sel(axis="y").isnull().all()
    assert (found["entropy"].sel(axis="y"), found["information"].sel(axis="y").max()) == (0, 0)
    assert (found["broken_link"] == "").all()


def test_a_task_without_closed_forms_has_its_learned_numbers(tmp_path, monkeypatch):
    sweep.run([BASE], 2, name="unknown", out=tmp_path, quiet=True)
    monkeypatch.setitem(closed_forms.FORMS, "scene", {"box": ()})
    found = comparison.compare(tmp_path / "unknown")
    for name in ("r2_ramp", "r2_bayes", "information_input", "entropy", "rate_distortion", "linear_share"):
        assert found[name].isnull().all()
    assert found["r2"].notnull().all()
    assert (found["kind"] != "").all()
    assert (found["broken_link"] == "").all()


@pytest.mark.parametrize(("task", "law"), [(TASK, "corner"), (NOISY, "beta")], ids=["clean", "noisy"])
def test_under_another_law_all_is_weighted_by_it(task, law, tmp_path, monkeypatch):
    monkeypatch.setattr(estimates, "SAMPLES", 500)
    data = Data(train_size=200, law=law)
    own = dataclasses.replace(BASE, task=task, data=data, optimizer=Optimizer("adam", 0.003))
    run = sweep.run([own], 2, name="law", out=tmp_path, quiet=True)
    found = comparison.compare(tmp_path / "law").isel(configuration=0)
    last = {"step": -1, "split": 0}
    np.testing.assert_allclose(found["mse"], run["mse"].isel(configuration=0, **last), rtol=1e-5)
    np.testing.assert_allclose(found["r2"], run["r2"].isel(configuration=0, step=-1), rtol=0, atol=1e-5)
    assert (found["mse_error"] > 0).all() == (task is NOISY)
    assert (found["kind"] != "").all()
    assert (found["broken_link"] == "").all()
    weights = tasks.probability(task, data)
    grid = weights.reshape(tasks.position_shape(task))
    np.testing.assert_allclose(found["entropy"], [entropy(grid.sum(axis)) for axis in (0, 1)], rtol=1e-12)
    for axis in (0, 1):
        each = found.isel(axis=axis)
        bound = rate_distortion(each["mse"] / each_spacing(task, axis) ** 2, grid.shape[1 - axis], 1.0, grid.sum(axis))
        np.testing.assert_allclose(each["rate_distortion"], bound, atol=1e-9)
    for place, name in enumerate(known.PREDICTORS):
        exact = known.predictions(task, data)[place]
        said = run["prediction"].values[0, :, : len(weights)].astype(float)
        expected = np.tensordot((said - exact) ** 2, weights, axes=(1, 0))
        np.testing.assert_allclose(found["distance_to"].sel(predictor=name), expected, rtol=1e-6)
    assert all(found[name].isnull().all() == (law == "corner") for name in ("r2_ramp", "r2_minimum_norm"))
    # Under the law that has no linear closed form it is least squares on all positions, as many as independent images.
    assert (found["r2_lmmse_error"] == 0).all()
    assert law == "beta" or (found["r2_lmmse"] > 1 - 1e-9).all()
    if task is NOISY:
        # No linear predictor, learned or exact, does better than the LMMSE, and nothing does better than Bayes.
        assert (found["r2_lmmse"] > np.maximum(found["r2_ramp"], 0)).all()
        assert (found["r2_lmmse"] < found["r2_bayes"]).all()
        assert (found["information_input"] < found["entropy"]).all()
        assert found["information"].isnull().all()
    else:
        assert (found["r2_bayes"] == 1).all()
        assert (found["linear_share"] == 1).all()
        # Every place has a prediction of its own.
        np.testing.assert_allclose(found["information"], np.broadcast_to(found["entropy"], (2, 2)), rtol=1e-12)


def each_spacing(task, axis):
    return np.diff(np.unique(known.lattice(task)[:, axis])).min()


def test_refusals(tmp_path):
    with pytest.raises(RunError, match="is not a folder"):
        comparison.compare(tmp_path / "nothing")
    with pytest.raises(RunError, match="give the run's path"):
        comparison.compare(xarray.Dataset())
