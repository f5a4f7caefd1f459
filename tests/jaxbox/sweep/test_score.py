"""Scores against SciPy's intervals of numbers that are read from the run itself; and what a tuner makes of them."""

import dataclasses
import math
import os
import signal
import tempfile

import numpy as np
import optuna
import pytest
from scipy import stats
from tiny import TINY

from jaxbox import store, sweep
from jaxbox.config import ConfigurationError, Model, Optimizer
from jaxbox.sweep import loop
from jaxbox.sweep.score import _mean

CNN = dataclasses.replace(TINY, model=Model("cnn", features=(2, 3)), optimizer=Optimizer("sgd", 3.0))
DIVERGES = dataclasses.replace(TINY, optimizer=Optimizer("sgd", 1e30))


def r2(run):
    """1 - error / variance over all positions and both coordinates, from the predictions."""
    target, prediction = run["target"].values[0], run["prediction"].values[0].astype(float)
    squares = ((target - target.mean(0)) ** 2).mean(0).sum()
    return 1 - ((prediction - target) ** 2).mean(1).sum(-1) / squares


def unseen(run):
    """The mean squared error at positions outside of the training set, from the predictions."""
    errors = (run["prediction"].values[0].astype(float) - run["target"].values[0]) ** 2
    return np.array([row[~seen].mean() for row, seen in zip(errors, run["seen"].values[0], strict=True)])


@pytest.mark.parametrize(
    ("configuration", "measure", "expected"),
    [
        (TINY, "r2_all", r2),
        (TINY, "mse_unseen", unseen),
        pytest.param(
            *(TINY, "bias_y", lambda run: (run["prediction"] - run["target"]).mean("position").values[0, :, 1]),
            marks=pytest.mark.slow,
        ),
        pytest.param(TINY, "loss", lambda run: run["loss"].values[0, :, -1], marks=pytest.mark.slow),
        (CNN, "dead_fraction", lambda run: run["dead_fraction"].values[0, :, -1].mean(-1)),
    ],
)
def test_a_mean_has_students_interval(configuration, measure, expected, tmp_path):
    score = sweep.score(configuration, 4, measure, first_seed=3, out=tmp_path, name="kept")
    values = expected(store.open_run(tmp_path / "kept"))
    low, high = stats.t.interval(0.95, 3, values.mean(), stats.sem(values))
    np.testing.assert_allclose(score, (values.mean(), low, high), rtol=1e-4, atol=1e-6)


def test_a_rate_has_wilsons_and_nothing_is_left(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    collapsed = r2(sweep.run([TINY], 6, out=tmp_path, name="own", quiet=True)) < 0.05
    score = sweep.score(TINY, 6, "collapsed")
    interval = stats.binomtest(int(collapsed.sum()), 6).proportion_ci(method="wilson")
    assert 0 < collapsed.sum() < 6
    np.testing.assert_allclose(score, (collapsed.mean(), *interval))
    assert [path.name for path in tmp_path.iterdir()] == ["own"]


def test_a_seed_that_failed_is_in_no_mean_and_in_every_rate():
    assert all(map(math.isnan, sweep.score(DIVERGES, 2)))
    assert sweep.score(DIVERGES, 2, "finite").value == 0


def test_one_seed_that_failed_is_enough():
    values, failed = np.array([1.0, 2.0, 3.0]), np.array([False, True, False])
    assert all(map(math.isnan, _mean(values, failed, "loss")))
    assert all(map(math.isnan, _mean(np.array([1.0, math.inf]), failed[::2], "loss")))
    assert _mean(values[:1], failed[:1], "loss") == (1.0, -math.inf, math.inf)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"measure": "r2_al"}, r"measure: unknown name 'r2_al' \(did you mean r2_all\?\); allowed: r2_all, collapsed"),
        ({"measure": "dead_fraction"}, "measure: dead_fraction is not allowed; it must be one that this configuration"),
        ({"out": "runs"}, "name: None is not allowed with out 'runs'; give both, or neither"),
        ({"seeds": 0}, "seeds: 0 is not allowed"),
    ],
)
def test_refusals_are_one_line(options, message):
    with pytest.raises(ConfigurationError, match=message) as caught:
        sweep.score(TINY, **{"seeds": 2} | options)
    assert "\n" not in str(caught.value)


def test_a_signal_stops_the_tuner_too(monkeypatch):
    def interrupted(*arguments):
        os.kill(os.getpid(), signal.SIGINT)
        train(*arguments)

    train = loop.train
    monkeypatch.setattr(loop, "train", interrupted)
    with pytest.raises(KeyboardInterrupt):
        sweep.score(TINY, 2)


def test_optuna_finds_the_better_rate_and_prunes_what_diverges():
    scores = {}

    def objective(trial):
        rate = trial.suggest_float("rate", 1e-3, 1e30, log=True)
        scores[rate] = sweep.score(dataclasses.replace(TINY, optimizer=Optimizer("sgd", rate)), 3).value
        if math.isnan(scores[rate]):
            raise optuna.TrialPruned
        return scores[rate]

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = optuna.create_study(direction="maximize")
    for rate in (1e-3, 0.3, 1e30):
        study.enqueue_trial({"rate": rate})
    study.optimize(objective, n_trials=3)
    assert [trial.state.name for trial in study.trials] == ["COMPLETE", "COMPLETE", "PRUNED"]
    assert study.best_params == {"rate": 0.3}
    assert scores[0.3] > scores[1e-3]
