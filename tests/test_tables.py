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
from jaxbox import config
from jaxbox.check import invariants
from jaxbox.check.cases import BASE, case_of
from jaxbox.check.programs import population_of
from jaxbox.config import ConfigurationError, Data, Static, Task, tables
from jaxbox.training import checks, contracts, member, sampling


def configuration(**names):
    """BASE with these names (dots as __), without what it then does not read."""
    return case_of({field.replace("__", "."): name for field, name in names.items()})


MAPS = {"model__name": "cnn", "model__stride": 1, "model__features": (4,)}
BESIDE = {
    **dict.fromkeys(("model.pooling max", "model.pooling average"), MAPS),
    "model.dropout units": {"model__dropout_rate": 0.1},
    "model.shortcut identity": {"model__hidden": (16, 16)},
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
ELSEWHERE = (
    *("model.activation", "model.output", "model.initialization", "task.inputs", "task.targets", "task.scene"),
    *("loss.name", "optimizer.name", "optimizer.schedule", "data.law", "data.labels", "data.split"),
)
"""Fields whose names are functions, each compared with its definition by tests of its own: a program for every one of
them is for when there is more time. In the suite they are among the names of `few`."""
CASE = pytest.mark.parametrize(
    "case",
    [
        pytest.param(case, id=name, marks=[pytest.mark.slow] if name.startswith(ELSEWHERE) else [])
        for case, name in DISTINCT.items()
    ],
)


AMONG_OTHERS = (
    *(invariants.windows_are_images, invariants.alone_as_in_a_population, invariants.survives_a_checkpoint),
)
"""What needs programs of its own, and is tried on many names at once."""


# One test a row, because what takes time is compiling its program.
@CASE
def test_every_row_keeps_the_invariants(case, tmp_path):
    for invariant in invariants.INVARIANTS:
        # That it can be built is tried of pairs of names, below.
        if invariant not in (*AMONG_OTHERS, invariants.can_be_run):
            invariant(case, tmp_path)


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
        drawn = sorted(
            (draw(random) | dict(pair) for _ in range(DRAWS)), key=lambda names: -len(pairs_of(names) & needed)
        )
        best = next((names for names in drawn if can_be(config.replace(BASE, names))), None)
        if best is None:
            needed.remove(pair)
            impossible.add(pair)
            continue
        needed -= pairs_of(best)
        found[config.settle(config.replace(BASE, best))] = best
    return found, impossible


def draw(random):
    # Something is left to be pooled twice, two layers have one width, and red_box has its 3 channels.
    names = {field: list(table)[random.integers(len(table))] for field, table in tables.TABLES.items()}
    return names | {"model.stride": 1, "model.hidden": (16, 16), "task.channels": 3}


DRAWS = 60
IN_THE_SUITE = 8
FEW_IN_THE_SUITE = 1
COVERING, IMPOSSIBLE = covering()


def is_reproducible(case):
    """Whether rounding stays as small as it is.

    Batch normalisation takes biases out again, and what is left of their gradient is rounding, of which a rule that
    divides by the gradient's size makes steps as large as any. Near an output of 0, which a relu gives, the logarithm
    of MSLE is a billion times as steep as elsewhere. Where two noisy pixels are nearly equal, rounding decides their
    ranks.
    """
    idle_biases = case.model.normalization == "batch" and case.optimizer.name not in invariants.DESCENT
    ranks = case.task.inputs == "equalized" and case.task.noise != "none"
    return not (idle_biases or ranks) and (case.loss.name, case.model.output) != ("mse_msle", "relu")


def few():
    """Some of these in which every name occurs at least once, and does so where it is read."""
    read = {case: {(field, name) for field, name in names.items() if dict(config.flatten(case)).get(field) == name}
            for case, names in COVERING.items() if is_reproducible(case)}  # fmt: skip
    needed, found = set().union(*read.values()), []
    while needed:
        found.append(max(read, key=lambda case: len(read[case] & needed)))
        needed -= read[found[-1]]
    return found


# The first one has most of the names; the rest is for when there is more time.
@pytest.mark.parametrize(
    "case",
    [
        pytest.param(case, marks=[pytest.mark.slow] if number >= FEW_IN_THE_SUITE else [])
        for number, case in enumerate(few())
    ],
)
def test_names_keep_the_invariants_together(case, tmp_path):
    for invariant in AMONG_OTHERS:
        invariant(case, tmp_path)


# Those that come first have most of the pairs; the rest is for when there is more time.
@pytest.mark.parametrize(
    "case",
    [
        pytest.param(case, id=str(number), marks=[pytest.mark.slow] if number >= IN_THE_SUITE else [])
        for number, case in enumerate(COVERING)
    ],
)
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


@pytest.mark.parametrize("name", CASES)
def test_every_row_keeps_its_contract_and_says_what_it_is(name):
    field, name = name.split(" ")
    row = tables.row(field, name)
    assert not contracts.lacks(field, tables.load(field, name), windows="render" in row.reads)
    assert row.summary
    assert set(row.reads) <= set(config.DEFAULTS)


def test_every_table_has_a_contract_and_every_field_that_is_a_name_a_table():
    assert set(contracts.CONTRACTS) == set(tables.TABLES)
    names = {path for path, value in config.DEFAULTS.items() if isinstance(value, str)} - {
        "model.padding",
        "optimizer.frozen",
        "probe",
    }
    assert names == set(tables.TABLES)


READ = sorted({path for table in tables.TABLES.values() for row in table.values() for path in row.reads})
OTHER = {
    **{"task.channels": 3, "model.features": (2, 2), "model.kernel_size": 3, "model.padding": "VALID"},
    **{"model.activation": "tanh", "model.output": "tanh", "render": True},
    **{"model.hidden": (16, 3), "model.initialization": "he", "model.pooling": "max", "model.dropout": "units"},
    **{"loss.epsilon": 0.1, "model.normalization": "batch", "model.shortcut": "identity", "model.dense": (3,)},
}
"""Another value that is allowed, where one more is not."""


@pytest.mark.parametrize("path", READ)
def test_a_field_that_a_row_names_changes_what_it_does(path):
    """Traced fields: other weights. Static fields: another program. Else the row does not read what it says it does."""
    reader = next(case for case in DISTINCT if path in tables.fields_read(case))
    value = dict(config.flatten(reader))[path]
    if path in config.TRACED:
        other = OTHER.get(path, value / 2 or 0.5)
        one, two = (trained(config.replace(reader, {path: new})) for new in (value, other))
        assert not all(jax.tree.leaves(jax.tree.map(np.array_equal, one, two)))
    else:
        one, two = (
            jaxpr(config.replace(reader, {path: new})) for new in (value, OTHER[path] if path in OTHER else value + 1)
        )
        assert one != two


@cache
def training(static):
    """(floats) -> parameters after training, in a program that evaluates nothing."""
    seed, step = jnp.uint32(0), jnp.int32(0)

    @jax.jit
    def train(floats):
        case = static.with_traced(floats)
        state, data = member.initialize(case, seed), sampling.prepare(case, seed, step)
        return member.train(case, state, data, seed, step, jnp.int32(case.steps))[0].params

    return train


def trained(case):
    floats = {path: np.float32(value) for path, value in config.traced(case).items()}
    return jax.device_get(training(Static.of(case))(floats))


def jaxpr(case):
    seed, step = jnp.uint32(0), jnp.int32(0)
    data = jax.eval_shape(lambda: sampling.prepare(case, seed, step))
    return str(
        jax.make_jaxpr(lambda *values: member.train(case, member.initialize(case, seed), *values))(
            data, seed, step, step
        )
    )


@pytest.mark.parametrize(("section", "listed"), [("task", closed_forms.FORMS), ("data", closed_forms.OF_DATA)])
def test_every_name_of_a_task_has_a_closed_form_or_is_named_as_one_that_has_none(section, listed):
    for field, forms in listed.items():
        assert set(forms) == set(tables.TABLES[f"{section}.{field}"]), field
    assert {f"{section}.{field}" for field in listed} == {f for f in tables.TABLES if f.startswith(f"{section}.")}


@pytest.mark.parametrize(("cls", "known"), [(Task, closed_forms.FIELDS), (Data, closed_forms.FIELDS_OF_DATA)])
def test_every_field_of_a_task_is_known_to_the_closed_forms(cls, known):
    assert {field.name for field in dataclasses.fields(cls)} == known


@pytest.mark.parametrize(
    ("data", "forms"),
    [
        (Data(train_size=3, shared_batches=True), closed_forms.ALL),
        (Data(law="beta"), closed_forms.JUDGED),
        (Data(law="corner"), (closed_forms.BAYES, closed_forms.ENTROPY)),
        (Data(labels="shuffled"), closed_forms.JUDGED),
        (Data(split="held_out"), closed_forms.JUDGED),
    ],
)
def test_descent_is_known_for_true_labels_of_equally_probable_positions_and_what_is_linear_for_products(data, forms):
    assert {form for form in closed_forms.ALL if closed_forms.has(Task(), form, data)} == set(forms)


def test_unequal_salt_and_pepper_has_no_linear_form():
    unequal = Task(noise="salt_pepper", noise_level=0.2, salt=0.4)
    known = [form for form in closed_forms.ALL if closed_forms.has(unequal, form)]
    assert known == [closed_forms.BAYES, closed_forms.ENTROPY]
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
