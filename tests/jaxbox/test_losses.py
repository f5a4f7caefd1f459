"""Losses against scikit-learn."""

import jax.numpy as jnp
import numpy as np
from sklearn.metrics import mean_squared_error

from jaxbox import losses
from jaxbox.config import Loss, tables


def test_mse_averages_over_the_two_outputs():
    generator = np.random.default_rng(0)
    predictions, targets = generator.normal(size=(2, 6, 2)).astype(np.float32)
    ours = losses.mse(Loss(), jnp.asarray(predictions), jnp.asarray(targets))
    # One example at a time: scikit-learn then averages over its two outputs.
    expected = [mean_squared_error(p[None], t[None]) for p, t in zip(predictions, targets, strict=True)]
    np.testing.assert_allclose(ours, expected, rtol=1e-6)


def test_every_loss_has_a_reference():
    assert set(tables.LOSSES) == {"mse"}
