"""The law's formula against arithmetic by hand, and what it says against what it is asked for."""

import math

import numpy as np
import pytest

from jaxbox import forecast
from jaxbox.config import ConfigurationError, change, replace
from jaxbox.experiments.settings import box
from jaxbox.forecast import constants, early, scope, signals
from jaxbox.forecast.law import RATES, Law, probability, stretch
from jaxbox.forecast.variables import DESCENT

LAW = Law({"": 1.0, "input": -2.0}, {"": 0.5, "step": 3.0})


def test_probability_is_the_product_of_two_gates():
    by_hand = 1 / (1 + math.exp(-(1 - 2 * 0.3))) / (1 + math.exp(-(0.5 + 3 * 0.2)))
    assert probability(LAW, {"input": 0.3, "step": 0.2}) == pytest.approx(by_hand)
    both = probability(LAW, {"input": np.array([0.3, 0.0]), "step": np.array([0.2, -9.0])})
    assert both[0] == pytest.approx(by_hand)
    assert both[1] < 1e-10


def test_a_rate_that_is_stretched_has_the_probability_asked_for():
    known = {"input": 0.3, "step": 0.2}
    for most in (0.001, 0.01, 0.3):
        times = stretch(LAW, known, most)
        assert probability(LAW, known | {"step": 0.2 + math.log(times)}) == pytest.approx(most)
    assert stretch(LAW, {"input": 5.0, "step": 0.2}, 0.01) == math.inf


@pytest.mark.parametrize("rule", ["adam", "momentum"])
def test_the_largest_rate_is_expected_to_be_safe_and_no_larger_one(rule):
    configuration = box(**{"optimizer.name": rule})
    largest = forecast.expect(configuration).largest
    for factor, safe in ((0.999, True), (1.001, False)):
        changed = change(configuration, {"optimizer.learning_rate": largest * factor})
        assert (forecast.expect(changed).rate <= forecast.SAFE) == safe


@pytest.mark.parametrize(("path", "names"), scope.KNOWN.items())
def test_what_the_law_does_not_know_is_said_by_name(path, names):
    from jaxbox.config.tables import TABLES

    for name in TABLES[path]:
        configuration = replace(box(), {path: name})
        if name in names:
            assert forecast.unknown(configuration) == ""
        else:
            with pytest.raises(ConfigurationError, match=f"^{path}: .*not {name}"):
                forecast.expect(configuration)


def test_initialisations_that_are_known_have_a_variance():
    assert scope.KNOWN["model.initialization"] == tuple(signals.VARIANCES)


def test_every_setting_that_was_fitted_lies_within_what_is_said_to_be():
    from jaxbox.experiments import EXPERIMENTS

    for name in ("fates", "fates_unseen", "fates_fresh", "fates_wide"):
        assert [each for each in EXPERIMENTS[name]() if forecast.beyond(each)] == []


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"model.features": (161, 8)}, ["a layer of 161"]),
        ({"model.features": (8,) * 6}, ["6 hidden layers"]),
        ({"model.kernel_size": 11}, ["model.kernel_size 11"]),
        ({"model.initialization": "lecun", "batch_size": 16}, ["model.initialization lecun", "batch_size 16"]),
        ({"optimizer.frozen": "biases"}, ["optimizer.frozen biases"]),
        ({"task.inputs": "checkerboard"}, ["task.inputs checkerboard"]),
        ({"task.targets": "pixels", "data.law": "beta"}, ["task.targets pixels", "data.law beta"]),
    ],
)
def test_what_lies_beyond_is_named(fields, words):
    assert forecast.beyond(box(**fields)) == words


def test_constants_name_known_variables():
    from jaxbox.forecast.variables import variables

    known = {"", *variables(box())}
    for law in (constants.ADAM, constants.DESCENT):
        assert known >= {*law.plateau, *law.threshold}
        assert set(law.threshold) & set(RATES), "the rate is in the threshold, and there alone"
        assert not set(law.plateau) & set(RATES)
    assert set(DESCENT) < set(scope.KNOWN["optimizer.name"])


def by_hand(share, step, expected=None):
    """The formula of a network whose smallest share is `share`, at least a thousandth of whose units are dead."""
    formula = early.ALONE if expected is None else early.WITH_LAW
    logit = formula.constant + formula.odds * math.log((1.001 - share) / share) + formula.step * math.log(step / 10)
    if expected is not None:
        logit += formula.expected * math.log(expected / (1 - expected))
    return pytest.approx(1 / (1 + math.exp(-logit)))


def test_dying_by_hand():
    alive = np.array([[0.5, 0.04], [1.0, 0.0], [np.nan, np.nan], [0.9, np.nan]])
    found = early.dying(alive, 20)
    assert found[0] == by_hand(0.04, 20)
    assert found[1:3].tolist() == [1.0, 0.0]
    assert found[3] == by_hand(0.9, 20)
    assert np.array_equal(early.dying(alive, 3), early.dying(alive, 10))
    assert np.array_equal(early.dying(alive, 300), early.dying(alive, 30))


def test_what_the_law_expects_is_used_where_it_is_known():
    alive = np.array([[0.5], [0.5], [0.5], [0.0], [np.nan]])
    found = early.dying(alive, 20, np.array([0.2, 0.9, np.nan, 0.2, 0.2]))
    assert found[:2].tolist() == [by_hand(0.5, 20, 0.2), by_hand(0.5, 20, 0.9)]
    assert found[2] == by_hand(0.5, 20)
    assert found[3:].tolist() == [1.0, 0.0]
    never, always = early.dying(alive[:2], 20, np.array([0.0, 1.0]))
    assert (never, always) == (by_hand(0.5, 20, 0.001), by_hand(0.5, 20, 0.999)), "not beyond a thousandth"


def test_a_rate_after_some_steps_is_the_mean_over_networks():
    configuration = box(**{"optimizer.learning_rate": 0.03})
    expected = forecast.expect(configuration).rate
    alive = np.array([[1.0, 0.5], [0.3, 0.0], [0.9, 0.9]])
    said = [by_hand(0.5, 10, expected).expected, 1.0, by_hand(0.9, 10, expected).expected]
    assert forecast.expect_after(configuration, alive, step=10) == pytest.approx(sum(said) / 3)
    with pytest.raises(ValueError, match=r"\(0, 2\); it must be"):
        forecast.expect_after(configuration, alive[:0], step=10)
    with pytest.raises(ConfigurationError, match="normalization"):
        forecast.expect_after(box(**{"model.normalization": "batch"}), alive, step=10)
