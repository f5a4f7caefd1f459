"""The early probe against sums written out in NumPy, and what Adam's first step must show."""

import dataclasses

import compiled
import jax
import jax.numpy as jnp
import numpy as np
import pytest
import xarray

from jaxbox import config, store, sweep, task
from jaxbox.config import Configuration, ConfigurationError, Data, Model, Optimizer, Task
from jaxbox.store import results
from jaxbox.training import evaluation, member, metrics, probes, sampling

PROBED = Configuration(
    Task(8, 9, 3),
    Model("mlp", hidden=(5, 4)),
    data=Data(train_size=32),
    batch_size=8,
    steps=4,
    eval_every=2,
    probe="early",
)
CNN = dataclasses.replace(PROBED, model=Model(features=(3, 4), kernel_size=3))
LAW = dataclasses.replace(PROBED, data=Data(train_size=32, law="beta", concentration=3.0))
# Sums of at most 72 products in float32, of numbers of size 1: 72 u is 4e-6. Spreads are roots of differences of two.
TOLERANCE = {"rtol": 1e-4, "atol": 1e-5}


def state_of(configuration, seed=1):
    return compiled.initialize(configuration, jnp.uint32(seed))


def evaluated(configuration, state):
    def evaluate(state):
        data = sampling.prepare(configuration, jnp.uint32(1), jnp.int32(0))
        return evaluation.evaluate(configuration, state, data.seen, jnp.int32(0))

    return jax.jit(evaluate)(state)


def layers_by_hand(configuration, state):
    """The pre-activations (N, pixels, units) of each relu layer, from the parameters, in float64."""
    index = np.arange(task.position_count(configuration.task))
    images, _ = task.example(configuration.task, index, evaluation.draws(configuration.task, index))
    values = np.asarray(images, float)
    params = jax.tree.map(lambda leaf: np.asarray(leaf, float), state.params)
    found = []
    layers = params["convolutions"] if "convolutions" in params else {"first": params["hidden"], **params["deeper"]}
    for layer in layers.values():
        kernel, bias = layer["kernel"], layer["bias"]  # units first
        values = values.reshape(len(values), -1) @ kernel.T if kernel.ndim == 2 else convolved(values, kernel)
        values = values + bias
        found.append(values.reshape(len(values), -1, values.shape[-1]))
        values = np.maximum(values, 0)
    return found


def convolved(images, kernel, stride=2):
    """SAME, a pixel at a time."""
    size, (_, height, width, _) = kernel.shape[1], images.shape
    rows, columns = -(-height // stride), -(-width // stride)
    pads = [max((out - 1) * stride + size - side, 0) for out, side in ((rows, height), (columns, width))]
    padded = np.pad(images, ((0, 0), *((pad // 2, pad - pad // 2) for pad in pads), (0, 0)))
    found = np.empty((len(images), rows, columns, len(kernel)))
    for row in range(rows):
        for column in range(columns):
            patch = padded[:, row * stride : row * stride + size, column * stride : column * stride + size]
            found[:, row, column] = np.einsum("nabc,dabc->nd", patch, kernel)
    return found


@pytest.mark.parametrize("configuration", [PROBED, CNN, LAW, dataclasses.replace(CNN, render=True)])
def test_what_layers_have_inside_is_what_sums_by_hand_say(configuration):
    state = state_of(configuration)
    found = evaluated(configuration, state)
    weight = np.asarray(task.probability(configuration.task, configuration.data), float)[:, None]
    by_hand = layers_by_hand(configuration, state)
    assert found["lit_share"].shape == (len(by_hand),)
    for layer, values in enumerate(by_hand):
        mean = (values.mean(1) * weight).sum(0)
        variance = ((values**2).mean(1) * weight).sum(0) - mean**2
        expected = {
            "preactivation_mean": mean.mean(),
            "preactivation_mean_spread": mean.std(),
            "preactivation_spread": np.sqrt(variance.mean()),
            "activation_mean": (np.maximum(values, 0).mean(1) * weight).sum(0).mean(),
            "lit_share": ((values > 0).mean(1) * weight).sum(0).mean(),
        }
        for name, value in expected.items():
            np.testing.assert_allclose(found[name][layer], value, **TOLERANCE, err_msg=f"{name} of layer {layer}")


def test_the_alignment_of_signs_is_counted():
    random = np.random.default_rng(0)
    gradient = random.standard_normal((4, 3, 3, 2)).astype(np.float32)
    gradient[random.uniform(size=gradient.shape) < 0.3] = 0
    gradient[2] = np.abs(gradient[2])  # all alike
    gradient[3] = 0  # of a dead unit
    own = [abs(np.sign(gradient[unit]).sum()) / np.count_nonzero(gradient[unit]) for unit in range(3)]
    found = probes.gradient_alignment({"b": jnp.ones(4), "k": jnp.asarray(gradient)})
    np.testing.assert_allclose(found, [np.mean(own)], rtol=1e-6)
    assert own[2] == 1


def one_step(configuration):
    @jax.jit
    def step(state):
        seed = jnp.uint32(1)
        data = sampling.prepare(configuration, seed, jnp.int32(0))
        after, _, measures = member.train(configuration, state, data, seed, jnp.int32(0), jnp.int32(1))
        return after, measures

    state = state_of(configuration)
    return state, *step(state)


@pytest.mark.parametrize("rule", [Optimizer("adam", 0.01), Optimizer("sgd", 0.3)])
def test_an_update_is_as_long_as_what_the_parameters_moved(rule):
    before, after, measures = one_step(dataclasses.replace(PROBED, optimizer=rule))
    moved = [
        np.asarray(new, float) - old
        for new, old in zip(*map(jax.tree.leaves, (after.params, before.params)), strict=True)
    ]
    length = np.sqrt(sum((each**2).sum() for each in moved))
    np.testing.assert_allclose(measures["update_norm"], length, rtol=1e-4)
    if rule.name == "sgd":
        np.testing.assert_allclose(length, 0.3 * measures["gradient_norm"], rtol=1e-4)
    else:  # Kingma and Ba (2015): every weight that has a gradient moves by the learning rate in the first step
        count = sum(np.count_nonzero(np.abs(each) > 0.005) for each in moved)
        np.testing.assert_allclose(length, 0.01 * np.sqrt(count), rtol=1e-2)


def test_gradients_of_a_unit_with_one_example_and_positive_inputs_all_have_one_sign():
    one = dataclasses.replace(PROBED, data=Data(train_size=1), batch_size=1)
    _, _, measures = one_step(one)
    np.testing.assert_array_equal(measures["gradient_alignment"], 1)  # of each kernel, hidden or last: inputs are >= 0


def test_who_asks_for_nothing_gets_and_pays_nothing():
    plain = dataclasses.replace(PROBED, probe="none")
    assert not set(evaluated(plain, state_of(plain))) & set(probes.EARLY)
    _, after, measures = one_step(plain)
    assert set(measures) == {"loss", "gradient_norm"}
    _, probed, _ = one_step(PROBED)
    for one, other in zip(*map(jax.tree.leaves, (after.params, probed.params)), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-6, atol=1e-8)


@pytest.mark.slow
def test_a_run_has_them_where_they_were_asked_for_and_goes_on(tmp_path):
    plain = dataclasses.replace(PROBED, probe="none")
    whole = sweep.run([PROBED, plain], 2, out=tmp_path, name="whole", quiet=True).load()
    assert whole["gradient_alignment"].dims == ("configuration", "seed", "step", "kernel")
    assert whole.sizes["kernel"] == 3
    for name in probes.EARLY:
        assert whole[name].isel(configuration=0, step=slice(1, None)).notnull().all(), name
        assert whole[name].isel(configuration=1).isnull().all(), name
    sweep.run([PROBED, plain], 2, out=tmp_path, name="short", quiet=True)
    longer = sweep.run(resume=tmp_path / "short", steps=8, quiet=True).load()
    xarray.testing.assert_equal(longer[[*probes.EARLY]].isel(step=slice(None, 3)), whole[[*probes.EARLY]])
    table = store.member_table(tmp_path / "short")
    assert {"lit_share_0", "lit_share_1", "gradient_alignment_2", "update_norm"} <= set(table.columns)
    without = sweep.run([plain], 2, out=tmp_path, name="plain", quiet=True)
    assert set(without.data_vars) == set(results.VARIABLES) - {*probes.EARLY, *metrics.SAMPLED, "dropped_step"}
    assert "kernel" not in without.dims


def test_another_probe_is_refused_with_those_that_there_are():
    with pytest.raises(ConfigurationError, match="probe: earl is not allowed; it must be one of none, early"):
        config.check_values(dataclasses.replace(PROBED, probe="earl"))
