"""Estimators against distributions of known information, and the chain of inequalities from entropy to bounds."""

import itertools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.integrate import quad
from scipy.stats import entropy, norm
from sklearn.feature_selection import mutual_info_regression

from analysis import bayes
from analysis import information as info
from jaxbox import task as tasks
from jaxbox.config import Task


def correlated(seed, rho, shape):
    random = np.random.default_rng(seed)
    some = random.standard_normal(shape)
    return some, rho * some + np.sqrt(1 - rho**2) * random.standard_normal(shape)


def exact_information(joint):
    return entropy(joint.ravel(), np.outer(joint.sum(1), joint.sum(0)).ravel())


def test_entropy_counts_positions():
    assert info.entropy(Task(6, 9, 2, margin_left=3, margin_top=1)) == pytest.approx(np.log(4 * 5))


@pytest.mark.parametrize("level", [0.02, 0.1, 0.5, 0.9, 1.0])
def test_chain_of_inequalities_exactly_on_every_image(level):
    """All 2^16 images: nothing is estimated, so nothing but rounding may break the order."""
    task = Task(height=4, width=4, box_size=2, noise="salt_pepper", noise_level=level)
    images = np.array(list(itertools.product((0.0, 1.0), repeat=16))).reshape(-1, 4, 4, 1)
    clean = tasks.render(task, tasks.positions(task))
    differ = (images[:, None] != clean[None]).sum((2, 3, 4))
    joint = (level / 2) ** differ * (1 - level / 2) ** (16 - differ) / 9
    centre, best = tasks.targets(task, tasks.positions(task)), bayes.posterior_mean(task, images)
    squared = (joint[..., None] * (centre - best[:, None]) ** 2).sum((0, 1))
    outputs = np.unique(best.round(9), axis=0, return_inverse=True)[1].ravel()
    merged = np.zeros((outputs.max() + 1, 9))
    np.add.at(merged, outputs, joint)
    bounds = [
        function(squared, 3, 0.5).sum()
        for function in (info.rate_distortion, info.discrete_shannon_bound, info.dithered_bound)
    ]
    chain = [info.entropy(task), exact_information(joint), exact_information(merged), *bounds]
    assert np.all(np.diff(chain) <= 1e-9), chain
    if level == 0.1:
        # Not vacuous: in the middle of the grid every link but the last is strict, and the bounds are informative.
        assert np.all(np.diff(chain[:4]) < -1e-4)
        assert chain[-1] > 0.1


@pytest.mark.parametrize("level", [0.2, 0.9, 5.0])
def test_chain_of_inequalities_by_coordinate_under_white_noise(level):
    task = Task(height=12, width=16, box_size=3, noise="white", noise_level=level)
    shape, spacing = tasks.position_shape(task)[::-1], (2 / 16, 2 / 12)
    key, samples = jax.random.key(3), 2_000
    error, known = bayes.mmse(task, key, samples), bayes.coordinate_information(task, key, samples)
    index = np.asarray(tasks.draw_index(task, jax.random.key(1), samples))
    clean = jnp.asarray(tasks.render(task, tasks.position(task, index)), jnp.float32)
    predictions = bayes.posterior_mean(task, np.asarray(tasks.observe(task, clean, key)))
    targets = tasks.targets(task, tasks.position(task, index))
    estimate = info.with_standard_error(lambda y, p: info.mutual_information(y, p, spacing), targets, predictions)
    for axis in range(2):
        learned = estimate.coordinates.value[axis]
        slack = 5 * (known.standard_error[axis] + estimate.coordinates.standard_error[axis])
        # An MSE at most 5 standard errors above the estimate gives the R that is surely needed.
        worst = error.value[axis] + 5 * error.standard_error[axis]
        rate = info.rate_distortion(worst, shape[axis], spacing[axis])
        assert np.log(shape[axis]) + 1e-12 >= known.value[axis]
        assert known.value[axis] + slack >= learned
        # Neighbours smear what is certain: the estimate falls short by at most some .1 nats at 2,000 pairs.
        assert learned + slack + 0.1 >= rate
        assert known.value[axis] + 5 * known.standard_error[axis] >= rate
    joint = bayes.information(task, key, samples)
    assert known.value.sum() <= joint.value + 5 * joint.standard_error


@pytest.mark.parametrize("rho", [0.0, 0.5, 0.9])
def test_neighbours_find_the_information_of_a_gaussian(rho):
    exact = -0.5 * np.log1p(-(rho**2))
    estimates = [info.mutual_information(*correlated(seed, rho, (1000, 2))) for seed in range(20)]
    for values, truth, bias in (
        ([e.coordinates[0] for e in estimates], exact, 0.01),
        ([e.coordinates[1] for e in estimates], exact, 0.01),
        ([e.joint for e in estimates], 2 * exact, 0.05),
    ):
        # Kraskov et al. (2004), figs. 4 and 18, for n = 1000: a bias below .01 in 1-D, some .05 in 2 + 2 dimensions.
        assert abs(np.mean(values) - truth) < 4 * np.std(values) / np.sqrt(20) + bias


@pytest.mark.parametrize("neighbours", [1, 3, 10])
def test_neighbours_agree_with_scikit_learn(neighbours):
    some, others = correlated(0, 0.7, 800)
    expected = mutual_info_regression(others[:, None], some, n_neighbors=neighbours, random_state=0)
    # The same counts; only the noise that breaks ties, 1e-10, differs, and may reorder a few near-ties of 800.
    np.testing.assert_allclose(info.mutual_information(some, others, 0.0, neighbours).joint, expected, atol=1e-3)


def test_neighbours_do_not_mind_scale_sign_or_exchange():
    some, others = correlated(2, 0.8, 500)
    value = info.mutual_information(some, others).joint
    assert info.mutual_information(1e6 * some + 3, -1e-6 * others).joint == pytest.approx(value, abs=1e-6)
    assert info.mutual_information(others, some).joint == pytest.approx(value, abs=1e-6)


def test_dither_keeps_the_information_of_a_lattice():
    """Y one of 8 places, Yhat = Y + N(0, .7^2): the truth is an integral; undithered ties would ruin the estimate."""
    places, width = np.arange(8), 0.7

    def surprise(v):
        density = norm.pdf(v, places, width).mean()
        return -density * np.log(density)

    exact = quad(surprise, -5, 12, limit=200)[0] - norm.entropy(scale=width)
    random = np.random.default_rng(0)
    targets = random.integers(8, size=(3000, 2)) * 0.25
    predictions = targets + 0.25 * width * random.standard_normal(targets.shape)
    estimate = info.with_standard_error(info.mutual_information, targets, predictions)
    assert np.all(np.abs(estimate.coordinates.value - exact) < 4 * estimate.coordinates.standard_error + 0.02)
    explicit = info.mutual_information(targets, predictions, spacing=(0.25, 0.25))
    np.testing.assert_array_equal(explicit.coordinates, estimate.coordinates.value)
    # Units do not matter, and those of a power of 2 do not even round.
    smaller = info.mutual_information(targets / 8, predictions / 8)
    np.testing.assert_array_equal(smaller.coordinates, estimate.coordinates.value)


def test_a_lattice_is_blurred_by_one_spacing():
    random = np.random.default_rng(1)
    targets = random.integers(8, size=800) * 0.25
    predictions = targets + 0.2 * random.standard_normal(800)
    blurred = targets + np.random.default_rng(5).uniform(-0.125, 0.125, 800)
    expected = mutual_info_regression(predictions[:, None], blurred, random_state=0)
    # As without dither: the same counts but for a few near-ties.
    assert info.mutual_information(targets, predictions, seed=5).joint == pytest.approx(expected[0], abs=1e-3)
    assert abs(info.mutual_information(targets, predictions, spacing=0.0).joint - expected[0]) > 0.01


def test_perfect_predictions_carry_the_entropy():
    targets = np.random.default_rng(0).integers(10, size=2000) * 0.1
    # psi(k) + psi(n) - <psi(k)> - <psi(n in a cell)>: the entropy of the counts, within ties at cell borders.
    assert info.mutual_information(targets, targets).joint == pytest.approx(np.log(10), abs=0.05)
    assert info.mutual_information(targets, -(targets**3)).joint == pytest.approx(np.log(10), abs=0.05)


@pytest.mark.parametrize("estimator", [info.mutual_information, info.gaussian_information, info.discrete_information])
def test_a_constant_carries_nothing(estimator):
    targets = np.random.default_rng(0).integers(10, size=(300, 2)) * 0.1
    for result in (estimator(targets, np.full((300, 2), 0.1)), estimator(np.full((300, 2), 0.1), targets)):
        np.testing.assert_allclose([*result.coordinates, result.joint], 0, atol=1e-12)


def test_one_constant_coordinate_leaves_the_other():
    some, others = correlated(1, 0.9, (1000, 2))
    others[:, 1] = 0.3
    result = info.mutual_information(some, others)
    assert result.coordinates[1] == 0
    # A useless coordinate of Y in the joint space costs some accuracy.
    assert result.joint == pytest.approx(result.coordinates[0], abs=0.15)


def test_counts_give_the_information_of_their_distribution():
    counts = np.array([[5, 1, 0], [2, 3, 4], [0, 0, 6], [1, 1, 1]])
    rows, columns = (np.repeat(index, counts.ravel()) for index in np.indices(counts.shape).reshape(2, -1))
    exact = exact_information(counts / counts.sum())
    assert info.discrete_information(rows * 0.1, columns * 0.3).joint == pytest.approx(exact, rel=1e-12)
    both = info.discrete_information(np.stack([rows, columns], 1), np.stack([rows, rows], 1))
    assert both.coordinates == pytest.approx([entropy(counts.sum(1)), exact], rel=1e-12)
    # (row, column) against (row, row): the row is all they share.
    assert both.joint == pytest.approx(entropy(counts.sum(1)), rel=1e-12)


def test_counts_saturate_when_every_output_is_distinct():
    random = np.random.default_rng(0)
    targets = np.repeat(np.arange(10), 30)
    assert info.discrete_information(targets, random.standard_normal(300)).joint == pytest.approx(np.log(10))


def test_gaussian_information_is_that_of_determinants():
    some, others = correlated(3, 0.6, (200, 2))
    others[:, 0] += some[:, 1]
    matrix = np.cov(np.hstack([some, others]).T)
    blocks = np.linalg.det(matrix[:2, :2]) * np.linalg.det(matrix[2:, 2:]) / np.linalg.det(matrix)
    result = info.gaussian_information(some, others)
    assert result.joint == pytest.approx(0.5 * np.log(blocks), rel=1e-10)
    rho = [np.corrcoef(some[:, i], others[:, i])[0, 1] for i in range(2)]
    np.testing.assert_allclose(result.coordinates, -0.5 * np.log(1 - np.square(rho)), rtol=1e-10)
    assert info.gaussian_information(some, 2 * some - 1).joint > 15


def test_standard_errors_are_the_spread_over_data_sets():
    estimates = [
        info.with_standard_error(info.mutual_information, *correlated(seed, 0.7, (400, 1))) for seed in range(40)
    ]
    spread = np.std([e.joint.value for e in estimates], ddof=1)
    # The spread of 40 has a relative error of 1 / sqrt(78) = 11%; small parts are a little noisier than 1 / n.
    assert np.mean([e.joint.standard_error for e in estimates]) == pytest.approx(spread, rel=0.45)


def test_standard_errors_of_means_are_the_known_ones():
    """Means of random parts of n numbers vary by S^2 / part, with S^2 / n for the whole, whatever the numbers are."""
    numbers = np.random.default_rng(0).exponential(size=(2520, 1000))  # 2, 3, .. 10 divide 2520

    def mean(some, others):
        return info.Information(some.mean(0), float(3 * others[:, 0].mean()))

    estimate = info.with_standard_error(mean, numbers, numbers)
    # A variance over p parts has a relative error of (2 / (p - 1))^.5: together at most .61, for 1000 columns .02.
    ratio = estimate.coordinates.standard_error**2 / (numbers.var(0, ddof=1) / len(numbers))
    assert ratio.mean() == pytest.approx(1, abs=0.1)
    np.testing.assert_allclose(estimate.coordinates.value, numbers.mean(0), rtol=1e-12)
    np.testing.assert_allclose(estimate.joint.value, 3 * numbers[:, 0].mean(), rtol=1e-12)
    np.testing.assert_allclose(estimate.joint.standard_error, 3 * estimate.coordinates.standard_error[0], rtol=1e-12)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: info.mutual_information([1.0], [1.0]), "targets holds 1 pair; it must hold at least 2"),
        (lambda: info.gaussian_information([1.0, 2.0], [1.0, 2.0, 3.0]), r"predictions has shape \(3,\)"),
        (lambda: info.discrete_information([1.0, np.nan], [1.0, 2.0]), "targets holds NaN"),
        (lambda: info.mutual_information([1.0, 2.0], [1.0, np.inf]), "predictions holds NaN or infinity"),
        (lambda: info.mutual_information([1.0, 2.0], [1.0, 2.0]), "neighbours is 3"),
        (lambda: info.mutual_information([1.0, 2.0], [1.0, 2.0], neighbours=0), "neighbours is 0"),
        (lambda: info.mutual_information(np.ones((9, 2)), np.ones((9, 2)), spacing=-1.0), "spacing is -1.0"),
        (lambda: info.mutual_information(np.ones((9, 2)), np.ones((9, 2)), spacing=(1.0,)), r"spacing is \(1.0,\)"),
        (lambda: info.gaussian_information(1.0, 1.0), "targets has shape"),
        (lambda: info.with_standard_error(info.mutual_information, np.ones(99), np.ones(99)), "at least 100"),
        (lambda: info.entropy(Task(3, 3, 4)), "box_size"),
    ],
)
def test_bad_input_names_the_argument(call, message):
    with pytest.raises(ValueError, match=message):
        call()
