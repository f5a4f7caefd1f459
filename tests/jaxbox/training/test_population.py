"""Many members: the same as alone, in any order, cut into any chunks, over any devices, in one compiled program."""

import contextlib
import dataclasses
from functools import partial
from types import SimpleNamespace

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxbox.config import Configuration, Data, Model, Optimizer, Plan, Task
from jaxbox.training import devices, evaluation, groups, member, rounds, sampling
from jaxbox.training.population import Population

TASK = Task(height=5, width=6, box_size=2, noise="white")
STEPS, SEEDS = 6, 3


def configurations(model, *rates):
    """One a learning rate, with a noise level that differs too."""
    base = Configuration(TASK, model, data=Data(train_size=20), batch_size=8, steps=STEPS, eval_every=2)
    return [
        dataclasses.replace(
            base, task=dataclasses.replace(TASK, noise_level=rate), optimizer=Optimizer("adam", learning_rate=rate)
        )
        for rate in rates
    ]


MLP = configurations(Model("mlp", hidden=(4,)), 0.01, 0.05)

of_cpu_devices = pytest.mark.skipif(jax.default_backend() != "cpu", reason="of CPU devices")


def trained(chosen, members_per_chunk=None, local_devices=None, seeds=SEEDS, platform=None):
    """(index, seed) -> (parameters, measures) of every member after STEPS steps."""
    (group,) = groups.group(Plan.of(chosen, seeds))
    many = Population(group, members_per_chunk, local_devices)
    if platform:
        many.devices = [SimpleNamespace(platform=platform)] * len(many.devices)
        assert many.places[1:] == (1, 3), "two devices, six members"
    return results(many)


def results(many):
    """(index, seed) -> (parameters, measures) of every member after STEPS steps."""
    found = {}
    for chunk in many.chunks():
        seeds, floats = many.inputs(chunk)
        state, data = many.initialize(seeds, floats), many.prepare(seeds, floats, 0)
        state, _, measures = jax.device_get(many.advance(state, data, seeds, floats, 0, STEPS))
        for row, key in enumerate(chunk):
            found[key] = jax.tree.map(lambda leaf, row=row: leaf[row], (state.params, measures))
    return found


@pytest.fixture(scope="module")
def together():
    return trained(MLP)


def assert_equal(ours, theirs, rtol=0.0, atol=0.0):
    assert ours.keys() == theirs.keys()
    for key in ours:
        jax.tree.map(partial(np.testing.assert_allclose, rtol=rtol, atol=atol), ours[key], theirs[key])


# Six steps of Adam on sums of at most 30 products: 180 u is 1e-5 of each parameter's size, under 1.
ROUNDING = {"rtol": 2e-4, "atol": 2e-5}


def test_a_member_alone_is_the_member_in_a_population(together):
    for index, configuration in enumerate(MLP):

        @jax.jit
        def alone(seed, configuration=configuration):
            data = sampling.prepare(configuration, seed, jnp.int32(0))
            state = member.initialize(configuration, seed)
            state, data, measures = member.train(configuration, state, data, seed, 0, STEPS)
            return state.params, measures | evaluation.evaluate(configuration, state, data.seen, jnp.int32(STEPS))

        for seed in range(SEEDS):
            params, measures = together[index, seed]
            expected_params, expected = jax.device_get(alone(jnp.uint32(seed)))
            jax.tree.map(partial(np.testing.assert_allclose, **ROUNDING), params, expected_params)
            assert measures.keys() == expected.keys()
            for name, value in expected.items():
                np.testing.assert_allclose(measures[name], value, **ROUNDING, err_msg=name)


def test_permuting_configurations_permutes_results(together):
    swapped = trained(MLP[::-1])
    assert_equal({(1 - index, seed): values for (index, seed), values in swapped.items()}, together)


def test_members_differ(together):
    assert len({float(values[1]["loss"]) for values in together.values()}) == len(together)


@of_cpu_devices
def test_one_device_and_eight_give_the_same(together):
    assert len(jax.devices()) == 8
    assert_equal(trained(MLP, local_devices=jax.devices()[:1]), together, **ROUNDING)


@pytest.mark.parametrize("members_per_chunk", [1, 4])
def test_the_size_of_a_chunk_does_not_matter(together, members_per_chunk):
    assert_equal(trained(MLP, members_per_chunk), together, **ROUNDING)


@of_cpu_devices
def test_members_in_one_round_equal_members_one_after_another(together):
    # What a GPU would run: the members of a device go through each step together.
    assert_equal(trained(MLP, local_devices=jax.devices()[:2], platform="gpu"), together, **ROUNDING)


SHARED = [dataclasses.replace(configuration, data=Data(train_size=20, shared_batches=True)) for configuration in MLP]


@pytest.fixture(scope="module")
def sharing():
    return trained(SHARED, local_devices=jax.devices()[:1])


def test_seed_0_is_the_same_whether_batches_are_shared_or_not(together, sharing):
    for index in range(len(MLP)):
        assert_equal({0: sharing[index, 0]}, {0: together[index, 0]}, **ROUNDING)


def test_other_seeds_have_initial_weights_of_their_own_and_the_batches_of_seed_0(sharing):
    for seed in (1, 2):

        @jax.jit
        def alone(seed, configuration=MLP[0]):
            state = member.initialize(configuration, seed)
            data = sampling.prepare(configuration, jnp.uint32(0), jnp.int32(0))
            state, data, measures = member.train(configuration, state, data, jnp.uint32(0), 0, STEPS)
            return state.params, measures | evaluation.evaluate(configuration, state, data.seen, jnp.int32(STEPS))

        params, measures = jax.device_get(alone(jnp.uint32(seed)))
        assert_equal({0: (params, measures)}, {0: sharing[0, seed]}, **ROUNDING)


@of_cpu_devices
@pytest.mark.parametrize(
    ("members", "count"),
    [pytest.param(members, count, marks=pytest.mark.slow) for members, count in ((1, 6), (2, 3), (8, 1))] + [(4, 2)],
)
def test_how_many_members_share_a_round_does_not_matter(members, count, sharing, monkeypatch):
    monkeypatch.setattr(rounds, "MEMBERS_PER_ROUND", members)
    (group,) = groups.group(Plan.of(SHARED, SEEDS))
    many = Population(group, devices=jax.devices()[:1])
    assert many.places[1:] == (count, 6 // count)
    assert_equal(results(many), sharing, **ROUNDING)
    assert_equal(trained(SHARED, local_devices=jax.devices()[:2]), sharing, **ROUNDING)


@of_cpu_devices
def test_members_with_more_state_than_the_limit_of_their_noise_share_no_round(monkeypatch):
    noiseless = [dataclasses.replace(c, task=dataclasses.replace(c.task, noise="none")) for c in SHARED]
    monkeypatch.setattr(rounds, "ROUND_STATE_BYTES", 1)
    for configurations, together in ((SHARED, 6), (noiseless, 1)):
        (group,) = groups.group(Plan.of(configurations, SEEDS))
        assert Population(group, devices=jax.devices()[:1]).places[2] == together


@pytest.mark.parametrize("chosen", [MLP, pytest.param(SHARED, marks=pytest.mark.slow)], ids=["independent", "shared"])
def test_segments_that_carry_the_data_along_equal_one_long_one(chosen):
    """Batches of 8 of 20 examples: two steps an epoch, cut within epochs and between them."""
    (group,) = groups.group(Plan.of(chosen, SEEDS))
    many = Population(group, devices=jax.devices()[:2])
    seeds, floats = many.inputs(many.chunks()[0])

    def states(*cuts, again=False):
        state, data = many.initialize(seeds, floats), many.prepare(seeds, floats, 0)
        for first, last in zip((0, *cuts), (*cuts, STEPS), strict=True):
            data = many.prepare(seeds, floats, first) if again else data
            state, data, _ = many.advance(state, data, seeds, floats, first, last)
        return jax.device_get(state)

    whole = states()
    for again in (False, True):
        jax.tree.map(np.testing.assert_array_equal, states(1, 2, 5, again=again), whole)


def test_chunks_hold_every_member_once_in_equal_parts():
    (group,) = groups.group(Plan.of(MLP, 5))
    for asked in (1, 3, 4, 9, 10, 1000, None):
        chunks = Population(group, asked).chunks()
        assert [key for chunk in chunks for key in chunk] == [(index, seed) for index in (0, 1) for seed in range(5)]
        assert max(map(len, chunks)) <= (asked or 10)
        assert len(chunks) == -(-10 // min(asked or 10, 10))


@contextlib.contextmanager
def compilations():
    """Counts the programs that XLA compiles, of any kind."""
    count = SimpleNamespace(value=0)

    def listen(event, duration, **_):
        count.value += event == "/jax/core/compile/backend_compile_duration"

    jax.monitoring.register_event_duration_secs_listener(listen)
    try:
        yield count
    finally:
        jax.monitoring.unregister_event_duration_listener(listen)


def test_a_group_compiles_once_whatever_its_size():
    chosen = configurations(Model("linear"), 0.01, 0.02, 0.03)
    found = groups.group(Plan.of([*chosen, dataclasses.replace(chosen[0], batch_size=4)], SEEDS))
    assert [[index for index, _ in group.configurations] for group in found] == [[0, 1, 2], [3]]
    many = Population(found[0], members_per_chunk=2)
    assert len(many.chunks()) == 5
    with compilations() as first:
        many.compile()
    assert first.value == 3  # initialize, prepare, advance
    # A first chunk may compile what moves arrays; from then on, chunks, steps and values make no new program.
    run_chunk(many, many.chunks()[0], 0, 2)
    with compilations() as later:
        for chunk in many.chunks():
            run_chunk(many, chunk, 0, 2)
            run_chunk(many, chunk, 2, STEPS)
    assert later.value == 0


def run_chunk(many, chunk, first, last):
    seeds, floats = many.inputs(chunk)
    return many.advance(many.initialize(seeds, floats), many.prepare(seeds, floats, first), seeds, floats, first, last)


def test_the_count_of_compilations_counts():
    with compilations() as count:
        jax.jit(lambda x: x * 3.0 + 1.0)(jnp.zeros(3, jnp.float32)).block_until_ready()
        jax.jit(lambda x: x * 5.0 - 1.0)(jnp.zeros(3, jnp.float32)).block_until_ready()
    assert count.value >= 2


def test_a_seed_pairs_across_configurations():
    still = [dataclasses.replace(c, optimizer=Optimizer("sgd", 0.0)) for c in MLP]
    still[1] = dataclasses.replace(still[1], task=dataclasses.replace(TASK, noise_level=0.9))
    found = trained(still)  # weights that do not move are the initial ones
    for seed in range(SEEDS):
        (one, first), (two, second) = found[0, seed], found[1, seed]
        jax.tree.map(np.testing.assert_array_equal, one, two)
        np.testing.assert_array_equal(first["seen"], second["seen"])
    for a, b in [(0, 1), (0, 2), (1, 2)]:
        assert (found[0, a][0]["hidden"]["kernel"] != found[0, b][0]["hidden"]["kernel"]).all()
        assert (found[0, a][1]["seen"] != found[0, b][1]["seen"]).any()


@pytest.mark.parametrize("platform", ["cpu", "gpu"], ids=["one after another", "all in one round"])
def test_a_member_that_fails_changes_no_bit_of_its_neighbours(platform):
    model = Model("linear")
    healthy, broken = configurations(model, 0.01, 0.02, 0.03), configurations(model, 0.01, 0.02, 0.03)
    broken[1] = dataclasses.replace(broken[1], optimizer=Optimizer("adam", learning_rate=1e30))
    (group,), (broken_group,) = groups.group(Plan.of(healthy, SEEDS)), groups.group(Plan.of(broken, SEEDS))
    many = Population(group, devices=jax.devices()[:1])
    many.devices = [SimpleNamespace(platform=platform)]
    theirs = results(many)
    many.group = broken_group  # the same program, other floats
    ours = results(many)
    for seed in range(SEEDS):
        assert ours[1, seed][1]["failed_step"] == 1
        assert not ours[1, seed][1]["finite"]
        for index in (0, 2):
            jax.tree.map(np.testing.assert_array_equal, ours[index, seed], theirs[index, seed])
            assert ours[index, seed][1]["finite"]


@pytest.mark.parametrize(
    ("backend", "told", "expected"),
    [
        ("gpu", None, "highest"),
        ("tpu", None, "highest"),
        ("gpu", "tensorfloat32", "tensorfloat32"),
        ("cpu", None, None),
    ],
)
def test_products_are_float32_unless_jax_was_told_otherwise(backend, told, expected, monkeypatch):
    monkeypatch.setattr(jax, "default_backend", lambda: backend)
    try:
        jax.config.update("jax_default_matmul_precision", told)
        devices.float32_products()
        assert jax.config.jax_default_matmul_precision == expected
    finally:
        jax.config.update("jax_default_matmul_precision", None)


@of_cpu_devices
def test_a_compiled_program_says_what_it_holds():
    (group,) = groups.group(Plan.of(MLP, SEEDS))
    many = Population(group, devices=jax.devices()[:1])
    many.compile()
    seeds, floats = many.inputs(many.chunks()[0])
    state, data = many.initialize(seeds, floats), many.prepare(seeds, floats, 0)
    kept = sum(leaf.nbytes for leaf in jax.tree.leaves((state, data, seeds, floats)))
    # Beside what it is given there are a step's intermediate values, here less than a hundred times as much.
    assert kept < many.program_bytes() < 100 * kept
    assert many._member_bytes() < many.program_bytes()
