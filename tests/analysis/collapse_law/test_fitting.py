"""The fit against laws that fates were drawn from, and against scikit-learn where one gate is left."""

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression

from analysis.collapse_law import baselines, fitting, settings
from jaxbox.experiments import EXPERIMENTS
from jaxbox.forecast.law import Law, probability

LAW = Law({"": 2.0, "a": -1.0}, {"": -1.0, "b": 3.0, "c": 1.5})
FORM = (["a"], ["b", "c"])


def drawn(count, members=32, seed=0):
    generator = np.random.default_rng(seed)
    known = pd.DataFrame(generator.normal(size=(count, 3)), columns=["a", "b", "c"])
    rate = probability(LAW, {name: known[name].to_numpy() for name in known})
    return known, generator.binomial(members, rate), np.full(count, members)


def test_constants_are_those_that_fates_were_drawn_from():
    """Over 40 draws the fits' mean is the law within three of its own standard errors and the pull of the penalty."""
    found = []
    for seed in range(40):
        law = fitting.fit(FORM, *drawn(400, seed=seed))
        found.append([*law.plateau.values(), *law.threshold.values()])
    found, true = np.array(found), np.array([*LAW.plateau.values(), *LAW.threshold.values()])
    error = found.std(axis=0, ddof=1) / np.sqrt(len(found))
    # Maximum likelihood is biased by the order of 1 / members, at 12,800 of them well within a hundredth of a constant.
    assert np.all(np.abs(found.mean(axis=0) - true) < 3 * error + 0.01 * np.abs(true))


def test_the_likelihood_is_at_its_top():
    """No small change of a constant is more likely than what was found, but for the penalty's pull."""
    known, lost, members = drawn(300)
    law = fitting.fit(FORM, known, lost, members)

    def cost(constants):
        own = Law({"": constants[0], "a": constants[1]}, dict(zip(["", "b", "c"], constants[2:], strict=True)))
        rate = fitting.predicted(own, known)
        return -(lost * np.log(rate) + (members - lost) * np.log1p(-rate)).sum() / members.sum()

    best = np.array([*law.plateau.values(), *law.threshold.values()])
    for place in range(len(best)):
        for change in (-0.3, 0.3):
            assert cost(best + change * np.eye(len(best))[place]) > cost(best)


def test_with_a_plateau_of_one_it_is_logistic_regression():
    known, lost, members = drawn(300)
    known["a"] = -50.0  # S(plateau) is 1 for every setting
    law = fitting.fit(([], ["b", "c"]), known, lost, members)
    both = pd.concat([known, known])[["b", "c"]]
    plain = LogisticRegression(C=np.inf).fit(
        both, np.repeat([1, 0], len(known)), sample_weight=np.concatenate([lost, members - lost])
    )
    rate = plain.predict_proba(known[["b", "c"]])[:, 1]
    # The law's second gate can only lower what is near 1; fates were drawn with one, so compare where it is near.
    assert np.mean(np.abs(fitting.predicted(law, known) - rate)) < 0.05


@pytest.mark.slow
def test_resamples_spread_as_fits_of_fresh_draws_do():
    """Each setting its own program: the bootstrap's spread is that over draws within a factor of 1.5."""
    known, lost, members = drawn(200)
    laws = fitting.resampled(FORM, known, lost, members, np.arange(200), resamples=40)
    bootstrap = np.std([law.threshold["b"] for law in laws], ddof=1)
    fresh = np.std([fitting.fit(FORM, *drawn(200, seed=seed)).threshold["b"] for seed in range(1, 41)], ddof=1)
    assert 1 / 1.5 < bootstrap / fresh < 1.5


def test_programs_are_those_that_share_a_compiled_one():
    configurations = EXPERIMENTS["fates"]()
    number = fitting.programs(configurations)
    assert len(set(number)) == 84
    assert np.bincount(number).tolist() == [24] * 84


@pytest.mark.parametrize("name", baselines.BASELINES)
def test_baselines_learn_what_is_in_the_fields(name):
    """Fates that follow one field: each baseline predicts settings that it has not seen as well as it can."""
    configurations = EXPERIMENTS["fates"]()[::4]
    fields = settings.fields(configurations)
    rate = 1 / (1 + np.exp(-4 * (np.log(fields["learning_rate"]) - np.log(0.05)))).to_numpy()
    lost, members = np.random.default_rng(0).binomial(32, rate), np.full(len(rate), 32)
    half = np.arange(len(rate)) % 2 == 0
    predict = baselines.BASELINES[name](fields[half].reset_index(drop=True), lost[half], members[half])
    error = np.mean(np.abs(predict(fields[~half]) - rate[~half]))
    if name == "constant":
        assert error == pytest.approx(np.mean(np.abs(np.median(lost[half] / 32) - rate[~half])))
    else:
        assert error < 0.05
