"""From runs to the page, at a size that takes seconds: what it says is what the runs hold."""

import re

import numpy as np
import pandas as pd
import pytest

from analysis.collapse_law import page, predictions, settings
from analysis.collapse_law.baselines import BASELINES
from analysis.collapse_law.table import Settings
from analysis.report.__main__ import main
from jaxbox import store, sweep
from jaxbox.config import change
from jaxbox.experiments import EXPERIMENTS
from jaxbox.experiments.settings import box

pytestmark = pytest.mark.slow  # six sweeps, 30 s, before the first line is looked at

SEEDS = 4
SEEN = [
    change(
        box(steps=50, eval_every=10),
        {
            "optimizer.name": rule,
            "optimizer.learning_rate": rate,
            "model.features": (6, 6),
            "model.kernel_size": 3,
            "task.inputs": "dimmed",
            "task.contrast": contrast,
            "batch_size": 32,
            "probe": "early",
        },
    )
    for rule in ("adam", "sgd")
    for rate, contrast in ((0.01, 1.0), (0.1, 0.5), (0.3, 2.0), (0.5, 1.0), (0.03, 1.0), (1.0, 0.5))
]
ADAM = SEEN[:6]
"""As many as each of the other runs has, so that they share a compiled program."""
UNSEEN = [change(each, {"task.contrast": 0.7}) for each in ADAM]
FRESH = [change(each, {"task.contrast": 5.0}) for each in ADAM]
WIDE = [change(each, {"batch_size": 16}) for each in ADAM]
"""A second program."""
WIDE_UNSEEN = [change(each, {"optimizer.b1": 0.8}) for each in ADAM]
SEEN_RUNS = {"fates": SEEN, "fates_unseen": UNSEEN, "fates_fresh": FRESH, "fates_wide": WIDE}
JUDGED = {"fates_unseen": "dim", "fates_fresh": "bright", "fates_wide_unseen": "slow"}
"""The experiment of each round, and the one kind of settings that it has here."""
CHANGED = [ADAM[1], *(change(ADAM[1], {"optimizer.b1": b1}) for b1 in (0.0, 0.3, 0.5, 0.7, 0.8))]


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """The folder of small runs named as the page wants them, with predictions that were written before one of them."""
    folder = tmp_path_factory.mktemp("runs")
    with pytest.MonkeyPatch.context() as patch:
        for name, own in (SEEN_RUNS | {"fates_wide_unseen": WIDE_UNSEEN}).items():
            patch.setitem(EXPERIMENTS, name, lambda own=own: own)
        rounds = [
            each._replace(kinds={JUDGED[each.experiment]: {}}, settings_of_a_kind=len(ADAM))
            for each in predictions.ROUNDS
        ]
        for name, value in (("FIRST", rounds[0]), ("ROUNDS", tuple(rounds)), ("FOLDER", folder)):
            patch.setattr(predictions, name, value)
        patch.setattr("analysis.collapse_law.evidence.RESAMPLES", 3)
        for name, own in SEEN_RUNS.items():
            sweep.run(own, SEEDS, name=name, out=folder, quiet=True)
            if name != "fates_fresh":
                before = list(SEEN_RUNS)[: list(SEEN_RUNS).index(name) + 1]
                assert predictions.main([str(folder / each) for each in before]) == 0
        sweep.run(WIDE_UNSEEN, SEEDS, name="fates_wide_unseen", out=folder, quiet=True)
        sweep.run(CHANGED, SEEDS, name="interventions", out=folder, quiet=True)
        deep = [box(steps=2, eval_every=1, **{"model.name": "mlp", "model.hidden": (2, 2, 2)})]
        sweep.run(deep, SEEDS, name="born_dead", out=folder, quiet=True)
        scaled = [change(each, {"task.targets": "pixels"}) for each in ADAM]
        sweep.run([*ADAM, *scaled], SEEDS, name="scaled_targets", out=folder, quiet=True)
        yield folder


def test_the_page_says_what_the_runs_hold(runs, tmp_path, capsys):
    assert main([str(runs / "fates"), "--law", "--out", str(tmp_path / "law")]) == 0
    assert capsys.readouterr().out.strip() == str(tmp_path / "law" / "law.md")
    text = (tmp_path / "law" / "law.md").read_text()
    assert {path.name for path in (tmp_path / "law").iterdir()} == set(page.FILES)
    for run, file in ((each.experiment, each.file) for each in predictions.ROUNDS):
        said, found = pd.read_csv(runs / file), Settings.of(runs / run).lost / SEEDS
        for name in predictions.PREDICTORS:
            error = 100 * np.abs(said[name] - found).mean()
            assert re.search(rf"^\| {name} \| {error:.1f} \| {error:.1f} \|", text, re.MULTILINE), name
    table = pd.read_csv(tmp_path / "law" / "settings.csv")
    parts = [Settings.of(runs / name) for name in (*SEEN_RUNS, "fates_wide_unseen")]
    assert table["lost"].tolist() == [count for part in parts for count in part.lost]
    assert table["fitted"].tolist() == [True] * len(SEEN + UNSEEN + FRESH + WIDE) + [False] * len(WIDE_UNSEEN)
    assert "| b1 0.0 | 0.1 |" in text
    dead = store.dead_layer(store.open_run(runs / "scaled_targets")).values.mean(axis=1)
    for row, configuration in enumerate([*ADAM, *ADAM]):
        scale, rate = ("symmetric", "pixels")[row // len(ADAM)], configuration.optimizer.learning_rate
        assert f"| {scale} | adam b1 0.9 | {rate:g} | {dead[row]:.0%} [" in text
    assert "| 3 | 2 | glorot | 58% |" in text, "1 - (3/4)^3"


def test_predictions_are_those_of_the_fit_to_the_runs_before(runs):
    parts = [Settings.of(runs / name) for name in ("fates", "fates_unseen")]
    seen, said = Settings.joined(parts), pd.read_csv(runs / "fresh.csv")
    fields = settings.fields(FRESH)
    for name, fitted in BASELINES.items():
        own = fitted(seen.fields, seen.lost, seen.members)(fields)
        np.testing.assert_allclose(said[name], own, atol=1e-6)
    assert said["kind"].tolist() == ["bright"] * len(FRESH)
    assert said["law"].between(0, 1).all()


def test_a_page_replaces_its_own_files_and_no_others(runs, tmp_path, capsys):
    words = [str(runs / "fates"), "--law", "--out", str(tmp_path)]
    (tmp_path / "law.csv").write_text("mine")
    assert main(words) == 2
    assert "law.csv is not of an earlier page" in capsys.readouterr().err
    assert (tmp_path / "law.csv").read_text() == "mine"
    (tmp_path / "law.md").write_text(f"{page.FIRST_LINE}\nof yesterday")
    assert main(words) == 0
    assert "yesterday" not in (tmp_path / "law.md").read_text()
    assert (tmp_path / "law.csv").read_text() != "mine"


@pytest.mark.parametrize(("run", "message"), [("interventions", "is not of fates"), ("nothing", "nothing")])
def test_other_runs_are_refused_in_a_line(runs, tmp_path, run, message, capsys):
    assert main([str(runs / run), "--law", "--out", str(tmp_path / "out")]) == 2
    err = capsys.readouterr().err
    assert message in err
    assert len(err.splitlines()) == 1


def test_a_run_that_is_not_at_its_end_is_refused(runs, tmp_path):
    sweep.run(SEEN[:1], 2, name="part", out=tmp_path, quiet=True, stop_after=1e-9)
    assert predictions.main([str(tmp_path / "part")]) == 2
