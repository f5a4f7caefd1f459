"""Refuses what cannot be trained before anything is: what does not fit into memory, networks that do not fit images."""

from collections.abc import Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from jaxbox import config, task
from jaxbox.config import Configuration, ConfigurationError, Static, tables
from jaxbox.training import contracts, evaluation, executables, member, memory, outputs, sampling

COPIES_OF_STATE = 3
"""The state itself, its gradient, and the new state while it is made."""
COPIES_OF_DATA = 2
"""Its examples with their order, and the next order while it is sorted."""
COPIES_OF_BATCH = 2
"""Its images, and what the noise draws for them."""
COPIES_OF_OUTPUTS = 2
"""The outputs themselves, and what they say."""
TARGETS_AT_ONCE = 2**20
"""Numbers; the targets of all positions may be many."""
LARGEST_KERNEL_IN_IMAGES = 2
"""A kernel more than twice as large as the image has weights that never meet a pixel."""

_traced: dict[Static, list[Any]] = {}
"""Programs that nothing was said of, with all that they named then: whoever asks for one score after another waits for
one trace. What code from outside names is never the same twice."""


def check_sweep(configurations: Sequence[Configuration], seeds: int) -> None:
    """Refuse a sweep that could not be trained. Compiles nothing; traces each program once.

    Raises:
        ConfigurationError: the first thing that is wrong, in one line.
    """
    for configuration in configurations:
        config.check_values(configuration)
    config.refuse_unread(configurations)
    programs = [static.configuration for static in dict.fromkeys(map(Static.of, configurations))]
    for program in programs:
        contracts.require_kept(program)
        _check_sizes(program)
    for configuration in configurations:
        _check_split(configuration)
    needed = seeds * max(memory.result_bytes(configuration) for configuration in configurations)
    memory.require_fit("seeds", seeds, needed, "the results of a configuration take")
    for program in programs:
        check_program(program)


def check_program(configuration: Configuration) -> None:
    """Refuse a configuration whose network cannot be built, called on its task's examples, trained and evaluated.

    Float fields are traced, as they will be in training.

    Raises:
        ConfigurationError: whatever building or calling the network raises, in one line.
    """
    static = Static.of(configuration)
    try:
        state, named = member.abstract_state(static), _named(configuration)
    except Exception as error:
        raise ConfigurationError(_does_not_fit(configuration, "cannot be built", error)) from error
    for path, leaf in jax.tree.leaves_with_path(state.params):
        if not leaf.size:
            text = jax.tree_util.keystr(path)
            raise ConfigurationError(f"model: {text} has shape {leaf.shape}; the images are too small for it")
    needed = COPIES_OF_STATE * memory.tree_bytes(state)
    memory.require_fit("model", configuration.model.name, needed, "training one such network takes at least")

    if executables.known(static):  # traced before, by the same code
        return
    before = _traced.get(static, [])
    if len(before) != len(named) or any(one is not other for one, other in zip(before, named, strict=True)):
        _trace(static, state)
        _traced[static] = named


def _named(configuration: Configuration) -> list[Any]:
    """All that a configuration names, as it is now: rows of tables, what they say of windows, and the code behind."""
    values = dict(config.flatten(configuration))
    names = [(field, values[field]) for field in tables.TABLES]
    return [tables.takes_windows(configuration), *(each(*name) for name in names for each in (tables.row, tables.load))]


def _trace(static: Static, state: member.State) -> None:
    """Refuse what cannot be called on its task's examples, or cannot be trained and evaluated."""
    configuration, seed, step = static.configuration, jnp.uint32(0), jnp.int32(0)
    floats = {path: jax.ShapeDtypeStruct((), jnp.float32) for path in config.traced(configuration)}
    _check_outputs(configuration, floats, state.weights)

    def step_and_evaluate(floats: dict[str, Any], state: member.State) -> dict[str, Any]:
        traced = static.with_traced(floats)
        data = sampling.prepare(traced, seed, step)
        state, data, _ = member.train(traced, state, data, seed, step, step + 1)
        return evaluation.evaluate(traced, state, data.seen, step)

    try:
        jax.eval_shape(step_and_evaluate, floats, state)
    except Exception as error:
        raise ConfigurationError(_does_not_fit(configuration, "cannot be trained", error)) from error


def _check_outputs(configuration: Configuration, floats: dict[str, Any], weights: member.Weights) -> None:
    """Refuse a network that cannot be called on what its task hands it, or that has too few or too many outputs."""
    static, windows = Static.of(configuration), tables.uses_windows(configuration)

    def call(floats: dict[str, Any], weights: member.Weights) -> Any:
        traced = static.with_traced(floats)
        draws = task.draw_images(traced.task, jax.random.split(jax.random.key(0), 3))
        inputs, _ = task.example(traced.task, jnp.zeros(3, jnp.int32), draws, windows)
        network: Any = member.merge(traced, weights)
        return network(inputs)

    try:
        shape = jax.eval_shape(call, floats, weights).shape
    except Exception as error:
        raise ConfigurationError(_does_not_fit(configuration, "cannot be called", error)) from error
    expected = 3, outputs.output_count(configuration)
    if shape != expected:
        raise ConfigurationError(
            f"model: the network {configuration.model.name} makes outputs of shape {shape} of three images; "
            f"their targets and the loss need shape {expected}"
        )


def _check_sizes(configuration: Configuration) -> None:
    """Refuse what would take all memory, or for ever, while it is traced."""
    shape, positions = configuration.task, task.position_count(configuration.task)
    image = 4 * shape.height * shape.width * shape.channels
    memory.require_fit("task.height", shape.height, 64 * positions, f"the {positions:,} positions take at least")
    memory.require_fit("task.height", shape.height, image, "one image takes")
    data = jax.eval_shape(lambda: sampling.prepare(configuration, jnp.uint32(0), jnp.int32(0)))
    needed = COPIES_OF_DATA * memory.tree_bytes(data)
    memory.require_fit("data.train_size", configuration.data.train_size, needed, "a seed's training set takes")
    # A batch of windows, too, has keys and indices of its examples: 16 bytes each.
    batch = configuration.batch_size * (16 if tables.uses_windows(configuration) else COPIES_OF_BATCH * image)
    memory.require_fit("batch_size", configuration.batch_size, batch, "a batch takes")
    evaluated = positions if tables.uses_windows(configuration) else min(positions, configuration.batch_size)
    needed = 4 * COPIES_OF_OUTPUTS * evaluated * outputs.output_count(configuration)
    memory.require_fit("task.targets", shape.targets, needed, "the outputs of an evaluation take")
    _check_targets(configuration)
    largest = LARGEST_KERNEL_IN_IMAGES * max(shape.height, shape.width) - 1
    kernel = configuration.model.kernel_size
    if "model.kernel_size" in tables.fields_read(configuration):
        config.require(kernel <= largest, "model.kernel_size", kernel, f"at most {largest}, so that it meets the image")


def _check_split(configuration: Configuration) -> None:
    """Refuse a split that leaves no example in some seed, or that holds out none."""
    data, (rows, columns) = configuration.data, task.position_shape(configuration.task)
    if data.split == "quadrant":
        allowed = f"another one for {rows} x {columns} positions, which have no quadrants"
        config.require(min(rows, columns) > 1, "data.split", data.split, allowed)
    if data.split == "held_out" and data.law != "uniform":
        drawn, count = task.supported(configuration.task, data), rows * columns
        allowed = f"less, so that some of the {drawn} positions of {count} are left that data.law {data.law} draws"
        config.require(round(data.held_out * count) < drawn, "data.held_out", data.held_out, allowed)


def _check_targets(configuration: Configuration) -> None:
    """Refuse a scale in which some position has no finite target, such as the logit of what is outside of the image."""
    shape, positions = configuration.task, np.arange(task.position_count(configuration.task))
    kind = task.target_kind(shape)
    size = max(1, TARGETS_AT_ONCE // kind.numbers(shape))
    blocks = (positions[start : start + size] for start in range(0, len(positions), size))
    with np.errstate(all="ignore"):
        finite = all(np.isfinite(kind.encode(shape, block)).all() for block in blocks)
    config.require(finite, "task.targets", shape.targets, "a scale that is finite at every position")


def _does_not_fit(configuration: Configuration, what: str, error: Exception) -> str:
    name = configuration.model.name
    return f"model: the network {name} {what} for these images: {config.with_type(error)}"
