"""How far a run is, against what it was made to do; read from its folder while nobody trains, and while somebody does."""

import dataclasses

import pytest
from tiny import TINY

from jaxbox import status, store, sweep
from jaxbox.config import Model, Plan
from jaxbox.status.__main__ import main
from jaxbox.sweep.progress import Report

LARGER = dataclasses.replace(TINY, model=Model("mlp", hidden=(3,)), steps=6)


class Enough(BaseException):
    """Ends a sweep as a kill would."""


@pytest.fixture
def cut_off(tmp_path, monkeypatch):
    """A run of two groups of 4 members, that ended without notice 2 steps into the second group's first chunk."""
    advance = Report.advance

    def until(report, seed_steps, step):
        advance(report, seed_steps, step)
        if report.done >= 4 * 4 + 2 * 4:
            raise Enough

    monkeypatch.setattr(Report, "advance", until)
    with pytest.raises(Enough):
        sweep.run([TINY, LARGER], 4, out=tmp_path, name="run", members_per_chunk=2, checkpoint_seconds=0, quiet=True)
    monkeypatch.undo()
    return tmp_path / "run"


def test_members_steps_speed_and_time_left_are_those_of_the_checkpoints(cut_off):
    found = status.status(cut_off)
    assert (found.name, found.state) == ("run", "running")
    assert found.saved is not None
    assert 0 <= found.saved < 600
    first, second = found.groups
    assert (first.name, first.members, first.finished, first.done) == ("linear 6 x 5", 4, 4, 16)
    # Two members were at step 2 when their last checkpoint was written, and at 4 when the run ended.
    assert (second.name, second.members, second.finished, second.seed_steps, second.done) == ("mlp 6 x 5", 4, 0, 24, 4)
    assert first.seconds_left == 0
    assert second.seconds_left == pytest.approx(20 / second.speed)
    assert status.status(sweep.run(resume=cut_off, quiet=True).encoding["source"]).state == "complete"


def test_a_run_that_has_not_begun_is_planned(tmp_path):
    store.create(tmp_path / "run", Plan.of([TINY, LARGER], 3))
    found = status.status(tmp_path / "run")
    assert (found.state, found.saved, found.devices) == ("planned", None, ())
    assert [(group.members, group.done, group.speed, group.seconds_left) for group in found.groups] == [
        (3, 0, None, None),
        (3, 0, None, None),
    ]


def test_the_command_says_it_and_what_is_known_so_far(cut_off, capsys):
    assert main([str(cut_off)]) == 0
    out = capsys.readouterr().out
    assert "run: running, saved 0:0" in out
    assert "group 1 (linear 6 x 5): 4 of 4 members done, 100% of the steps" in out
    assert "group 2 (mlp 6 x 5): 0 of 4 members done, 17% of the steps" in out
    assert "has no results yet" in out
    sweep.run(resume=cut_off, quiet=True)
    assert main([str(cut_off), "--watch"]) == 0, "it ends with the run"
    out = capsys.readouterr().out
    assert "run: complete" in out
    assert "collapsed" in out


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ([], "run: nothing is not allowed; it must be the folder of a run"),
        (["none"], "none is not a folder"),
        (["none", "--every", "0"], "every: 0.0 is not allowed; it must be greater than 0"),
    ],
)
def test_bad_input_is_one_line(words, message, capsys):
    assert main(words) == 2
    out, err = capsys.readouterr()
    assert (out, err.count("\n")) == ("", 1)
    assert message in err
