"""Losses against plain NumPy definitions in float64, their gradients, limits and known values."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from sklearn.metrics import mean_squared_error

from jaxbox.config import Configuration, ConfigurationError, Loss, Model, Task, check_values, tables
from jaxbox.losses.likelihoods import SMALLEST_VARIANCE

OPTIONS = Loss(delta=0.7, alpha=3.0, epsilon=1e-3, beta=0.4)


def loaded(name):
    return tables.load("loss.name", name)


def normal(outputs, targets):
    """(errors, variances, negative log likelihoods) of single numbers."""
    mean, width = outputs[:, :2], outputs[:, 2:]
    variance = np.log(1 + np.exp(width)) + SMALLEST_VARIANCE
    density = np.exp(-((mean - targets) ** 2) / (2 * variance)) / np.sqrt(2 * np.pi * variance)
    return mean - targets, variance, -np.log(density) - np.log(2 * np.pi) / 2


def by_number(function):
    return lambda loss, outputs, targets: np.array([
        np.mean([function(loss, output, target) for output, target in zip(*pair, strict=True)])
        for pair in zip(outputs, targets, strict=True)
    ])  # fmt: skip


DEFINITIONS = {
    "mse": by_number(lambda loss, output, target: (output - target) ** 2),
    "mae": by_number(lambda loss, output, target: abs(output - target)),
    "huber": by_number(
        lambda loss, output, target: (
            (output - target) ** 2 / 2
            if abs(output - target) <= loss.delta
            else loss.delta * (abs(output - target) - loss.delta / 2)
        )
    ),
    "log_cosh": by_number(lambda loss, output, target: np.log(np.cosh(output - target))),
    "mse_msle": by_number(
        lambda loss, output, target: (
            (output - target) ** 2 + loss.alpha * (np.log(output + loss.epsilon) - np.log(target + loss.epsilon)) ** 2
        )
    ),
    "gaussian_nll": lambda loss, outputs, targets: normal(outputs, targets)[2].mean(1),
    "beta_nll": lambda loss, outputs, targets: (
        normal(outputs, targets)[1] ** loss.beta * normal(outputs, targets)[2]
    ).mean(1),
    "cross_entropy": lambda loss, outputs, targets: np.array(
        [-np.log(np.exp(row)[target > 0] / np.exp(row).sum())[0] for row, target in zip(outputs, targets, strict=True)]
    ),
}


def examples(name):
    """(outputs, targets) in float64 that the loss can take."""
    random = np.random.default_rng(0)
    if name == "cross_entropy":
        return random.normal(0, 3, (6, 5)), np.eye(5)[random.integers(5, size=6)]
    targets = random.normal(size=(6, 2))
    outputs = random.normal(0, 1.5, (6, loaded(name).outputs(2)))
    return (abs(outputs), abs(targets)) if name == "mse_msle" else (outputs, targets)


def test_every_loss_has_a_definition():
    assert set(tables.LOSSES) == set(DEFINITIONS)


@pytest.mark.parametrize("name", DEFINITIONS)
def test_it_is_its_definition(name):
    outputs, targets = examples(name)
    with jax.enable_x64(True):
        ours = loaded(name)(OPTIONS, jnp.asarray(outputs), jnp.asarray(targets))
    assert ours.shape == (6,)
    np.testing.assert_allclose(ours, DEFINITIONS[name](OPTIONS, outputs, targets), rtol=1e-12)


@pytest.mark.parametrize("name", sorted(set(DEFINITIONS) - {"beta_nll"}))
def test_its_gradient_is_that_of_its_definition(name):
    outputs, targets = examples(name)
    with jax.enable_x64(True):
        ours = jax.grad(lambda outputs: loaded(name)(OPTIONS, outputs, jnp.asarray(targets)).sum())(
            jnp.asarray(outputs)
        )
    np.testing.assert_allclose(ours, differences(DEFINITIONS[name], outputs, targets), rtol=1e-6, atol=1e-7)


def differences(definition, outputs, targets):
    """Central differences, whose error is 1e-10 of third derivatives and 1e-11 of rounding."""
    slopes = np.zeros_like(outputs)
    for place in np.ndindex(outputs.shape):
        step = np.zeros_like(outputs)
        step[place] = 1e-5
        up, down = (definition(OPTIONS, outputs + sign * step, targets).sum() for sign in (1, -1))
        slopes[place] = (up - down) / 2e-5
    return slopes


def test_the_gradient_of_beta_nll_is_that_of_nll_times_its_weight():
    outputs, targets = examples("beta_nll")
    nll = differences(DEFINITIONS["gaussian_nll"], outputs, targets)
    weight = np.tile(normal(outputs, targets)[1] ** OPTIONS.beta, 2)
    with jax.enable_x64(True):
        ours = jax.grad(lambda outputs: loaded("beta_nll")(OPTIONS, outputs, jnp.asarray(targets)).sum())(
            jnp.asarray(outputs)
        )
    np.testing.assert_allclose(ours, weight * nll, rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize(("beta", "other"), [(0.0, "gaussian_nll"), (1.0, "mse")])
def test_beta_nll_has_the_gradients_of_nll_and_for_the_means_of_squared_error(beta, other):
    outputs, targets = (jnp.asarray(array, jnp.float32) for array in examples("beta_nll"))
    ours = jax.grad(lambda outputs: loaded("beta_nll")(Loss(beta=beta), outputs, targets).sum())(outputs)
    given = outputs if other == "gaussian_nll" else outputs[:, :2]
    theirs = jax.grad(lambda given: loaded(other)(Loss(), given, targets).sum())(given)
    # The logarithm of a normal density has half the squared error.
    theirs = theirs if other == "gaussian_nll" else theirs / 2
    np.testing.assert_allclose(ours[:, : theirs.shape[1]], theirs, rtol=1e-4, atol=1e-6)


def test_huber_lies_between_squared_and_absolute_error():
    outputs, targets = (jnp.asarray(array, jnp.float32) for array in examples("huber"))
    squared, absolute = (loaded(name)(Loss(), outputs, targets) for name in ("mse", "mae"))
    np.testing.assert_allclose(loaded("huber")(Loss(delta=1e3), outputs, targets), squared / 2, rtol=1e-6)
    np.testing.assert_allclose(loaded("huber")(Loss(delta=1e-5), outputs, targets) / 1e-5, absolute, rtol=1e-4)


def test_log_cosh_is_half_a_square_near_zero_and_a_line_far_from_it():
    near, far = jnp.array([[0.01]]), jnp.array([[300.0]])
    zero = jnp.zeros((1, 1))
    np.testing.assert_allclose(loaded("log_cosh")(Loss(), near, zero), 0.01**2 / 2, rtol=1e-2)  # rounding of ln 2
    np.testing.assert_allclose(loaded("log_cosh")(Loss(), far, zero), 300 - np.log(2), rtol=1e-6)


def test_a_dead_output_under_mse_and_msle_has_a_huge_loss_and_a_gradient_that_does_not_reach_it():
    """theory: alpha 5, epsilon 1e-9, a prediction of 0 where .5 is right."""
    zero, half = jnp.zeros((1, 1)), jnp.full((1, 1), 0.5)
    value, slope = jax.value_and_grad(lambda output: loaded("mse_msle")(Loss(), output, half)[0])(zero)
    assert float(value) == pytest.approx(2006, abs=0.5)
    assert float(slope[0, 0]) == pytest.approx(-2.0e11, rel=0.01)
    behind_a_relu = jax.grad(lambda output: loaded("mse_msle")(Loss(), jax.nn.relu(output), half)[0])(zero - 1)
    assert float(behind_a_relu[0, 0]) == 0
    assert np.isnan(loaded("mse_msle")(Loss(), zero - 1e-3, half)).all()


def test_the_best_constant_under_msle_goes_towards_the_geometric_mean():
    """theory: of targets uniform on [0, 1], .5 becomes .3714."""
    targets = (jnp.arange(20_000)[:, None] + 0.5) / 20_000
    constants = np.arange(0.36, 0.385, 0.0005)
    losses = [loaded("mse_msle")(Loss(), jnp.full_like(targets, value), targets).mean() for value in constants]
    assert constants[np.argmin(losses)] == pytest.approx(0.3714, abs=0.001)


def test_mse_averages_over_the_two_outputs():
    generator = np.random.default_rng(0)
    predictions, targets = generator.normal(size=(2, 6, 2)).astype(np.float32)
    ours = loaded("mse")(Loss(), jnp.asarray(predictions), jnp.asarray(targets))
    # One example at a time: scikit-learn then averages over its two outputs.
    expected = [mean_squared_error(p[None], t[None]) for p, t in zip(predictions, targets, strict=True)]
    np.testing.assert_allclose(ours, expected, rtol=1e-6)


@pytest.mark.parametrize("name", DEFINITIONS)
def test_its_predictions_are_outputs_means_or_probabilities(name):
    outputs = examples(name)[0]
    found = np.asarray(loaded(name).predictions(jnp.asarray(outputs, jnp.float32)))
    if name == "cross_entropy":
        expected = np.exp(outputs) / np.exp(outputs).sum(1, keepdims=True)
    else:
        expected = outputs[:, :2]
        assert loaded(name).outputs(2) == outputs.shape[1] == (4 if name.endswith("nll") else 2)
    np.testing.assert_allclose(found, expected, rtol=1e-5)


@pytest.mark.parametrize(
    ("targets", "loss", "message"),
    [
        (
            "symmetric",
            "cross_entropy",
            "task.targets: symmetric is not allowed; it must be cell or cell_mode with loss",
        ),
        ("cell", "mse", "loss.name: mse is not allowed; it must be cross_entropy with task.targets cell"),
        ("cell_mode", "gaussian_nll", "loss.name: gaussian_nll is not allowed; it must be cross_entropy"),
        ("logit", "mse_msle", "task.targets: logit is not allowed; it must be unit, pixels or quantile with loss.name"),
    ],
)
def test_targets_that_a_loss_cannot_take_are_refused(targets, loss, message):
    with pytest.raises(ConfigurationError, match=message) as caught:
        check_values(Configuration(Task(targets=targets), loss=Loss(loss)))
    assert "\n" not in str(caught.value)


def test_outputs_that_can_be_negative_are_refused_where_their_logarithm_is_taken():
    for output, fine in (("identity", False), ("tanh", False), ("relu", True), ("sigmoid", True), ("softplus", True)):
        case = Configuration(Task(targets="unit"), Model(output=output), Loss("mse_msle"))
        if fine:
            check_values(case)
        else:
            with pytest.raises(ConfigurationError, match=f"model.output: {output} is not allowed; it must be relu, "):
                check_values(case)


@pytest.mark.parametrize(
    "options", [{"delta": 0.0}, {"epsilon": 0.0}, {"epsilon": 1e-60}, {"alpha": -1.0}, {"beta": -1.0}]
)
def test_options_out_of_range_are_refused(options):
    (path,) = options
    with pytest.raises(ConfigurationError, match=f"loss.{path}: .* is not allowed"):
        check_values(Configuration(loss=Loss(**options)))
