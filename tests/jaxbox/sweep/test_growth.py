"""Runs that grow have the bits of runs that were asked for everything at once, with the same members a chunk."""

import dataclasses

import chex
import pytest
import tiny
import xarray

from jaxbox import store, sweep
from jaxbox.config import Block, ConfigurationError, Model, Optimizer, Plan, RunError, Task
from jaxbox.sweep import growth
from jaxbox.sweep.__main__ import main
from jaxbox.training.groups import chunks

TINY = dataclasses.replace(
    tiny.TINY, task=Task(6, 5, 2, noise="white", noise_level=0.1), optimizer=Optimizer("momentum", 0.05)
)
FASTER = dataclasses.replace(TINY, optimizer=Optimizer("momentum", 0.1))
OTHER = dataclasses.replace(TINY, model=Model("mlp", hidden=(3,)))
OPTIONS = {"members_per_chunk": 2, "quiet": True}


def run(folder, name, configurations, seeds, **options):
    return sweep.run(configurations, seeds, out=folder, name=name, **OPTIONS, **options).load()


def grow(folder, name, **asked):
    return sweep.run(resume=folder / name, quiet=True, **asked).load()


def assert_same(found, expected):
    found, expected = (each.drop_vars("seconds", errors="ignore") for each in (found, expected))
    xarray.testing.assert_identical(found, expected.assign_attrs(found.attrs))


def test_seeds_steps_and_configurations_are_added_one_after_the_other(tmp_path):
    longer = [dataclasses.replace(each, steps=8) for each in (TINY, FASTER, OTHER)]
    whole = run(tmp_path, "whole", longer, 5)
    first = run(tmp_path, "grown", [TINY], 2)
    second = grow(tmp_path, "grown", seeds=5)
    assert_same(second.sel(seed=[0, 1]), first)
    third = grow(tmp_path, "grown", steps=8)
    assert_same(third.sel(step=[0, 2, 4])[["loss", "mse"]], second[["loss", "mse"]])
    # Of the same group, and of another one.
    found = grow(tmp_path, "grown", added=longer[1:])
    assert found.sizes["configuration"] == 3
    assert (found["last_step"] == 8).all()
    assert_same(found, whole)
    assert store.load_member(tmp_path / "grown", 2, 4).step == 8
    for configuration, seed in ((0, 3), (1, 4)):
        ours, theirs = (store.load_params(tmp_path / name, configuration, seed) for name in ("grown", "whole"))
        chex.assert_trees_all_equal(ours, theirs)
    # Asked for again, nothing changes.
    assert_same(grow(tmp_path, "grown", seeds=5, steps=8, added=[OTHER]), whole)


def test_seeds_may_start_anywhere_and_leave_gaps(tmp_path):
    whole = run(tmp_path, "whole", [TINY], 6)
    part = run(tmp_path, "part", [TINY], 2, first_seed=2)
    assert part["seed"].values.tolist() == [2, 3]
    assert_same(part, whole.sel(seed=[2, 3]))
    found = grow(tmp_path, "part", seeds=2, first_seed=4)
    assert_same(found, whole.sel(seed=[2, 3, 4, 5]))
    with pytest.raises(RunError, match="seed: 1 is not in this run; allowed: 2 to 5"):
        store.load_member(tmp_path / "part", 0, 1)


def test_a_run_that_is_killed_while_it_grows_has_the_results_of_its_plan(tmp_path, monkeypatch):
    run(tmp_path, "run", [TINY], 2)
    before = store.open_run(tmp_path / "run").load()

    def killed(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr("jaxbox.training.population.Population.advance", killed)
    with pytest.raises(KeyboardInterrupt):
        grow(tmp_path, "run", seeds=3)
    found = store.open_run(tmp_path / "run").load()
    assert found["last_step"].values.tolist() == [[4, 4, -1]]
    assert_same(found.sel(seed=[0, 1]), before)
    monkeypatch.undo()
    assert (grow(tmp_path, "run")["last_step"] == 4).all()


def test_a_run_that_another_process_has_made_grow_meanwhile_is_left_alone(tmp_path, monkeypatch):
    run(tmp_path, "run", [TINY], 2)
    path, lock = tmp_path / "run", store.lock
    other = growth.grown(store.load_plan(path), seeds=4)
    monkeypatch.setattr(store, "lock", lambda path: store.grow(path, other) or lock(path))
    with pytest.raises(RunError, match="has grown in another process meanwhile; ask again"):
        grow(tmp_path, "run", seeds=3)
    assert store.load_plan(path) == other


def test_the_command_grows_a_run(tmp_path, capsys):
    base = "base --model.name linear --task.height 6 --task.width 5 --task.box_size 2 --steps 2 --eval_every 1"
    words = [*base.split(), "--seeds", "2", "--out", str(tmp_path), "--name", "run"]
    assert main(words) == 0
    resume = ["--resume", str(tmp_path / "run")]
    assert main([*resume, "--seeds", "3", "--steps", "4", "--vary", "optimizer.learning_rate", "0.02", "0.03"]) == 0
    found = store.open_run(tmp_path / "run")
    assert dict(found.sizes) | {"configuration": 3, "seed": 3, "step": 5} == dict(found.sizes)
    assert (found["last_step"] == 4).all()
    assert main([*resume, "--seeds", "2"]) == 2
    assert "seeds: 2 is not allowed; it must be at least 3, which the run has" in capsys.readouterr().err
    assert main([*resume, "--steps", "3"]) == 2
    assert "steps: 3 is not allowed; it must be at least 4, which the run has" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("changes", "asked", "message"),
    [
        ({"optimizer": Optimizer(schedule="cosine")}, {"steps": 8}, "the schedule cosine was made for 4"),
        ({"eval_every": 3}, {"steps": 8}, "evaluated every 3 steps, would not be at 4"),
        ({}, {"steps": 8, "seeds": 1}, "seeds: 1 is not allowed; it must be at least 2"),
        ({}, {"first_seed": 2}, "first_seed: 2 is not allowed; it must be left out, unless seeds says how many"),
    ],
)
def test_what_would_not_be_the_same_run_is_refused(changes, asked, message):
    with pytest.raises(ConfigurationError, match=message) as caught:
        growth.grown(Plan.of([dataclasses.replace(TINY, **changes)], 2), **asked)
    assert "\n" not in str(caught.value)


def test_configurations_of_unlike_steps_cannot_all_be_given_one_number():
    with pytest.raises(ConfigurationError, match=r"differ in them: \[4, 6\]"):
        growth.grown(Plan.of([TINY, dataclasses.replace(TINY, steps=6)], 2), steps=8)


def test_only_what_is_lacking_is_added():
    plan = growth.grown(Plan.of([TINY, FASTER], 2), added=[OTHER])
    assert plan.blocks == (Block((0, 1), 0, 2), Block((2,), 0, 2))
    more = growth.grown(plan, seeds=4, first_seed=4, added=[TINY])
    assert more.blocks[2:] == (Block((0, 1, 2), 4, 4),)
    assert more.seeds == [range(2), range(4, 8)]
    newest = growth.grown(more, added=[dataclasses.replace(OTHER, batch_size=2)])
    assert newest.blocks[3:] == (Block((3,), 0, 2), Block((3,), 4, 4))
    assert (newest.member_count, newest.seed_steps) == (24, 96)
    # Chunks so far stay what they are, whatever is added.
    for before, after in ((plan, more), (more, newest)):
        assert chunks(after.blocks, 3)[: len(chunks(before.blocks, 3))] == chunks(before.blocks, 3)
