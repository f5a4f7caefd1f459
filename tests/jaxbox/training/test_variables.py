"""Networks that keep more than parameters: running statistics, random streams, and what is nobody's business."""

import dataclasses
import sys
from functools import partial

import chex
import compiled
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

from jaxbox import layers, store, sweep
from jaxbox import task as tasks
from jaxbox.config import Configuration, Data, Model, Optimizer, Plan, Task, tables
from jaxbox.layers import LitUnits
from jaxbox.training import evaluation, groups, member, sampling
from jaxbox.training.population import Population

TASK = Task(height=5, width=6, box_size=2)
PIXELS = 30
MOMENTUM = 0.75


class Normalized(nnx.Module):
    """Batch normalisation of the pixels, dropout, a dense layer; it also counts its calls, and keeps an intermediate."""

    def __init__(self, model, task, outputs, rngs):
        self.normalization = nnx.BatchNorm(PIXELS, momentum=MOMENTUM, rngs=rngs)
        self.dropout = nnx.Dropout(0.5, rngs=rngs)
        self.head = layers.Dense(PIXELS, outputs, rngs=rngs)

    def __call__(self, images):
        values = self.normalization(images.reshape(len(images), -1))
        self.kept = nnx.Intermediate(values)
        return self.head(self.dropout(values))


@pytest.fixture(autouse=True)
def row(monkeypatch):
    module = sys.modules[__name__].__name__
    monkeypatch.setitem(tables.MODELS, "normalized", tables.Row(f"{module}:Normalized", "for this test"))


OWN = Configuration(
    TASK,
    Model("normalized"),
    optimizer=Optimizer("sgd", 0.05),
    data=Data(train_size=12),
    batch_size=4,
    steps=6,
    eval_every=2,
)


def trained(configuration, seed=0, steps=6):
    state = compiled.initialize(configuration, jnp.uint32(seed))
    data = sampling.prepare(configuration, jnp.uint32(seed), jnp.int32(0))
    train = jax.jit(partial(member.train, configuration))
    return train(state, data, jnp.uint32(seed), jnp.int32(0), jnp.int32(steps))[0]


def test_such_a_network_gets_images():
    assert not tables.takes_windows(OWN)
    assert tables.takes_windows(dataclasses.replace(OWN, model=Model("linear")))


def test_running_statistics_are_those_of_the_batches():
    keys = sampling.keys_of(OWN, jnp.uint32(0))
    data = sampling.prepare(OWN, jnp.uint32(0), jnp.int32(0))
    mean, variance = np.zeros(PIXELS), np.ones(PIXELS)
    for step in range(6):
        data, examples = sampling.batch(OWN, keys, data, jnp.int32(step))
        pixels = tasks.render(TASK, tasks.positions(TASK)[np.asarray(examples.index)]).reshape(4, -1)
        mean = MOMENTUM * mean + (1 - MOMENTUM) * pixels.mean(axis=0)
        variance = MOMENTUM * variance + (1 - MOMENTUM) * pixels.var(axis=0)
    kept = trained(OWN).variables["normalization"]
    np.testing.assert_allclose(kept["mean"], mean, atol=1e-6)
    np.testing.assert_allclose(kept["var"], variance, atol=1e-6)


def test_evaluation_uses_the_running_statistics_and_no_dropout():
    state = trained(OWN)
    prediction, lit, _ = evaluation.predict(OWN, state.weights)
    assert lit == [], "an intermediate of its own is not taken for lit units"
    pixels = tasks.render(TASK, tasks.positions(TASK)).reshape(-1, PIXELS)
    kept, params = jax.device_get((state.variables["normalization"], state.params))
    values = (pixels - kept["mean"]) / np.sqrt(kept["var"] + 1e-5)
    values = values * params["normalization"]["scale"] + params["normalization"]["bias"]
    expected = values @ np.asarray(params["head"]["kernel"]).T + params["head"]["bias"]
    np.testing.assert_allclose(prediction.T, expected, rtol=1e-4, atol=1e-5)


def test_dropout_follows_the_seed_and_the_step_alone():
    def dropped(seed, step):
        """Which pixels of a constant image are zero after dropout, while training."""
        streams = jax.random.fold_in(sampling.keys_of(OWN, jnp.uint32(seed)).streams, step)
        network = member.merge(OWN, member.initialize(OWN, jnp.uint32(0)).weights, streams)
        return np.asarray(network.dropout(jnp.ones((3, 200))) == 0)

    np.testing.assert_array_equal(dropped(1, 4), dropped(1, 4))
    for other in ((1, 5), (2, 4)):
        assert (dropped(1, 4) != dropped(*other)).any()
    # 600 coins: five standard deviations are .1.
    assert abs(dropped(1, 4).mean() - 0.5) < 0.1


@pytest.mark.slow
def test_members_in_a_population_are_as_alone_and_cuts_do_not_matter():
    (group,) = groups.group(Plan.of([OWN], 3))
    many = Population(group, devices=jax.devices()[:1])
    seeds, floats = many.inputs(many.chunks()[0])

    def after(*cuts):
        state, data = many.initialize(seeds, floats), many.prepare(seeds, floats, 0)
        for first, last in zip((0, *cuts), (*cuts, 6), strict=True):
            state, data, _ = many.advance(state, data, seeds, floats, first, last)
        return jax.device_get(state)

    whole = after()
    chex.assert_trees_all_equal(after(1, 3), whole)
    for seed in range(3):
        one = jax.tree.map(lambda leaf, seed=seed: leaf[seed], whole.weights)
        chex.assert_trees_all_close(one, trained(OWN, seed).weights, rtol=1e-4, atol=1e-5)
    assert (whole.variables["normalization"]["mean"][0] != whole.variables["normalization"]["mean"][1]).any()


def test_a_frozen_member_keeps_its_statistics_too():
    broken = dataclasses.replace(OWN, optimizer=Optimizer("sgd", 1e38))
    before, after = trained(broken, steps=3), trained(broken, steps=6)
    assert int(after.failed_step) in (0, 1, 2)
    chex.assert_trees_all_equal(after.weights, before.weights)


def test_statistics_are_stored_and_come_back_with_the_member(tmp_path):
    run = sweep.run([OWN], 2, name="run", out=tmp_path, quiet=True)
    pixels = tasks.render(TASK, tasks.positions(TASK))
    for seed in range(2):
        loaded = store.load_member(tmp_path / "run", 0, seed)
        chex.assert_trees_all_close(loaded.weights, trained(OWN, seed).weights, rtol=1e-4, atol=1e-5)
        np.testing.assert_allclose(loaded.predict(pixels), run["prediction"][0, seed], rtol=1e-4, atol=1e-5)


def test_only_relu_layers_leave_lit_units():
    network = member.merge(
        dataclasses.replace(OWN, model=Model("mlp", hidden=(3,))),
        member.initialize(dataclasses.replace(OWN, model=Model("mlp", hidden=(3,))), jnp.uint32(0)).weights,
    )
    network(jnp.ones((2, 5, 6, 1)))
    assert [leaf.shape for leaf in jax.tree.leaves(nnx.state(network, LitUnits))] == [(3,)]


def test_the_rows_of_normalisation_and_dropout_come_through_a_checkpoint_bit_for_bit(tmp_path):
    model = Model("cnn", features=(3, 2), kernel_size=3, normalization="batch", dropout="units", dropout_rate=0.2)
    (group,) = groups.group(Plan.of([dataclasses.replace(OWN, model=model)], 2))
    many = Population(group, devices=jax.devices()[:1])
    seeds, floats = many.inputs(many.chunks()[0])

    def after(cut):
        state, data = many.initialize(seeds, floats), many.prepare(seeds, floats, 0)
        state, _, _ = many.advance(state, data, seeds, floats, 0, cut)
        store.save_checkpoint(tmp_path / str(cut), cut, {"state": jax.device_get(state)})
        saved = store.load_checkpoint(tmp_path / str(cut) / str(cut), {"state": many.abstract_state})
        state, _, measures = many.advance(
            many.fill(saved["state"]), many.prepare(seeds, floats, cut), seeds, floats, cut, 6
        )
        return jax.device_get((state, measures["prediction"]))

    (one, first), (two, second) = after(2), after(5)
    chex.assert_trees_all_equal(one, two)
    np.testing.assert_array_equal(first, second)
    kept = one.variables["between"][0]
    np.testing.assert_allclose(kept["dropout"]["rate"], 0.2, rtol=1e-6)
    assert (kept["normalization"]["mean"] != 0).any()
