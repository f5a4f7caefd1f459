"""Which examples a seed trains on, and in which order. Everything follows from the seed and the step.

So that members are replicates, each seed has a training set and an order of its own, unless the configuration asks
for shared batches. Nothing here is kept in a checkpoint: what training carries along, `prepare` makes anew.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Bool, Int, Integer, Key

from jaxbox import task
from jaxbox.config import Configuration
from jaxbox.task import Taught

MOST_BITS_OF_A_NUMBER = 14
"""Of a word's 32 bits, those that may hold an example's number; the others are random."""
SHARED_SEED = 0
"""The seed whose training set, order and noise every member has where batches are shared."""


class Keys(NamedTuple):
    """A seed's independent sources of randomness; `streams` are those of the network itself, such as dropout's."""

    initial: Key[Array, ""]
    data: Key[Array, ""]
    order: Key[Array, ""]
    noise: Key[Array, ""]
    streams: Key[Array, ""]
    split: Key[Array, ""]
    labels: Key[Array, ""]


class Examples(NamedTuple):
    """Indices into the positions, the key of what each example draws (its noise, the rest of its scene), and what is
    not true of it."""

    index: Int[Array, " n"]
    keys: Key[Array, " n"]
    taught: Taught = Taught()


class Drawn(NamedTuple):
    """A training set: the position index of each example, the order in which the epoch at hand goes through them, and
    which positions are among them. An endless stream has no examples, and what it may draw counts as seen.

    Numbers have 16 bits where those are enough: on CPU they are copied at each evaluation, which took more than half of
    its time for a linear network when they had 32."""

    examples: Integer[Array, " train_size"]
    order: Integer[Array, " train_size"]
    seen: Bool[Array, " N"]


def keys_of(configuration: Configuration, seed: Integer[Array, ""]) -> Keys:
    """The keys of a seed; they do not depend on what a configuration varies, so configurations are paired."""
    keys = _keys(seed)
    if not configuration.data.shared_batches:
        return keys
    return _keys(jnp.uint32(SHARED_SEED))._replace(initial=keys.initial, streams=keys.streams)


def _keys(seed: Integer[Array, ""]) -> Keys:
    key = jax.random.key(seed)
    # Folded in, so that members are those of versions that had no such keys.
    initial, data, order, noise = jax.random.split(key, 4)
    return Keys(initial, data, order, noise, *(jax.random.fold_in(key, number) for number in (4, 5, 6)))


def training_set(configuration: Configuration, keys: Keys) -> Int[Array, " train_size"]:
    """Position index of each training example of a seed."""
    return _draw(configuration, keys.data, configuration.data.train_size, _allowed(configuration, keys))


def _allowed(configuration: Configuration, keys: Keys) -> Bool[Array, " N"]:
    return task.trainable(configuration.task, configuration.data, keys.split)


def _draw(
    configuration: Configuration, key: Key[Array, ""], size: int, allowed: Bool[Array, " N"]
) -> Int[Array, " size"]:
    return task.draw(configuration.task, configuration.data, key, size, allowed)


def prepare(configuration: Configuration, seed: Integer[Array, ""], step: Int[Array, ""]) -> Drawn:
    """What training from this step on needs to know of a seed's examples."""
    keys, count = keys_of(configuration, seed), task.position_count(configuration.task)
    if not configuration.data.train_size:
        return Drawn(jnp.zeros(0, jnp.int32), jnp.zeros(0, jnp.int32), _allowed(configuration, keys))
    examples = training_set(configuration, keys)
    order = _short_epoch_order(keys, step // _batches_per_epoch(configuration), examples.size)
    return Drawn(_shortened(examples, count), order, jnp.zeros(count, bool).at[examples].set(True))


def _short_epoch_order(keys: Keys, epoch: Int[Array, ""], count: int) -> Integer[Array, " count"]:
    return _shortened(epoch_order(keys, epoch, count), count)


def _shortened(numbers: Int[Array, " n"], count: int) -> Integer[Array, " n"]:
    """Numbers below `count` in as few bits as hold them."""
    return numbers.astype(jnp.uint16) if count <= 2**16 else numbers


def _batches_per_epoch(configuration: Configuration) -> int:
    return configuration.data.train_size // configuration.batch_size


def batch(configuration: Configuration, keys: Keys, data: Drawn, step: Int[Array, ""]) -> tuple[Drawn, Examples]:
    """The examples of a step, and the training set in the order of its epoch.

    Of a training set each epoch has a new order, and the remainder of an epoch is left out; an endless stream has new
    examples at every step.

    Args:
        data: in the order of this step's epoch or, at an epoch's first step, in any.
        step: the same for all members of a population: a new order is made for all of them at once.
    """
    size = configuration.batch_size
    if not configuration.data.train_size:
        index = _draw(configuration, jax.random.fold_in(keys.data, step), size, data.seen)
        number = step * size + jnp.arange(size)
        return data, _examples(configuration, keys, index, jnp.roll(index, -1), number)
    epoch, number = jnp.divmod(step, _batches_per_epoch(configuration))
    order = lax.cond(number == 0, lambda: _short_epoch_order(keys, epoch, data.order.size), lambda: data.order)
    which = lax.dynamic_slice(order, (number * size,), (size,)).astype(jnp.int32)
    index, following = (data.examples[number].astype(jnp.int32) for number in (which, (which + 1) % data.examples.size))
    return data._replace(order=order), _examples(configuration, keys, index, following, which)


def _examples(
    configuration: Configuration,
    keys: Keys,
    index: Int[Array, " n"],
    following: Int[Array, " n"],
    number: Int[Array, " n"],
) -> Examples:
    """The examples with these numbers, at these positions; `following` are those of the examples drawn next."""
    taught = task.taught(configuration.data, following, example_keys(keys.labels, number))
    return Examples(index, example_keys(keys.noise, number), taught)


def epoch_order(keys: Keys, epoch: Int[Array, ""], count: int) -> Int[Array, " count"]:
    """The order in which an epoch goes through a training set of `count` examples.

    Each example is sorted by a word of random bits whose low bits hold its own number: on CPU a sort of single words
    is four times faster than one of pairs. Where random bits are equal, a mask drawn for all numbers says which comes
    first, so that every pair is in either order equally often. Ties share that mask: where there are many, as from
    2^15 examples on, orders rise or fall together more often than they should, and pairs are sorted after all.
    """
    key = jax.random.fold_in(keys.order, epoch)
    width = (count - 1).bit_length()
    if width > MOST_BITS_OF_A_NUMBER:
        return jnp.argsort(jax.random.bits(key, (count,)))
    bits, low = jax.random.bits(key, (count + 1,)), jnp.uint32(2**width - 1)
    mask = bits[count] & low
    words = (bits[:count] & ~low) | (jnp.arange(count, dtype=jnp.uint32) ^ mask)
    return ((jnp.sort(words) & low) ^ mask).astype(jnp.int32)


def example_keys(key: Key[Array, ""], examples: Int[Array, " n"]) -> Key[Array, " n"]:
    """A key for what each example draws, or for its label, which is the same in every epoch."""
    return jax.vmap(jax.random.fold_in, (None, 0))(key, examples)
