"""Comparisons on made-up networks whose truth is known: true, false, and undecided by too few seeds."""

import numpy as np
import pytest
from scipy.stats import binom, binomtest, ttest_1samp

from analysis.claims import judging
from analysis.claims.claim import Comparison
from jaxbox.intervals import Interval, Table, paired_rates

RARE = 1e-4
PAIR = Comparison("", {"a": 1}, {"a": 2})


def compared(direction, level=0.0, pair=True):
    return Comparison("", {"a": 1}, {"a": 2} if pair else None, level, direction)


def found(low, high):
    return Interval(*map(np.array, ((low + high) / 2, low, high)))


@pytest.mark.parametrize(
    ("direction", "low", "high", "answer"),
    [
        *[("more", 0.1, 0.5, "true"), ("more", -0.1, 0.15, "false"), ("more", -0.1, 0.5, "")],
        # What is surely there and surely too little to matter is no effect.
        *[("more", 0.05, 0.1, "false"), ("more", -0.6, -0.4, "false"), ("more", 0.0, 0.5, "")],
        *[("less", -0.5, -0.1, "true"), ("less", -0.15, 0.1, "false"), ("less", -0.5, 0.1, "")],
        *[("equal", -0.19, 0.19, "true"), ("equal", 0.05, 0.5, "false"), ("equal", -0.5, -0.05, "false")],
        *[("equal", 0.05, 0.1, "true"), ("equal", -0.1, 0.3, "")],
    ],
)
def test_an_interval_settles_it_or_does_not(direction, low, high, answer):
    assert judging.answer(compared(direction), 0.2, found(low, high)) == answer


@pytest.mark.parametrize(("one", "other"), [("more", "equal"), ("more", "less"), ("less", "equal")])
def test_claims_that_contradict_each_other_are_never_both_true(one, other):
    """Whatever the interval is, for the same numbers and margin."""
    for low in np.linspace(-1, 1, 81):
        for high in np.linspace(low, 1, 41):
            answers = [judging.answer(compared(each), 0.2, found(low, high)) for each in (one, other)]
            assert answers != ["true", "true"]


def test_a_difference_of_shares_is_tango_s_and_one_share_clopper_and_pearson_s():
    first, second = np.array([True] * 9 + [False] * 7), np.array([True] * 2 + [False] * 14)
    both = judging.difference("collapse rate", [first, second], PAIR, 0.99)
    assert both == paired_rates(Table(7, 0, 16), 0.99)
    alone = judging.difference("collapse rate", [first], compared("more", 0.5, pair=False), 0.99)
    exact = binomtest(9, 16).proportion_ci(0.99, "exact")
    assert (float(alone.low), float(alone.high)) == pytest.approx((exact.low - 0.5, exact.high - 0.5))
    assert judging.value("collapse rate", first) == 9 / 16


def test_one_number_is_compared_with_its_level():
    scores = np.array([0.91, 0.93, 0.9])  # too few for any to be cut
    alone = judging.difference("R2", [scores], compared("more", 0.85, pair=False), 0.9)
    exact = ttest_1samp(scores, 0.85).confidence_interval(0.9)
    assert (float(alone.low), float(alone.high)) == pytest.approx((exact.low - 0.85, exact.high - 0.85))
    assert judging.value("R2", np.array([0.0, 0.5, 0.7, -1.0])) == pytest.approx(0.25)


@pytest.mark.parametrize(
    ("rates", "direction", "right"),
    [
        ((0.6, 0.1), "more", "true"),
        ((0.1, 0.1), "more", "false"),
        ((0.1, 0.6), "less", "true"),
        ((0.2, 0.2), "equal", "true"),
    ],
)
def test_made_up_networks_are_judged_right(rates, direction, right):
    random, answers = np.random.default_rng(8), []
    for _ in range(300):
        values = [random.random(96) < rate for rate in rates]
        answers.append(judging.answer(compared(direction), 0.2, judging.difference("collapse rate", values, PAIR)))
    wrong = {"true": "false", "false": "true"}[right]
    assert answers.count(wrong) <= binom.ppf(1 - RARE, 300, 0.05)
    assert answers.count(right) > 150
    few = [random.random(8) < 0.3 for _ in range(2)]
    assert judging.answer(compared("equal"), 0.2, judging.difference("collapse rate", few, PAIR, 0.998)) == ""


def test_how_many_seeds_would_decide_it_is_what_the_square_root_says():
    # A half-width of .2 at 32 seeds has to become .15 or less, so that the margin .25 is outside: 32 (.2 / .15)^2.
    assert judging.seeds_to_decide(compared("more"), 0.25, found(-0.1, 0.3), 32) == 64
    assert judging.seeds_to_decide(compared("more"), 0.2, found(0.0, 0.4), 40) == 48, "more than there were"
    assert judging.seeds_to_decide(compared("less"), 0.25, found(-0.3, 0.1), 32) == 64
    assert judging.seeds_to_decide(compared("equal"), 0.2, found(-0.2, 0.2), 32) == 40
    assert judging.seeds_to_decide(compared("more"), 0.2, found(-np.inf, np.inf), 1) is None
