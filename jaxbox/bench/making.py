"""Makes problems with jaxbox: its images, its training sets and their order, its initial weights."""

from collections.abc import Iterator
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int, Key

from jaxbox import task
from jaxbox.bench.problem import COMPARED_STEPS, Layer, Problem
from jaxbox.config import Configuration
from jaxbox.task import scenes
from jaxbox.training import member, sampling

MOST_BYTES = 2**29
"""Of stored training sets: there are fewer of them where they are larger, but one."""
IMAGES_AT_ONCE = 1000


def make(configuration: Configuration, seeds: int) -> Problem:
    """The problem of seeds 0 to seeds - 1, or of fewer where each has images of its own that take much memory."""
    if not _positions_suffice(configuration, seeds):
        return _of_training_sets(configuration, max(1, min(seeds, MOST_BYTES // _training_set_bytes(configuration))))
    places = task.positions(configuration.task)
    images = task.inputs(configuration.task, task.render(configuration.task, places)).astype(np.float32)
    targets = task.targets(configuration.task, places).astype(np.float32)
    examples, orders = zip(*[_examples(configuration, seed) for seed in range(seeds)], strict=True)
    return _problem(configuration, images, targets, [*examples], [*orders])


def _positions_suffice(configuration: Configuration, seeds: int) -> bool:
    """Whether every example looks like its position, and all of these are no more than the examples."""
    few = task.position_count(configuration.task) <= seeds * configuration.data.train_size
    return few and not scenes.draws(configuration.task)


def _training_set_bytes(configuration: Configuration) -> int:
    shown = configuration.task
    return 4 * configuration.data.train_size * shown.height * shown.width * shown.channels


def _of_training_sets(configuration: Configuration, seeds: int) -> Problem:
    size = configuration.data.train_size
    images, targets, orders = [], [], []
    for seed in range(seeds):
        index, order = _examples(configuration, seed)
        images += _images(configuration, seed, index)
        targets.append(task.targets(configuration.task, task.position(configuration.task, index)).astype(np.float32))
        orders.append(order)
    examples = [seed * size + np.arange(size) for seed in range(seeds)]
    return _problem(configuration, np.concatenate(images), np.concatenate(targets), examples, orders)


def _examples(configuration: Configuration, seed: int) -> tuple[Int[np.ndarray, " train_size"], Any]:
    """The positions of a seed's examples, and the order of its first epoch."""
    data = sampling.prepare(configuration, jnp.uint32(seed), jnp.int32(0))
    return np.asarray(data.examples, int), np.asarray(data.order, int)


def _images(
    configuration: Configuration, seed: int, index: Int[np.ndarray, " train_size"]
) -> Iterator[Float[np.ndarray, "n H W C"]]:
    """What a seed's examples at these positions look like, as they are drawn in the compiled step."""
    keys = sampling.example_keys(sampling.keys_of(configuration, jnp.uint32(seed)).noise, jnp.arange(len(index)))

    @jax.jit
    def draw(index: Int[Array, " n"], keys: Key[Array, " n"]) -> Any:
        return task.example(configuration.task, index, task.draw_images(configuration.task, keys))[0]

    for start in range(0, len(index), IMAGES_AT_ONCE):
        part = slice(start, start + IMAGES_AT_ONCE)
        yield np.asarray(draw(jnp.asarray(index[part]), keys[part]))


def _problem(
    configuration: Configuration, images: Any, targets: Any, examples: list[Any], orders: list[Any]
) -> Problem:
    """The problem of these examples, with their first batches and the first weights."""
    compared = slice(COMPARED_STEPS * configuration.batch_size)
    pairs = zip(examples, orders, strict=True)
    first = [example[order[compared]].reshape(COMPARED_STEPS, -1) for example, order in pairs]
    states = (member.initialize(configuration, jnp.uint32(seed)) for seed in range(len(examples)))
    layers = [list(_layers(jax.device_get(state.params))) for state in states]
    return Problem(configuration, images, targets, examples, first, layers)


def _layers(params: Any) -> Iterator[Layer]:
    """The layers of jaxbox's tree of parameters, in the order in which the network applies them."""
    convolutions = params.get("convolutions", {})
    deeper = params.get("deeper", {})
    hidden = (params.get("hidden"), *(deeper[index] for index in sorted(deeper)))
    last = (params.get("head"), params.get("heat"))
    for layer in (*(convolutions[index] for index in sorted(convolutions)), *hidden, *last):
        if layer:
            bias = layer.get("bias")
            yield layer["kernel"], np.zeros(0, np.float32) if bias is None else bias
