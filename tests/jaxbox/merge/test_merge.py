"""Runs of other members become one, which is the run that was asked for everything at once, and goes on as any other."""

import dataclasses
import json
import shutil

import numpy as np
import pytest
import xarray
from tiny import TINY

from jaxbox import merge, store, sweep
from jaxbox.config import ConfigurationError, Optimizer, RunError
from jaxbox.merge.__main__ import main

FASTER = dataclasses.replace(TINY, optimizer=Optimizer("sgd", 0.05))
NESTEROV = dataclasses.replace(TINY, optimizer=Optimizer("nesterov", 0.1))
OPTIONS = {"members_per_chunk": 2, "quiet": True}


def results(path):
    return store.open_run(path).load().drop_vars("seconds").drop_attrs(deep=False)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A run of everything, and three that share it among them."""
    path = tmp_path_factory.mktemp("runs")
    sweep.run([TINY, FASTER, NESTEROV], 6, out=path, name="whole", **OPTIONS)
    sweep.run([TINY, FASTER], 4, out=path, name="low", **OPTIONS)
    sweep.run([TINY, FASTER], 2, first_seed=4, out=path, name="high", **OPTIONS)
    sweep.run([NESTEROV], 6, out=path, name="other", **OPTIONS)
    sweep.run([NESTEROV, FASTER], 3, first_seed=6, out=path, name="threes", members_per_chunk=3, quiet=True)
    return path


def test_the_whole_has_the_bits_of_a_run_of_everything(folder, tmp_path):
    path = merge.merge([folder / name for name in ("low", "high", "other")], tmp_path / "both")
    xarray.testing.assert_identical(results(path), results(folder / "whole"))
    assert store.load_manifest(path)["status"] == "complete"
    for configuration, seed in ((0, 3), (1, 4), (2, 5)):
        ours, theirs = (store.load_params(run, configuration, seed) for run in (path, folder / "whole"))
        np.testing.assert_array_equal(ours["head"]["kernel"], theirs["head"]["kernel"])


@pytest.mark.slow
def test_the_whole_goes_on_as_a_run_that_was_never_taken_apart(folder, tmp_path):
    path = merge.merge([folder / name for name in ("low", "high", "other")], tmp_path / "both")
    whole = shutil.copytree(folder / "whole", tmp_path / "whole")
    for run in (path, whole):
        sweep.run(resume=run, seeds=8, **OPTIONS)
    xarray.testing.assert_identical(results(path), results(whole))
    sweep.run(resume=path, steps=8, quiet=True)
    assert (results(path)["last_step"] == 8).all()


@pytest.mark.slow
def test_runs_that_were_cut_otherwise_stay_so(folder, tmp_path):
    """Configurations come in another order, a group is cut by threes in one run, by twos in the other."""
    path = merge.merge([folder / "threes", folder / "low"], tmp_path / "both")
    assert store.load_plan(path).configurations == (NESTEROV, FASTER, TINY)
    both, low, threes = results(path), results(folder / "low"), results(folder / "threes")
    for there, here in ((0, 2), (1, 1)):
        found = both.sel(configuration=here, seed=slice(0, 3))
        np.testing.assert_array_equal(found["prediction"], low.sel(configuration=there)["prediction"])
    for there, here in ((0, 0), (1, 1)):
        found = both.sel(configuration=here, seed=slice(6, 8))
        np.testing.assert_array_equal(found["prediction"], threes.sel(configuration=there)["prediction"])
    assert not both["last_step"].sel(configuration=2, seed=slice(6, 8)).isin([4]).any(), "nobody has trained those"
    sweep.run(resume=path, steps=6, quiet=True)
    sweep.run(resume=folder / "threes", steps=6, quiet=True)
    longer, alone = results(path), results(folder / "threes")
    found = longer.sel(configuration=1, seed=slice(6, 8))
    np.testing.assert_array_equal(found["prediction"], alone.sel(configuration=1)["prediction"])


def test_what_was_not_done_is_done_by_the_whole(folder, tmp_path):
    whole, half = tmp_path / "all", tmp_path / "half"
    sweep.run([TINY], 6, first_seed=20, out=tmp_path, name="all", **OPTIONS)
    sweep.run([TINY], 6, first_seed=20, out=tmp_path, name="half", part="0/2", **OPTIONS)
    path = merge.merge([folder / "other", half], tmp_path / "both")
    assert store.load_manifest(path)["status"] == "interrupted"
    sweep.run(resume=path, quiet=True)
    assert store.load_manifest(path)["status"] == "complete"
    found = results(path).sel(configuration=1, seed=slice(20, 25))
    np.testing.assert_array_equal(found["prediction"], results(whole)["prediction"].sel(configuration=0))


def test_members_that_two_runs_have_are_refused(folder, tmp_path, capsys):
    for words, said in {
        ("low", "whole"): "has members that a run before it has, too: of its configuration 0, seeds 0 to",
        ("low",): "runs: 1 is not allowed; it must be two or more",
        ("low", "none"): "is not a folder",
    }.items():
        assert main([*(str(folder / word) for word in words), "--into", str(tmp_path / "both")]) == 2
        err = capsys.readouterr().err
        assert said in err
        assert err.count("\n") == 1
    assert main([str(folder / "low"), str(folder / "high"), "--into", str(folder / "other")]) == 2
    assert "other exists; give another --into" in capsys.readouterr().err
    assert main([str(folder / "low"), str(folder / "high")]) == 2
    assert "into: nothing is not allowed" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


def test_other_bits_are_refused_or_kept_in_the_manifest(folder, tmp_path, capsys):
    sweep.run([TINY], 2, first_seed=30, out=tmp_path, name="elsewhere", **OPTIONS)
    file = tmp_path / "elsewhere" / store.MANIFEST
    manifest = json.loads(file.read_text())
    manifest["begun_with"]["kind"] = "another processor"
    file.write_text(json.dumps(manifest))
    with pytest.raises(RunError, match="the other is another processor; last bits depend on it; give --other_bits"):
        merge.merge([folder / "low", tmp_path / "elsewhere"], tmp_path / "both")
    words = [str(folder / "low"), str(tmp_path / "elsewhere"), "--into", str(tmp_path / "both"), "--other_bits"]
    assert main(words) == 0
    assert "2 configurations, 10 members" in capsys.readouterr().out
    merged = store.load_manifest(tmp_path / "both")["merged"]
    assert [each["run"] for each in merged] == ["low", "elsewhere"]
    assert merged[1]["begun_with"]["kind"] == "another processor"


def test_a_run_that_trains_is_refused(folder, tmp_path):
    with store.lock(folder / "high"), pytest.raises(RunError, match="in use by another process"):
        merge.merge([folder / "low", folder / "high"], tmp_path / "both")


def test_sources_stay_as_they_are(folder, tmp_path):
    before = results(folder / "low")
    path = merge.merge([folder / "low", folder / "other"], tmp_path / "both")
    sweep.run(resume=path, steps=8, quiet=True)
    xarray.testing.assert_identical(results(folder / "low"), before)
    sweep.run(resume=folder / "low", quiet=True)


def test_the_same_configuration_and_seed_twice_is_no_run(folder, tmp_path):
    with pytest.raises(ConfigurationError, match="low is given twice"):
        merge.merge([folder / "low", folder / "low"], tmp_path / "both")
    with pytest.raises(ConfigurationError, match="low has members that a run before it has, too"):
        merge.merge([folder / "whole", folder / "low"], tmp_path / "both")
