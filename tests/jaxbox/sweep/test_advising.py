"""What `--advise` prints, and what the progress line says of members that die."""

import numpy as np
import pytest

from jaxbox import forecast
from jaxbox.config import replace
from jaxbox.experiments.settings import box
from jaxbox.sweep import dying
from jaxbox.sweep.__main__ import main


def advised(capsys, *words):
    code = main([*words, "--advise"])
    out, err = capsys.readouterr()
    return code, out.splitlines(), err


def test_advice_is_what_the_law_expects(capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    code, lines, err = advised(capsys, "base", "--vary", "optimizer.learning_rate", "0.001", "0.03")
    assert (code, err, list(tmp_path.iterdir())) == (0, "", [])
    for rate, line in zip((0.001, 0.03), lines[-2:], strict=True):
        expected = forecast.expect(box(**{"optimizer.learning_rate": rate}))
        assert line.startswith(f"learning_rate={rate}: {expected.rate:.0%} die; 1% up to {expected.largest:.2g}")


def test_of_one_configuration_the_learning_rate_is_named(capsys):
    assert advised(capsys, "base")[1][-1].startswith("learning_rate=0.01: ")


def test_what_is_not_known_is_said_and_the_rest_is_told(capsys):
    code, lines, err = advised(capsys, "thread")
    assert (code, err) == (0, "")
    assert (
        sum("not known (model.name: the law of the collapse knows cnn, mlp, not linear)" in line for line in lines) == 2
    )
    assert sum(" die; " in line for line in lines) == 2


def test_a_mistake_is_one_line(capsys):
    code, lines, err = advised(capsys, "base", "--optimizer.learning_rate", "-1")
    assert (code, lines) == (2, [])
    assert err.startswith("jaxbox.sweep: optimizer.learning_rate: -1")
    assert len(err.splitlines()) == 1


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (["--optimizer.learning_rate", "0"], "optimizer.learning_rate: the law of the collapse knows what is above 0"),
        (["--model.initial_scale", "0"], "model.initial_scale: the law of the collapse knows what is above 0"),
        (["--model.kernel_size", "9", "--model.padding", "VALID"], "model: kernel_size 9 is larger than"),
        (["--model.normalization", "batch"], "model.normalization: the law of the collapse knows none, not batch"),
    ],
)
def test_why_nothing_is_known_is_said(words, why, capsys):
    code, lines, err = advised(capsys, "base", *words)
    assert (code, err) == (0, "")
    assert f"not known ({why}" in lines[-1]


@pytest.mark.parametrize(("step", "said"), [(10, "1 have lost a layer, 1 are dying"), (60, "1 have lost a layer")])
def test_the_progress_line_counts_members(step, said):
    dead = np.array([[0.0, 0.1], [1.0, 0.5], [0.2, 0.99]])
    configurations = [box(**{"optimizer.learning_rate": 0.1})] * 3
    found = dying.words(configurations, dead, step)
    largest = forecast.expect(configurations[0]).largest
    times = f"learning rate {0.1 / largest:.1f} times too high, the law takes {largest:.2g} (--advise)"
    assert found == f"of 3 members {said}: {times}"


def test_it_says_nothing_where_there_is_nothing():
    assert dying.words([box()] * 2, np.array([[0.1, 0.2], [0.0, np.nan]]), 10) == ""
    assert dying.words([box()], np.array([[np.nan]]), 10) == ""


def test_of_what_the_law_does_not_know_it_counts_alone():
    found = dying.words([box(**{"model.normalization": "batch"})], np.array([[1.0]]), 10)
    assert found == "of 1 members 1 have lost a layer"
    # Somebody's own code is not called for the sake of a warning: it may be made for training alone.
    own = replace(box(), {"task.inputs": "not_there.py:strange"})
    assert dying.words([own], np.array([[1.0]]), 10) == "of 1 members 1 have lost a layer"
