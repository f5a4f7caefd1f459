"""What a run's numbers mean, against numbers worked out by hand, on a made-up run."""

import numpy as np
import pytest
from made_up import VARIANCE, made_up_run

from jaxbox.store import measures


def test_final_r2_is_over_both_coordinates_at_the_last_evaluation():
    expected = [[0.9, 0.5, 0.04, 0.0], [0.05, -3.0, np.nan, np.nan]]
    np.testing.assert_allclose(measures.final_r2(made_up_run()), expected, atol=1e-12)


def test_r2_weights_the_coordinates_by_their_variance():
    run = made_up_run()
    run["mse"][0, 0, 2, 0] = [0.25, 0.0]  # x is not predicted, y is exact
    assert float(measures.final_r2(run)[0, 0]) == pytest.approx(1 - 0.25 / (0.25 + 0.16))


def test_the_variance_is_under_the_law_of_the_run_and_plain_where_it_knows_of_none():
    run, random = made_up_run(), np.random.default_rng(0)
    plain = run["target"].var("position")
    np.testing.assert_allclose(measures.target_variance(run), plain, rtol=1e-12)
    law = random.dirichlet(np.ones(run.sizes["position"]), run.sizes["configuration"])
    run["probability"] = ("configuration", "position"), law
    found = measures.target_variance(run).values
    for index, weights in enumerate(law):
        target = run["target"].values[index]
        np.testing.assert_allclose(found[index], weights @ (target - weights @ target) ** 2, rtol=1e-12)


@pytest.mark.parametrize("error", [np.inf, np.nan, 3e38])
def test_r2_of_predictions_that_overflowed_is_minus_infinity(error):
    run = made_up_run()
    run["mse"] = run["mse"].astype(np.float32)
    run["mse"][0, 0, 2, 0] = error  # two of 3e38 add up to more than a float32 can hold
    r2 = measures.final_r2(run).values
    assert r2[0, 0] == (-np.inf if error != 3e38 else pytest.approx(-6e38 / 0.41, rel=1e-6))
    np.testing.assert_allclose(r2[0, 1:], [0.5, 0.04, 0.0], atol=1e-6)
    assert np.isnan(r2[1, 2:]).all(), "a member that has not begun has no R2"


def test_an_evaluation_before_the_first_step_counts():
    run = made_up_run()
    run["last_step"][1, 2] = 0
    run["mse"][1, 2, 0, 0] = 0.7 * VARIANCE
    run["dead_fraction"][1, 2, 0] = 1.0
    np.testing.assert_allclose(measures.final_r2(run)[1], [0.05, -3.0, 0.3, np.nan], atol=1e-12)
    assert measures.dead_layer(run)[1].values.tolist() == [False, False, True, False]


def test_a_layer_is_dead_if_all_of_it_is():
    assert measures.dead_layer(made_up_run()).values.tolist() == [[False, False, False, True], [False] * 4]
