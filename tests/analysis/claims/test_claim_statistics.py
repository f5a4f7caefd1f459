"""Each statistic on a run that nobody trained, against numbers worked out by hand."""

import numpy as np
import pytest
import xarray

from analysis.claims.statistics import STATISTICS

TARGETS = np.array([[-1.0, -1.0], [-1.0, 1.0], [1.0, -1.0], [1.0, 1.0]])
# Half of the examples are at the first place: the mean is (-1/3, -1/3), the median (-1, -1).
SKEWED = np.array([0.5, 1 / 6, 1 / 6, 1 / 6])


def run_of(seen=0, unseen=0, everywhere=(0,), uniform=0, law=None, constants=None, dead=None):
    """One configuration, a seed for each number, evaluated at steps 0 and 10; MSEs are of both axes, variance 1 each."""
    seeds, law = len(everywhere), np.full(4, 0.25) if law is None else law
    mse = np.empty((1, seeds, 2, 3, 2))
    mse[:, :, 0] = 1.0
    for place, values in enumerate((everywhere, seen, unseen)):
        mse[0, :, 1, place] = np.broadcast_to(values, seeds)[:, None]
    places = (
        np.zeros((1, seeds, 4, 2))
        if constants is None
        else np.broadcast_to(constants, (4, seeds, 2)).swapaxes(0, 1)[None]
    )
    layers = np.zeros((1, seeds, 2, 2)) if dead is None else np.broadcast_to(dead, (2, seeds, 2)).swapaxes(0, 1)[None]
    member = ("configuration", "seed")
    variables = {
        "mse": ((*member, "step", "split", "axis"), mse),
        "mse_uniform": (
            (*member, "step", "axis"),
            np.broadcast_to(np.array(uniform, float), (1, 2, 2, seeds)).transpose(0, 3, 1, 2),
        ),
        "dead_fraction": ((*member, "step", "layer"), layers),
        "last_step": (member, np.full((1, seeds), 10)),
        "target": (("configuration", "position", "axis"), TARGETS[None]),
        "probability": (("configuration", "position"), law[None]),
        "prediction": ((*member, "position", "axis"), places),
    }
    return xarray.Dataset(
        variables, {"configuration": [0], "step": [0, 10], "split": ["all", "seen", "unseen"], "axis": ["x", "y"]}
    )


def values(name, run):
    found = STATISTICS[name].function(run)
    assert found.dims == ("configuration", "seed")
    assert (found.dtype == bool) == STATISTICS[name].rate
    assert STATISTICS[name].words
    assert np.isfinite(found).all()
    return found.values[0].tolist()


RUN = run_of(everywhere=(0.0, 0.94, 0.96, 7.0, np.nan))


def test_collapsed_is_an_r2_under_a_twentieth():
    assert values("collapse rate", RUN) == [False, False, True, True, True]


def test_r2_stops_at_minus_one():
    assert values("R2", RUN) == pytest.approx([1.0, 0.06, 0.04, -1.0, -1.0])


def test_one_layer_all_dead_is_a_dead_layer():
    run = run_of(everywhere=(0, 0, 0), dead=np.array([[0.0, 0.9], [1.0, 0.0], [0.5, 1.0]]))
    assert values("dead layer rate", run) == [False, True, True]


def test_places_trained_on_and_others():
    run = run_of(everywhere=(0, 0, 0, 0), seen=(0.05, 0.05, 1.0, 0.2), unseen=(0.1, 0.6, 1.0, 0.9))
    assert values("R2 on unseen places", run) == pytest.approx([0.9, 0.4, 0.0, 0.1])
    assert values("generalization gap", run) == pytest.approx([0.05, 0.55, 0.0, 0.7])
    # At the mean everywhere, or not quite learned where it was trained, is no overfitting.
    assert values("overfitted rate", run) == [False, True, False, False]


def test_what_overflowed_is_as_bad_as_can_be_on_any_place():
    run = run_of(everywhere=(np.nan,), seen=np.nan, unseen=np.nan, uniform=np.nan)
    assert values("R2 on unseen places", run) == [-1.0]
    assert values("generalization gap", run) == [0.0]
    assert values("fitted rate", run) == values("overfitted rate", run) == values("useless fit rate", run) == [False]


def test_a_fit_is_a_small_error_on_its_own_examples():
    run = run_of(everywhere=(0, 0, 0), seen=(0.0009, 0.0009, 0.0011), uniform=(0.4, 0.6, 0.6))
    assert values("fitted rate", run) == [True, True, False]
    assert values("useless fit rate", run) == [False, True, False]


def test_all_places_count_alike_in_a_useless_fit():
    # Under the skewed law the variance of the targets is 8/9, over all places alike 1.
    run = run_of(everywhere=(0, 0), seen=(0, 0), uniform=(0.49, 0.51), law=SKEWED)
    assert values("useless fit rate", run) == [False, True]


def test_a_rise_is_a_tenth_or_more():
    run = run_of(everywhere=(1.05, 1.15, 0.2))
    assert values("rising error rate", run) == [False, True, False]


def test_a_constant_is_nearer_the_mean_or_the_median():
    constants = np.array([[-0.9, -0.9], [-0.4, -0.4], [-0.9, -0.9], [-0.9, 0.3]])
    run = run_of(everywhere=(1, 1, 0, 1), law=SKEWED, constants=constants)
    assert values("rate at the median", run) == [True, False, False, False]
    assert values("rate at the mean", run) == [False, True, False, True]
