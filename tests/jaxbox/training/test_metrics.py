"""Measures against scikit-learn, NumPy and Murphy's decomposition."""

import jax.numpy as jnp
import numpy as np
import pytest
from sklearn.metrics import mean_squared_error, r2_score

from jaxbox.training import metrics

COUNT = 50
# A mean of 50 numbers of size 1 carries at most 50 u = 3e-6, and ratios of two of them a few times that.
TOLERANCE = {"rtol": 2e-5, "atol": 2e-5}


def sample(kind):
    """Predictions and targets, float32."""
    generator = np.random.default_rng(1)
    targets = generator.uniform(-1, 1, (COUNT, 2))
    noise = generator.normal(size=(COUNT, 2))
    predictions = {
        "good": targets + 0.1 * noise,
        "shrunk and shifted": 0.2 * targets + 0.05 * noise + [0.5, -1],
        "unrelated": noise,
        "inverted": -targets,
        "perfect": targets,
    }[kind]
    return predictions.astype(np.float32), targets.astype(np.float32)


KIND = pytest.mark.parametrize("kind", ["good", "shrunk and shifted", "unrelated", "inverted", "perfect"])


MOMENTS = (metrics.r2, metrics.variance_ratio, metrics.correlation, metrics.bias)


def moments(predictions, targets, law=None):
    return {f.__name__: np.asarray(f(jnp.asarray(predictions), jnp.asarray(targets), law)) for f in MOMENTS}


@KIND
def test_moments_equal_numpy_and_scikit_learn(kind):
    predictions, targets = sample(kind)
    ours = moments(predictions, targets)
    wide, truth = predictions.astype(float), targets.astype(float)
    correlation = [np.corrcoef(wide[:, axis], truth[:, axis])[0, 1] for axis in (0, 1)]
    np.testing.assert_allclose(ours["r2"], r2_score(truth, wide, multioutput="raw_values"), **TOLERANCE)
    np.testing.assert_allclose(ours["correlation"], correlation, **TOLERANCE)
    np.testing.assert_allclose(ours["variance_ratio"], wide.var(axis=0) / truth.var(axis=0), **TOLERANCE)
    np.testing.assert_allclose(ours["bias"], wide.mean(axis=0) - truth.mean(axis=0), **TOLERANCE)


@KIND
def test_murphys_decomposition_holds(kind):
    predictions, targets = sample(kind)
    ours = moments(predictions, targets)
    ratio, rho = np.sqrt(ours["variance_ratio"]), ours["correlation"]
    beta2 = ours["bias"] ** 2 / targets.astype(float).var(axis=0)
    np.testing.assert_allclose(1 - ours["r2"], (1 - rho**2) + (rho - ratio) ** 2 + beta2, **TOLERANCE)


LAW = np.random.default_rng(2).dirichlet(np.ones(COUNT)).astype(np.float32)


@KIND
def test_under_a_law_every_mean_is_weighted_by_it(kind):
    predictions, targets = sample(kind)
    law, wide, truth = LAW.astype(float) / LAW.astype(float).sum(), predictions.astype(float), targets.astype(float)
    ours = {f.__name__: np.asarray(f(jnp.asarray(predictions), targets, jnp.asarray(LAW))) for f in MOMENTS}
    mse, variance = law @ (wide - truth) ** 2, law @ (truth - law @ truth) ** 2
    spread = law @ (wide - law @ wide) ** 2
    both = law @ ((wide - law @ wide) * (truth - law @ truth))
    np.testing.assert_allclose(ours["r2"], 1 - mse / variance, **TOLERANCE)
    np.testing.assert_allclose(ours["variance_ratio"], spread / variance, **TOLERANCE)
    np.testing.assert_allclose(ours["correlation"], both / np.sqrt(spread * variance), **TOLERANCE)
    np.testing.assert_allclose(ours["bias"], law @ (wide - truth), **TOLERANCE)


def test_under_a_law_each_split_is_weighted_by_itself_and_the_uniform_error_is_not():
    predictions, targets = sample("unrelated")
    seen = np.arange(COUNT) % 3 == 0
    found = np.asarray(metrics.split_mse(jnp.asarray(predictions), targets, jnp.asarray(seen), jnp.asarray(LAW)))
    errors = (predictions.astype(float) - targets) ** 2
    expected = [np.average(errors[part], axis=0, weights=LAW[part]) for part in (np.full(COUNT, True), seen, ~seen)]
    np.testing.assert_allclose(found, expected, **TOLERANCE)
    np.testing.assert_allclose(metrics.uniform_mse(jnp.asarray(predictions), targets), errors.mean(0), **TOLERANCE)
    none = metrics.split_mse(jnp.asarray(predictions), targets, jnp.asarray(seen), jnp.asarray(LAW * seen))
    assert np.isnan(none[2]).all(), "the law gives nothing of it any weight"


@pytest.mark.parametrize("law", [None, LAW])
@pytest.mark.parametrize("value", [0.0, 0.1, -3.7])
def test_a_constant_prediction_has_no_correlation_and_no_variance(value, law):
    _, targets = sample("good")
    ours = moments(np.full_like(targets, value), targets, law)
    np.testing.assert_allclose(ours["correlation"], 0, atol=1e-5)
    np.testing.assert_allclose(ours["variance_ratio"], 0, atol=1e-10)
    mean = np.average(targets, axis=0, weights=law)
    beta2 = (value - mean) ** 2 / np.average((targets - mean) ** 2, axis=0, weights=law)
    np.testing.assert_allclose(ours["r2"], -beta2, **TOLERANCE)


def test_where_the_target_is_constant_only_the_bias_is_defined():
    predictions, targets = sample("good")
    targets[:, 0] = 0
    ours = moments(predictions, targets)
    for name in ("variance_ratio", "correlation", "r2"):
        assert not np.isfinite(ours[name][0]), name
        assert np.isfinite(ours[name][1]), name
    assert np.isnan(ours["correlation"][0])
    np.testing.assert_allclose(ours["bias"][0], predictions[:, 0].mean(), **TOLERANCE)


@KIND
def test_errors_of_each_split(kind):
    predictions, targets = sample(kind)
    seen = np.random.default_rng(2).random(COUNT) < 0.3
    ours = metrics.split_mse(jnp.asarray(predictions), jnp.asarray(targets), jnp.asarray(seen))
    splits = {"all": np.full(COUNT, True), "seen": seen, "unseen": ~seen}
    for name, row in zip(metrics.SPLITS, ours, strict=True):
        chosen = splits[name]
        expected = mean_squared_error(targets[chosen], predictions[chosen], multioutput="raw_values")
        np.testing.assert_allclose(row, expected, **TOLERANCE)
    assert metrics.AXES == ("x", "y")


@pytest.mark.parametrize(("everything", "empty"), [(True, 2), (False, 1)])
def test_an_empty_split_is_nan_and_the_others_are_not(everything, empty):
    predictions, targets = sample("good")
    ours = np.asarray(metrics.split_mse(jnp.asarray(predictions), jnp.asarray(targets), jnp.full(COUNT, everything)))
    assert np.isnan(ours[empty]).all()
    np.testing.assert_allclose(ours[3 - empty], ours[0])
    assert np.isfinite(ours[0]).all()


def test_what_overflows_at_a_seen_position_leaves_the_unseen_ones_alone():
    predictions, targets = sample("good")
    seen = np.arange(COUNT) < 3
    unharmed = np.asarray(metrics.split_mse(jnp.asarray(predictions), jnp.asarray(targets), jnp.asarray(seen)))
    predictions[1] = np.inf
    mse = np.asarray(metrics.split_mse(jnp.asarray(predictions), jnp.asarray(targets), jnp.asarray(seen)))
    assert np.isinf(mse[:2]).all()
    np.testing.assert_array_equal(mse[2], unharmed[2])
