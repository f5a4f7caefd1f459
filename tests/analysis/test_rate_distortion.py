"""R(D) against closed forms, plain Blahut-Arimoto and random channels; the Shannon bounds against direct sums."""

import numpy as np
import pytest
from scipy.stats import entropy, norm, uniform

from analysis import information as info
from analysis.rate_distortion import tangent

# What the docstring promises.
TIGHT = 1e-5


def variance(positions):
    return np.var(np.arange(positions))


def blahut_arimoto(slope, positions, iterations=20_000, law=None):
    """(D, R) of the channel after plain iterations on a fine grid: on or above the curve R(D)."""
    law = np.full(positions, 1 / positions) if law is None else law
    places, grid = np.arange(positions), np.linspace(0, positions - 1, 32 * (positions - 1) + 1)
    squares = (places[:, None] - grid) ** 2
    kernel, output = np.exp(-slope * squares), np.full(len(grid), 1 / len(grid))
    for _ in range(iterations):
        output = law @ (kernel * output / (kernel @ output)[:, None])
    channel = kernel * output / (kernel @ output)[:, None]
    # The divergence from any output distribution is at least the information.
    return law @ (channel * squares).sum(1), law @ entropy(channel, output[None], axis=1)


@pytest.mark.parametrize("positions", [2, 3, 28, 57])
def test_ends_of_the_curve(positions):
    assert info.rate_distortion(0.0, positions, 0.1) == np.log(positions)
    assert np.all(info.rate_distortion(np.array([1.0, 1.5]) * variance(positions), positions, 1.0) == 0)
    just_below = info.rate_distortion(0.99 * variance(positions), positions, 1.0)
    # R leaves 0 with slope 1 / (2 variance), so R(.99 variance) is near .005 (and above, R being convex).
    assert 0.005 - TIGHT < just_below < 0.0055


def test_nearly_no_error_costs_nearly_the_entropy():
    # The slope there is about ln(1 / D) = 690 at D = 1e-300.
    np.testing.assert_allclose(info.rate_distortion([1e-300, 1e-12], 9, 1.0), np.log(9), rtol=1e-9)


def test_two_positions_have_a_closed_form():
    """Predictions +-m with posterior odds q : 1 - q have D = q (1 - q) and R = ln 2 - h(q)."""
    distortion = np.linspace(1e-6, 0.25, 60)
    odds = (1 + np.sqrt(1 - 4 * distortion)) / 2
    exact = np.log(2) - entropy([odds, 1 - odds])
    result = info.rate_distortion(distortion, 2, 1.0)
    assert np.all(result <= exact + 1e-12)
    np.testing.assert_allclose(result, exact, atol=TIGHT)


@pytest.mark.parametrize("slope", [0.05, 0.2, 0.6, 1.3, 3.0])
def test_blahut_arimoto_ends_on_the_curve(slope):
    distortion, rate = blahut_arimoto(slope, 6)
    result = info.rate_distortion(distortion, 6, 1.0)
    # Plain iterations leave a gap of at most ln(193 points) / 20,000 = .0003; the grid adds less than slope / 32^2 / 4.
    assert rate - 0.0003 - slope / 4096 < result <= rate + 1e-12


@pytest.mark.parametrize("slope", [0.2, 1.3])
@pytest.mark.parametrize("law", [[0.05, 0.2, 0.25, 0.25, 0.2, 0.05], [0.6, 0.2, 0.1, 0.06, 0.04, 1e-20]])
def test_blahut_arimoto_ends_on_the_curve_of_another_law(slope, law):
    law = np.array(law)
    distortion, rate = blahut_arimoto(slope, 6, law=law)
    result = info.rate_distortion(distortion, 6, 1.0, law)
    assert rate - 0.0003 - slope / 4096 < result <= rate + 1e-12


@pytest.mark.parametrize("law", [[0.1, 0.2, 0.4, 0.2, 0.1], [0.4, 0.1, 0.0, 0.1, 0.4], [0.9, 0.04, 0.03, 0.02, 0.01]])
def test_the_curve_of_another_law_runs_from_its_entropy_to_its_variance(law):
    law, places = np.array(law), np.arange(5)
    spread = law @ (places - law @ places) ** 2
    mse = np.linspace(0, spread, 12)
    rate = info.rate_distortion(mse * 0.25, 5, 0.5, law)
    assert rate[0] == pytest.approx(entropy(law), rel=1e-12)
    assert rate[-1] == pytest.approx(0, abs=1e-12)
    assert np.all(np.diff(rate) < 0)
    assert np.all(np.diff(rate, 2) > -2 * TIGHT)
    discrete, dithered = (bound(mse, 5, 1.0, law) for bound in (info.discrete_shannon_bound, info.dithered_bound))
    assert np.all(rate >= discrete - 1e-7)
    assert np.all(discrete >= dithered)
    # The slope at which two predictions begin to be better than the mean, and one beyond.
    for slope in (0.5 / spread, 1.0, 6.0):
        line = tangent(slope, 5, law)
        assert line.lower <= line.upper < line.lower + TIGHT


def test_a_law_that_is_uniform_changes_nothing():
    mse, flat = np.array([0.0, 0.01, 0.3, 4.0, 60.0]), np.full(28, 1 / 28)
    for bound in (info.rate_distortion, info.discrete_shannon_bound, info.dithered_bound, info.shannon_bound):
        np.testing.assert_allclose(bound(mse, 28, 1.0, flat), bound(mse, 28, 1.0), atol=1e-9)


@pytest.mark.parametrize(
    ("law", "message"),
    [(np.ones(4) / 4, r"probability has shape \(4,\); it must be \(5,\)"), (np.full(5, 0.3), "sums to 1.5"),
     (np.array([-0.1, 0.4, 0.4, 0.2, 0.1]), "is at least -0.1"), (np.full(5, np.nan), "probability holds NaN")],
)  # fmt: skip
def test_a_law_must_be_one(law, message):
    for bound in (info.rate_distortion, info.discrete_shannon_bound, info.dithered_bound, info.shannon_bound):
        with pytest.raises(ValueError, match=message):
            bound(0.1, 5, 1.0, law)


@pytest.mark.parametrize("seed", range(30))
def test_no_channel_does_better(seed):
    """Any joint distribution of Y and a real prediction has I >= R(its MSE): random ones, from sharp to blunt."""
    random = np.random.default_rng(seed)
    positions = int(random.integers(2, 12))
    predictions = random.uniform(-1, positions, 20)
    squares = (np.arange(positions)[:, None] - predictions) ** 2
    channel = random.exponential(size=squares.shape) * np.exp(-(10 ** random.uniform(-2, 1)) * squares) + 1e-300
    channel /= channel.sum(1, keepdims=True)
    information = np.mean(entropy(channel, np.broadcast_to(channel.mean(0), channel.shape), axis=1))
    assert information >= info.rate_distortion((channel * squares).sum() / positions, positions, 1.0)


@pytest.mark.parametrize("positions", [2, 5, 28, 57])
def test_the_curve_falls_and_is_convex(positions):
    rate = info.rate_distortion(np.linspace(0, variance(positions), 25), positions, 1.0)
    assert np.all(np.diff(rate) < 0)
    assert np.all(np.diff(rate, 2) > -2 * TIGHT)


@pytest.mark.parametrize("positions", [2, 7, 57])
@pytest.mark.parametrize("slope", [0.01, 0.3, 1.0, 4.0, 50.0])
def test_the_certificate_is_tight(slope, positions):
    line = tangent(slope, positions)
    assert line.lower <= line.upper < line.lower + TIGHT


def test_units_cancel():
    mse = np.array([0.0, 0.03, 0.4, 9.0])
    for bound in (info.rate_distortion, info.discrete_shannon_bound, info.dithered_bound, info.shannon_bound):
        np.testing.assert_allclose(bound(mse * 0.0625**2, 20, 0.0625), bound(mse, 20, 1.0), rtol=1e-9)


@pytest.mark.parametrize("slope", [0.01, 0.2, 1.0, 3.0, 3.3, 12.0])
def test_discrete_bound_is_the_entropy_of_a_discrete_gaussian(slope):
    integers = np.arange(-400, 401)
    weight = np.exp(-slope * integers**2)
    mean_square = (weight * integers**2).sum() / weight.sum()
    result = info.discrete_shannon_bound(mean_square, 1000, 1.0)
    assert result == pytest.approx(np.log(1000) - entropy(weight), rel=1e-12)


def test_dithered_bound_is_what_a_gaussian_of_the_variance_of_error_and_dither_leaves():
    """Blurred by a uniform one spacing wide, Y is uniform over P spacings, and the dither's variance adds to the MSE."""
    mse, dither = np.array([0.0, 0.01, 0.3, 2.0]), uniform(-0.25, 0.5)
    expected = uniform(0, 30 * 0.5).entropy() - norm(scale=np.sqrt(mse + dither.var())).entropy()
    assert np.all(expected > 0)
    np.testing.assert_allclose(info.dithered_bound(mse, 30, 0.5), expected, rtol=1e-12)


@pytest.mark.parametrize("positions", [1, 2, 3, 28, 57])
def test_bounds_are_ordered(positions):
    mse = np.concatenate([[0.0], np.geomspace(1e-9, 2 * variance(positions) + 1, 30)])
    rate = info.rate_distortion(mse, positions, 1.0)
    discrete, dithered = info.discrete_shannon_bound(mse, positions, 1.0), info.dithered_bound(mse, positions, 1.0)
    assert np.all(np.log(positions) >= rate)
    assert np.all(rate >= discrete - 1e-7)
    assert np.all(discrete >= dithered)
    assert np.all(dithered >= 0)


@pytest.mark.parametrize("positions", [2, 28, 57])
def test_the_threads_bound_fails_on_a_lattice_where_it_is_said_to(positions):
    entropy_exceeded = info.SHANNON_EXCEEDS_ENTROPY * 0.25
    assert info.shannon_bound(0.999 * entropy_exceeded, positions, 0.5) > np.log(positions)
    assert info.shannon_bound(1.001 * entropy_exceeded, positions, 0.5) < np.log(positions)
    failure = info.shannon_failure(positions, 0.5)
    mse = np.geomspace(entropy_exceeded, variance(positions) * 0.25, 20)
    mse = mse[np.abs(mse / failure - 1) > 0.01]
    fails = info.shannon_bound(mse, positions, 0.5) > info.rate_distortion(mse, positions, 0.5)
    np.testing.assert_array_equal(fails, mse < failure)
    assert fails.any()
    assert not fails.all()


def test_the_threads_bound_is_vacuous_at_the_variance_and_infinite_at_zero():
    # 0.5 ln(12 / (2 pi e)), up to the 1 / P^2 by which a lattice's variance falls short of an interval's.
    assert info.shannon_bound(variance(1000), 1000, 1.0) == pytest.approx(-0.1765, abs=1e-4)
    assert info.shannon_bound(0.0, 5, 1.0) == np.inf


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((-0.1, 5, 1.0), "mse holds -0.1; it must be at least 0"),
        ((np.nan, 5, 1.0), "mse holds NaN"),
        (([0.1, np.inf], 5, 1.0), "mse holds NaN or infinity"),
        ((0.1, 0, 1.0), "positions is 0"),
        ((0.1, 2.5, 1.0), "positions is 2.5; it must be an integer"),
        ((0.1, 5, 0.0), "spacing is 0.0"),
        ((0.1, 5, np.nan), "spacing is nan"),
    ],
)
def test_bad_input_names_the_argument(arguments, message):
    for bound in (info.rate_distortion, info.discrete_shannon_bound, info.dithered_bound, info.shannon_bound):
        with pytest.raises(ValueError, match=message):
            bound(*arguments)


def test_failure_needs_two_positions_and_a_tangent_a_slope():
    with pytest.raises(ValueError, match="positions is 1; it must be at least 2"):
        info.shannon_failure(1, 1.0)
    with pytest.raises(ValueError, match="slope is 0"):
        tangent(0.0, 5)
