"""The table: what it covers, that comparisons select what they say, and which claims cannot be true together."""

import dataclasses
import functools
import keyword

import numpy as np
import pytest

from analysis.claims import runs, selecting
from analysis.claims.claim import Claim, Computed, Measured
from analysis.claims.settings import SETTINGS, WORDS
from analysis.claims.statistics import STATISTICS
from analysis.claims.table import CLAIMS, CONTRADICTIONS, SOURCES
from analysis.collapse_law.evidence import BESIDE
from jaxbox import experiments
from jaxbox.config import ConfigurationError, flatten

MEASURED = {name: claim.evidence for name, claim in CLAIMS.items() if isinstance(claim.evidence, Measured)}
COMPUTED = {name: claim.evidence for name, claim in CLAIMS.items() if isinstance(claim.evidence, Computed)}
TRIED = [(name, setting) for name, evidence in MEASURED.items() for setting in evidence.settings]


def test_there_are_many_and_each_is_there_once():
    claims = [claim for source in SOURCES for claim in source.CLAIMS]
    assert len(claims) == len(CLAIMS) >= 40
    assert len({claim.text for claim in claims}) == len(claims)
    assert all(name.isidentifier() and not keyword.iskeyword(name) for name in CLAIMS)


@pytest.mark.parametrize("claim", CLAIMS.values(), ids=lambda claim: claim.name)
def test_a_claim_is_a_sentence_with_advice(claim: Claim):
    for sentence in (claim.text, claim.advice):
        assert sentence[0].isupper()
        assert sentence.endswith(".")
    assert claim.source.startswith(("the question", "a comment", "an answer", "the last answer", "the field today"))
    assert claim.surprise in range(4)


def test_every_experiment_is_in_some_claim():
    of_the_law = {"fates", *BESIDE}  # which its own page judges
    empirical = set(experiments.EXPERIMENTS) - {"thread", "base"} - of_the_law
    assert {evidence.experiment for evidence in MEASURED.values()} == empirical


@pytest.mark.parametrize("name", MEASURED)
def test_measured_claims_are_decidable(name):
    evidence = MEASURED[name]
    statistic = STATISTICS[evidence.statistic]
    assert evidence.comparisons
    assert evidence.margin >= 0.1 if statistic.rate else evidence.margin > 0
    assert set(evidence.settings) <= set(SETTINGS) == set(WORDS)
    conditions = [comparison.condition for comparison in evidence.comparisons]
    assert len(set(conditions)) == len(conditions)
    for comparison in (*evidence.comparisons, *evidence.reasons):
        assert "at the rate " in comparison.condition
        assert comparison.first != comparison.second
        # A setting must not change what a comparison is of.
        changed = {path for setting in evidence.settings for path in SETTINGS[setting]}
        assert not changed & {path for fields in selecting.sides(comparison) for path in fields}


@functools.cache
def rows(experiment):
    """The fields of each of its configurations, which many claims ask for."""
    return [dict(flatten(each)) for each in experiments.configurations(experiment)]


@pytest.mark.parametrize(("name", "setting"), TRIED)
def test_each_side_of_a_comparison_is_one_configuration(name, setting):
    """With the setting's values where it reads them, and otherwise the experiment's."""
    evidence = MEASURED[name]
    every = rows(evidence.experiment)
    found = runs.placed(name, setting)
    assert [each.comparison for each in found] == [*evidence.comparisons, *evidence.reasons]
    for one in found:
        assert len(set(one.configurations)) == len(selecting.sides(one.comparison)) == len(one.configurations)
        for fields, configuration in zip(selecting.sides(one.comparison), one.configurations, strict=True):
            values = dict(flatten(configuration))
            assert all(values[path] == value for path, value in fields.items())
            changed = {path for path in values if path in SETTINGS[setting] and values[path] == SETTINGS[setting][path]}
            rest = {path: value for path, value in values.items() if path not in changed}
            assert any(rest.items() <= row.items() for row in every)


@pytest.mark.parametrize("setting", SETTINGS)
def test_a_setting_is_set_where_it_is_read(setting):
    for one in runs.placed("convolutions_hurt", setting):
        for configuration in one.configurations:
            values = dict(flatten(configuration))
            assert {path: values[path] for path in SETTINGS[setting]} == SETTINGS[setting]


def test_where_a_comparison_is_are_its_own_sizes_and_the_epsilon_of_the_side_that_has_one():
    (_, one) = runs.placed("sgd_first", "second")
    assert one.where == "16 x 16, box of 5, Adam's epsilon 1e-8 (the question's), 100 steps"
    assert runs.placed("predicts_the_mean", "small")[-1].where.startswith("64 x 64, box of 5, Adam's epsilon 1e-7")
    assert runs.placed("sgd_at_one_works", "small")[0].where == "100 x 100, box of 5, 2,000 steps"


def test_what_is_not_read_changes_nothing():
    small, other = (
        [each.configurations for each in runs.placed("sgd_at_one_works", setting)] for setting in ("small", "epsilon")
    )
    assert small == other


def test_runs_train_nothing_twice():
    every = runs.jobs()
    assert len({job.name for job in every}) == len(every)
    for job in every:
        found = job.configurations()
        assert len(set(found)) == len(found)
    named = runs.jobs(["rate_too_high"])
    assert [job.name for job in named] == ["small-learning_rates", "second-learning_rates", "large-learning_rates"]
    assert {each.claim for job in named for each in job.placed} == {"rate_too_high"}
    (whole,) = (job for job in every if job.name == named[0].name)
    assert set(named[0].configurations()) <= set(whole.configurations())
    assert len(runs.jobs(["rate_too_high"], full=True)) == 1
    assert not runs.jobs(["bias_bounds_error"]), "nothing is trained for what is computed"


def test_every_measured_claim_is_tried_in_two_settings_unless_its_size_is_the_claims_own():
    alone = {name for name, evidence in MEASURED.items() if len(evidence.settings) < 2}
    assert alone == {"sgd_at_one_works", "small_rates_stay"}


def test_selecting_says_which_fields_select_too_many_or_none():
    every = experiments.configurations("width")
    assert selecting.select(every, {"model.features": (8, 16, 32), "optimizer.learning_rate": 0.01}) == 1
    with pytest.raises(ConfigurationError, match=r"model.features: \(8, 16, 32\): selects 3 of 9"):
        selecting.select(every, {"model.features": (8, 16, 32)})
    with pytest.raises(ConfigurationError, match=r"model\.widths: 3: selects 0 of 9"):
        selecting.select(every, {"model.widths": 3})
    with pytest.raises(ConfigurationError, match="no field: selects 9 of 9"):
        selecting.select(every, {})


@pytest.mark.parametrize("pair", CONTRADICTIONS, ids=" and ".join)
def test_contradictions_are_of_claims_that_exist(pair):
    first, second = (CLAIMS[name] for name in pair)
    assert first is not second


@pytest.mark.parametrize(
    "pair",
    [
        ("many_filters_hurt", "filters_cannot_hurt"),
        ("capacity_hides_the_signal", "capacity_cannot_hurt"),
        ("standardizing_is_the_fault", "standardizing_is_the_cure"),
    ],
)
def test_opposites_look_at_the_same_numbers(pair):
    first, second = (MEASURED[name] for name in pair)
    assert pair in CONTRADICTIONS
    for one, other in zip(first.comparisons, second.comparisons, strict=True):
        assert dataclasses.replace(one, direction=other.direction) == other
        assert one.direction != other.direction
    same = ("experiment", "statistic", "margin", "settings")
    assert all(getattr(first, name) == getattr(second, name) for name in same)


@pytest.mark.parametrize("name", COMPUTED)
def test_a_step_is_right_exactly_where_it_says_so(name):
    assert COMPUTED[name].steps
    for step in COMPUTED[name].steps:
        found = step()
        assert not np.isnan([found.claimed, found.true]).any()
        assert found.counterexample
        assert found.correction
        assert (found.claimed == pytest.approx(found.true, abs=1e-12)) == (found.verdict == "true")
