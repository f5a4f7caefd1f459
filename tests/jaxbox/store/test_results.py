"""A run's Dataset: dimensions, labels, units, and every measure recomputed from the stored predictions."""

import dataclasses

import jax
import numpy as np
import pytest
from sklearn.metrics import mean_squared_error, r2_score

from jaxbox import store, sweep
from jaxbox import task as tasks
from jaxbox.config import Configuration, Data, Model, Optimizer, Plan, Task
from jaxbox.store import results
from jaxbox.training import member
from jaxbox.training.member import Weights

SMALL, LARGE = Task(height=5, width=6, box_size=2), Task(height=6, width=6, box_size=2)
BASE = Configuration(
    SMALL,
    Model("linear"),
    optimizer=Optimizer("sgd", 0.1),
    data=Data(train_size=12),
    batch_size=4,
    steps=4,
    eval_every=2,
)
# They differ in floats, in the number of positions, of ReLU layers and of steps.
CONFIGURATIONS = [
    BASE,
    dataclasses.replace(BASE, optimizer=Optimizer("sgd", 0.01)),
    dataclasses.replace(
        BASE, task=LARGE, model=Model("cnn", features=(3, 2), kernel_size=2), optimizer=Optimizer("adam"), steps=7
    ),
]
SEEDS = 3


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    path = tmp_path_factory.mktemp("runs")
    sweep.run(CONFIGURATIONS, SEEDS, name="run", out=path, members_per_chunk=4, quiet=True)
    return path / "run"


@pytest.fixture
def run(folder):
    return store.open_run(folder)


def test_dimensions_and_labels(run):
    assert dict(run.sizes) == {
        **{"configuration": 3, "seed": 3, "step": 5, "axis": 2, "split": 3, "layer": 2, "position": 25}
    }
    assert run["step"].values.tolist() == [0, 2, 4, 6, 7]
    assert run["axis"].values.tolist() == ["x", "y"]
    assert run["split"].values.tolist() == ["all", "seen", "unseen"]
    assert run["seed"].values.tolist() == [0, 1, 2]
    member = ("configuration", "seed")
    dims = {
        **{"loss": ("step",), "gradient_norm": ("step",), "mse": ("step", "split", "axis"), "r2": ("step", "axis")},
        **dict.fromkeys(("variance_ratio", "correlation", "bias"), ("step", "axis")),
        **{"dead_fraction": ("step", "layer"), "finite": (), "prediction": ("position", "axis"), "seen": ("position",)},
    }
    assert {name: run[name].dims for name in dims} == {name: member + rest for name, rest in dims.items()}
    assert run["target"].dims == ("configuration", "position", "axis")


def test_every_varied_field_is_a_coordinate_and_no_other(run):
    fields = {name for name in run.coords if run[name].dims == ("configuration",)} - {"configuration"}
    assert fields == {
        *("task.height", "model.name", "model.features", "model.kernel_size"),
        *("optimizer.name", "optimizer.learning_rate", "steps"),
    }
    assert run["optimizer.learning_rate"].values.tolist() == [0.1, 0.01, 0.01]
    assert run["model.name"].values.tolist() == ["linear", "linear", "cnn"]
    assert run["steps"].values.tolist() == [4, 4, 7]


def test_every_variable_has_units_and_a_description(run):
    for name, variable in run.data_vars.items():
        assert variable.attrs["units"], name
        assert variable.attrs["description"], name
        assert "\n" not in variable.attrs["description"]
    for name in run.dims:
        assert run[name].attrs["description"], name


def test_nothing_is_missing_and_nothing_is_made_up(run):
    own = [[0, 2, 4], [0, 2, 4], [0, 2, 4, 6, 7]]
    for index, steps in enumerate(own):
        mse = run["mse"].isel(configuration=index).sel(split="all")
        assert mse.sel(step=steps).notnull().all()
        assert mse.drop_sel(step=steps).isnull().all()
        loss = run["loss"].isel(configuration=index)
        assert loss.sel(step=steps[1:]).notnull().all()
        assert loss.sel(step=0).isnull().all(), "no step was made before the first evaluation"
        assert (run["last_step"].isel(configuration=index) == steps[-1]).all()
    assert run["dead_fraction"].isel(configuration=slice(2)).isnull().all(), "the linear model has no ReLU"
    assert run["dead_fraction"].isel(configuration=2).notnull().all()
    prediction = run["prediction"].notnull().all(("seed", "axis"))
    assert prediction.sum("position").values.tolist() == [20, 20, 25]
    assert run["finite"].all()
    assert (run["failed_step"] == -1).all()


def test_positions_and_targets_are_the_tasks(run):
    for index, configuration in enumerate(CONFIGURATIONS):
        positions = tasks.positions(configuration.task)
        one = run.isel(configuration=index, position=slice(len(positions)))
        np.testing.assert_array_equal(np.stack([one["column"], one["row"]], axis=1), positions)
        np.testing.assert_allclose(one["target"], tasks.targets(configuration.task, positions), atol=1e-7)
        assert (run["row"].isel(configuration=index, position=slice(len(positions), None)) == -1).all()


def test_final_measures_follow_from_the_stored_predictions(run):
    for index, configuration in enumerate(CONFIGURATIONS):
        for seed in range(SEEDS):
            one = run.isel(configuration=index, seed=seed).isel(
                position=slice(tasks.position_count(configuration.task))
            )
            last = one.sel(step=configuration.steps)
            prediction, target = one["prediction"].values.astype(float), one["target"].values.astype(float)
            seen = one["seen"].values
            # Means of at most 25 float32 numbers: 25 u is 1.5e-6.
            close = {"rtol": 2e-5, "atol": 1e-5}
            for split, chosen in {"all": seen | True, "seen": seen, "unseen": ~seen}.items():
                expected = mean_squared_error(target[chosen], prediction[chosen], multioutput="raw_values")
                np.testing.assert_allclose(last["mse"].sel(split=split), expected, **close)
            np.testing.assert_allclose(last["r2"], r2_score(target, prediction, multioutput="raw_values"), **close)
            np.testing.assert_allclose(last["bias"], (prediction - target).mean(axis=0), **close)
            np.testing.assert_allclose(last["variance_ratio"], prediction.var(0) / target.var(0), **close)
            correlation = [np.corrcoef(prediction[:, axis], target[:, axis])[0, 1] for axis in (0, 1)]
            np.testing.assert_allclose(last["correlation"], correlation, rtol=1e-3, atol=1e-3)
            assert 0 < seen.sum() <= configuration.data.train_size


def test_seeds_pair_across_configurations_of_one_size(run):
    np.testing.assert_array_equal(run["seen"][0], run["seen"][1])
    assert (run["seen"][0, 0] != run["seen"][0, 1]).any()
    # Before the first step: the same weights, hence the same errors.
    np.testing.assert_array_equal(run["mse"].sel(step=0)[0], run["mse"].sel(step=0)[1])
    assert (run["mse"].sel(step=4, split="all")[0] != run["mse"].sel(step=4, split="all")[1]).all()


def test_parameters_come_back_and_predict_what_was_stored(folder, run):
    for index, configuration in enumerate(CONFIGURATIONS):
        positions = tasks.positions(configuration.task)
        images = tasks.inputs(configuration.task, tasks.render(configuration.task, positions)).astype(np.float32)
        for seed in (0, SEEDS - 1):
            params = store.load_params(folder, index, seed)
            stored = run["prediction"][index, seed, : len(positions)]
            assert all(isinstance(leaf, np.ndarray) for leaf in params["head"].values())
            np.testing.assert_allclose(applied(configuration, params, images), stored, rtol=1e-5, atol=1e-5)


def applied(configuration, params, images):
    network = member.merge(configuration, Weights(jax.tree.map(jax.numpy.asarray, params), {}))
    return network(jax.numpy.asarray(images))  # type: ignore[operator]


def test_a_member_that_has_not_begun_is_empty():
    plan = Plan.of((BASE, dataclasses.replace(BASE, batch_size=2, data=Data(train_size=12, shared_batches=True))), 2)
    run = results.dataset(plan, {}, {})
    assert run["replicates"].values.tolist() == [True, False]
    assert run["last_step"].values.tolist() == [[-1, -1], [-1, -1]]
    assert not run["finite"].any()
    assert run["prediction"].isnull().all()
    assert run["mse"].isnull().all()
    assert run["seconds"].isnull().all()
    assert run["target"].notnull().all()
