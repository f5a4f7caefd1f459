"""The sentences on top, for runs whose scores are made up so that one knows what is true."""

import dataclasses

import numpy as np
import pytest

from analysis.report import choice, collapse_rate, distance, limits, preference, tables
from analysis.report.values import Number, plain

SEEDS = 6


@pytest.fixture
def made_up(gathered):
    """A function from scores, a row a configuration of `rates`, to a run that has them."""
    run = gathered("rates")

    def make(*scores, **others):
        scores = np.array(scores, float)
        collapsed = scores < 0.05
        shape = {"begun": ~np.isnan(scores), "collapsed": collapsed, "score": scores}
        fates = np.where(np.isneginf(scores), "diverged", np.where(collapsed, "dead", "none"))
        fates = np.where(np.isnan(scores), "", fates).astype("<U13")
        compared = run.compared.assign(fate=(("configuration", "seed"), fates))
        return dataclasses.replace(run, **shape | {"compared": compared} | others)

    return make


GOOD, BETTER = np.linspace(0.90, 0.92, SEEDS), np.linspace(0.97, 0.98, SEEDS)
DEAD, NOT_BEGUN = np.zeros(SEEDS), np.full(SEEDS, np.nan)


def said(run):
    return " ".join(map(plain, choice.preferred(run, preference.preferences(run))))


def test_what_is_surely_better_is_preferred(made_up):
    run = made_up(GOOD, DEAD, BETTER, NOT_BEGUN)
    (found,) = preference.preferences(run)
    assert (found.best, [rival.index for rival in found.rivals], found.undecided) == (2, [0, 1], [])
    text = said(run)
    assert text.startswith(f"Prefer “{run.names[2]}”")
    assert f"ahead of “{run.names[0]}” by 0.065 [" in text
    assert "with probability 1.00 [1.00, 1.00]" in text
    assert "worst quarter" not in text


def test_what_the_interquartile_mean_leaves_out_is_told(made_up):
    text = said(made_up(np.append(BETTER[1:], 0.0), GOOD, DEAD, DEAD))
    assert "of all seeds 17% [3, 56] collapsed" in text


def test_what_overlaps_is_undecided_and_named(made_up):
    run = made_up(BETTER, BETTER[::-1] - 1e-4, GOOD, DEAD)
    assert said(run).startswith(f"Undecided between “{run.names[0]}” (")
    (found,) = preference.preferences(run)
    assert found.undecided == [1]


def test_rivals_are_compared_at_the_seeds_that_both_have_begun(made_up):
    half = np.where(np.arange(SEEDS) < 3, BETTER + 0.01, np.nan)
    (found,) = preference.preferences(made_up(half, GOOD, BETTER, DEAD))
    by_index = {rival.index: rival for rival in found.rivals}
    assert found.best == 0
    assert by_index[1].difference.value == pytest.approx(np.mean(BETTER[:3] + 0.01) - np.mean(GOOD[:3]))
    assert by_index[2].difference.value == pytest.approx(0.01)
    other = np.where(np.arange(SEEDS) < 3, np.nan, GOOD)
    (found,) = preference.preferences(made_up(half, other, DEAD, DEAD))
    nothing = next(rival for rival in found.rivals if rival.index == 1)
    assert np.isnan(nothing.difference.value)
    assert 1 in found.undecided


def test_each_comparison_has_its_share_of_the_errors(made_up, monkeypatch):
    asked = []
    usual = preference.statistics.paired_difference
    monkeypatch.setattr(
        preference.statistics, "paired_difference", lambda *scores, **how: asked.append(how) or usual(*scores, **how)
    )
    preference.preferences(made_up(GOOD, DEAD, BETTER, BETTER))
    assert asked == [{"confidence": pytest.approx(1 - 0.05 / 3), "resamples": 2000}]


def test_many_tasks_are_told_by_choice(made_up, monkeypatch):
    run = made_up(GOOD, BETTER, BETTER, GOOD)
    run = dataclasses.replace(run, tasks=(0, 0, 2, 2), names=("a one", "b one", "b two", "a two"))
    monkeypatch.setattr(choice, "FEW", 1)
    monkeypatch.setattr(preference.Gathered, "task_name", lambda self, task: ("one", "", "two")[task])
    lines = [plain(words) for words in choice.preferred(run, preference.preferences(run))]
    assert lines[0].startswith("Of 2 tasks")
    assert lines[1:] == ["“b” is the best on 2, surely on 2."]


def test_distances_are_of_the_seeds_that_did_not_collapse(made_up):
    optimum = np.full(4, 0.95)
    run = made_up(np.append(BETTER[1:], 0.0), GOOD, DEAD, DEAD, r2_lmmse=optimum, r2_bayes=optimum + 0.04)
    lines = [plain(words) for words in distance.distance(run)]
    assert len(lines) == 3
    assert "5 seeds: R2 0.976" in lines[1]
    assert f"{np.median(BETTER[1:]) - 0.95:.3f} [" in lines[1]
    assert "] above the best linear (0.9500), " in lines[1]
    assert f"; {0.95 - np.median(GOOD):.3f} [" in lines[2]
    assert "] below the best linear (0.9500), " in lines[2]
    assert lines[2].endswith("below the best possible (0.9900).")


def distances(run):
    return [plain(words) for words in distance.distance(run)]


NOTHING = np.full(4, np.nan)


def test_where_only_the_best_linear_is_known_and_estimated_it_says_so(made_up):
    estimate = {"r2_lmmse": np.full(4, 0.95), "r2_lmmse_error": np.full(4, 0.01)}
    run = made_up(BETTER, GOOD, DEAD, DEAD, r2_bayes=NOTHING, **estimate)
    lines = distances(run)
    assert len(lines) == 3
    assert "how far from the best linear predictor, as median. The best possible one is not known." in lines[0]
    assert lines[1].endswith("] above the estimated best linear (0.9500 [0.9304, 0.9696]).")
    assert lines[2].endswith("] below the estimated best linear (0.9500 [0.9304, 0.9696]).")
    said = " ".join(plain(words) for words in limits.limits(run))
    assert "the best linear predictor is estimated" in said
    assert "the best linear predictor is estimated" not in " ".join(map(plain, limits.limits(made_up(*[GOOD] * 4))))
    assert tables.configurations(run).frame()["r2_lmmse_high"].tolist() == pytest.approx([0.95 + 1.96 * 0.01] * 4)
    exact = distances(made_up(BETTER, GOOD, DEAD, DEAD, r2_bayes=NOTHING, r2_lmmse=np.full(4, 0.95)))
    assert exact[2].endswith("] below the best linear (0.9500).")


def test_each_configuration_is_beside_what_is_known_of_its_task(made_up):
    linear, bayes = np.array([0.95, np.nan, 0.95, np.nan]), np.array([np.nan, 0.99, 0.99, np.nan])
    lines = distances(made_up(GOOD, GOOD, GOOD, GOOD, r2_lmmse=linear, r2_bayes=bayes))
    assert len(lines) == 4
    assert lines[0].endswith("the best linear and the best possible predictor, as median.")
    assert lines[1].endswith("] below the best linear (0.9500).")
    assert lines[2].endswith("] below the best possible (0.9900).")
    assert "] below the best linear (0.9500), " in lines[3]
    alone = distances(made_up(GOOD, DEAD, DEAD, DEAD, r2_lmmse=NOTHING, r2_bayes=np.full(4, 0.99)))
    assert alone[0].endswith("how far from the best possible predictor, as median. The best linear one is not known.")


def test_of_many_configurations_those_surely_above_an_estimate_are_counted(made_up, monkeypatch):
    monkeypatch.setattr(distance, "FEW", 1)
    # Medians are .975, .965 and .91; the estimate's interval ends at .9696.
    estimate = {"r2_lmmse": np.full(4, 0.95), "r2_lmmse_error": np.full(4, 0.01)}
    run = made_up(BETTER, BETTER - 0.01, GOOD, DEAD, r2_bayes=NOTHING, **estimate)
    lines = distances(run)
    assert lines[1].startswith(f"Best beside the best linear: “{run.names[0]}”")
    assert lines[2].startswith(f"Worst beside it: “{run.names[2]}”")
    assert lines[3].startswith("In 1 of 3 configurations")
    lines = distances(dataclasses.replace(run, r2_bayes=np.array([np.nan, 0.99, 0.99, 0.99])))
    assert lines[1].startswith(f"Nearest to the best possible: “{run.names[1]}”")
    assert lines[3].startswith("In 1 of 3 configurations")
    lines = distances(dataclasses.replace(run, r2_lmmse=NOTHING, r2_bayes=np.full(4, 0.99)))
    assert len(lines) == 3


def test_a_negative_gap_is_turned_round_with_its_interval():
    gap, word = distance._below(Number(-0.02, "R2 difference", "r2", -0.03, -0.01, "gap"))
    assert (gap.value, gap.low, gap.high, word) == (0.02, 0.01, 0.03, " above ")
    assert gap.name == "-gap"


def test_kinds_of_collapse_are_told_the_worst_first_and_others_apart(made_up):
    run = made_up(np.append(BETTER[1:], -np.inf), np.append(GOOD[1:], 0.0), DEAD, NOT_BEGUN)
    fate = run.compared["fate"].values.copy()
    fate[0, 0], fate[2, 0] = "offset", "none"
    run = dataclasses.replace(run, compared=run.compared.assign(fate=(("configuration", "seed"), fate)))
    lines = [plain(words) for words in collapse_rate.collapse(run)]
    assert lines[0].startswith("8 of 18 members collapsed")
    assert lines[0].endswith(": 1 diverged, 6 dead, 1 of no named kind.")
    assert lines[1].endswith(": 1 offset.")
    assert lines[2].endswith("”: 1 of 6 seeds, 17% [3, 56]: 1 diverged.")
    assert len(lines) == 5


def test_what_diverged_tells_nothing(made_up):
    told = np.tile(np.arange(1.0, SEEDS + 1), (4, 1))
    run = made_up(np.append(-np.inf, GOOD[1:]), GOOD, np.full(SEEDS, -np.inf), NOT_BEGUN, information=told)
    found = tables.configurations(run).frame()
    assert found["information"].tolist() == [4.0, 3.5, "", ""]
    assert found["r2_median"].tolist()[:3] == [np.median([-1, *GOOD[1:]]), np.median(GOOD), -np.inf]
