"""Training sets and orders: every order is as likely as any other, what is carried is what is prepared, sharing."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import stats

from jaxbox import task as tasks
from jaxbox.config import Configuration, Data, Task
from jaxbox.training import sampling

TASK = Task(height=5, width=6, box_size=2)
CONFIGURATION = Configuration(TASK, data=Data(train_size=12), batch_size=5)
SHARED = dataclasses.replace(CONFIGURATION, data=Data(train_size=12, shared_batches=True))
KEYS = sampling.keys_of(CONFIGURATION, jnp.uint32(3))


def order_of(count):
    return jax.jit(jax.vmap(lambda epoch: sampling.epoch_order(KEYS, epoch, count)))


@pytest.mark.parametrize("count", [1, 2, 5, 1000, 2**16, 2**16 + 1])
def test_an_order_has_every_number_once(count):
    orders = np.asarray(order_of(count)(jnp.arange(2)))
    np.testing.assert_array_equal(np.sort(orders, axis=1), np.tile(np.arange(count), (2, 1)))
    assert count < 100 or (orders[0] != orders[1]).any()


def test_all_orders_are_equally_likely():
    orders = np.asarray(order_of(5)(jnp.arange(24_000)))
    counts = np.unique(orders @ 5 ** np.arange(5), return_counts=True)[1]
    assert len(counts) == 120
    assert stats.chisquare(counts).pvalue > 1e-4


@pytest.mark.parametrize("count", [2**14, 2**15, 2**16, 2**16 + 1])
def test_a_long_order_falls_as_often_as_it_rises(count):
    """Descents of a random order have mean (n - 1) / 2 and variance (n + 1) / 12; ties would have made a trend."""
    orders = np.asarray(order_of(count)(jnp.arange(4)))
    falls = (np.diff(orders, axis=1) < 0).sum(axis=1)
    assert np.all(np.abs(falls - (count - 1) / 2) < 5 * np.sqrt((count + 1) / 12))


def prepare(configuration, seed=3, step=0):
    return sampling.prepare(configuration, jnp.uint32(seed), jnp.int32(step))


def test_seen_marks_the_positions_of_the_training_set():
    data = prepare(CONFIGURATION)
    assert len(data.examples) == 12
    assert set(np.flatnonzero(data.seen)) == set(np.asarray(data.examples).tolist())
    assert not data.seen.all(), "12 draws out of 20 positions"


def test_of_an_endless_stream_everything_is_seen():
    data = prepare(dataclasses.replace(CONFIGURATION, data=Data(train_size=0)))
    assert data.seen.shape == (tasks.position_count(TASK),)
    assert data.seen.all()
    assert not data.examples.size


@pytest.mark.parametrize("configuration", [CONFIGURATION, SHARED], ids=["independent", "shared"])
def test_an_order_that_is_carried_along_is_the_one_that_is_prepared(configuration):
    """Two batches an epoch: batches follow from the step alone, whether training has come there or begins there."""
    keys, data = sampling.keys_of(configuration, jnp.uint32(3)), prepare(configuration)
    for step in range(5):
        data, carried = sampling.batch(configuration, keys, data, jnp.int32(step))
        _, begun = sampling.batch(configuration, keys, prepare(configuration, step=step), jnp.int32(step))
        np.testing.assert_array_equal(carried.index, begun.index)
        whole = sampling.epoch_order(keys, jnp.int32(step // 2), 12)
        np.testing.assert_array_equal(carried.index, data.examples[whole][step % 2 * 5 :][:5])


def test_shared_batches_are_those_of_seed_0_and_leave_each_seed_its_initial_weights():
    for leaf, other in zip(prepare(SHARED, 3), prepare(CONFIGURATION, 0), strict=True):
        np.testing.assert_array_equal(leaf, other)
    ours, own, zero = (
        sampling.keys_of(configuration, jnp.uint32(seed))
        for configuration, seed in ((SHARED, 3), (CONFIGURATION, 3), (CONFIGURATION, 0))
    )
    bits = jax.random.key_data
    for name in ("initial", "streams"):
        np.testing.assert_array_equal(bits(getattr(ours, name)), bits(getattr(own, name)))
        assert (bits(getattr(ours, name)) != bits(getattr(zero, name))).any()
    for name in ("data", "order", "noise"):
        np.testing.assert_array_equal(bits(getattr(ours, name)), bits(getattr(zero, name)))
        assert (bits(getattr(ours, name)) != bits(getattr(own, name))).any()
