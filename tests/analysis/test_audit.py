"""Each verdict against a simulation of its counterexample, or against the number that the example is known for."""

import numpy as np
import pytest

from analysis import audit
from analysis.information import discrete_information, mutual_information

SAMPLES = 4_000
RANDOM = np.random.default_rng(0)
SIGNS = RANDOM.choice([-1.0, 1.0], SAMPLES)
BLURRED = SIGNS + RANDOM.uniform(-0.01, 0.01, SAMPLES)
# Counts of 4,000 fair signs, and nearest neighbours on them, miss ln 2 by a few hundredths.
CLOSE = 0.03


def test_every_step_is_listed_once():
    assert len({function().step for function in audit.AUDIT}) == len(audit.AUDIT) == 11


@pytest.mark.parametrize("function", audit.AUDIT)
def test_the_example_decides_the_verdict(function):
    verdict = function()
    assert verdict.counterexample
    assert verdict.correction
    # A step that holds as stated agrees with its example; any other is contradicted by it.
    assert (verdict.claimed == pytest.approx(verdict.true)) == (verdict.verdict == "true")


@pytest.mark.parametrize(
    "function",
    [
        audit.differential_entropy,
        audit.gaussian_entropy,
        audit.variance_below_error,
        audit.bound_from_parts,
        audit.correlation_bound,
        audit.scale_of_targets,
    ],
)
def test_broken_lower_bounds_lie_above_the_truth(function):
    verdict = function()
    assert verdict.claimed > verdict.true + 0.5


def test_two_places_cannot_say_more_than_ln_2():
    verdict = audit.gaussian_entropy()
    estimate = mutual_information(BLURRED, SIGNS).joint
    assert verdict.true == pytest.approx(estimate, abs=CLOSE)
    simulated = 0.5 * np.log(BLURRED.var() / np.mean((BLURRED - SIGNS) ** 2))
    # The error's mean square has a relative error of .9 / sqrt(4000) = .014, halved by 0.5 ln.
    assert verdict.claimed == pytest.approx(simulated, abs=0.03)
    assert verdict.claimed == pytest.approx(5.15, abs=0.01)


def test_a_lattice_has_no_density():
    verdict = audit.differential_entropy()
    prediction = SIGNS / 2 + RANDOM.uniform(-0.005, 0.005, SAMPLES)
    assert verdict.true == pytest.approx(mutual_information(SIGNS / 2, prediction).joint, abs=CLOSE)
    # h(Z) of a uniform error .01 wide is ln .01, and the claim h(Y) - h(Z) with h(Y) = ln 2.
    assert verdict.claimed == pytest.approx(np.log(2) + np.log(100))


def test_delta_is_variance_plus_squared_bias_of_the_error_and_of_nothing_else():
    targets = RANDOM.standard_normal(SAMPLES)
    predictions = 0.3 * targets + RANDOM.standard_normal(SAMPLES) + 0.5
    error = targets - predictions
    delta, bias = np.mean(error**2), error.mean()
    corrected = targets.var() + predictions.var() - 2 * np.cov(targets, predictions, ddof=0)[0, 1] + bias**2
    assert delta == pytest.approx(corrected)
    assert delta == pytest.approx(error.var() + bias**2)
    assert delta >= bias**2
    assert abs(delta - predictions.var() - bias**2) > 0.1
    assert audit.error_decomposition().verdict == audit.variance_below_error().verdict == "false"
    assert audit.bias_below_error().verdict == "true"


@pytest.mark.parametrize(
    ("verdict", "prediction", "claim"),
    [
        # The mean predictor: claimed to be without error, off by the variance.
        (audit.error_decomposition(), np.full(SAMPLES, SIGNS.mean()), lambda z, p: p.var() + z.mean() ** 2),
        # The perfect one: claimed to be off by the variance.
        (audit.variance_below_error(), SIGNS, lambda z, p: p.var()),
        (audit.bias_below_error(), SIGNS - 0.5, lambda z, p: z.mean() ** 2),
    ],
    ids=["decomposition", "variance", "bias"],
)
def test_numbers_about_delta_are_those_of_simulated_signs(verdict, prediction, claim):
    error = SIGNS - prediction
    # The variance of 4,000 fair signs is 1 less the square of their mean, 0 +- .016.
    assert verdict.claimed == pytest.approx(claim(error, prediction), abs=0.01)
    assert verdict.true == pytest.approx(np.mean(error**2), abs=0.01)


def test_bias_separates_delta_from_the_variance():
    verdict = audit.error_variance()
    error = 1 + SIGNS
    # 4,000 fair coins: the mean of 0 and 4 is 2 +- .03.
    assert verdict.claimed == pytest.approx(np.mean(error**2), abs=0.15)
    assert verdict.true == pytest.approx(error.var(), abs=0.01)


def test_the_mean_predictor_knows_nothing():
    verdict = audit.bound_from_parts()
    assert verdict.claimed == np.inf
    assert verdict.true == 0


def test_least_error_and_most_information_part():
    verdict = audit.error_against_information()
    # H(1/3, 2/3) = ln 3 - (2/3) ln 2.
    assert verdict.claimed == pytest.approx(np.log(3) - 2 / 3 * np.log(2))
    assert verdict.true == pytest.approx(0, abs=1e-15)
    targets = RANDOM.integers(-1, 2, SAMPLES)
    assert discrete_information(targets, np.abs(targets)).joint == pytest.approx(verdict.claimed, abs=CLOSE)
    errors = [np.mean((targets - constant * np.abs(targets)) ** 2) for constant in (-0.5, 0.0, 0.5)]
    assert errors[1] == min(errors)
    mirrored = audit.information_of_negated()
    assert mirrored.claimed == 0, "the least MSE, that of a perfect prediction"
    assert mirrored.true == pytest.approx(np.mean((BLURRED + BLURRED) ** 2) / BLURRED.var(), abs=0.02)


def test_scale_does_not_change_information():
    verdict = audit.scale_of_targets()
    # One of four equally likely pairs is (-1, 1): ln 4 - 0.5 ln 2 - ... = H(Yhat) - H(Yhat | Y) = H(1/4) - 0.5 ln 2.
    assert verdict.true == pytest.approx(-0.25 * np.log(0.25) - 0.75 * np.log(0.75) - 0.5 * np.log(2))
    # The entropy of a Gaussian as wide as 10 Y is above that of one as wide as Y by what the claim adds.
    assert verdict.claimed - verdict.true == pytest.approx(0.5 * np.log((10 * SIGNS).var() / SIGNS.var()), rel=1e-12)
    noisy = SIGNS + RANDOM.standard_normal(SAMPLES)
    first, second = (mutual_information(scale * SIGNS, noisy).joint for scale in (1, 10))
    assert first == pytest.approx(second, abs=1e-6)


def test_correlation_is_no_bound_for_two_places():
    verdict = audit.correlation_bound()
    rho = np.corrcoef(BLURRED, SIGNS)[0, 1]
    assert verdict.claimed == pytest.approx(-0.5 * np.log(1 - rho**2), abs=0.03)
    assert verdict.true == pytest.approx(discrete_information(np.sign(BLURRED), SIGNS).joint, abs=CLOSE)
