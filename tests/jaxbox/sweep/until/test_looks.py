"""Looks and their levels: against published boundaries, and what 2,000 made-up sweeps do with them."""

import numpy as np
import pytest
from scipy.special import ndtri
from scipy.stats import binom

from jaxbox import intervals
from jaxbox.sweep.until import Order, Width, looks

REPEATS = 2_000
RARE = 1e-4
RATES = (0.02, 0.22, 0.5, 0.9)
ORACLE = 264
"""Seeds that .22 takes to be known to .05 at one look: 1.96^2 .22 .78 / .05^2."""


def test_looks_grow_by_the_ratio_in_multiples_and_end_at_the_most():
    assert looks.geometric(8, 1.25, 100) == (8, 16, 24, 32, 40, 56, 72, 96, 100)
    assert looks.geometric(40, 1.1, 24) == (24,)


def test_levels_are_the_published_boundaries():
    """Lan and DeMets with a Pocock-like spending function, five equal looks, as the R package ldbounds has them."""
    found = ndtri((1 + np.array(looks.levels((10, 20, 30, 40, 50)))) / 2)
    np.testing.assert_allclose(found, [2.4380, 2.4268, 2.4101, 2.3966, 2.3859], atol=2e-4)


def test_the_levels_of_a_schedule_hold_all_at_once():
    schedule = Order().looks(512)
    steps = np.diff(schedule, prepend=0)
    walks = np.cumsum(np.random.default_rng(0).normal(size=(50_000, len(steps))) * np.sqrt(steps), -1)
    beyond = np.abs(walks) / np.sqrt(schedule) > ndtri((1 + np.array(looks.levels(schedule))) / 2)
    crossed = beyond.any(-1).sum()
    assert binom.ppf(RARE, 50_000, 0.05) <= crossed <= binom.ppf(1 - RARE, 50_000, 0.05)


@pytest.mark.parametrize("rate", RATES)
def test_a_width_is_reached_without_more_misses_than_are_allowed(rate):
    rule = Width(0.05)
    schedule = rule.looks(10_000)
    steps = np.diff(schedule, prepend=0)
    events = np.random.default_rng(4).binomial(steps, rate, (REPEATS, len(steps))).cumsum(-1)
    found = intervals.clopper_pearson(events, np.array(schedule), looks.width_confidence(0.05, schedule))
    narrow = looks.narrow(found, 0.05)
    assert narrow[:, -1].all(), "the last look knows every rate"
    at = narrow.argmax(-1)
    low, high = (np.take_along_axis(end, at[:, None], -1)[:, 0] for end in (found.low, found.high))
    missed, seeds = ((low > rate) | (high < rate)).sum(), np.array(schedule)[at].mean()
    print(f"width .05 at {rate}: {missed} of {REPEATS} missed, {seeds:.0f} seeds")
    assert missed <= binom.ppf(1 - RARE, REPEATS, 0.05)
    assert looks.width_confidence(0.05, schedule) > 0.95
    if rate == 0.22:
        assert seeds <= 1.3 * ORACLE


@pytest.mark.parametrize("half", [pytest.param(0.03, marks=pytest.mark.slow), 0.1])
def test_the_error_of_a_width_is_what_the_whole_law_says(half):
    """The worst rate's error again, by stepping one seed at a time."""
    schedule = looks.width_looks(half, 10_000)
    confidence = looks.width_confidence(half, schedule)
    assert 0.03 < looks._error(half, schedule, confidence) <= looks.ERROR
    rate, alive, missed = 0.13, np.ones(1), 0.0
    for n in range(1, schedule[-1] + 1):
        alive = np.convolve(alive, [1 - rate, rate])
        if n in schedule:
            found = intervals.clopper_pearson(np.arange(n + 1), n, confidence)
            stop = looks.narrow(found, half) | (n == schedule[-1])
            missed += alive[stop & ((found.low > rate) | (found.high < rate))].sum()
            alive = np.where(stop, 0, alive)
    ends = [intervals.clopper_pearson(np.arange(n + 1), n, confidence) for n in schedule]
    stops = [looks.narrow(each, half) for each in ends]
    stops[-1][:] = True
    assert missed == pytest.approx(looks._missed(rate, schedule, ends, stops), abs=1e-9)


@pytest.fixture(scope="module")
def seen():
    """Places to look at, and at each the interval of every count of events."""
    places = np.arange(8, 1_025, 8)
    return places, [intervals.rate_sequence(np.arange(n + 1), n, expected=0.66 / 0.05**2) for n in places]


@pytest.mark.parametrize("rate", RATES)
def test_what_people_see_on_the_way_holds_whenever_they_look(rate, seen):
    """And is as narrow as the rule wants by 2.2 times the seeds that one look would take."""
    places, ends = seen
    events = np.random.default_rng(5).binomial(8, rate, (REPEATS, len(places))).cumsum(-1)
    low, high = (np.stack([ends[k][end][events[:, k]] for k in range(len(places))], -1) for end in (1, 2))
    found = intervals.running(intervals.Interval(events / places, low, high))
    missed = ((found.low > rate) | (found.high < rate)).any(-1).sum()
    reached = looks.narrow(found, 0.05)
    seeds = places[reached.argmax(-1)].mean()
    print(f"sequence at {rate}: {missed} of {REPEATS} missed at some look, {seeds:.0f} seeds")
    assert missed <= binom.ppf(1 - RARE, REPEATS, 0.05)
    if rate == 0.22:
        assert reached.any(-1).all()
        assert seeds <= 2.2 * ORACLE
