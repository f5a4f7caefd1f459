"""What finished members keep, and what more of them costs then."""

import numpy as np
import pytest
import xarray
from tiny import TINY

from jaxbox import store, sweep
from jaxbox.config import ConfigurationError, RunError
from jaxbox.sweep.__main__ import main

OPTIONS = {"members_per_chunk": 2, "quiet": True}


def results(path):
    return store.open_run(path).load().drop_vars("seconds").drop_attrs(deep=False)


def parts(path):
    """The names of what each chunk's last checkpoint has."""
    folders = [path for path in (path / "checkpoints").glob("*/*/*") if path.name.isdigit()]
    return {tuple(sorted(entry.name for entry in folder.iterdir() if entry.is_dir())) for folder in folders}


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    folder = tmp_path_factory.mktemp("whole")
    sweep.run([TINY], 3, out=folder, name="run", **OPTIONS)
    return folder / "run"


@pytest.mark.parametrize(("keep", "kept"), [("parameters", {("measures", "weights")}), ("measures", {("measures",)})])
def test_less_is_kept_and_the_results_are_the_same(keep, kept, tmp_path, whole):
    run = tmp_path / "run"
    sweep.run([TINY], 3, out=tmp_path, name="run", keep=keep, **OPTIONS)
    assert parts(run) == kept
    xarray.testing.assert_identical(results(run), results(whole))
    if keep == "parameters":
        ours, theirs = (store.load_params(path, 0, 1)["head"]["kernel"] for path in (run, whole))
        np.testing.assert_array_equal(ours, theirs)
    else:
        with pytest.raises(RunError, match=r"has measures only \(--keep measures\), and no networks"):
            store.load_params(run, 0, 1)
    # More seeds keep as little as the run was told to.
    sweep.run(resume=run, seeds=5, quiet=True)
    assert parts(run) == kept


@pytest.mark.slow
def test_more_steps_cost_all_of_them_where_no_state_was_kept(tmp_path, whole, capsys):
    run = tmp_path / "run"
    sweep.run([TINY], 3, out=tmp_path, name="run", keep="parameters", **OPTIONS)
    before = results(run)
    assert main(["--resume", str(run), "--steps", "8"]) == 2
    err = capsys.readouterr().err
    assert "steps: 8 is not allowed: 3 members have kept no state to go on from (--keep); give --retrain" in err
    assert "24 seed-steps" in err
    xarray.testing.assert_identical(results(run), before)
    assert main(["--resume", str(run), "--steps", "8", "--retrain", "--keep", "all"]) == 0
    sweep.run([TINY], 3, out=tmp_path, name="longer", **OPTIONS)
    sweep.run(resume=tmp_path / "longer", steps=8, quiet=True)
    xarray.testing.assert_identical(results(run), results(tmp_path / "longer"))
    assert parts(run) == {("measures", "state")}


def test_training_again_survives_a_stop(tmp_path):
    """A checkpoint on the way takes the place of the old end, from which nobody can go on."""
    run = tmp_path / "run"
    sweep.run([TINY], 2, out=tmp_path, name="run", keep="measures", **OPTIONS)
    sweep.run(resume=run, steps=8, retrain=True, stop_after=1e-9, checkpoint_seconds=0, quiet=True)
    assert store.load_manifest(run)["status"] == "interrupted"
    found = sweep.run(resume=run, retrain=True, quiet=True)
    assert (found["last_step"] == 8).all()
    assert parts(run) == {("measures",)}


def test_what_is_none_of_them_is_refused(tmp_path):
    with pytest.raises(ConfigurationError, match="keep: nothing is not allowed; it must be one of all, parameters"):
        sweep.run([TINY], 1, out=tmp_path, name="run", keep="nothing", quiet=True)
    assert not list(tmp_path.iterdir())
