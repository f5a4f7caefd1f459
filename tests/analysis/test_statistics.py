"""Statistics over seeds against their definitions written out, and their intervals against exact laws and simulation."""

import itertools
import subprocess
import sys
from fractions import Fraction
from functools import cache

import numpy as np
import pytest
from scipy.stats import binom, binomtest, kstwo, mannwhitneyu, t

from analysis import statistics

LOOKS = np.arange(8, 1025, 8)
RATES = (0.02, 0.22, 0.5, 0.9)
# Bounds on simulated counts are these quantiles of their binomial law: one false alarm in 10^5 for each end.
RARE = 1e-5


def scores_of(seed, shape):
    """On a grid of 1/64, where sums and differences are exact and ties occur."""
    return np.random.default_rng(seed).integers(-64, 64, shape) / 64


def equal(some, other):
    return all(np.array_equal(one, two, equal_nan=True) for one, two in zip(some, other, strict=True))


@pytest.mark.parametrize("confidence", [0.5, 0.95, 0.999])
def test_wilson_is_binomtests(confidence):
    events, trials = np.array([0, 1, 3, 14, 64, 0, 1]), np.array([5, 5, 3, 64, 64, 1, 1])
    found = statistics.wilson(events, trials, confidence)
    for place, (some, of) in enumerate(zip(events, trials, strict=True)):
        expected = binomtest(int(some), int(of)).proportion_ci(confidence, method="wilson")
        assert found.value[place] == some / of
        assert (found.low[place], found.high[place]) == pytest.approx((expected.low, expected.high), abs=1e-12)
    assert np.all(found.low[events == 0] == 0)
    assert np.all(found.high[events == trials] == 1)
    assert statistics.wilson(events[:, None], 64).low.shape == (7, 1)


def test_quantiles_rank_diverged_members_lowest():
    scores = np.array([3.0, np.nan, 1.0, -np.inf, 2.0])  # in order: -inf, -inf, 1, 2, 3
    found = [statistics.quantile(scores, place / 8) for place in range(9)]
    assert found == [-np.inf, -np.inf, -np.inf, -np.inf, 1, 1.5, 2, 2.5, 3]
    assert statistics.quantile(np.array([-np.inf] * 29 + [1.0] * 72), 0.29) == 1
    finite = scores_of(0, (4, 10))
    for probability in (0, 0.1, 0.5, 0.77, 1):
        assert statistics.quantile(finite, probability) == pytest.approx(np.quantile(finite, probability, axis=-1))


@pytest.mark.parametrize("seeds", range(2, 13))
def test_median_and_interquartile_mean_are_their_definitions(seeds):
    scores = scores_of(seeds, (3, seeds))
    for row, middle, mean in zip(
        scores, statistics.median(scores).value, statistics.interquartile_mean(scores).value, strict=True
    ):
        ordered = sorted(Fraction(float(score)) for score in row)
        kept = ordered[seeds // 4 : seeds - seeds // 4]
        assert middle == (ordered[(seeds - 1) // 2] + ordered[seeds // 2]) / 2
        assert mean == pytest.approx(float(sum(kept) / len(kept)), abs=1e-14)


@pytest.mark.parametrize("diverged", range(9))
def test_what_diverged_is_cut_or_makes_the_statistic_minus_infinity(diverged):
    scores = np.arange(8.0)
    scores[:diverged] = np.where(np.arange(diverged) % 2, np.nan, -np.inf)
    mean, middle = statistics.interquartile_mean(scores), statistics.median(scores)
    assert mean.value == (3.5 if diverged <= 2 else -np.inf)
    assert middle.value == (3.5 if diverged <= 3 else -np.inf)
    assert not np.isnan([*mean, *middle]).any()
    # A resample has a finite mean where at most 2 of its 8 diverged.
    finite = binom.cdf(2, 8, diverged / 8)
    mean = statistics.interquartile_mean(scores, 0.9, resamples=20_000)
    assert np.isfinite([mean.low, mean.high]).tolist() == [finite > 0.95, finite > 0.05]


def resampled(statistic, scores):
    """The statistic's whole bootstrap law: all n^n resamples, in order."""
    return np.sort(
        [statistic(scores[list(index)]) for index in itertools.product(range(len(scores)), repeat=len(scores))]
    )


def test_the_bootstrap_draws_from_all_resamples():
    scores = np.array([0.0, 1.0, 3.0, 7.0, 15.0])
    law = resampled(lambda drawn: np.sort(drawn)[1:-1].mean(), scores)
    found = statistics.interquartile_mean(scores, confidence=0.8, resamples=20_000)
    for end, share in ((found.low, 0.1), (found.high, 0.9)):
        # The end is the draw of that rank: what lies below and up to it has to leave the share possible.
        below, up_to = np.mean(law < end), np.mean(law <= end + 1e-12)
        assert binom.ppf(RARE, 20_000, below) / 20_000 <= share <= binom.ppf(1 - RARE, 20_000, up_to) / 20_000
    assert law[0] < found.low < found.value < found.high < law[-1]


def test_coverage_of_the_median_is_that_of_its_order_statistics():
    """The ideal interval runs between order statistics that the binomial law gives, and so does its coverage."""
    n, repeats = 19, 2_000
    # A resample's median is at most the k-th smallest where over half of its draws fall on the k smallest.
    reaches = binom.sf(n // 2, n, np.arange(n + 1) / n)
    low, high = np.searchsorted(reaches, [0.025, 0.975])
    assert min(np.abs(reaches - 0.025).min(), np.abs(reaches - 0.975).min()) > 0.01, "chance would move the ends"
    scores = np.random.default_rng(1).standard_normal((repeats, n))
    found = statistics.median(scores, resamples=4_000)
    ordered = np.sort(scores, axis=-1)
    assert np.mean(found.low == ordered[:, low - 1]) > 0.99
    assert np.mean(found.high == ordered[:, high - 1]) > 0.99
    missed = np.sum((found.low > 0) | (found.high < 0))
    expected = 1 - (binom.cdf(high - 1, n, 0.5) - binom.cdf(low - 1, n, 0.5))
    print(f"median: {missed} of {repeats} missed, {expected:.4f} expected")
    assert binom.ppf(RARE, repeats, expected) <= missed <= binom.ppf(1 - RARE, repeats, expected)


def test_coverage_of_the_interquartile_mean():
    """Of 64 the mean of 32: between the normal law's misses and those of Tukey and McLaughlin's t with 31 degrees."""
    n, repeats = 64, 1_000
    found = statistics.interquartile_mean(np.random.default_rng(2).standard_normal((repeats, n)), resamples=1_000)
    missed = np.sum((found.low > 0) | (found.high < 0))
    most = 2 * t.sf(1.96, n // 2 - 1)
    print(f"interquartile mean: {missed} of {repeats} missed, .05 to {most:.4f} expected")
    assert binom.ppf(RARE, repeats, 0.05) <= missed <= binom.ppf(1 - RARE, repeats, most)


def test_seeds_are_resampled_jointly():
    first = scores_of(3, (2, 16))
    for statistic in ("median", "interquartile_mean"):
        same = statistics.paired_difference(first + 0.25, first, statistic)
        assert equal(same, [np.full(2, 0.25)] * 3)
        shuffled = statistics.paired_difference(first + 0.25, first[:, ::-1], statistic)
        assert np.all(shuffled.high - shuffled.low > 0.25)
        assert np.all(shuffled.value == 0.25)
    own, reversed_ = (statistics.probability_of_improvement(first, other) for other in (first, first[:, ::-1]))
    assert equal(own, [np.full(2, 0.5)] * 3)
    assert np.all(reversed_.high - reversed_.low > 0.1)


def test_a_difference_is_that_of_the_statistics():
    first, second = scores_of(4, (2, 3, 9))
    for name, statistic in (("median", statistics.median), ("interquartile_mean", statistics.interquartile_mean)):
        found = statistics.paired_difference(first, second, name)
        assert np.array_equal(found.value, statistic(first).value - statistic(second).value)
        assert equal(statistics.paired_difference(second, first, name)[:1], [-found.value])


def test_differences_with_diverged_members():
    finite, half, all_ = np.arange(8.0), np.array([np.nan] * 3 + [1.0] * 5), np.full(8, -np.inf)
    cases = [(finite, half, np.inf), (half, finite, -np.inf), (half, all_, 0), (finite, finite, 0)]
    for first, second, value in cases:
        found = statistics.paired_difference(first, second)
        assert found.value == value
        assert not np.isnan(found).any()
    # Of 8, 2 are cut: a resample with no more that diverged has a finite difference, another has not.
    found = statistics.paired_difference(finite, half)
    assert np.isfinite(found.low)
    assert found.high == np.inf


@pytest.mark.parametrize(("n", "m"), [(7, 7), (5, 9)])
def test_improvement_is_written_out_and_is_scipys(n, m):
    first, second = scores_of(n, (3, n)).round(1), scores_of(m + 100, (3, m)).round(1)
    first[0, :2], second[0, 1], first[1], second[2] = -np.inf, np.nan, np.nan, -np.inf
    found = statistics.probability_of_improvement(first, second, paired=n == m)
    for row in range(3):
        some, other = (np.where(np.isnan(each[row]), -np.inf, each[row]) for each in (first, second))
        wins = sum(Fraction(1 if x > y else 0) if x != y else Fraction(1, 2) for x in some for y in other)
        assert found.value[row] == pytest.approx(float(wins / (n * m)), abs=1e-15)
        ranked = [np.maximum(scores, -1e9) for scores in (some, other)]
        assert found.value[row] == pytest.approx(mannwhitneyu(*ranked).statistic / (n * m))
    assert (found.value[1], found.value[2]) == (0, 1)
    assert np.all((found.low >= 0) & (found.low <= found.value) & (found.value <= found.high) & (found.high <= 1))


@pytest.mark.parametrize("paired", [True, False])
def test_the_improvements_interval_is_that_of_resampled_scores(paired):
    """All 4^4 resamples of each, joint or not, written out; the ends as in the test of the mean."""
    first, second = np.array([1.0, 4, 6, 7]), np.array([0.0, 5, 2, 8])
    picks = np.array(list(itertools.product(range(4), repeat=4)))
    pairs = zip(picks, picks, strict=True) if paired else itertools.product(picks, picks)
    law = np.array([np.mean(first[i][:, None] > second[j]) for i, j in pairs])
    found = statistics.probability_of_improvement(first, second, paired, confidence=0.8, resamples=20_000)
    for end, share in ((found.low, 0.1), (found.high, 0.9)):
        below, up_to = np.mean(law < end), np.mean(law <= end)
        assert binom.ppf(RARE, 20_000, below) / 20_000 <= share <= binom.ppf(1 - RARE, 20_000, up_to) / 20_000


def test_profiles_count_and_their_bands_are_massarts():
    scores = np.array([[0.5, 0.5, np.nan, 1.0], [-np.inf, 0.0, 0.25, 0.75]])
    found = statistics.performance_profile(scores, np.array([-1e300, 0.0, 0.5, 0.9, 1.0]))
    assert np.array_equal(found.value, [[0.75, 0.75, 0.25, 0.25, 0], [0.75, 0.5, 0.25, 0, 0]])
    half = np.sqrt(np.log(40) / 8)
    assert np.allclose(found.low, np.maximum(found.value - half, 0))
    assert np.allclose(found.high, np.minimum(found.value + half, 1))


def test_bands_hold_at_all_thresholds_at_once():
    """Uniform scores, whose true profile is 1 - threshold: Kolmogorov's law says how many bands leave it."""
    repeats, n, at = 2_000, 100, np.linspace(0, 1, 501)
    found = statistics.performance_profile(np.random.default_rng(5).random((repeats, n)), at)
    missed = np.sum(np.any((found.low > 1 - at + 1e-12) | (found.high < 1 - at - 1e-12), axis=-1))
    pointwise = statistics.wilson(np.round(found.value * n), n)
    anywhere = np.sum(np.any((pointwise.low > 1 - at + 1e-12) | (pointwise.high < 1 - at - 1e-12), axis=-1))
    # Both profiles fall, so that the largest distance is at most a step above the largest at the thresholds.
    half = np.sqrt(np.log(40) / (2 * n))
    least, most = kstwo.sf([half + at[1], half], n)
    print(f"bands: {missed} of {repeats} missed, {least:.4f} to {most:.4f} expected; pointwise Wilson: {anywhere}")
    assert most <= 0.05
    assert binom.ppf(RARE, repeats, least) <= missed <= binom.ppf(1 - RARE, repeats, most)
    assert anywhere > binom.ppf(1 - RARE, repeats, 0.3)


@cache
def at_looks(function):
    """Low and high for every number of successes at every look."""
    trials, successes = np.repeat(LOOKS, LOOKS + 1), np.concatenate([np.arange(look + 1) for look in LOOKS])
    found = function(successes, trials)
    return [np.split(end, np.cumsum(LOOKS + 1)[:-1]) for end in (found.low, found.high)]


def misses_exactly(function, rate):
    """The probability that the interval misses the rate at some look: what has not missed yet, look after look."""
    alive, step = np.ones(1), binom.pmf(np.arange(9), 8, rate)
    for low, high in zip(*at_looks(function), strict=True):
        alive = np.convolve(alive, step) * ((low <= rate) & (rate <= high))
    return 1 - alive.sum()


@pytest.mark.parametrize("rate", RATES)
def test_the_sequence_holds_at_every_look_where_wilson_does_not(rate):
    repeats = 2_000
    successes = np.random.default_rng(6).binomial(8, rate, (repeats, len(LOOKS))).cumsum(-1)
    counts = {}
    for function in (statistics.rate_sequence, statistics.wilson):
        low, high = (
            np.stack([end[successes[:, look]] for look, end in enumerate(ends)]) for ends in at_looks(function)
        )
        missed, expected = np.sum(np.any((low > rate) | (high < rate), axis=0)), misses_exactly(function, rate)
        print(f"{function.__name__} at {rate}: {missed} of {repeats} missed, {expected:.4f} exactly")
        assert binom.ppf(RARE, repeats, expected) <= missed <= binom.ppf(1 - RARE, repeats, expected)
        counts[function.__name__] = expected
    assert counts["rate_sequence"] <= 0.05
    assert counts["wilson"] > 0.33
    if rate == 0.22:
        assert counts["wilson"] == pytest.approx(0.38, abs=0.01)


@pytest.mark.parametrize(("successes", "trials"), [(0, 1), (1, 1), (0, 30), (30, 30), (7, 40), (32, 64), (300, 1000)])
def test_the_sequences_ends_are_where_the_mixture_reaches_its_limit(successes, trials):
    """The likelihood of a mixture centred at p over that of p, on a fine grid of p."""
    found = statistics.rate_sequence(successes, trials, 0.9, expected=20)
    # The best r: u = r / n is the minimum of (1 + u) (ln((1 + u) / u) + 2 ln(1 / alpha)), here by search.
    u = np.geomspace(1e-3, 10, 400_001)
    r = 20 * u[np.argmin((1 + u) * (np.log1p(1 / u) + 2 * np.log(10)))]
    p = (np.arange(20_000) + 0.5) / 20_000
    up, down = np.arange(successes)[:, None], np.arange(trials - successes)[:, None]
    # Beta(a + s, b + f) / Beta(a, b) as a product of ratios, one for each trial: Polya's urn.
    ratio = np.log((r * p + up) / p).sum(0) + np.log((r * (1 - p) + down) / (1 - p)).sum(0)
    ratio -= np.log(r + np.arange(trials)).sum()
    inside = p[ratio < np.log(10)]
    assert (found.low, found.high) == pytest.approx((inside[0], inside[-1]), abs=1.01e-4)
    assert len(inside) == round((inside[-1] - inside[0]) * 20_000) + 1
    assert found.low == 0 if successes == 0 else found.low <= found.value
    assert found.high == 1 if successes == trials else found.high >= found.value


def test_a_sequence_is_tightest_near_the_expected_number():
    widths = {}
    for expected in (16, 64, 256):
        found = statistics.rate_sequence([8, 32, 128], [16, 64, 256], expected=expected)
        widths[expected] = found.high - found.low
    for place, trials in enumerate(widths):
        assert min(widths, key=lambda expected: widths[expected][place]) == trials
    wilson = statistics.wilson(14, 64)
    found = statistics.rate_sequence(14, 64)
    assert 1.5 < (found.high - found.low) / (wilson.high - wilson.low) < 1.6


BOOTSTRAPS = {
    "median": statistics.median,
    "interquartile_mean": statistics.interquartile_mean,
    "difference": lambda scores, **options: statistics.paired_difference(scores, scores[..., ::-1], **options),
    "improvement": lambda scores, **options: statistics.probability_of_improvement(scores, scores**2, **options),
    "unpaired": lambda scores, **options: statistics.probability_of_improvement(scores, scores**2, False, **options),
}


@pytest.mark.parametrize("name", BOOTSTRAPS)
def test_a_seed_decides_alone(name, monkeypatch):
    function, scores = BOOTSTRAPS[name], np.random.default_rng(7).standard_normal((2, 3, 40))
    found = function(scores, seed=5)
    assert found.value.shape == found.low.shape == found.high.shape == (2, 3)
    assert np.all(found.low < found.high)
    assert equal(found, function(scores, seed=5))
    assert not equal(found, function(scores, seed=6))
    wider = function(scores, seed=5, confidence=0.99)
    assert np.all((wider.low <= found.low) & (wider.high >= found.high))
    assert np.any(wider.low < found.low)
    # Not the company of other configurations, nor how many resamples fit into memory; sums may round otherwise.
    assert np.allclose(function(scores[1, 2], seed=5), [part[1, 2] for part in found], rtol=0, atol=1e-13)
    monkeypatch.setattr(statistics, "BATCH", 7 * scores.size)
    assert np.allclose(found, function(scores, seed=5), rtol=0, atol=1e-13)


def test_memory_is_bounded(monkeypatch):
    sizes = []
    monkeypatch.setattr(statistics, "BATCH", 1_000)
    monkeypatch.setitem(statistics.STATISTICS, "median", lambda scores: sizes.append(scores.size) or scores.mean(-1))
    statistics.paired_difference(np.ones((5, 10)), np.ones((5, 10)), "median", resamples=45)
    assert sizes == [100, 1_000, 1_000, 1_000, 1_000, 500]


def test_the_ends_are_draws_that_leave_out_no_more_than_they_may(monkeypatch):
    """Of 40 draws at 95% none may be left out on either side, of 41 one: the smallest and the largest."""
    drawn = []
    monkeypatch.setitem(statistics.STATISTICS, "median", lambda scores: drawn.append(scores.mean(-1)) or drawn[-1])
    scores = np.random.default_rng(8).standard_normal(10)
    for resamples, left_out in ((40, 0), (41, 1)):
        found = statistics.paired_difference(scores, np.zeros(10), "median", resamples=resamples)
        ordered = np.sort(drawn[-1][0])
        assert len(ordered) == resamples
        assert (found.low, found.high) == (ordered[left_out], ordered[-1 - left_out])


@pytest.mark.parametrize("name", BOOTSTRAPS)
def test_no_configurations_have_no_intervals(name):
    assert [part.shape for part in BOOTSTRAPS[name](np.zeros((0, 5)))] == [(0,)] * 3


@pytest.mark.parametrize("name", BOOTSTRAPS)
def test_one_seed_says_nothing_of_the_spread(name):
    found = BOOTSTRAPS[name](np.full((2, 1), 0.5))
    chance = name in ("improvement", "unpaired")
    assert np.all(found.low == (0 if chance else -np.inf))
    assert np.all(found.high == (1 if chance else np.inf))


TWO = np.zeros(2)
REFUSED = [
    (lambda: statistics.wilson(3, 2), "events is 3; it must be a whole number from 0 to trials"),
    (lambda: statistics.wilson([1, -1], 2), "events is -1; it must be"),
    (lambda: statistics.wilson(0.5, 2), "events is 0.5; it must be"),
    (lambda: statistics.wilson(0, 0), "trials is 0; it must be a whole number of at least 1"),
    (lambda: statistics.wilson(0, np.inf), "trials is inf; it must be"),
    (lambda: statistics.wilson(0, np.nan), "trials is nan; it must be"),
    (lambda: statistics.wilson(1, 2, 1.0), "confidence is 1.0; it must be between 0 and 1"),
    (lambda: statistics.rate_sequence(3, 2), "successes is 3; it must be a whole number from 0 to trials"),
    (lambda: statistics.rate_sequence(1, 2, 0), "confidence is 0; it must be between 0 and 1"),
    (lambda: statistics.rate_sequence(1, 2, expected=0), "expected is 0; it must be positive and finite"),
    (lambda: statistics.rate_sequence(1, 2, expected=np.nan), "expected is nan; it must be positive and finite"),
    (lambda: statistics.quantile(TWO, 1.5), "probability is 1.5; it must be from 0 to 1"),
    (lambda: statistics.quantile(np.zeros((2, 0)), 0.5), "scores has shape (2, 0); its last axis must be the seeds"),
    (lambda: statistics.median(np.float64(1)), "scores has shape (); its last axis must be the seeds"),
    (lambda: statistics.median(np.array([1, np.inf])), "scores has inf in it; it must be finite, or -inf or NaN"),
    (lambda: statistics.median(TWO, confidence=np.nan), "confidence is nan; it must be between 0 and 1"),
    (lambda: statistics.median(TWO, resamples=39), "resamples is 39; it must be a whole number of at least 40"),
    (lambda: statistics.median(TWO, 0.9, resamples=20.0), "resamples is 20.0; it must be a whole number of at least 20"),
    (lambda: statistics.interquartile_mean(TWO, seed=-1), "seed is -1; it must be a whole number from 0"),
    (lambda: statistics.interquartile_mean(TWO, seed=None), "seed is None; it must be a whole number from 0"),
    (lambda: statistics.paired_difference(TWO, np.zeros(3)), "second has shape (3,); it must be the first's, (2,)"),
    (lambda: statistics.paired_difference(TWO, TWO, "mean"), "statistic is mean; it must be one of median, interqu"),
    (lambda: statistics.probability_of_improvement(TWO, np.zeros(3)), "second has shape (3,); it must be (2,) when paired"),
    (lambda: statistics.probability_of_improvement(TWO, np.zeros((1, 2)), False), "second has shape (1, 2); it must be"),
    (lambda: statistics.performance_profile(TWO, [np.nan]), "thresholds is [nan]; it must be one row of finite numbers"),
    (lambda: statistics.performance_profile(TWO, 0.5), "thresholds is 0.5; it must be one row of finite numbers"),
    (lambda: statistics.performance_profile(TWO, [0], 2), "confidence is 2; it must be between 0 and 1"),
]  # fmt: skip


@pytest.mark.parametrize(("call", "message"), REFUSED, ids=[message for _, message in REFUSED])
def test_refusals_name_argument_value_and_what_is_allowed(call, message):
    with pytest.raises(ValueError) as refusal:  # noqa: PT011 - what it says is compared below
        call()
    assert str(refusal.value).startswith(message)
    assert "\n" not in str(refusal.value)


def test_the_least_numbers_are_accepted():
    assert statistics.median(TWO, resamples=40).value == 0
    assert statistics.wilson(0, 1).value == 0
    assert (statistics.quantile(TWO, 0), statistics.quantile(TWO, 1)) == (0, 0)
    unpaired = statistics.probability_of_improvement(TWO, np.zeros(3), paired=False)
    assert equal(unpaired, [0.5] * 3)


def test_it_loads_numpy_and_scipy_only():
    program = (
        "import sys, analysis.statistics\nown = {name for name in sys.modules if name.startswith('jaxbox.')}\n"
        "assert own == {'jaxbox.intervals', 'jaxbox.intervals.pairs', 'jaxbox.intervals.rates'}, own\n"
        "print({name.split('.')[0] for name in sys.modules})"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    loaded = eval(done.stdout)
    assert loaded >= {"numpy", "scipy", "analysis"}
    assert not loaded & {"jax", "jaxlib", "xarray", "pandas", "jaxtyping", "sklearn", "matplotlib"}
