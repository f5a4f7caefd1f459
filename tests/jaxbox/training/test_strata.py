"""The stratified sample of positions: what is drawn, and estimates and standard errors against all samples' truth."""

import dataclasses

import numpy as np
import pytest

from jaxbox.config import Configuration, Task
from jaxbox.task import position_count
from jaxbox.training import strata

DRAWS = 4000
LATTICES = [(13, 11, 24), (9, 14, 20), (3, 3, 8), (5, 4, 19), (1, 40, 10), (40, 2, 12), (93, 93, 256), (2, 2, 2)]


@pytest.mark.parametrize(("rows", "columns", "most"), LATTICES)
def test_a_sample_has_no_position_twice_and_its_shares_are_those_of_the_lattice(rows, columns, most):
    found = strata.draw(rows, columns, most, np.random.default_rng(0))
    count, pairs = rows * columns, len(found.left)
    assert len(np.unique(found.index)) == len(found.index) <= most
    assert 0 <= found.index.min() <= found.index.max() < count
    np.testing.assert_allclose(found.shares.sum(), 1, rtol=1e-12)
    # Of a pair's stratum, N_h = 2 N share; what is left of it is the rest.
    np.testing.assert_array_equal(found.shares[:pairs], found.shares[pairs : 2 * pairs])
    sizes = 2 * count * found.shares[:pairs]
    np.testing.assert_allclose(found.left, (sizes - 2) / sizes, atol=1e-12)
    # One that stands for itself alone.
    np.testing.assert_allclose(found.shares[2 * pairs :], 1 / count)


def test_at_the_default_hardly_a_position_less_is_drawn_than_is_allowed():
    for size in (28, 60, 96):
        assert len(strata.draw(size, size, 256, np.random.default_rng(0)).index) >= 0.94 * 256


def drawn(rows=13, columns=11, most=24):
    generator = np.random.default_rng(1)
    return [strata.draw(rows, columns, most, generator) for _ in range(DRAWS)]


@pytest.fixture(scope="module")
def samples():
    return drawn()


def strata_of(samples, count):
    """The stratum of each position, found from who is drawn together: two of a pair are always of one stratum."""
    label = np.arange(count)
    for sample in samples:
        pairs = len(sample.left)
        for one, other in sample.index[: 2 * pairs].reshape(2, pairs).T:
            low, high = sorted((label[one], label[other]))
            label[label == high] = low
    return label


def test_every_position_of_a_stratum_is_drawn_equally_often_and_strata_are_cells(samples):
    count = 13 * 11
    label = strata_of(samples[:300], count)
    often = np.bincount(np.concatenate([sample.index for sample in samples]), minlength=count) / DRAWS
    for stratum in np.unique(label):
        row, column = np.divmod(np.flatnonzero(label == stratum), 11)
        assert len(row) == (np.ptp(row) + 1) * (np.ptp(column) + 1), "a rectangle without holes"
        expected = 2 / len(row)
        deviation = np.sqrt(expected * (1 - expected) / DRAWS)
        np.testing.assert_allclose(often[label == stratum], expected, atol=4.5 * deviation)
    assert len(np.unique(label)) == len(samples[0].left) == 12


def population(seed):
    """Squared errors that are partly smooth over the lattice and partly not."""
    row, column = np.divmod(np.arange(13 * 11), 11)
    return (0.3 * row - 0.2 * column) ** 2 + np.random.default_rng(seed).exponential(2, row.size)


def estimates(samples, values, probability):
    """(estimate, standard error) of the mean of `values` under a law, from each sample."""
    found = []
    for sample in samples:
        weights = sample.shares * probability[sample.index]
        weights = np.float32(weights / weights.sum())
        own = np.float32(values[sample.index])
        found.append((own @ weights, np.asarray(strata.standard_error(own[None], weights, sample))[0]))
    return np.array(found).T


def test_estimates_are_unbiased_and_their_standard_error_is_what_they_vary_by(samples):
    values = population(0)
    estimate, error = estimates(samples, values, np.full(values.size, 1 / values.size))
    # By enumeration: of each stratum two values without replacement, so (1 - 2 / N_h) S_h^2 / 2.
    label = strata_of(samples[:300], values.size)
    own = [values[label == stratum] for stratum in np.unique(label)]
    variance = sum((len(part) / values.size) ** 2 * (1 - 2 / len(part)) * part.var(ddof=1) / 2 for part in own)
    assert abs(estimate.mean() - values.mean()) < 4 * np.sqrt(variance / DRAWS)
    # The variance of n estimates varies by sqrt(2 / n), 2.2%; that of the mean of estimated variances by less.
    np.testing.assert_allclose(estimate.var(), variance, rtol=0.09)
    np.testing.assert_allclose((error**2).mean(), variance, rtol=0.04)
    simple = (1 - 24 / values.size) * values.var(ddof=1) / 24
    assert variance < 0.6 * simple, "what is smooth hardly varies within a cell"


def test_under_a_law_the_standard_error_is_that_of_the_ratio(samples):
    values, row = population(1), np.arange(13 * 11) // 11
    probability = (1.0 + row) / (1.0 + row).sum()
    estimate, error = estimates(samples, values, probability)
    truth = values @ probability
    # A ratio is biased by about its variance over the size of what it divides by, here by far less than it varies.
    assert abs(estimate.mean() - truth) < 4 * estimate.std() / np.sqrt(DRAWS) + 0.02 * estimate.std()
    np.testing.assert_allclose((error**2).mean(), estimate.var(), rtol=0.13)
    shifted, same = estimates(samples[:20], values + 100, probability)
    np.testing.assert_allclose(shifted, estimate[:20] + 100, rtol=1e-5)
    np.testing.assert_allclose(same, error[:20], rtol=1e-3)


def test_two_values_a_stratum_by_hand():
    # Two strata of 3 and 5 positions; a third of a single one.
    sample = strata.Sample(np.arange(5), np.array([1.5, 2.5, 1.5, 2.5, 1]) / 9, np.array([1 / 3, 3 / 5]))
    values = np.float32([[4.0, 0.0, 1.0, 2.0, 7.0]])
    expected = (3 / 9) ** 2 * (1 / 3) * (9 / 2) / 2 + (5 / 9) ** 2 * (3 / 5) * (4 / 2) / 2
    found = strata.standard_error(values, np.float32(sample.shares), sample)
    np.testing.assert_allclose(found, [np.sqrt(expected)], rtol=1e-6)


NOISY = Configuration(Task(12, 10, 3, noise="white"), eval_positions=60)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, True),
        ({"eval_positions": 0}, False),
        ({"eval_positions": 79}, True),
        ({"eval_positions": 80}, False),
        ({"task": Task(12, 10, 3)}, False),
        ({"task": Task(12, 10, 3), "render": True}, True),
        ({"task": Task(12, 10, 3, scene="dots")}, True),
    ],
    ids=str,
)
def test_a_sample_is_taken_of_images_where_there_are_more(changes, expected):
    assert position_count(NOISY.task) == 80
    assert strata.samples(dataclasses.replace(NOISY, **changes)) == expected


def test_the_sample_is_the_same_whatever_is_trained():
    first, again = strata.sample(NOISY), strata.sample(dataclasses.replace(NOISY, batch_size=3, steps=7))
    np.testing.assert_array_equal(first.index, again.index)
