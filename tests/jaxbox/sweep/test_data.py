"""Laws, splits and labels through a whole run: what is stored, what is resumed, what an older run is taken for."""

import dataclasses
import hashlib
import json

import numpy as np
import pytest
import xarray
from old_runs import forget_marks

from jaxbox import store, sweep
from jaxbox import task as tasks
from jaxbox.config import Configuration, Data, Model, Optimizer, RunError, Task, replace
from jaxbox.store import archive
from jaxbox.sweep import chunk

TASK = Task(height=9, width=8, box_size=3)
DATA = Data(train_size=60, law="beta", concentration=2.0, split="held_out", held_out=0.3)
ONE = Configuration(
    TASK, Model("linear"), optimizer=Optimizer("sgd", 0.1), data=DATA, batch_size=10, steps=12, eval_every=4
)
TWO = replace(ONE, {"data.concentration": 0.7, "data.held_out": 0.6})


def trained(configurations, folder, name="run"):
    return sweep.run(configurations, 3, name=name, out=folder, quiet=True)


def test_measures_are_under_the_law_that_is_stored(tmp_path):
    run = trained([ONE, TWO], tmp_path)
    targets = tasks.targets(TASK, tasks.positions(TASK))
    for index, own in enumerate((ONE, TWO)):
        law = tasks.probability(TASK, own.data)
        np.testing.assert_allclose(run["probability"][index], law, rtol=1e-6)
        errors = (run["prediction"].values[index].astype(float) - targets) ** 2
        variance = law @ (targets - law @ targets) ** 2
        mse, seen = law @ errors, run["seen"].values[index]
        last = run.isel(configuration=index, step=-1)
        np.testing.assert_allclose(last["mse"].sel(split="all"), mse, rtol=1e-5)
        np.testing.assert_allclose(last["mse_uniform"], errors.mean(1), rtol=1e-5)
        np.testing.assert_allclose(last["r2"], 1 - mse / variance, atol=1e-5)
        unseen = [np.average(e[~s], axis=0, weights=law[~s]) for e, s in zip(errors, seen, strict=True)]
        np.testing.assert_allclose(last["mse"].sel(split="unseen"), unseen, rtol=1e-5)
        expected = 1 - mse.sum(-1) / variance.sum()
        np.testing.assert_allclose(store.final_r2(run)[index], expected, atol=1e-5)
        assert (seen.sum(1) <= len(targets) - round(own.data.held_out * len(targets))).all()


@pytest.mark.parametrize("size", [0, pytest.param(60, marks=pytest.mark.slow)])
def test_a_run_that_was_cut_off_goes_on_with_the_same_positions(size, tmp_path, monkeypatch):
    own = replace(ONE, {"data.train_size": size, "data.labels": "shuffled"})
    whole = trained([own], tmp_path, "whole")
    advance, asked = chunk.Chunk.advance, []

    def stop_after_one(self, step):
        if step == 4:
            asked.append(step)
            stop.requested = True
        return advance(self, step)

    class Stop:
        requested = False

    stop = Stop()
    with monkeypatch.context() as patch:
        patch.setattr(chunk.Chunk, "advance", stop_after_one)
        inner = chunk.Chunk.train
        patch.setattr(chunk.Chunk, "train", lambda self, _, *rest: inner(self, stop, *rest))
        half = trained([own], tmp_path, "half")
    assert asked
    assert int(half["last_step"].max()) == 4
    resumed = sweep.run(resume=tmp_path / "half", quiet=True)
    assert int(resumed["last_step"].min()) == 12
    drop = {"run"}
    for one in (whole, resumed):
        one.attrs = {name: value for name, value in one.attrs.items() if name not in drop}
    xarray.testing.assert_identical(whole.drop_vars("seconds").load(), resumed.drop_vars("seconds").load())


def test_members_that_share_batches_under_different_laws_are_as_alone(tmp_path):
    """One program, but no batch in common: each law draws its own with the keys of seed 0."""
    shared = [replace(each, {"data.shared_batches": True}) for each in (ONE, TWO)]
    together = trained(shared, tmp_path)
    for index, own in enumerate(shared):
        alone = trained([own], tmp_path, f"alone{index}")
        np.testing.assert_allclose(together["prediction"][index], alone["prediction"][0], rtol=0, atol=1e-6)
        seen = together["seen"].values[index]
        assert (seen == seen[0]).all(), "every seed has the training set of seed 0"


@pytest.mark.parametrize("labels", ["shuffled", pytest.param("flipped", marks=pytest.mark.slow)])
def test_wrong_labels_are_judged_by_the_truth(labels, tmp_path):
    """A linear model on 2,000 examples predicts the mean of what they are taught: of x the middle, where R2 is 0."""
    data = Data(train_size=2000, labels=labels)
    own = dataclasses.replace(ONE, data=data, batch_size=1000, steps=300, eval_every=300)
    r2 = trained([own], tmp_path)["r2"].isel(configuration=0, step=-1).median("seed")
    # 29 weights of 2,000 examples leave about 29 / 2000 of the variance by chance.
    assert abs(float(r2.sel(axis="x"))) < 0.1
    assert float(r2.sel(axis="y")) > 0.5 if labels == "flipped" else abs(float(r2.sel(axis="y"))) < 0.1


def test_a_run_of_an_earlier_version_opens_with_its_fields_where_they_are_now(tmp_path):
    plain = [dataclasses.replace(ONE, data=Data(train_size=size)) for size in (20, 60)]
    run, path = trained(plain, tmp_path), tmp_path / "run"
    r2 = store.final_r2(run)
    old = run.load().drop_vars(["probability", "mse_uniform"]).rename({"data.train_size": "task.train_size"})
    archive.save_results(path, [old])
    forget_marks(path)
    content = json.loads((path / store.CONFIGURATION).read_text())
    for values in content["configurations"]:
        data = values.pop("data")
        values["task"]["train_size"], values["shared_batches"] = data["train_size"], data["shared_batches"]
    text = json.dumps({name: content[name] for name in ("configurations", "seeds")}, sort_keys=True)
    content |= {"fingerprint": hashlib.sha256(text.encode()).hexdigest(), "format": 2}
    (path / store.CONFIGURATION).write_text(json.dumps(content))
    found = store.open_run(path)
    assert found["data.train_size"].values.tolist() == [20, 60]
    assert store.load_plan(path).configurations == tuple(plain)
    np.testing.assert_allclose(store.final_r2(found), r2, rtol=1e-6)
    assert store.member_table(path)["data.train_size"].tolist() == [20] * 3 + [60] * 3
    assert store.load_member(path, 1, 2).step == 12
    with pytest.raises(RunError, match="cannot read"):
        sweep.run(resume=path, quiet=True)
