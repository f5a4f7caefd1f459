"""Every row of every table goes through the same invariants; a new row joins them by being in its table."""

import dataclasses
import itertools
from functools import cache

import chex
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from analysis import closed_forms
from jaxbox import config, losses, models, optimizers, schedules, store, task
from jaxbox.config import Configuration, ConfigurationError, Data, Model, Optimizer, Static, Task, tables
from jaxbox.layers.start import Initialization
from jaxbox.task import noises, scenes
from jaxbox.task.inputs import AffineInputs, Inputs
from jaxbox.task.scenes import DrawingScene, Lattice, WindowedScene
from jaxbox.task.targets import TargetKind
from jaxbox.training import checks, evaluation, groups, member, metrics, outputs, sampling
from jaxbox.training.population import Population

BASE = Configuration(
    Task(height=6, width=7, box_size=2, noise_level=0.1),
    Model("mlp", features=(3, 4), kernel_size=2, hidden=(16,)),
    # Weak, so that they hinder nothing.
    optimizer=Optimizer(learning_rate=0.01, weight_decay=1e-3, decay_every=2, decay_factor=0.999),
    data=Data(train_size=8, concentration=2.0),
    batch_size=4,
    steps=4,
    eval_every=2,
)
SEEDS = 2
WITH = {
    "red_box": {"task.channels": 3},
    "cell": {"loss.name": "cross_entropy"},
    "cell_mode": {"loss.name": "cross_entropy"},
    "cross_entropy": {"task.targets": "cell"},
    "mse_msle": {"task.targets": "unit", "model.output": "softplus"},
}
"""What a name needs beside it."""


def configuration(**names):
    """BASE with these names (dots as __), without what it then does not read."""
    changes = {field.replace("__", "."): name for field, name in names.items()}
    needed = {path: other for name in names.values() for path, other in WITH.get(name, {}).items()}
    return config.settle(config.replace(BASE, needed | changes))


MAPS = {"model__name": "cnn", "model__stride": 1, "model__features": (4,)}
BESIDE = {
    **dict.fromkeys(("model.pooling max", "model.pooling average"), MAPS),
    "model.dropout units": {"model__dropout_rate": 0.1},
    "model.name coordconv": {
        **{"model__features": (8, 8, 8, 8), "model__kernel_size": 3},
        **{"model__activation": "identity", "model__initialization": "he"},
    },
}
"""What a row needs to pass: maps that leave something to pool, what can learn eight examples (the authors' form)."""


def every_row():
    cases = [(field, name) for field, names in tables.TABLES.items() for name in names]
    found = {f"{field} {name}": {field.replace(".", "__"): name} for field, name in cases}
    return {case: configuration(**names, **BESIDE.get(case, {})) for case, names in found.items()}


CASES = every_row()
DISTINCT = {configuration: name for name, configuration in reversed(CASES.items())}
CASE = pytest.mark.parametrize("case", DISTINCT, ids=DISTINCT.values())


def with_other_floats(case):
    """The configuration with another learning rate and, if it is read, another noise level."""
    changes = {"optimizer.learning_rate": 0.02, "task.noise_level": 0.3}
    return config.settle(config.replace(case, changes))


@cache
def program(static):
    """(seed, floats, last) -> (weights, measures) of one member after `last` steps, compiled once."""

    @jax.jit
    def train(seed, floats, last):
        case = static.with_traced(floats)
        state, data = member.initialize(case, seed), sampling.prepare(case, seed, jnp.int32(0))
        state, data, measures = member.train(case, state, data, seed, jnp.int32(0), last)
        return state.weights, measures | evaluation.evaluate(case, state, data.seen, last)

    return train


def alone(case, seed, steps=None):
    """(weights, measures) of one member after its steps."""
    floats = {path: np.float32(value) for path, value in config.traced(case).items()}
    return jax.device_get(program(Static.of(case))(np.uint32(seed), floats, np.int32(steps or case.steps)))


@cache
def population_of(case):
    (group,) = groups.group([case, with_other_floats(case)], SEEDS)
    return Population(group, devices=jax.devices()[:2])


def advanced(many, cuts, between=lambda state: state):
    """(state, measures) of a population's members after training from cut to cut."""
    seeds, floats = many.inputs(many.chunks()[0])
    state, measures = many.initialize(seeds, floats), {}
    for first, last in itertools.pairwise(cuts):
        data = many.prepare(seeds, floats, first)
        state, _, measures = many.advance(between(state), data, seeds, floats, first, last)
    return jax.device_get((state, measures))


# Four steps of sums of at most 150 products: 600 u is 4e-5 of numbers of size 1; Adam's quotients carry ten times that.
CLOSE = {"rtol": 1e-3, "atol": 5e-4}
# Adam's .01 but for: gradient descent, whose stable rate is about 1, ten times less with momentum; Lion, all of whose
# steps are as long as Adam's longest; Adadelta, whose own rate is 1.
RATES = {"sgd": 0.3, "momentum": 0.05, "nesterov": 0.05, "lion": 0.001, "adadelta": 1.0}
DESCENT = ("sgd", "momentum", "nesterov")
MOST_STEPS = 2000
RANGES = {
    "identity": (-np.inf, np.inf),
    "relu": (0, np.inf),
    "softplus": (0, np.inf),
    "sigmoid": (0, 1),
    "tanh": (-1, 1),
}
"""Of outputs: no network says more of a target that lies outside. Other scales than symmetric go with their own."""


# One test a row, because what takes time is compiling its programs.
@CASE
def test_every_row_keeps_the_invariants(case, tmp_path):
    first = alone(case, 0)
    check_shapes_and_types(case, *first)
    check_that_every_weight_moves(case, *first)
    check_that_the_seed_decides_everything(case, first)
    check_that_windows_are_what_images_are(case, first)
    check_that_members_in_a_population_are_as_alone(case)
    check_that_it_survives_a_checkpoint(case, tmp_path)
    check_that_it_learns_eight_examples(case)


def check_shapes_and_types(case, weights, measures):
    assert measures["prediction"].shape == (task.position_count(case.task), 2)
    assert measures["mse"].shape == (3, 2)
    wide = [leaf.dtype for leaf in jax.tree.leaves((weights, measures)) if leaf.dtype.itemsize > 4]
    assert not wide, "float64 has leaked in"
    for name, row in (metrics.MEASURES | metrics.FINALS).items():
        assert measures[name].dtype == row.dtype, name


def check_that_every_weight_moves(case, weights, measures):
    before = member.initialize(case, jnp.uint32(0)).params
    chex.assert_tree_all_finite((weights, measures["loss"], measures["mse"][0], measures["prediction"]))
    assert measures["gradient_norm"] > 0
    moved = jax.tree.map(lambda new, old: bool((np.asarray(new) != np.asarray(old)).any()), weights.params, before)
    assert all(jax.tree.leaves(moved)), f"some parameters have no gradient: {moved}"


def check_that_the_seed_decides_everything(case, first):
    # That one seed always gives the same is what its place in a population shows, below.
    assert float(alone(case, 1)[1]["loss"]) != float(first[1]["loss"])


def check_that_windows_are_what_images_are(case, first):
    rendered = dataclasses.replace(case, render=True)
    assert not tables.uses_windows(rendered)
    if tables.takes_windows(case):
        assert tables.uses_windows(case)
        chex.assert_trees_all_close(alone(rendered, 0), first, **CLOSE)


def check_that_members_in_a_population_are_as_alone(case):
    many = population_of(case)
    state, measures = advanced(many, (0, case.steps))
    for row, (index, seed) in enumerate(many.chunks()[0]):
        own = [case, with_other_floats(case)][index]
        found = jax.tree.map(lambda leaf, row=row: leaf[row], (state.weights, measures))
        chex.assert_trees_all_close(found, alone(own, seed), **CLOSE)


def check_that_it_survives_a_checkpoint(case, folder):
    many = population_of(case)

    def through_disk(state):
        store.save_checkpoint(folder / "chunk", 2, {"state": jax.device_get(state)})
        saved = store.load_checkpoint(folder / "chunk" / "2", {"state": many.abstract_state})
        return many.fill(saved["state"])

    whole, resumed = advanced(many, (0, 2, case.steps)), advanced(many, (0, 2, case.steps), through_disk)
    chex.assert_trees_all_equal(whole, resumed)


def check_that_it_learns_eight_examples(case):
    """Memorising is the least that a network does: a squared error under a tenth of the targets' variance.

    Beside that of the targets that are out of the outputs' range.
    """
    affine = isinstance(tables.load("task.inputs", case.task.inputs), AffineInputs)
    scale = task.input_scale(case.task).scale if affine else 1.0
    # Plain gradient descent is stable for inputs of about unit size only; what divides by the gradient's size always is,
    # but need not stay where it came to: hence the best of three looks.
    rate = RATES.get(case.optimizer.name, 0.01) / (scale**2 if case.optimizer.name in DESCENT else 1)
    changes = {"optimizer.learning_rate": rate, "task.noise_level": min(case.task.noise_level, 0.01)}
    if case.optimizer.schedule == "cosine":  # of the others none asks how many steps there are
        changes["steps"] = MOST_STEPS
    looks = [alone(config.replace(case, changes), 0, steps) for steps in (500, 1000, MOST_STEPS)]
    targets = task.targets(case.task, task.positions(case.task))
    symmetric = case.task.targets == "symmetric"
    out_of_reach = targets - targets.clip(*RANGES[case.model.output if symmetric else "identity"])
    floor = (out_of_reach[looks[0][1]["seen"]] ** 2).mean()
    # A relu's output that is dead for an example never learns it: then it must only be better than a constant.
    share = 1 if case.model.output == "relu" else 0.1
    # At the positions of its examples the evaluation's images are these very examples, unless the scene draws others.
    draws = scenes.draws(case.task)
    errors = (error_on_examples(case, weights) if draws else found["mse"][1].mean() for weights, found in looks)
    assert min(errors) < floor + share * targets.var(axis=0).mean()


def error_on_examples(case, weights):
    """Mean squared error over the examples that seed 0 trains on."""
    keys = sampling.keys_of(case, jnp.uint32(0))
    index = sampling.training_set(case, keys)
    draws = task.draw_images(case.task, sampling.example_keys(keys.noise, jnp.arange(index.size)))
    found = outputs.predictions(case, member.merge(case, weights)(task.example(case.task, index, draws)[0]))
    return jnp.mean((found - task.targets(case.task, task.position(case.task, index))) ** 2)


def test_one_program_serves_a_group():
    @chex.assert_max_traces(n=1)
    def train(state, data, seed, floats):
        return member.train(many.group.static.with_traced(floats), state, data, seed, jnp.int32(0), jnp.int32(2))

    many = population_of(configuration(model__name="linear", task__noise="white"))
    (seeds, floats), traced_once = many.inputs(many.chunks()[0]), jax.jit(jax.vmap(train))
    state, data = many.initialize(seeds, floats), many.prepare(seeds, floats, 0)
    for values in (floats, jax.tree.map(lambda leaf: leaf / 2, floats)):
        traced_once(state, data, seeds, values)


def pairs_of(names):
    return set(itertools.combinations(sorted(names.items()), 2))


def can_be(case):
    try:
        config.check_values(case)
    except ConfigurationError:
        return False
    return True


def covering():
    """Configurations in which every pair of names occurs at least once, and the pairs that no configuration may have.

    All pairs by themselves would be thousands: a configuration of as many names as there are tables has many of them.
    """
    random = np.random.default_rng(0)
    couples = itertools.combinations(tables.TABLES, 2)
    products = ((one, other, itertools.product(tables.TABLES[one], tables.TABLES[other])) for one, other in couples)
    needed = {pair for one, other, names in products for a, b in names for pair in pairs_of({one: a, other: b})}
    found, impossible = {}, set()
    while needed:
        pair = min(needed)
        drawn = (draw(random) | dict(pair) for _ in range(DRAWS))
        possible = list(itertools.islice((names for names in drawn if can_be(config.replace(BASE, names))), CHOICES))
        if not possible:
            needed.remove(pair)
            impossible.add(pair)
            continue
        best = max(possible, key=lambda names: len(pairs_of(names) & needed))
        needed -= pairs_of(best)
        found[config.settle(config.replace(BASE, best))] = pair
    return found, impossible


def draw(random):
    # Of a stride of 1, so that something is left to be pooled twice; of 3 channels, which red_box needs.
    names = {field: str(random.choice(list(table))) for field, table in tables.TABLES.items()}
    return names | {"model.stride": 1, "task.channels": 3}


DRAWS, CHOICES = 400, 10
COVERING, IMPOSSIBLE = covering()


@pytest.mark.parametrize("case", COVERING, ids=[str(number) for number in range(len(COVERING))])
def test_names_of_all_tables_can_be_built_trained_and_evaluated_together(case):
    checks.check_sweep([case], seeds=1)


def test_what_occurs_in_no_configuration_is_refused_whatever_else_is_chosen():
    for (one, a), (other, b) in IMPOSSIBLE:
        assert not can_be(config.replace(BASE, {one: a, other: b}))


@pytest.mark.parametrize("field", tables.TABLES)
def test_an_unknown_name_is_refused_with_the_nearest(field):
    name = next(iter(tables.TABLES[field]))
    with pytest.raises(ConfigurationError, match=f"{field}: unknown name '{name}x'.*did you mean {name}") as caught:
        config.check_values(config.replace(BASE, {field: f"{name}x"}))
    assert "\n" not in str(caught.value)


CONTRACTS = {
    "task.scene": Lattice,
    "task.noise": noises.Noise,
    "task.inputs": Inputs,
    "task.targets": TargetKind,
    "model.name": models.Constructor,
    "model.activation": lambda row: callable(row),
    "model.output": lambda row: callable(row),
    "model.initialization": Initialization,
    "model.pooling": lambda row: callable(row),
    "model.normalization": lambda row: callable(row),
    "model.dropout": lambda row: callable(row),
    "loss.name": losses.LossFunction,
    "optimizer.name": optimizers.Rule,
    "optimizer.schedule": schedules.Schedule,
}


@pytest.mark.parametrize("name", CASES)
def test_every_row_keeps_its_contract_and_says_what_it_is(name):
    field, name = name.split(" ")
    row, contract = tables.row(field, name), CONTRACTS[field]
    loaded = tables.load(field, name)
    assert isinstance(loaded, contract) if isinstance(contract, type) else contract(loaded)
    if field == "task.scene" and "render" in row.reads:
        assert isinstance(loaded, WindowedScene)
        assert not isinstance(loaded, DrawingScene)
    if field == "task.inputs":
        assert isinstance(loaded, AffineInputs) == ("render" in row.reads)
    assert row.summary
    assert set(row.reads) <= set(config.DEFAULTS)


def test_every_table_has_a_contract_and_every_field_that_is_a_name_a_table():
    assert set(CONTRACTS) == set(tables.TABLES)
    names = {path for path, value in config.DEFAULTS.items() if isinstance(value, str)} - {"model.padding"}
    assert names == set(tables.TABLES)


READ = sorted({path for table in tables.TABLES.values() for row in table.values() for path in row.reads})
OTHER = {
    **{"task.channels": 3, "model.features": (2, 2), "model.kernel_size": 3, "model.padding": "VALID"},
    **{"model.activation": "tanh", "model.output": "tanh", "render": True},
    **{"model.hidden": (16, 3), "model.initialization": "he", "model.pooling": "max", "model.dropout": "units"},
    **{"model.normalization": "batch"},
}
"""Another value that is allowed, where one more is not."""


@pytest.mark.parametrize("path", READ)
def test_a_field_that_a_row_names_changes_what_it_does(path):
    """Traced fields: other weights. Static fields: another program. Else the row does not read what it says it does."""
    reader = next(case for case in DISTINCT if path in tables.fields_read(case))
    value = dict(config.flatten(reader))[path]
    if path in config.TRACED:
        one, two = (alone(config.replace(reader, {path: new}), 0)[0].params for new in (value, value / 2 or 0.5))
        assert not all(jax.tree.leaves(jax.tree.map(np.array_equal, one, two)))
    else:
        one, two = (
            jaxpr(config.replace(reader, {path: new})) for new in (value, OTHER[path] if path in OTHER else value + 1)
        )
        assert one != two


def jaxpr(case):
    seed, step = jnp.uint32(0), jnp.int32(0)
    data = jax.eval_shape(lambda: sampling.prepare(case, seed, step))
    return str(
        jax.make_jaxpr(lambda *values: member.train(case, member.initialize(case, seed), *values))(
            data, seed, step, step
        )
    )


def test_every_name_of_a_task_has_a_closed_form_or_is_named_as_one_that_has_none():
    for field, forms in closed_forms.FORMS.items():
        assert set(forms) == set(tables.TABLES[f"task.{field}"]), field
    assert {f"task.{field}" for field in closed_forms.FORMS} == {f for f in tables.TABLES if f.startswith("task.")}


def test_every_field_of_a_task_is_known_to_the_closed_forms():
    fields = {field.name for field in dataclasses.fields(Task)}
    assert fields == closed_forms.FIELDS


def test_unequal_salt_and_pepper_has_an_entropy_only():
    unequal = Task(noise="salt_pepper", noise_level=0.2, salt=0.4)
    assert [form for form in closed_forms.ALL if closed_forms.has(unequal, form)] == [closed_forms.ENTROPY]
    with pytest.raises(ConfigurationError, match=r"task.salt: 0.4 does not have a linear closed form; it must be 0.5"):
        closed_forms.require(unequal, closed_forms.LINEAR)


def test_closed_forms_refuse_what_they_do_not_know(monkeypatch):
    @dataclasses.dataclass(frozen=True)
    class Curved(Task):
        curvature: float = 0.0

    with pytest.raises(ConfigurationError, match=r"task.curvature: 0.5 does not have a Bayes-optimal predictor"):
        closed_forms.require(Curved(curvature=0.5), closed_forms.BAYES)
    closed_forms.require(Curved(), closed_forms.BAYES)
    for field in closed_forms.FORMS:
        monkeypatch.setitem(tables.TABLES[f"task.{field}"], "new", next(iter(tables.TABLES[f"task.{field}"].values())))
        for form in closed_forms.ALL:
            with pytest.raises(ConfigurationError, match=f"task.{field}: 'new' does not have {form}"):
                closed_forms.require(Task(**{field: "new"}), form)
