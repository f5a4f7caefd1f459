"""Runs whose evaluations on the way look at a sample of the positions: stopped, gone on with, grown, of old, refused."""

import dataclasses
import json

import numpy as np
import pytest
import tiny
import xarray
from figure_runs import _stopping as stopping

from jaxbox import config, merge, store, sweep
from jaxbox.config import Configuration, ConfigurationError, Task
from jaxbox.store import results
from jaxbox.sweep import chunk, growth
from jaxbox.sweep.__main__ import main
from jaxbox.training.metrics import CURVES, FINALS
from jaxbox.training.population import Population

SAMPLED = dataclasses.replace(tiny.TINY, task=Task(8, 7, 2, noise="white", noise_level=0.2), eval_positions=24)
WHOLE = dataclasses.replace(SAMPLED, eval_positions=0)
WINDOWS = dataclasses.replace(tiny.TINY, task=Task(8, 7, 2))
SEEDS = 3


def run(folder, name, *configurations, seeds=SEEDS, **options):
    return sweep.run(configurations, seeds, out=folder, name=name, quiet=True, **options).load()


def resume(folder, name, **options):
    return sweep.run(resume=folder / name, quiet=True, **options).load()


def assert_same(found, expected):
    found, expected = (each.drop_vars("seconds") for each in (found, expected))
    xarray.testing.assert_identical(found, expected.assign_attrs(found.attrs))


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("runs")


@pytest.fixture(scope="module")
def sampled(folder):
    return run(folder, "sampled", SAMPLED)


def test_the_last_evaluation_is_of_all_positions_and_those_before_have_an_error(folder, sampled):
    whole = run(folder, "whole", WHOLE)
    assert set(sampled) == {*whole, "r2_standard_error"}
    for name in (*CURVES, "loss"):
        # Four steps of momentum-free descent on sums of 56 products.
        np.testing.assert_allclose(sampled[name][:, :, -1], whole[name][:, :, -1], rtol=1e-4, atol=1e-5, err_msg=name)
    for name in FINALS:
        np.testing.assert_allclose(sampled[name], whole[name], rtol=1e-4, atol=1e-5, err_msg=name)
    assert not np.allclose(sampled["r2"][:, :, :-1], whole["r2"][:, :, :-1], rtol=1e-3)
    error = sampled["r2_standard_error"].isel(configuration=0)
    assert error.dims == ("seed", "step", "axis")
    assert (error[:, :-1] > 0).all()
    assert (error[:, -1] == 0).all()
    # Of 12 pairs, so Student's t with about 12 degrees of freedom: beyond 5 once in 3000.
    off = (sampled["r2"] - whole["r2"]).isel(configuration=0, step=slice(2))
    assert (abs(off) < 5 * error[:, :2]).all()


def test_others_beside_have_none_and_tables_have_it(folder):
    mixed = run(folder, "mixed", WINDOWS, SAMPLED)
    assert mixed["r2_standard_error"].isel(configuration=0).isnull().all()
    assert mixed["r2_standard_error"].isel(configuration=1).notnull().all()
    assert mixed["r2_standard_error"].attrs["description"] == results.VARIABLES["r2_standard_error"].description
    table = store.curve_table(folder / "mixed", "r2_standard_error")
    assert (table.dropna().groupby("step")["r2_standard_error_x"].max() > 0).tolist() == [True, True, False]
    assert (store.member_table(folder / "mixed")["r2_standard_error_y"].dropna() == 0).all()
    assert results.dataset_bytes(store.load_plan(folder / "mixed")) > 0


def test_a_run_that_is_stopped_has_all_predictions_and_ends_as_if_it_had_not(folder, sampled):
    with stopping(2 * SEEDS):
        stopped = run(folder, "stopped", SAMPLED)
    assert (stopped["last_step"] == 2).all()
    assert stopped["prediction"].notnull().all()
    xarray.testing.assert_identical(stopped["mse"].sel(step=[0, 2]), sampled["mse"].sel(step=[0, 2]))
    assert_same(resume(folder, "stopped"), sampled)


def test_a_run_that_keeps_a_checkpoint_of_every_evaluation_is_the_same(folder, sampled):
    assert_same(run(folder, "careful", SAMPLED, checkpoint_seconds=0), sampled)


def test_checkpoints_look_at_all_positions_only_once_in_a_while(folder, monkeypatch):
    longer, asked, advance = dataclasses.replace(SAMPLED, steps=24), [], Population.advance

    def spy(self, *arguments):
        asked.append((*arguments[4:6], *arguments[6:]))
        return advance(self, *arguments)

    monkeypatch.setattr(Population, "advance", spy)
    # 42 positions are 3.5 steps' worth at 4 images a step: half of the time is every 7 steps.
    monkeypatch.setattr(chunk, "SHARE", 0.5)
    run(folder, "seldom", longer, checkpoint_seconds=0)
    assert [(last, *whole) for first, last, *whole in asked if first == last] == [(0, False), (0,), (8,), (16,)]
    assert [last for _, last, *whole in asked if whole == [True]] == [24]


def test_a_run_that_grows_differs_only_where_it_ended_before(folder, sampled):
    longer = run(folder, "longer", dataclasses.replace(SAMPLED, steps=8))
    run(folder, "grown", SAMPLED)
    grown = resume(folder, "grown", steps=8)
    others = [step for step in grown["step"].values if step != SAMPLED.steps]
    assert_same(grown.sel(step=others), longer.sel(step=others))
    before = grown.sel(step=SAMPLED.steps)
    xarray.testing.assert_equal(before[[*CURVES]], sampled.sel(step=SAMPLED.steps)[[*CURVES]])
    assert (before["r2_standard_error"] == 0).all()
    assert (longer["r2_standard_error"].sel(step=SAMPLED.steps) > 0).all()


def test_a_run_of_an_earlier_version_goes_on_as_it_has_begun(folder):
    longer = run(folder, "always-whole", dataclasses.replace(WHOLE, steps=8))
    run(folder, "old", WHOLE)
    file = folder / "old" / "configuration.json"
    content = json.loads(file.read_text())
    for values in content["configurations"]:
        assert values.pop("eval_positions") == 0
    own = {name: content[name] for name in ("configurations", "seeds")}
    file.write_text(json.dumps(content | {"fingerprint": config.fingerprint(own)}))
    assert store.load_plan(folder / "old").configurations == (WHOLE,)
    assert_same(resume(folder, "old", steps=8), longer)


def test_where_nothing_is_sampled_a_run_of_an_earlier_version_is_asked_for_in_the_same_words(folder):
    always = dataclasses.replace(WINDOWS, eval_positions=0)
    run(folder, "before", always)
    assert_same(
        resume(folder, "before", configurations=[WINDOWS], seeds=SEEDS), store.open_run(folder / "before").load()
    )
    grown = growth.grown(store.load_plan(folder / "before"), added=[WINDOWS])
    assert grown.configurations == (always,), "what it has already is left out"
    run(folder, "since", WINDOWS, first_seed=SEEDS)
    path = merge.merge([folder / "before", folder / "since"], folder / "merged")
    assert store.load_plan(path).configurations == (always,)
    assert store.open_run(path).sizes["seed"] == 2 * SEEDS
    run(folder, "noisy", WHOLE)
    with pytest.raises(ConfigurationError, match="made with eval_positions 0, not 24; leave the fields out"):
        resume(folder, "noisy", configurations=[SAMPLED], seeds=SEEDS)


BASE = "base --model.name linear --task.height 8 --task.width 7 --task.box_size 2 --steps 2 --eval_every 1 --seeds 1"
NOISE = "--task.noise white --task.noise_level 0.1"


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (f"{NOISE} --eval_positions 1", "eval_positions: 1 is not allowed; it must be at least 2, a pair of positions"),
        (f"{NOISE} --eval_positions -3", "eval_positions: -3 is not allowed; it must be at least 2"),
        (f"{NOISE} --eval_positions 3000000000", "eval_positions: 3000000000 is not allowed; it must be at most"),
        (f"{NOISE} --vary eval_positions 4 many", "eval_positions: 'many' is not of type int"),
        ("--eval_positions 10", "eval_positions: 10 is not read with windows, which look at all positions"),
        ("--eval_positions 256", "eval_positions: 256 is not read with windows"),
    ],
)
def test_a_number_of_positions_that_cannot_be_is_refused_in_one_line(tmp_path, capsys, words, message):
    assert main([*BASE.split(), *words.split(), "--out", str(tmp_path), "--name", "run"]) == 2
    (line,) = capsys.readouterr().err.strip().splitlines()
    assert message in line
    assert not (tmp_path / "run").exists()


def test_what_is_said_rightly_is_taken(tmp_path):
    for number, words in enumerate(
        ("--eval_positions 0", f"{NOISE} --eval_positions 256", "--render --eval_positions 4")
    ):
        assert main([*BASE.split(), *words.split(), "--out", str(tmp_path), "--name", f"run-{number}"]) == 0


def test_windows_with_all_positions_said_or_not_are_not_refused():
    for most in (0, Configuration.eval_positions):
        config.refuse_unread([dataclasses.replace(WINDOWS, eval_positions=most)])
    with pytest.raises(ConfigurationError, match="not read with windows"):
        config.refuse_unread([dataclasses.replace(WINDOWS, eval_positions=10)])
    config.refuse_unread([dataclasses.replace(WINDOWS, eval_positions=10), SAMPLED])
