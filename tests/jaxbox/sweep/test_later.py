"""What is written while something else goes on: in order, one at a time, and no error is lost."""

import threading

import pytest
from tiny import TINY

from jaxbox import store, sweep
from jaxbox.config import RunError
from jaxbox.sweep.later import Later


def raising(error):
    def write():
        raise error

    return write


def test_one_is_written_at_a_time_and_in_order():
    later, written, first = Later(), [], threading.Event()
    later.do(lambda: (first.wait(10), written.append(1)))
    threading.Timer(0.05, first.set).start()
    later.do(lambda: written.append(2))  # waits for the first
    assert written[:1] == [1]
    later.wait()
    later.wait()
    assert written == [1, 2]


@pytest.mark.parametrize(
    ("error", "said"),
    [(RunError("full"), "^full$"), (ValueError("odd\nlines"), "could not be written: ValueError: odd$")],
)
@pytest.mark.parametrize("next", [Later.wait, lambda later: later.do(print)])
def test_what_goes_wrong_is_told_to_whoever_comes_next_and_once(error, said, next):
    later = Later()
    later.do(raising(error))
    with pytest.raises(RunError, match=said):
        next(later)
    later.wait()


@pytest.mark.parametrize("seeds", [2, 4])
def test_a_last_checkpoint_that_cannot_be_written_ends_the_sweep(seeds, tmp_path, monkeypatch):
    """Be it that of the last chunk, after which nothing is trained, or of one before."""
    monkeypatch.setattr(store, "save_checkpoint", lambda *_, **__: raising(RunError("full"))())
    with pytest.raises(RunError, match=r"^full$"):
        sweep.run([TINY], seeds, out=tmp_path, name="run", members_per_chunk=2, quiet=True)
    monkeypatch.undo()
    run = sweep.run(resume=tmp_path / "run", quiet=True)
    assert (run["last_step"] == TINY.steps).all()
