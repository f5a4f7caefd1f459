"""Evaluations of a sample of the positions, against NumPy on the predictions at all of them."""

import dataclasses
from functools import partial
from types import SimpleNamespace

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxbox import task as tasks
from jaxbox.config import Configuration, Data, Model, Plan, Task
from jaxbox.training import evaluation, groups, member, metrics, probes, strata
from jaxbox.training.population import Population
from jaxbox.training.strata import Sample

TASK = Task(height=8, width=9, box_size=2, noise="white", noise_level=0.3)
COUNT = 7 * 8
SAMPLED = Configuration(TASK, Model("mlp", hidden=(4,)), data=Data(train_size=20), batch_size=5, eval_positions=22)
WHOLE = dataclasses.replace(SAMPLED, eval_positions=0)
BETA = dataclasses.replace(SAMPLED, data=Data(train_size=20, law="beta", concentration=2.0))
MEMBERS = 3
SEEN = np.random.default_rng(0).random((MEMBERS, COUNT)) < 0.4
ROUNDING = {"rtol": 2e-5, "atol": 2e-6}
"""Sums of at most 72 products or 56 squares: 72 u is 4e-6 of numbers of size 1."""


def one_after_another(function, *values):
    return jax.lax.map(lambda own: function(*own), values)


def together(function, *values):
    return jax.vmap(function)(*values)


def states(configuration):
    return jax.jit(jax.vmap(partial(member.initialize, configuration)))(jnp.arange(MEMBERS, dtype=jnp.uint32))


def evaluated(configuration, whole, map_members=together, seen=SEEN):
    evaluate = partial(evaluation.evaluate, configuration, map_members=map_members)

    @jax.jit
    def all_of(states, seen, whole):
        return evaluate(states, seen, jnp.arange(MEMBERS), {}, whole=whole)

    flag = None if whole is None else np.bool_(whole)
    return jax.device_get(all_of(states(configuration), seen, flag))


def expected_curves(predictions, targets, probability, seen, sample):
    """Curves of one member in float64, each by its definition."""
    at, count, pairs = sample.index, len(targets), len(sample.left)
    errors, weights = (predictions[at] - targets[at]) ** 2, sample.shares * probability[at]
    weights = weights / weights.sum()
    parts = [np.ones(len(at), bool), seen[at], ~seen[at]]
    variance = probability @ (targets - probability @ targets) ** 2
    own, target = (values - weights @ values for values in (predictions[at], targets[at]))
    mse = weights @ errors
    total = np.zeros(2)
    for one in range(pairs):
        size = round(2 * sample.shares[one] * count)
        two = [weights[place] * (errors[place] - mse) for place in (one, one + pairs)]
        total += (1 - 2 / size) * (two[0] - two[1]) ** 2
    return {
        "mse": np.array([weights[part] @ errors[part] / weights[part].sum() for part in parts]),
        "mse_uniform": sample.shares @ errors,
        "r2": 1 - mse / variance,
        "variance_ratio": (weights @ own**2) / (weights @ target**2),
        "correlation": (weights @ (own * target)) / np.sqrt((weights @ own**2) * (weights @ target**2)),
        "bias": weights @ (predictions[at] - targets[at]),
        "r2_standard_error": np.sqrt(total) / variance,
    }


@pytest.mark.parametrize("map_members", [one_after_another, together])
@pytest.mark.parametrize(
    "configuration", [pytest.param(SAMPLED, marks=pytest.mark.slow), BETA], ids=["uniform", "beta"]
)
def test_curves_are_estimates_from_the_sample(configuration, map_members):
    found = evaluated(configuration, False, map_members)
    everywhere = evaluated(dataclasses.replace(configuration, eval_positions=0), None)["prediction"].astype(float)
    sample = strata.sample(configuration)
    assert 16 <= len(sample.index) <= 22
    targets = tasks.targets(TASK, tasks.positions(TASK)).astype(float)
    probability = tasks.probability(TASK, configuration.data)
    for number in range(MEMBERS):
        expected = expected_curves(everywhere[number], targets, probability, SEEN[number], sample)
        assert {*expected, "dead_fraction"} == set(probes.curves(configuration))
        for name, value in expected.items():
            np.testing.assert_allclose(found[name][number], value, rtol=1e-4, atol=1e-5, err_msg=name)
    assert np.isnan(found["prediction"]).all(), "nobody takes what was not looked at for a prediction"
    assert (found["r2_standard_error"] > 0).all()


@pytest.mark.parametrize("map_members", [one_after_another, together])
def test_a_whole_evaluation_is_that_of_a_configuration_without_a_sample(map_members):
    found, expected = evaluated(SAMPLED, True, map_members), evaluated(WHOLE, None, map_members)
    assert set(found) == {*expected, *metrics.SAMPLED}
    for name, value in expected.items():
        np.testing.assert_allclose(found[name], value, **ROUNDING, err_msg=name)
    assert np.isfinite(found["prediction"]).all()
    np.testing.assert_array_equal(found["r2_standard_error"], 0)
    assert set(evaluated(SAMPLED, None)) == set(found), "who has no say gets all positions"


def test_a_sample_of_all_positions_gives_what_all_positions_give(monkeypatch):
    order = np.random.default_rng(1).permutation(COUNT)
    every = Sample(order, np.full(COUNT, 1 / COUNT), np.zeros(COUNT // 2))
    monkeypatch.setattr(strata, "sample", lambda _: every)
    for configuration in (SAMPLED, BETA):
        own = dataclasses.replace(configuration, probe="early")
        found, expected = evaluated(own, False), evaluated(own, True)
        for name in probes.curves(own):
            np.testing.assert_allclose(found[name], expected[name], rtol=1e-4, atol=1e-5, err_msg=name)


def test_a_sample_misses_what_only_other_positions_show():
    # Born with few units that are ever lit: less noise, and a bias that most pixels do not reach.
    configuration = dataclasses.replace(
        SAMPLED, model=Model("mlp", hidden=(64,), initial_bias=-0.5), task=dataclasses.replace(TASK, noise_level=0.1)
    )
    found, whole = (evaluated(configuration, whole)["dead_fraction"] for whole in (False, True))
    assert (found >= whole).all()
    assert (found > whole).any()
    sampled = strata.sample(SAMPLED).index
    unsampled = np.setdiff1d(np.arange(COUNT), sampled)[0]
    seen = np.broadcast_to(np.arange(COUNT) == unsampled, (MEMBERS, COUNT))
    mse = evaluated(SAMPLED, False, seen=seen)["mse"]
    assert np.isnan(mse[:, 1]).all()
    np.testing.assert_allclose(mse[:, 2], mse[:, 0], **ROUNDING)


def test_blocks_of_the_sample_come_first_and_all_blocks_hold_every_position():
    for flag, expected in ((False, strata.sample(SAMPLED).index), (True, np.arange(COUNT))):
        rows, count = evaluation._blocks(SAMPLED, jnp.array(flag))
        assert rows.shape[1] <= SAMPLED.batch_size
        np.testing.assert_array_equal(np.unique(rows[: int(count)]), np.sort(expected))
        assert (int(count) - 1) * rows.shape[1] < len(expected), "no block more than it takes"


def advanced(many, *flags):
    """Measures after two steps and then none, each evaluation with its flag."""
    seeds, floats = many.inputs(many.chunks()[0])
    state, data, found = many.initialize(seeds, floats), many.prepare(seeds, floats, 0), []
    for (first, last), whole in zip(((0, 2), (2, 2)), flags, strict=True):
        state, data, measures = many.advance(state, data, seeds, floats, first, last, whole)
        found.append(jax.device_get(measures))
    return jax.device_get(state), *found


def sampled_population(configuration=SAMPLED, platform=None):
    (group,) = groups.group(Plan.of([configuration], 4))
    many = Population(group, devices=jax.devices()[:2])
    if platform:
        many.devices = [SimpleNamespace(platform=platform)] * 2
        assert many.places[1] == 1
    return many


@pytest.mark.skipif(jax.default_backend() != "cpu", reason="of CPU devices")
def test_members_at_once_and_one_after_another_are_evaluated_alike():
    at_once, in_turn = sampled_population(platform="gpu"), sampled_population()
    for flags in ((False, True), (True, False)):
        found, expected = (advanced(many, *flags) for many in (at_once, in_turn))
        jax.tree.map(partial(np.testing.assert_allclose, rtol=2e-4, atol=2e-5), found, expected)
        assert [np.isfinite(each["prediction"]).all() for each in found[1:]] == list(flags)


def test_looking_at_all_positions_again_changes_no_state_and_has_the_bits_of_doing_so_at_once():
    many = sampled_population()
    plain, sampled, whole = advanced(many, False, True)
    seeds, floats = many.inputs(many.chunks()[0])
    state = many.initialize(seeds, floats)
    once, _, measures = many.advance(state, many.prepare(seeds, floats, 0), seeds, floats, 0, 2, True)
    jax.tree.map(np.testing.assert_array_equal, jax.device_get(once), plain)
    for name in (*metrics.FINALS, *metrics.CURVES):
        np.testing.assert_array_equal(measures[name], whole[name], err_msg=name)
    assert not np.allclose(sampled["mse"], whole["mse"], rtol=1e-3)


def test_where_nothing_is_sampled_the_program_takes_no_flag():
    for configuration in (WHOLE, dataclasses.replace(SAMPLED, task=Task(8, 9, 2)), Configuration()):
        many = sampled_population(configuration)
        assert not many.samples
        assert many.flags(whole=False) == ()
        assert "r2_standard_error" not in probes.all_measures(configuration)
    assert "r2_standard_error" in probes.all_measures(SAMPLED)
