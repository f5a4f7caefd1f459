"""Verdicts from outcomes; and runs of two claims, made by the command, whose every number is computed again here."""

import csv
import itertools

import numpy as np
import pytest
from scipy.stats import binomtest

from analysis.claims import provenance, runs, telling, verdicts
from analysis.claims.__main__ import main
from analysis.claims.claim import Comparison
from analysis.claims.runs import Placed
from analysis.claims.settings import SETTINGS
from analysis.claims.table import CLAIMS, CONTRADICTIONS
from analysis.claims.verdicts import Outcome
from jaxbox import store, sweep
from jaxbox.intervals import Interval
from jaxbox.sweep.until.looks import levels

NAMES = ("small_rates_stay", "sgd_at_one_works")
"""Of a linear model, whose runs take seconds."""


def outcome(answer, reason=False):
    placed = Placed("x", "width", "small", Comparison("c", {}), "collapse rate", 0.2, reason, ())
    return Outcome(placed, 8, (0.1,), Interval(*map(np.array, (0.1, 0.0, 0.2))), answer, None)


@pytest.mark.parametrize(
    ("effects", "reasons", "verdict"),
    [
        (["true", "true"], [], "true"),
        (["false", "false"], [], "false"),
        (["true", "false", ""], [], "conditional"),
        (["true", ""], [], "undecided"),
        ([""], [], "undecided"),
        ([], [], "undecided"),
        (["true"], ["true"], "true"),
        (["true"], ["false"], "unfounded"),
        (["true"], [""], "undecided"),
        (["false"], ["true"], "false"),
    ],
)
def test_a_verdict_is_what_its_comparisons_say_together(effects, reasons, verdict):
    found = [outcome(each) for each in effects] + [outcome(each, reason=True) for each in reasons]
    assert verdicts.verdict(found) == verdict


def test_without_runs_computed_claims_are_decided_and_measured_ones_are_not(tmp_path):
    found = verdicts.stories(tmp_path)
    assert [each.claim.name for each in found] == list(CLAIMS)
    for story in found:
        assert (story.verdict == "undecided") == (story.claim.kind == "measured")
        assert telling.story(story)
    assert "no runs yet" in telling.table(found)


@pytest.fixture(scope="module")
def shorter():
    """What is tried here is whether numbers are right, not what they are: 40 steps tell as well as 2,000."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(SETTINGS, "small", {"steps": 40, "eval_every": 20})
        runs.placed.cache_clear()
        yield
    runs.placed.cache_clear()


@pytest.fixture(scope="module")
def made(tmp_path_factory, shorter):
    """The folder of two claims' runs, and a CSV of them."""
    folder = tmp_path_factory.mktemp("claims")
    assert main([*NAMES, "--run", "--runs", str(folder / "runs"), "--csv", str(folder / "claims.csv")]) == 0
    return folder


def test_every_number_of_the_table_is_that_of_the_runs(made):
    with (made / "claims.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert {row["claim"] for row in rows} == set(NAMES)
    path = made / "runs" / "small-hundred_pixels"
    run, plan = store.open_run(path), store.load_plan(path)
    mse = run["mse"].sel(split="all").isel(step=-1).astype(float)
    variance = run["target"].astype(float).var("position")
    r2 = (1 - mse.sum("axis", skipna=False) / variance.sum("axis")).fillna(-np.inf).values
    for row in rows:
        inputs = {"pixels in [0, 1]": "unit", "standardised pixels": "standardized"}[row["condition"].split(", at")[0]]
        rate = float(row["condition"].rsplit(" ", 1)[1])
        (index,) = [
            place
            for place, each in enumerate(plan.configurations)
            if each.task.inputs == inputs and each.optimizer.learning_rate == pytest.approx(rate)
        ]
        seeds, looks = int(row["seeds"]), (8, 16, 24, 40, 64, 96)
        scores, level = r2[index, :seeds], {"small_rates_stay": 0.5, "sgd_at_one_works": 0.85}[row["claim"]]
        if row["claim"] == "small_rates_stay":
            events = int((scores < 0.05).sum())
            exact = binomtest(events, seeds).proportion_ci(levels(looks)[looks.index(seeds)], "exact")
            low, high, value = exact.low - level, exact.high - level, events / seeds
        else:
            value = np.sort(np.maximum(scores, -1))[seeds // 4 : seeds - seeds // 4].mean()
            low, high = float(row["low"]), float(row["high"])
            assert low <= value - level <= high
        assert float(row["first"]) == pytest.approx(value)
        assert float(row["difference"]) == pytest.approx(value - level)
        assert (float(row["low"]), float(row["high"])) == pytest.approx((low, high))
        margin = {"small_rates_stay": 0.2, "sgd_at_one_works": 0.05}[row["claim"]]
        assert row["answer"] == ("false" if high < margin else "true" if low > 0 else "undecided")


def test_where_the_numbers_come_from_is_a_line_that_tells_runs_apart(made, tmp_path):
    def line(folder):
        return provenance.summary(provenance.origins(folder, ["small-hundred_pixels"]))

    members = store.load_plan(made / "runs" / "small-hundred_pixels").member_count
    assert line(made / "runs").startswith(f"1 runs, {members} networks, jaxbox ")
    assert line(tmp_path) == ""
    other = tmp_path / "small-hundred_pixels"
    sweep.run(runs.jobs([NAMES[0]])[0].configurations()[:1], 2, name=other.name, out=tmp_path, quiet=True)
    assert line(tmp_path).rsplit(" ", 1)[1] != line(made / "runs").rsplit(" ", 1)[1]


def test_runs_go_on_for_other_claims_and_what_is_decided_costs_nothing_more(made, capsys):
    before = store.load_manifest(made / "runs" / "small-hundred_pixels")["sessions"]
    assert main([NAMES[0], "--run", "--runs", str(made / "runs")]) == 0
    assert "Rule, written before the runs" in capsys.readouterr().out
    after = store.load_plan(made / "runs" / "small-hundred_pixels")
    assert len(store.load_manifest(made / "runs" / "small-hundred_pixels")["sessions"]) == len(before) + 1
    assert after.member_count == int((store.open_run(made / "runs" / "small-hundred_pixels")["last_step"] >= 0).sum())
    assert len(list((made / "runs").iterdir())) == 1


@pytest.mark.slow
def test_a_job_made_claim_by_claim_has_what_one_made_at_once_has(made, tmp_path):
    for name in reversed(NAMES):
        assert main([name, "--run", "--runs", str(tmp_path)]) == 0
    one, other = (verdicts.stories(folder, NAMES) for folder in (made / "runs", tmp_path))
    for first, second in zip(one, other, strict=True):
        assert first.verdict == second.verdict
        for each, again in zip(first.outcomes, second.outcomes, strict=True):
            assert (each.seeds, each.sides, each.answer) == (again.seeds, again.sides, again.answer)


def test_claims_that_contradict_each_other_are_not_both_true(made):
    """In these runs; tests/analysis/claims/test_judging.py has it for all that could be."""
    found = {each.claim.name: each.verdict for each in verdicts.stories(made / "runs")}
    for first, second in CONTRADICTIONS:
        assert (found[first], found[second]) != ("true", "true")


@pytest.mark.parametrize(
    ("words", "line"),
    [
        ("rate_to_high", "names: unknown name 'rate_to_high' (did you mean rate_too_high?)"),
        ("--html page.txt", "html: page.txt must end in .html"),
        ("--csv nowhere/claims.csv", "csv: nowhere is not a folder"),
        ("--html there.html", "html: there.html exists; --overwrite replaces a file"),
        ("--htm x.html", "--htm"),
    ],
)
def test_mistakes_are_a_line(words, line, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "there.html").write_text("mine")
    assert main([*words.split(), "--run"]) == 2
    error = capsys.readouterr().err
    assert line in error
    assert error.count("\n") == 1
    assert (tmp_path / "there.html").read_text() == "mine"
    assert not (tmp_path / "runs").exists()


def test_jobs_look_where_they_say():
    (job,) = runs.jobs([NAMES[0]])
    assert job.looks(runs.MOST_SEEDS) == (8, 16, 24, 40, 64, 96)
    assert list(itertools.pairwise(job.looks(runs.MOST_SEEDS)))
