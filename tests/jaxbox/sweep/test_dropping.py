"""A run with --drop dead beside the same run without: less work, and the same numbers but for what is left out."""

import dataclasses
import os
import signal

import numpy as np
import pytest
import xarray
from hypothesis import given
from hypothesis import strategies as st
from tiny import TINY

from jaxbox import config, merge, store, sweep
from jaxbox.config import Configuration, ConfigurationError, Data, Model, Optimizer, RunError, Task
from jaxbox.store import chunks
from jaxbox.sweep import dealing
from jaxbox.sweep.__main__ import main
from jaxbox.sweep.dropping import DroppingChunk
from jaxbox.training.population import Population

SMALL = Configuration(
    Task(8, 8, 3),
    Model("mlp", hidden=(16, 16)),
    data=Data(train_size=200),
    batch_size=32,
    steps=320,
    eval_every=20,
)
RATES = [config.replace(SMALL, {"optimizer.learning_rate": rate}) for rate in (0.003, 0.3)]
SHARED = [config.replace(each, {"data.shared_batches": True}) for each in RATES]
SEEDS = 8
DIVERGING = dataclasses.replace(TINY, optimizer=Optimizer("sgd", 1e12), steps=8)


def run(folder, name, configurations=RATES, seeds=SEEDS, **options):
    sweep.run(configurations, seeds, out=folder, name=name, quiet=True, **options)
    return folder / name


def results(path):
    return store.open_run(path).load().drop_vars("seconds").drop_attrs(deep=False)


@pytest.fixture(scope="module")
def plain(tmp_path_factory):
    return run(tmp_path_factory.mktemp("plain"), "run")


@pytest.fixture(scope="module")
def dropping(tmp_path_factory):
    return run(tmp_path_factory.mktemp("dropping"), "run", drop="dead")


def test_whoever_goes_on_has_every_bit_of_a_run_without_and_the_others_up_to_their_drop(plain, dropping):
    ours, theirs = results(dropping), results(plain)
    dropped = ours["dropped_step"]
    live = dropped < 0
    assert live.sel(configuration=0).all()
    assert 4 <= int((~live).sum()) < live.size
    assert (ours["last_step"] == dropped.where(~live, SMALL.steps)).all()
    for name in theirs:
        known = xarray.ones_like(live) if "seed" in theirs[name].dims else xarray.DataArray(True)
        if "step" in theirs[name].dims:
            known = live | (theirs["step"] <= dropped)
            assert ours[name].where(~known).isnull().all()
        elif name in ("last_step", "prediction"):
            known = live
        xarray.testing.assert_equal(ours[name].where(known), theirs[name].where(known))


def test_what_is_reported_of_the_dropped_is_what_becomes_of_them(plain, dropping):
    ours, theirs = store.open_run(dropping).load(), store.open_run(plain).load()
    for measure in (store.collapsed, store.dead_layer):
        xarray.testing.assert_equal(measure(ours), measure(theirs))
    assert (ours["finite"] == theirs["finite"]).all()
    gone = store.dropped(ours)
    assert store.dead_layer(ours).where(gone, True).all()
    for run in (ours, theirs):
        assert float(store.final_r2(run).where(gone).max()) <= 1e-6
    assert not store.dropped(theirs).any()


def test_tables_have_the_step_and_no_row_after_it(dropping):
    members, curves = store.member_table(dropping), store.curve_table(dropping, "loss")
    gone = members[members["dropped_step"] >= 0]
    assert len(gone) >= 4
    last = curves.groupby(["configuration", "seed"])["step"].max()
    for row in gone.itertuples():
        assert last[row.configuration, row.seed] == row.dropped_step == row.last_step
    assert np.isfinite(gone["mse_all_x"]).all()


def test_a_member_that_is_loaded_is_the_one_that_was_dropped(dropping):
    found = store.open_run(dropping).load()
    for seed in np.flatnonzero(found["dropped_step"].sel(configuration=1) >= 0)[:2]:
        member = store.load_member(dropping, 1, int(seed))
        assert member.step == found["dropped_step"].sel(configuration=1, seed=seed)
        images = np.zeros((1, 8, 8, 1))
        images[0, :3, :3] = 1
        expected = found["prediction"].sel(configuration=1, seed=seed, position=0).values
        # One sum of 16 products a layer, of numbers up to 1.
        np.testing.assert_allclose(member.predict(images)[0], expected, atol=1e-5)


@pytest.mark.slow
@pytest.mark.parametrize("configurations", [RATES, SHARED], ids=["rounds of one", "shared batches"])
def test_a_run_that_is_stopped_again_and_again_is_the_run(tmp_path, configurations, monkeypatch):
    """With two devices members are dealt anew on the way, and a round of shared batches has several."""
    options = {"drop": "dead", "worker_devices": 2, "members_per_chunk": 16}
    whole = results(run(tmp_path, "whole", configurations, **options))
    drops = sorted(set(whole["dropped_step"].values.ravel()) - {-1})
    assert len(drops) >= 2
    stops = [20, drops[0] - 20, drops[0], drops[1]]
    advance = DroppingChunk.advance

    def stopped(self, step):
        measures = advance(self, step)
        if step in stops:
            os.kill(os.getpid(), signal.SIGUSR1)
        return measures

    monkeypatch.setattr(DroppingChunk, "advance", stopped)
    path = run(tmp_path, "stopped", configurations, **options)
    for step in stops[1:]:
        assert store.load_manifest(path)["status"] == "interrupted"
        sweep.run(resume=path, worker_devices=2, quiet=True)
        assert {each.step for each in chunks.walk(path, store.load_plan(path))} == {step}
    sweep.run(resume=path, worker_devices=2, quiet=True)
    assert store.load_manifest(path)["status"] == "complete"
    xarray.testing.assert_identical(results(path), whole)


def test_a_run_that_grows_is_the_longer_run_and_nobody_comes_back(tmp_path, dropping):
    shorter = [dataclasses.replace(each, steps=240) for each in RATES]
    path = run(tmp_path, "run", shorter, drop="dead")
    before = results(path)["dropped_step"]
    assert (before >= 0).any()
    found = sweep.run(resume=path, steps=SMALL.steps, quiet=True)["dropped_step"].load()
    assert (found.where(before >= 0) == before.where(before >= 0)).where(before >= 0, True).all()
    xarray.testing.assert_identical(results(path), results(dropping))


@pytest.mark.parametrize("worth", [pytest.param(0.0, marks=pytest.mark.slow), 2.0], ids=["never", "always"])
def test_dealing_members_anew_changes_no_number(tmp_path, worth, monkeypatch):
    dealt = []
    monkeypatch.setattr(dealing, "WORTH", worth)
    anew = dealing.dealt_anew
    monkeypatch.setattr(dealing, "dealt_anew", lambda *given: dealt.append(anew(*given)) or dealt[-1])
    options = {"drop": "dead", "worker_devices": 2, "members_per_chunk": 16}
    path = run(tmp_path, "run", **options)
    assert all(each is None for each in dealt) == (worth == 0)
    monkeypatch.undo()
    xarray.testing.assert_identical(results(path), results(run(tmp_path, "other", **options)))


def test_members_that_overflowed_are_dropped_and_a_chunk_without_others_ends_at_once(tmp_path, monkeypatch, capsys):
    trained = []
    advance = Population.advance

    def counted(self, state, data, seeds, floats, first, last, live=None):
        trained.append(last)
        return advance(self, state, data, seeds, floats, first, last, live=live)

    monkeypatch.setattr(Population, "advance", counted)
    path = run(tmp_path, "run", [DIVERGING], 3, drop="dead")
    found = results(path)
    assert not found["finite"].any()
    last = int(found["dropped_step"].max())
    assert last < DIVERGING.steps
    assert max(trained) == last
    assert {each.step for each in chunks.walk(path, store.load_plan(path))} == {DIVERGING.steps}
    assert store.load_manifest(path)["status"] == "complete"
    # More steps are none of theirs.
    trained.clear()
    grown = sweep.run(resume=path, steps=20, quiet=True)
    assert trained == []
    assert (grown["last_step"] == found["last_step"]).all()
    assert main(["--resume", str(path)]) == 0
    out = capsys.readouterr().out
    assert "frozen  seconds  dropped" in out
    assert "dropped: members that were not trained on" in out


def test_what_the_run_was_begun_with_stays(tmp_path, capsys):
    path, other = run(tmp_path, "run", [DIVERGING], 2, drop="dead"), run(tmp_path, "other", [DIVERGING], 2)
    for place, word, begun in ((path, "none", "dead"), (other, "dead", "none")):
        assert main(["--resume", str(place), "--drop", word]) == 2
        assert f"drop: {word} is not allowed; {place} was begun with --drop {begun}\n" in capsys.readouterr().err
    assert main(["--resume", str(path), "--drop", "dead", "--seeds", "3"]) == 0
    assert (store.open_run(path)["dropped_step"] >= 0).all()
    assert "dropped_step" not in store.open_run(other)
    run(tmp_path, "later", [DIVERGING], 2, first_seed=5)
    with pytest.raises(RunError, match=r"later was begun with --drop none, .*run with --drop dead"):
        merge.merge([path, tmp_path / "later"], tmp_path / "merged")


@pytest.mark.slow
def test_runs_that_both_drop_can_be_one(tmp_path):
    parts = [run(tmp_path, f"from{first}", [DIVERGING], 2, first_seed=first, drop="dead") for first in (0, 2)]
    whole = merge.merge(parts, tmp_path / "merged")
    xarray.testing.assert_identical(results(whole), results(run(tmp_path, "whole", [DIVERGING], 4, drop="dead")))
    sweep.run(resume=whole, steps=12, quiet=True)
    assert (store.open_run(whole)["dropped_step"] >= 0).all()


def test_what_is_no_word_of_it_is_refused(tmp_path, capsys):
    with pytest.raises(ConfigurationError, match="drop: all is not allowed; it must be one of none, dead"):
        sweep.run([TINY], 1, out=tmp_path, name="run", drop="all", quiet=True)
    assert main(["--drop", "all", "--out", str(tmp_path)]) == 2
    assert not list(tmp_path.iterdir())


def test_it_is_said_where_no_dead_layer_can_be_told_to_stay_dead(tmp_path, capsys):
    words = ["base", "--model.name", "linear", "--steps", "2", "--eval_every", "2", "--seeds", "1", "--drop", "dead"]
    assert main([*words, "--out", str(tmp_path), "--name", "run"]) == 0
    line = (
        "drop: only members that overflowed are dropped; a dead layer may come back: model.name linear: it has no relu"
    )
    assert line in capsys.readouterr().err


shapes = st.tuples(*(st.integers(1, 4) for _ in range(3)))


@given(shape=shapes, data=st.data())
def test_live_members_are_spread_evenly(shape, data):
    devices, _, together = shape
    count = data.draw(st.integers(1, int(np.prod(shape))))
    live = np.array(data.draw(st.lists(st.booleans(), min_size=count, max_size=count)))
    places = dealing.deal(live, shape)
    training = dealing.live_places(places, live)
    assert sorted(places[training]) == list(np.flatnonzero(live)), "each of them once"
    assert list(places[dealing.places_of(places)]) == list(range(count)), "nobody is lost"
    rounds = -(-int(live.sum()) // together)
    assert dealing.busiest(places, live, shape) == -(-rounds // devices)
