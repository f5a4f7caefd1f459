"""What a run's numbers mean, against numbers worked out by hand, on a made-up run."""

import numpy as np
import pytest
import xarray

from jaxbox.store import measures

VARIANCE = np.array([0.25, 0.16])


def made_up_run():
    """Two configurations of four seeds: one at R2 = .9, .5, .04 and 0, one whose last two seeds did not finish."""
    targets = np.sqrt(VARIANCE) * np.array([[-1, -1], [1, 1], [-1, 1], [1, -1]])
    r2 = np.array([[0.9, 0.5, 0.04, 0.0], [0.05, -3.0, np.nan, np.nan]])
    last = np.array([[10, 10, 10, 10], [5, 10, -1, -1]])
    mse = np.full((2, 4, 3, 3, 2), np.nan)
    dead = np.full((2, 4, 3, 2), np.nan)
    for index, place in enumerate(np.searchsorted([0, 5, 10], last).reshape(-1)):
        member = divmod(index, 4)
        if last[member] >= 0:
            mse[(*member, place, 0)] = (1 - r2[member]) * VARIANCE
            dead[(*member, place)] = 0.5
    dead[0, 3, 2, 1] = 1.0
    finite = np.full((2, 4), True)
    finite[1, 0] = False
    dims = ("configuration", "seed")
    variables = {
        "mse": ((*dims, "step", "split", "axis"), mse),
        "dead_fraction": ((*dims, "step", "layer"), dead),
        "finite": (dims, finite),
        "last_step": (dims, last),
        "target": (("configuration", "position", "axis"), np.stack([targets, targets])),
        "seconds": (("configuration",), [1.25, 2.5]),
    }
    coordinates = {
        "configuration": [0, 1],
        "step": [0, 5, 10],
        "split": ["all", "seen", "unseen"],
        "optimizer.learning_rate": ("configuration", [0.1, 0.001]),
        "model.name": ("configuration", ["cnn", "mlp"]),
    }
    return xarray.Dataset(variables, coordinates)


def test_final_r2_is_over_both_coordinates_at_the_last_evaluation():
    expected = [[0.9, 0.5, 0.04, 0.0], [0.05, -3.0, np.nan, np.nan]]
    np.testing.assert_allclose(measures.final_r2(made_up_run()), expected, atol=1e-12)


def test_r2_weights_the_coordinates_by_their_variance():
    run = made_up_run()
    run["mse"][0, 0, 2, 0] = [0.25, 0.0]  # x is not predicted, y is exact
    assert float(measures.final_r2(run)[0, 0]) == pytest.approx(1 - 0.25 / (0.25 + 0.16))


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
