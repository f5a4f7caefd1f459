"""The pandas tables against the run they are made from, and what pandas users do with them."""

import dataclasses

import numpy as np
import pandas
import pytest

from jaxbox import config, store, sweep
from jaxbox import task as tasks
from jaxbox.config import Configuration, ConfigurationError, Data, Loss, Model, Optimizer, Task

TASK = Task(height=5, width=6, box_size=2)
BASE = Configuration(
    TASK,
    Model("linear"),
    optimizer=Optimizer("sgd", 0.1),
    data=Data(train_size=12),
    batch_size=4,
    steps=4,
    eval_every=2,
)
CNN = dataclasses.replace(BASE, model=Model("cnn", features=(3, 2), kernel_size=2), steps=5)
CONFIGURATIONS = [BASE, dataclasses.replace(BASE, optimizer=Optimizer("sgd", 0.01)), CNN]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    path = tmp_path_factory.mktemp("runs")
    sweep.run(CONFIGURATIONS, 3, name="mine", out=path, quiet=True, experiment="tiny")
    return path / "mine"


def test_members_have_a_row_each_with_every_field(folder):
    table, run = store.member_table(folder), store.open_run(folder)
    assert len(table) == 9
    assert table[["configuration", "seed"]].values.tolist() == [[c, s] for c in range(3) for s in range(3)]
    for _, row in table.iterrows():
        expected = dict(config.flatten(CONFIGURATIONS[row["configuration"]]))
        assert {path: row[path] for path in expected} == {
            path: str(value) if isinstance(value, tuple) else value for path, value in expected.items()
        }
        member = run.isel(configuration=row["configuration"], seed=row["seed"])
        last = member.sel(step=int(member["last_step"]))
        assert row["mse_unseen_y"] == last["mse"].sel(split="unseen", axis="y").item()
        assert row["last_step"] == expected["steps"]
        prediction, target = (member[name].values[:20].astype(float) for name in ("prediction", "target"))
        r2 = 1 - ((prediction - target) ** 2).mean(axis=0).sum() / target.var(axis=0).sum()
        assert row["r2_all"] == pytest.approx(r2, abs=2e-5)
        assert row["collapsed"] == (r2 < store.COLLAPSED_R2)


def test_groups_of_pandas_are_configurations(folder):
    table = store.member_table(folder)
    means = table.groupby(["model.name", "model.features", "optimizer.learning_rate"])["loss"].mean()
    assert len(means) == 3
    assert table.attrs == {"run": "mine", "experiment": "tiny", "version": store.open_run(folder).attrs["version"]}


def test_curves_have_a_row_a_member_and_evaluation(folder):
    table, run = store.curve_table(folder, "mse"), store.open_run(folder)
    assert len(table) == 3 * (3 + 3 + 4)
    assert set(table) == {
        *("configuration", "seed", "step", "model.name", "model.features", "model.kernel_size"),
        *("optimizer.learning_rate", "steps"),
        *(f"mse_{split}_{axis}" for split in ("all", "seen", "unseen") for axis in "xy"),
    }
    row = table[(table["configuration"] == 2) & (table["seed"] == 1) & (table["step"] == 5)]
    assert row["mse_seen_x"].item() == run["mse"].sel(split="seen", axis="x", step=5)[2, 1].item()
    losses = store.curve_table(folder, "loss")
    assert losses["loss"].isna().sum() == 9, "before the first step there is none"
    with pytest.raises(ConfigurationError, match=r"name: unknown name 'mze'.*did you mean mse"):
        store.curve_table(folder, "mze")


def test_two_runs_can_be_joined(folder, tmp_path):
    sweep.run([BASE], 2, name="yours", out=tmp_path, quiet=True)
    tables = [store.member_table(path) for path in (folder, tmp_path / "yours")]
    joined = pandas.concat([table.assign(run=table.attrs["run"]) for table in tables])
    assert joined.groupby("run").size().to_dict() == {"mine": 9, "yours": 2}
    same = joined[(joined["configuration"] == 0) & (joined["seed"] == 1)]
    assert same["loss"].nunique() == 1, "the same member of both"


def test_a_member_predicts_on_pixels_between_0_and_1(tmp_path):
    scaled = dataclasses.replace(BASE, task=dataclasses.replace(TASK, inputs="byte"), optimizer=Optimizer("sgd", 1e-5))
    run = sweep.run([BASE, scaled], 2, name="run", out=tmp_path, quiet=True, members_per_chunk=3)
    pixels = tasks.render(TASK, tasks.positions(TASK))
    for index in (0, 1):
        member = store.load_member(tmp_path / "run", index, 1)
        assert (member.seed, member.step, member.configuration) == (1, 4, [BASE, scaled][index])
        # Sums of 30 products, and windows add what images do not: 60 u of the largest number.
        expected = run["prediction"][index, 1].values
        np.testing.assert_allclose(
            member.predict(pixels), expected, rtol=0, atol=60 * 2.0**-24 * np.abs(expected).max()
        )
    with pytest.raises(ValueError, match=r"pixels has shape \(20, 4, 6, 1\); it must be \(n, 5, 6, 1\)"):
        member.predict(pixels[:, 1:])


def test_what_is_done_to_a_members_numbers_is_done_to_that_member_only(folder):
    store.load_params(folder, 0, 1)["head"]["kernel"][:] = 0
    assert (store.load_params(folder, 0, 1)["head"]["kernel"] != 0).all()


def test_members_of_a_group_share_one_program(folder):
    members = [store.load_member(folder, index, seed) for index in (0, 1) for seed in range(3)]
    pixels = tasks.render(TASK, tasks.positions(TASK))
    before = store.members._predict._cache_size()
    found = [member.predict(pixels) for member in members]
    assert store.members._predict._cache_size() <= before + 1
    assert len({values.tobytes() for values in found}) == 6


def test_a_chunk_is_read_once_for_members_in_order_and_again_when_it_has_changed(tmp_path, monkeypatch):
    reads = []
    load = store.members.load_checkpoint
    monkeypatch.setattr(store.members, "load_checkpoint", lambda *a: reads.append(a[0]) or load(*a))
    for name, seeds in (("run", 4), ("run", 4)):
        sweep.run([BASE], seeds, name=name, out=tmp_path, quiet=True, members_per_chunk=2, overwrite=True)
        for seed in range(seeds):
            store.load_member(tmp_path / name, 0, seed)
    assert len(reads) == 4, "two chunks, in each of two runs of one name"


@pytest.mark.parametrize(
    ("targets", "loss"),
    [
        pytest.param("pixels", "gaussian_nll", marks=pytest.mark.slow),
        *(("logit", "huber"), ("cell", "cross_entropy")),
    ],
)
def test_a_member_predicts_in_target_units_whatever_it_was_trained_on(targets, loss, tmp_path):
    own = Configuration(
        Task(height=6, width=7, box_size=2, targets=targets), Model("mlp", hidden=(4,)), Loss(loss),
        data=Data(train_size=20), batch_size=10, steps=30, eval_every=30,
    )  # fmt: skip
    results = sweep.run([own], 1, name="scale", out=tmp_path, quiet=True)
    expected = tasks.targets(own.task, tasks.positions(own.task))
    np.testing.assert_allclose(results["target"][0], expected, rtol=1e-6)
    predicted = store.load_member(tmp_path / "scale", 0, 0).predict(tasks.render(own.task, tasks.positions(own.task)))
    np.testing.assert_allclose(predicted, results["prediction"][0, 0], rtol=0, atol=1e-5)
    mse = results["mse"].isel(step=-1, configuration=0, seed=0).sel(split="all")
    np.testing.assert_allclose(mse, ((predicted - expected) ** 2).mean(0), rtol=1e-4)
