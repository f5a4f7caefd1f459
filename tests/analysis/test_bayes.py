"""The posterior against enumeration and dense likelihoods; its averages against integrals and simulation."""

import dataclasses
import itertools

import jax
import numpy as np
import pytest
from scipy.integrate import quad
from scipy.special import entr
from scipy.stats import multivariate_normal, norm, sem

from analysis import bayes
from jaxbox import task as tasks
from jaxbox.config import Data, Task

KEY = jax.random.key(0)
SMALL = Task(height=4, width=4, box_size=2, noise="salt_pepper", noise_level=0.3)
# An estimate misses by more than 5 standard errors less than once in a million.
ERRORS = 5


def every_image(task):
    """All 2^16 images of 4 x 4 and their probability given each position, pixel by pixel."""
    images = np.array(list(itertools.product((0.0, 1.0), repeat=16))).reshape(-1, 4, 4, 1)
    clean = tasks.render(task, tasks.positions(task))
    probability = np.ones((len(images), len(clean)))
    for pixel in itertools.product(range(4), range(4), range(1)):
        seen, lit = images[(slice(None), *pixel)][:, None], clean[(slice(None), *pixel)]
        kept, salt = (seen == lit) * (1 - task.noise_level), np.where(seen == 1, task.salt, 1 - task.salt)
        probability *= kept + task.noise_level * salt
    return images, probability


def surprise(probability):
    return entr(probability).sum(-1)


@pytest.mark.parametrize(
    ("inputs", "salt"),
    [("unit", 0.5), ("byte", 0.5), ("inverted", 0.1), ("standardized", 0.8), ("standardized", 0.0), ("byte", 1.0)],
)
def test_salt_and_pepper_posterior_is_bayes_rule_on_every_image(inputs, salt):
    task = dataclasses.replace(SMALL, inputs=inputs, margin_left=1, salt=salt)
    images, probability = every_image(task)
    possible = probability.sum(1) > 0  # pepper alone never lights a pixel, salt alone never darkens one
    assert possible.all() == (0 < salt < 1)
    images, probability = images[possible], probability[possible]
    expected = probability / probability.sum(1, keepdims=True)
    seen = tasks.inputs(task, images)
    result = bayes.posterior(task, seen)
    # 16 additions and an exponential of numbers below 60: a few hundred roundings of 1e-16.
    # With one of them alone the gain of 1,000 multiplies the roundings of a sum of 4 pixels.
    tolerance = 1e-12 if 0 < salt < 1 else 1e-10
    np.testing.assert_allclose(result.reshape(expected.shape), expected, rtol=tolerance)
    np.testing.assert_allclose(bayes.posterior_mean(task, seen), expected @ centres(task), atol=tolerance)


def centres(task):
    return tasks.targets(task, tasks.positions(task))


@pytest.mark.parametrize(
    ("salt", "data"),
    [(0.5, Data()), (0.2, Data(law="beta", concentration=3.0)), (0.0, Data(law="corner", split="held_out"))],
)
def test_averages_are_those_over_every_image(salt, data):
    task = dataclasses.replace(SMALL, salt=salt)
    images, likelihood = every_image(task)
    possible = likelihood.sum(1) > 0
    prior = tasks.probability(task, data)
    joint = likelihood[possible] * prior
    weight = joint.sum(1)
    given = joint / weight[:, None]
    # With pepper alone the gain of 1,000 multiplies the roundings of a sum of 4 pixels.
    np.testing.assert_allclose(bayes.posterior(task, images[possible], data).reshape(given.shape), given, rtol=1e-10)
    variance = given @ centres(task) ** 2 - (given @ centres(task)) ** 2
    grid, marginal = given.reshape(-1, 3, 3), prior.reshape(3, 3)
    exact = {
        bayes.mmse: weight @ variance,
        bayes.information: surprise(prior) - weight @ surprise(given),
        bayes.coordinate_information: [
            surprise(marginal.sum(axis)) - weight @ surprise(grid.sum(axis + 1)) for axis in (0, 1)
        ],
    }
    for function, value in exact.items():
        estimate = function(task, KEY, 20_000, data)
        assert np.all(np.abs(estimate.value - value) < ERRORS * estimate.standard_error), function
        assert np.all(estimate.standard_error < 0.03 * np.abs(value)), function


@pytest.mark.parametrize(
    "task",
    [
        Task(height=4, width=4, box_size=1, noise="white", noise_level=0.5),
        Task(height=5, width=8, box_size=3, noise="white", noise_level=2.0, inputs="byte"),
        Task(height=6, width=5, box_size=2, noise="white", noise_level=0.3, channels=3, inputs="standardized"),
        Task(6, 9, 2, noise="white", noise_level=1.0, inputs="inverted", margin_left=1, margin_right=3, margin_top=2),
        Task(height=5, width=5, box_size=5, noise="white", noise_level=1.0),
    ],
    ids=str,
)
def test_white_posterior_is_the_dense_gaussian_likelihood(task):
    random = np.random.default_rng(0)
    clean = tasks.render(task, tasks.positions(task))
    observed = clean[random.integers(len(clean), size=20)]
    observed = observed + task.noise_level * random.standard_normal(observed.shape)
    logarithm = np.stack(
        [multivariate_normal(c.ravel(), task.noise_level**2).logpdf(observed.reshape(20, -1)) for c in clean], axis=-1
    )
    expected = np.exp(logarithm - np.logaddexp.reduce(logarithm, axis=1, keepdims=True))
    seen = tasks.inputs(task, observed)
    result = bayes.posterior(task, seen)
    assert result.shape == (20, *tasks.position_shape(task))
    # The dense log likelihood is a sum of up to 270 terms of size up to 100: relative error 1e-12 after exponentiation.
    np.testing.assert_allclose(result.reshape(20, -1), expected, rtol=1e-10, atol=1e-300)
    np.testing.assert_array_equal(bayes.posterior_mode(task, seen), centres(task)[logarithm.argmax(1)])


def test_mmse_is_the_squared_error_of_the_posterior_mean():
    task = Task(height=8, width=10, box_size=3, noise="white", noise_level=1.2, inputs="standardized")
    random = np.random.default_rng(2)
    index = random.integers(tasks.position_count(task), size=5_000)
    clean = tasks.render(task, tasks.position(task, index))
    images = tasks.inputs(task, clean + 1.2 * random.standard_normal(clean.shape))
    squared = (bayes.posterior_mean(task, images) - centres(task)[index]) ** 2
    estimate = bayes.mmse(task, KEY, 5_000)
    spread = np.hypot(estimate.standard_error, squared.std(0) / np.sqrt(5_000))
    assert np.all(np.abs(squared.mean(0) - estimate.value) < ERRORS * spread)


def test_information_grows_by_half_the_image_mmse():
    """Guo, Shamai and Verdu (2005): dI / d(1 / sigma^2) = E|image - E[image | observed]|^2 / 2."""
    shape, snr, step = {"height": 7, "width": 6, "box_size": 2, "noise": "white"}, 1.5, 0.05
    task = Task(**shape, noise_level=snr**-0.5)
    random = np.random.default_rng(1)
    clean = tasks.render(task, tasks.positions(task))
    images, noise = clean[random.integers(len(clean), size=20_000)], random.standard_normal((20_000, 7, 6, 1))

    def posterior(ratio):
        level = ratio**-0.5
        return bayes.posterior(Task(**shape, noise_level=level), images + level * noise).reshape(20_000, -1)

    slope = (surprise(posterior(snr - step)) - surprise(posterior(snr + step))) / (2 * step)
    lit = posterior(snr) @ clean.reshape(len(clean), -1)
    difference = slope - (lit * (1 - lit)).sum(1) / 2
    # The same noise on both sides; what the central difference leaves out is of order step^2 = .0025 of 0.5.
    assert abs(difference.mean()) < ERRORS * difference.std() / np.sqrt(20_000) + 0.002
    assert slope.mean() > 0.3


@pytest.mark.parametrize("level", [0.4, 1.0, 3.0])
def test_two_positions_are_antipodal_signalling(level):
    """Boxes one column apart differ in 2 b pixels by 1: amplitude sqrt(2 b) / 2 (Proakis, Digital Communications)."""
    task = Task(height=3, width=4, box_size=3, noise="white", noise_level=level)
    ratio = 3 / 2 / level**2

    def mean(function):
        return quad(lambda z: norm.pdf(z) * function(ratio + np.sqrt(ratio) * z), -12, 12)[0]

    exact_information = np.log(2) - mean(lambda u: np.logaddexp(0, -2 * u))
    exact_mmse = (1 / 4) ** 2 * (1 - mean(np.tanh))
    estimate = bayes.information(task, KEY, 20_000)
    assert abs(estimate.value - exact_information) < ERRORS * estimate.standard_error
    estimate = bayes.mmse(task, KEY, 20_000)
    assert abs(estimate.value[0] - exact_mmse) < ERRORS * estimate.standard_error[0]
    assert estimate.value[1] == estimate.standard_error[1] == 0


@pytest.mark.parametrize(
    ("noise", "level"),
    [("none", 0.0), ("none", 0.7), ("white", 0.0), ("white", 1e-200), ("white", 1e-3), ("salt_pepper", 0.0)],
)
def test_without_noise_everything_is_known(noise, level):
    task = Task(height=7, width=6, box_size=3, noise=noise, noise_level=level)
    assert np.all(bayes.mmse(task, KEY, 50).value == 0)
    # Rounding of ln N; no noise leaves no spread between images.
    np.testing.assert_allclose(bayes.information(task, KEY, 50), (np.log(20), 0), atol=1e-14)


@pytest.mark.parametrize(("noise", "level"), [("white", 1e7), ("salt_pepper", 1.0)])
def test_with_noise_alone_nothing_is_known(noise, level):
    task = Task(height=9, width=7, box_size=3, noise=noise, noise_level=level)
    # Images of 1 in noise of 1e7: a relative excess of order 1e-7 over the variance of the positions.
    np.testing.assert_allclose(bayes.mmse(task, KEY, 50).value, np.var(centres(task), axis=0), rtol=1e-6)
    assert bayes.information(task, KEY, 50).value < 1e-12


@pytest.mark.parametrize("inputs", ["unit", "byte", "inverted", "standardized"])
@pytest.mark.parametrize("precision", [np.float32, np.float64])
def test_a_clean_image_shows_its_position(inputs, precision):
    task = Task(height=9, width=7, box_size=2, inputs=inputs, margin_top=1, margin_right=2, channels=3)
    images = tasks.inputs(task, tasks.render(task, tasks.positions(task))).astype(precision)
    count = tasks.position_count(task)
    np.testing.assert_array_equal(bayes.posterior(task, images).reshape(count, count), np.eye(count))
    np.testing.assert_array_equal(bayes.posterior_mode(task, images), centres(task))


def test_without_noise_all_of_a_law_is_known_where_probabilities_underflow_too():
    task, sharp = Task(height=12, width=12, box_size=3), Data(law="beta", concentration=1e5)
    probability = tasks.probability(task, sharp)
    assert (probability == 0).any()
    np.testing.assert_allclose(bayes.information(task, KEY, 50, sharp), (surprise(probability), 0), atol=1e-12)
    assert np.all(bayes.mmse(task, KEY, 50, sharp).value < 1e-20)
    images = tasks.render(task, tasks.positions(task))
    np.testing.assert_array_equal(bayes.posterior_mode(task, images, sharp), centres(task))


def test_equal_positions_share_the_posterior_as_noise_vanishes():
    task = Task(height=4, width=6, box_size=2)
    both = tasks.render(task, np.array([[0, 1], [4, 1]])).sum(0, keepdims=True)
    expected = np.zeros((3, 5))
    expected[1, [0, 4]] = 0.5
    np.testing.assert_allclose(bayes.posterior(task, both)[0], expected)


def test_estimates_do_not_depend_on_the_batches(monkeypatch):
    task = Task(height=6, width=6, box_size=2, noise="white", noise_level=0.8)
    whole = bayes.mmse(task, KEY, 100)
    monkeypatch.setattr(bayes, "BATCH_PIXELS", 36 * 32)
    # 32, 32, 32 and 4 images: the same draws, added up in another order.
    np.testing.assert_allclose(bayes.mmse(task, KEY, 100), whole, rtol=1e-12)


@pytest.mark.parametrize("samples", [2, 7])
def test_an_estimate_is_the_mean_over_its_images(monkeypatch, samples):
    task, values, of_one = Task(height=6, width=6, box_size=2, noise="white", noise_level=0.8), [], bayes._surprise

    def recorded(*arguments):
        values.append(of_one(*arguments))
        return values[-1]

    monkeypatch.setattr(bayes, "_surprise", recorded)
    monkeypatch.setattr(bayes, "BATCH_PIXELS", 36 * 4)
    estimate = bayes.information(task, KEY, samples)
    values = np.log(25) - np.concatenate(values)
    assert len(values) == samples
    np.testing.assert_allclose(estimate, (values.mean(), sem(values)), rtol=1e-12)


def test_standard_errors_are_the_spread_over_keys():
    task = Task(height=6, width=6, box_size=2, noise="white", noise_level=0.8)
    estimates = [bayes.information(task, key, 200) for key in jax.random.split(KEY, 60)]
    spread = np.std([e.value for e in estimates], ddof=1)
    # The spread of 60 has a relative error of 1 / sqrt(118) = 9%.
    assert np.mean([e.standard_error for e in estimates]) == pytest.approx(spread, rel=0.4)


def test_threshold_is_where_the_divergence_of_a_box_reaches_the_entropy():
    task = Task(height=32, width=32, box_size=5, noise="salt_pepper")
    level = bayes.threshold_level(task)
    lit, dark = np.array([level / 2, 1 - level / 2]), np.array([1 - level / 2, level / 2])
    assert 25 * (lit * np.log(lit / dark)).sum() == pytest.approx(np.log(28**2), rel=1e-12)
    unequal = dataclasses.replace(task, salt=0.2)
    level = bayes.threshold_level(unequal)
    lit, dark = np.array([0.8 * level, 1 - 0.8 * level]), np.array([1 - 0.2 * level, 0.2 * level])
    assert 25 * (lit * np.log(lit / dark)).sum() == pytest.approx(np.log(28**2), rel=1e-12)
    assert bayes.threshold_level(dataclasses.replace(task, salt=1.0)) == pytest.approx(28 ** (-2 / 25), rel=1e-12)
    assert bayes.threshold_level(Task(32, 32, 5, noise="white")) == pytest.approx(5 / np.sqrt(2 * np.log(784)))
    assert bayes.threshold_level(Task(32, 32, 5, 3, "white")) == pytest.approx(5 * np.sqrt(3 / 2 / np.log(784)))


@pytest.mark.parametrize(("noise", "above"), [("white", 2.0), ("salt_pepper", 1.5)])
def test_bayes_collapses_beyond_the_threshold_and_not_before(noise, above):
    def explained(factor):
        level = bayes.threshold_level(Task(32, 32, 4, noise=noise))
        task = Task(32, 32, 4, noise=noise, noise_level=factor * level)
        return 1 - bayes.mmse(task, KEY, 400).value / np.var(centres(task), axis=0)

    assert np.all(explained(0.6) > 0.9)
    assert np.all(explained(above) < 0.2)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: bayes.posterior(SMALL, np.zeros((2, 4, 5, 1))), r"images has shape \(2, 4, 5, 1\)"),
        (lambda: bayes.posterior_mean(SMALL, np.zeros((2, 4, 4, 3))), "images has shape"),
        (lambda: bayes.posterior_mode(SMALL, np.full((1, 4, 4, 1), np.nan)), "NaN"),
        (lambda: bayes.mmse(SMALL, KEY, 1), "samples is 1; it must be at least 2"),
        (lambda: bayes.information(Task(noise="white", noise_level=-1.0), KEY, 10), "task.noise_level"),
        (lambda: bayes.information(Task(noise="withe"), KEY, 10), "did you mean white"),
        (lambda: bayes.mmse(Task(noise="white", noise_level=float("nan")), KEY, 10), "finite"),
        (lambda: bayes.threshold_level(Task()), "needs white or salt_pepper"),
        (lambda: bayes.threshold_level(Task(noise="salt_pepper", salt=0.0)), "task.salt is 0.0"),
        (lambda: bayes.threshold_level(Task(4, 4, 4, noise="white")), "1 position"),
        (lambda: bayes.threshold_level(Task(4, 4, 5, noise="white")), "box_size"),
    ],
)
def test_bad_input_names_the_argument(call, message):
    with pytest.raises(ValueError, match=message):
        call()
