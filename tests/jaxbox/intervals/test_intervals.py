"""Intervals against other libraries, enumeration, direct maximisation and simulation."""

import itertools

import numpy as np
import pytest
from scipy.optimize import minimize_scalar
from scipy.special import gammaln
from scipy.stats import binom, binomtest, multinomial, norm, ttest_rel

from jaxbox import intervals
from jaxbox.intervals import Table, pairs

RARE = 1e-4
"""How seldom a simulation may fail by chance."""


@pytest.mark.parametrize("confidence", [0.9, 0.99])
def test_clopper_and_pearson_are_scipy_s(confidence):
    for trials in (1, 7, 40):
        events = np.arange(trials + 1)
        found = intervals.clopper_pearson(events, trials, confidence)
        expected = [binomtest(int(each), trials).proportion_ci(confidence, "exact") for each in events]
        np.testing.assert_allclose(np.transpose([found.low, found.high]), expected, atol=1e-12)


def test_what_all_intervals_so_far_have_in_common():
    found = intervals.Interval(np.arange(3.0), np.array([0.1, 0.3, 0.2]), np.array([0.9, 0.95, 0.8]))
    overlap = intervals.running(found)
    assert overlap.low.tolist() == [0.1, 0.3, 0.3]
    assert overlap.high.tolist() == [0.9, 0.9, 0.8]


def test_a_table_counts_the_seeds_in_which_a_pair_differs():
    first, second = np.array([True, True, False, False, True]), np.array([True, False, True, False, False])
    assert Table.of(first, second) == (2, 1, 5)
    assert Table.of(first, second).difference == pytest.approx(0.2)


@pytest.mark.parametrize("table", [Table(7, 2, 20), Table(0, 5, 16), Table(9, 9, 30), Table(20, 1, 24)])
def test_tango_s_ends_are_where_the_score_reaches_the_quantile(table):
    """The most likely rates for a given difference by a search, not by the root of a quadratic."""
    first, second, n = table

    def score(difference):
        def loss(rate):
            rates = np.array([rate + difference, rate, 1 - 2 * rate - difference])
            return -np.array([first, second, n - first - second]) @ np.log(np.maximum(rates, 1e-300))

        bounds = (max(0.0, -difference), (1 - difference) / 2)
        rate = minimize_scalar(loss, bounds=bounds, method="bounded", options={"xatol": 1e-12}).x
        return (first - second - n * difference) / np.sqrt(n * (2 * rate + difference - difference**2))

    found = intervals.paired_rates(table, 0.9)
    # The search is right to about 1e-6 of a rate, and the score has a slope of some tens.
    assert score(float(found.low)) == pytest.approx(norm.ppf(0.95), abs=1e-4)
    assert score(float(found.high)) == pytest.approx(-norm.ppf(0.95), abs=1e-4)


@pytest.mark.parametrize(
    ("table", "lower_end"), [(Table(0, 0, 8), -0.324), (Table(8, 0, 8), 0.351), (Table(0, 8, 8), -1)]
)
def test_where_all_seeds_are_alike_the_interval_has_a_length(table, lower_end):
    """One end by hand: without any difference z^2 / (n + z^2), as Wilson's."""
    z2 = norm.ppf(0.975) ** 2
    found = intervals.paired_rates(table)
    assert -1 <= found.low <= found.value <= found.high <= 1
    assert found.high - found.low > 0.3
    if table == Table(0, 0, 8):
        assert (found.low, found.high) == pytest.approx((-z2 / (8 + z2), z2 / (8 + z2)), abs=1e-9)
    assert float(found.low) == pytest.approx(lower_end, abs=1e-3)


def tables(n):
    return [Table(i, j, n) for i, j in itertools.product(range(n + 1), repeat=2) if i + j <= n]


@pytest.mark.parametrize("rates", [(0.3, 0.1), (0.05, 0.05), (0.2, 0.2), (0.5, 0.02)])
def test_tango_covers_by_enumeration(rates):
    """A score interval is not exact: what it misses is near its 5%, here by the whole law at 24 seeds."""
    missed = 0.0
    for table in tables(24):
        found = intervals.paired_rates(table)
        inside = found.low <= rates[0] - rates[1] <= found.high
        counts = [table.first, table.second, 24 - table.first - table.second]
        missed += (not inside) * multinomial.pmf(counts, 24, [*rates, 1 - sum(rates)])
    assert missed < 0.065


@pytest.mark.parametrize("rates", [(0.3, 0.1), (0.02, 0.02), (0.6, 0.3)])
def test_the_mixture_s_ratio_has_mean_1_at_every_number_of_seeds(rates):
    """Which is what makes it a martingale, and the sequence hold at all of them (Ville)."""
    every = np.array([*rates, 1 - sum(rates)])
    for n in (1, 5, 12):
        counts = np.array([(each.first, each.second, n - each.first - each.second) for each in tables(n)])
        ratios = [np.exp(pairs._log_ratio(every, each.astype(float), 7.0)) for each in counts]
        assert multinomial.pmf(counts, n, every) @ ratios == pytest.approx(1, abs=1e-10)


@pytest.mark.parametrize("table", [Table(7, 2, 20), Table(0, 0, 16), Table(21, 0, 24)])
def test_the_sequence_of_pairs_is_what_some_rates_explain(table):
    """On a grid of all rates."""
    found = intervals.paired_rates_sequence(table, 0.95, expected=24)
    first, second = np.meshgrid(*2 * [(np.arange(600) + 0.5) / 600], indexing="ij")
    rates = np.stack([first, second, 1 - first - second])[:, first + second < 1]
    counts = np.array([table.first, table.second, table.seeds - table.first - table.second], float)[:, None]
    u = np.geomspace(1e-3, 10, 400_001)
    weight = 24 * u[np.argmin((1 + u) * (np.log1p(1 / u) + 2 * np.log(20)))]
    prior = weight * rates
    log = gammaln(prior + counts).sum(0) - gammaln(weight + table.seeds) - gammaln(prior).sum(0) + gammaln(weight)
    inside = (rates[0] - rates[1])[log - (counts * np.log(rates)).sum(0) < np.log(20)]
    assert (found.low, found.high) == pytest.approx((inside.min(), inside.max()), abs=2 / 600)


def test_the_paired_mean_of_four_scores_each_is_student_s_when_nothing_is_cut():
    first, second = np.array([0.9, 0.7, 0.8]), np.array([0.5, 0.6, 0.3])
    found, expected = intervals.paired_means(first, second, 0.9), ttest_rel(first, second).confidence_interval(0.9)
    np.testing.assert_allclose((found.low, found.high), (expected.low, expected.high), rtol=1e-9)
    assert float(found.value) == pytest.approx((first - second).mean())


def test_the_paired_mean_s_interval_covers_and_outliers_do_nothing():
    random = np.random.default_rng(1)
    draws = random.normal(0.5, 0.1, (2_000, 2, 24)) + random.normal(0, 0.1, (2_000, 1, 24))
    missed = 0
    for first, second in draws:
        found = intervals.paired_means(first, second)
        missed += not found.low <= 0 <= found.high
    assert missed <= binom.ppf(1 - RARE, 2_000, 0.055)  # Yuen's is known to be right to about a tenth
    first, second = draws[0]
    worse = np.where(first == first.min(), -np.inf, first)
    assert intervals.paired_means(worse, second).value == intervals.paired_means(first, second).value
    bad = np.full(24, -np.inf)
    assert intervals.paired_means(bad, second).value == pytest.approx(pairs.WORST - np.sort(second)[6:18].mean())


def test_the_sequence_of_means_is_longer_and_tightest_near_what_is_expected():
    random = np.random.default_rng(2)
    first, second = random.normal(0.5, 0.1, (2, 64))
    once, always = intervals.paired_means(first, second), intervals.paired_means_sequence(first, second)
    assert always.value == once.value
    assert 1.4 < (always.high - always.low) / (once.high - once.low) < 1.6
    other = intervals.paired_means_sequence(first, second, expected=1_000)
    assert other.high - other.low > always.high - always.low


def test_the_sequence_of_means_holds_at_all_looks():
    random, looks, missed = np.random.default_rng(3), (24, 32, 48, 64, 96, 128, 192, 256), 0
    for first, second in random.normal(0.5, 0.1, (500, 2, 256)):
        found = [intervals.paired_means_sequence(first[:n], second[:n]) for n in looks]
        missed += any(not each.low <= 0 <= each.high for each in found)
    assert missed <= binom.ppf(1 - RARE, 500, 0.05)
