"""Whose fate is sealed: the rule's premises, one after the other, and what becomes of those that it names."""

import dataclasses
from functools import partial
from typing import Any

import compiled
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

from jaxbox import config, layers, task
from jaxbox.config import Configuration, Data, Model, Optimizer, Plan, Task, tables
from jaxbox.task import scenes
from jaxbox.training import evaluation, groups, member, sealing
from jaxbox.training.member import State, Weights
from jaxbox.training.population import Population

SMALL = Configuration(
    Task(8, 8, 3),
    Model("mlp", hidden=(16, 16)),
    optimizer=Optimizer(learning_rate=0.3),
    data=Data(train_size=200),
    batch_size=32,
    steps=600,
    eval_every=20,
)
CNN = dataclasses.replace(SMALL, model=Model("cnn", features=(3, 4), kernel_size=3, dense=(5,)))


def changed(base=SMALL, **fields):
    return config.replace(base, {name.replace("__", "."): value for name, value in fields.items()})


def started(configuration):
    return compiled.initialize(configuration, jnp.uint32(0))


def dropped_step(configuration, state, step=0):
    """What the rule says of a member in this state, which is evaluated first."""
    seen = jnp.ones(position_count(configuration), bool)
    measures = compiled.evaluate(configuration, state, seen, jnp.int32(step))
    return int(compiled.dropped_step(configuration, state, measures["dead_fraction"], jnp.int32(step)))


def position_count(configuration):
    return task.position_count(configuration.task)


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"task__noise": "white"}, "task.noise white: training shows images that the evaluation does not"),
        ({"task__scene": "random_size_box"}, "task.scene random_size_box: training shows images"),
        ({"data__labels": "flipped"}, "data.labels flipped: training shows images"),
        ({"model__shortcut": "identity"}, "model.shortcut identity: what is below a dead layer has a way past it"),
        ({"model__normalization": "batch"}, "model.normalization batch: running statistics go on changing"),
        ({"model__dropout": "units"}, "model.dropout units: training sees other networks"),
        ({"model__activation": "leaky_relu"}, "model.name mlp: it has no relu layer that could die"),
        ({"model__name": "linear"}, "model.name linear: it has no relu layer that could die"),
        ({"loss__name": "mse_msle"}, "loss.name mse_msle: it can overflow where predictions are finite"),
        ({"optimizer__weight_decay": 1e-4}, "optimizer.weight_decay 0.0001: it moves what has no gradient"),
        ({"optimizer__name": "lion"}, "optimizer.name lion: its own motion does not fade"),
        ({"optimizer__name": "adadelta"}, "optimizer.name adadelta: its own motion does not fade, or nothing bounds"),
        ({"optimizer__name": "sgd"}, "optimizer.name sgd: steps of any length can overflow, unless there is a clip_"),
        ({"optimizer__b1": 0.99, "optimizer__b2": 0.9}, "optimizer.b1 0.99: without a gradient steps grow, unless its"),
        ({"model__name": "mine.py:Net"}, "model.name mine.py:Net: nothing is known of code of your own"),
        ({"loss__name": "mine.py:loss"}, "loss.name mine.py:loss: nothing is known of code of your own"),
    ],
)
def test_where_a_premise_does_not_hold_nothing_is_sealed_and_the_reason_is_said(change, why):
    assert sealing.refusal(SMALL) is None
    assert sealing.refusal(changed(**change)).startswith(why)


@pytest.mark.parametrize(
    "change",
    [
        {"model__name": "linear", "model__output": "relu"},
        {"optimizer__name": "momentum", "optimizer__clip_norm": 1.0},
        {"optimizer__name": "rmsprop"},
        {"optimizer__schedule": "step"},
        {"data__labels": "shuffled"},
        {"model__normalization": "layer"},
        {"render": True},
    ],
)
def test_where_all_premises_hold_there_is_no_reason_against_it(change):
    assert sealing.refusal(changed(**change)) is None


def test_what_is_allowed_are_names_of_the_tables_and_scenes_that_draw_are_not_among_them():
    for field, (names, _) in sealing.SEALABLE.items():
        assert set(names) <= tables.TABLES[field].keys()
    allowed = sealing.SEALABLE["task.scene"][0]
    assert set(allowed) == {name for name in tables.TABLES["task.scene"] if not scenes.draws(Task(scene=name))}


def motions(optimizer, steps=60):
    """Sizes of what the optimiser adds without gradients, (steps, parameters), after a few random ones."""
    configuration = dataclasses.replace(SMALL, optimizer=optimizer)
    state, rng = started(configuration), np.random.default_rng(0)
    moves = []
    for step in range(8 + steps):
        size = 10.0 ** rng.uniform(-4, 2) if step < 8 else 0.0
        gradient = jax.tree.map(lambda leaf, size=size: jnp.asarray(size * rng.normal(size=leaf.shape), leaf.dtype),
                                state.params)  # fmt: skip
        if step >= 8:
            moves.append(compiled.own_motion(configuration, state, jnp.int32(step)))
        state = advanced(configuration, state, gradient, step)
    return np.abs([np.concatenate([np.ravel(leaf) for leaf in jax.tree.leaves(move)]) for move in moves])


@partial(jax.jit, static_argnums=0)
def advanced(configuration, state, gradient, step):
    rule = member._rule(configuration, jnp.int32(step))
    return state._replace(optimizer_state=rule.update(gradient, state.optimizer_state, state.params)[1])


RULES = [
    *(Optimizer(name, 0.1, clip_norm=1.0) for name in ("sgd", "momentum", "nesterov")),
    *(Optimizer("rmsprop", 0.1), Optimizer("adam", 0.1), Optimizer("adam", 0.1, b1=0.94, b2=0.9)),
    Optimizer("adam", 0.1, schedule="step", decay_every=10),
    Optimizer("adam", 0.1, schedule="cosine"),
]


# Nesterov's motion is momentum's, sgd has none, and a schedule only makes it less.
@pytest.mark.parametrize(
    "optimizer",
    [
        pytest.param(
            each, marks=[pytest.mark.slow] if each.name in ("nesterov", "sgd") or each.schedule == "cosine" else []
        )
        for each in RULES
    ],
    ids=str,
)
def test_without_a_gradient_no_step_is_longer_than_the_one_before(optimizer):
    """Five roundings of half a unit in the last place each, in two steps."""
    assert sealing.refusal(dataclasses.replace(SMALL, optimizer=optimizer)) is None
    sizes = motions(optimizer)
    assert (sizes[1:] <= sizes[:-1] * (1 + 10 * 2**-24)).all()
    assert {optimizer.name for optimizer in RULES} == set(sealing.SEALABLE["optimizer.name"][0])


def test_where_the_second_moment_fades_first_steps_do_grow():
    sizes = motions(Optimizer("adam", 0.1, b1=0.99, b2=0.9))
    assert (sizes[1:] > sizes[:-1] * 1.01).any()


@pytest.mark.parametrize(
    "configuration",
    [
        pytest.param(CNN, id="windows", marks=pytest.mark.slow),
        pytest.param(SMALL, id="mlp"),
        pytest.param(changed(SMALL, model__output="relu"), id="relu output"),
        pytest.param(changed(CNN, render=True), id="images", marks=pytest.mark.slow),
        pytest.param(changed(CNN, model__normalization="layer"), id="layer", marks=pytest.mark.slow),
        pytest.param(changed(CNN, model__name="coordconv"), id="coordconv", marks=pytest.mark.slow),
        pytest.param(changed(CNN, model__name="soft_argmax"), id="soft_argmax", marks=pytest.mark.slow),
    ],
)
def test_what_a_layer_depends_on_is_what_changes_it(configuration):
    weights = started(configuration).weights
    leaves, tree = jax.tree.flatten(weights.params)
    before = compiled.extents(configuration, weights)
    found = [[] for _ in before]
    for number, leaf in enumerate(leaves):
        # Unlike for each number, as a normalisation takes away what all units share.
        other = leaf + jnp.linspace(0.3, 0.7, leaf.size).reshape(leaf.shape)
        params = jax.tree.unflatten(tree, [*leaves[:number], other, *leaves[number + 1 :]])
        after = compiled.extents(configuration, Weights(params, weights.variables))
        for layer, (one, two) in enumerate(zip(before, after, strict=True)):
            if not np.array_equal(one, two):
                found[layer].append(number)
    assert len(found) >= 2
    assert sealing.parameters_below(configuration) == found


def with_bias(state, value):
    """The state with this bias in the first layer."""
    params = dict(state.params)
    params["hidden"] = dict(params["hidden"], bias=jnp.full_like(params["hidden"]["bias"], value))
    return state._replace(params=params)


def test_a_layer_that_is_dead_and_at_rest_seals_a_member():
    state = started(SMALL)
    assert dropped_step(SMALL, state) == -1
    assert dropped_step(SMALL, with_bias(state, -10.0), 40) == 40


def test_a_refused_configuration_seals_frozen_members_only():
    for change in ({"optimizer__name": "sgd"}, {"optimizer__b1": 0.99, "optimizer__b2": 0.9}):
        configuration = changed(**change)
        state = with_bias(started(configuration), -10.0)
        assert dropped_step(configuration, state, 40) == -1
        assert dropped_step(configuration, state._replace(failed_step=jnp.int32(3)), 40) == 40


def test_a_layer_that_rounding_could_revive_does_not():
    state = started(SMALL)
    highest = float(max(layer[0].max() for layer in compiled.extents(SMALL, state.weights)[:1]))
    biases = [-highest * (1 + share) for share in (1e-6, 1e-1)]
    found = [compiled.extents(SMALL, with_bias(state, bias).weights)[0] for bias in biases]
    assert all((layer[0] < 0).all() for layer in found), "both are dead"
    assert [dropped_step(SMALL, with_bias(state, bias)) for bias in biases] == [-1, 0]


def test_zeros_count_as_dead_in_the_first_layer_only():
    """In the second they are there as long as the first is dead, which rounding could end."""
    state = started(SMALL)
    first = compiled.extents(SMALL, with_bias(state, -1e3).weights)
    assert (first[1][0] == 0).all()
    assert (first[1][1] == -np.inf).all()
    dark = dict(state.params["hidden"], kernel=-jnp.abs(state.params["hidden"]["kernel"]))
    # A box never covers all pixels; of a unit with one weight, some images light none of them.
    dark["kernel"] = dark["kernel"].at[:, 1:].set(0)
    state = state._replace(params=state.params | {"hidden": dark})
    assert (compiled.extents(SMALL, state.weights)[0][0] == 0).all()
    assert dropped_step(SMALL, state) == 0


def test_a_layer_that_still_moves_does_not():
    state = with_bias(started(SMALL), -10.0)
    pushed = jax.tree.map(lambda leaf: jnp.full_like(leaf, 1e-6), state.params)
    moving = advanced(SMALL, state, pushed, 0)
    assert dropped_step(SMALL, moving, 1) == -1
    # What moves above the layer has no part in it.
    above = advanced(SMALL, state, pushed | {"hidden": jax.tree.map(jnp.zeros_like, pushed["hidden"])}, 0)
    assert dropped_step(SMALL, above, 1) == 1


def test_nothing_is_sealed_while_the_learning_rate_grows():
    configuration = changed(optimizer__warmup_steps=30)
    state = with_bias(started(configuration), -10.0)
    assert [dropped_step(configuration, state, step) for step in (20, 40)] == [-1, 40]


def test_the_extent_of_windows_is_that_of_their_images_and_of_the_empty_one():
    """A network computes the response to the empty image even where a window covers it in every example."""
    configuration = changed(CNN, task__height=9, task__width=10, task__margin_left=2, model__stride=1)
    layer = started(configuration).params["convolutions"][0]
    rng, index = np.random.default_rng(0), np.arange(position_count(configuration))
    drawn = evaluation.draws(configuration.task, index)
    maps: Any = task.example(configuration.task, index, drawn, windows=True)[0]
    images: Any = task.example(configuration.task, jnp.asarray(index), drawn)[0]
    convolution: Any = layers.Conv(1, 3, 3, 1, "SAME", rngs=nnx.Rngs(0))
    convolution.kernel[...], convolution.bias[...] = layer["kernel"], jnp.asarray(rng.normal(size=3), jnp.float32)
    maps, rendered = convolution(maps), convolution(jnp.concatenate([images, jnp.zeros_like(images[:1])]))
    assert isinstance(maps, layers.Windowed)
    # Sums of nine products in another order.
    np.testing.assert_allclose(layers.activation.extent(maps), layers.activation.extent(rendered), atol=18 * 2**-24)


def trained(configuration, seeds, steps):
    """The states at these steps of so many seeds, and at which evaluation of `eval_every` each was sealed first."""
    (group,) = groups.group(Plan.of([configuration], seeds))
    many = Population(group, seeds, jax.devices()[:1], drops=True)
    inputs = many.inputs(many.chunks()[0])
    state, data, first, found = many.initialize(*inputs), many.prepare(*inputs, 0), np.full(seeds, -1), {}
    live, previous, everyone = many.fill(np.ones(1, bool)), 0, []
    for step in configuration.evaluation_steps():
        state, data, measures = many.advance(state, data, *inputs, previous, step, live=live)
        sealed = np.asarray(measures["dropped_step"])
        first = np.where((first < 0) & (sealed >= 0), step, first)
        everyone.append(sealed >= 0)
        found[step], previous = jax.device_get((state, measures)), step
    return found, first, np.array(everyone)


@pytest.mark.parametrize(
    "configuration",
    [
        pytest.param(SMALL, id="adam"),
        pytest.param(changed(optimizer__name="rmsprop"), id="rmsprop", marks=pytest.mark.slow),
        pytest.param(changed(CNN, model__dense=()), id="cnn", marks=pytest.mark.slow),
    ],
)
def test_whoever_is_sealed_stays_as_it_is_however_long_it_trains_on(configuration):
    """Parameters at or below the dead layer keep every bit, and the network says one thing of all images."""
    found, first, sealed = trained(configuration, 6, configuration.steps)
    rows = np.flatnonzero((first >= 0) & (first <= configuration.steps // 2))
    assert len(rows) >= 2, "some die"
    assert (np.diff(sealed.astype(int), axis=0) >= 0).all(), "once sealed, always sealed"
    state, measures = found[configuration.steps]
    below = sealing.parameters_below(configuration)
    for row in rows:
        then: tuple[State, dict] = found[first[row]]
        dead = int(np.flatnonzero(then[1]["dead_fraction"][row] >= 1)[0])
        assert measures["dead_fraction"][row, dead] == 1
        pairs = zip(jax.tree.leaves(then[0].params), jax.tree.leaves(state.params), strict=True)
        same = [np.array_equal(one[row], two[row]) for one, two in pairs]
        assert any(all(same[leaf] for leaf in leaves) for leaves in below)
        assert (measures["r2"][row] <= 1e-6).all()
        assert (np.ptp(measures["prediction"][row], axis=0) == 0).all()
    moved = [leaf[rows] for leaf in jax.tree.leaves(state.params)]
    before = [leaf[rows] for leaf in jax.tree.leaves(found[first[rows[0]]][0].params)]
    assert not all(np.array_equal(one, two) for one, two in zip(moved, before, strict=True)), "the others went on"
