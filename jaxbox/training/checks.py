"""Refuses what cannot be trained before anything is: what does not fit into memory, networks that do not fit images."""

from collections.abc import Sequence

import jax
import jax.numpy as jnp

from jaxbox import config, task
from jaxbox.config import Configuration, ConfigurationError, Static, tables
from jaxbox.training import evaluation, member, memory, sampling

COPIES_OF_STATE = 3
"""The state itself, its gradient, and the new state while it is made."""
LARGEST_KERNEL_GROWTH = 2
"""A kernel more than twice as large as the image has weights that never meet a pixel."""


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
        _check_sizes(program)
    needed = seeds * sum(memory.result_bytes(configuration) for configuration in configurations)
    memory.require_fit("seeds", seeds, needed, "the results of that many seeds take")
    for program in programs:
        check_program(program)


def check_program(configuration: Configuration) -> None:
    """Refuse a configuration whose network cannot be built, called on its task's examples, trained and evaluated.

    Raises:
        ConfigurationError: whatever building or calling the network raises, in one line.
    """
    seed, step = jnp.uint32(0), jnp.int32(0)
    try:
        state = jax.eval_shape(lambda: member.initialize(configuration, seed))
    except Exception as error:
        raise ConfigurationError(_does_not_fit(configuration, "cannot be built", error)) from error
    for path, leaf in jax.tree.leaves_with_path(state.params):
        if not leaf.size:
            text = jax.tree_util.keystr(path)
            raise ConfigurationError(f"model: {text} has shape {leaf.shape}; the images are too small for it")
    needed = COPIES_OF_STATE * memory.tree_bytes(state)
    memory.require_fit("model", configuration.model.name, needed, "training one such network takes at least")

    def step_and_evaluate(state: member.State) -> object:
        data = sampling.prepare(configuration, seed, step)
        state, data, _ = member.train(configuration, state, data, seed, step, step + 1)
        return evaluation.evaluate(configuration, state, data.seen, step)

    try:
        jax.eval_shape(step_and_evaluate, state)
    except Exception as error:
        raise ConfigurationError(_does_not_fit(configuration, "cannot be trained", error)) from error


def _check_sizes(configuration: Configuration) -> None:
    """Refuse what would take all memory, or for ever, while it is traced."""
    shape, positions = configuration.task, task.position_count(configuration.task)
    pixels = shape.height * shape.width
    memory.require_fit("task.height", shape.height, 64 * positions, f"the {positions:,} positions take at least")
    memory.require_fit("task.height", shape.height, 4 * pixels * shape.channels, "one image takes")
    largest = LARGEST_KERNEL_GROWTH * max(shape.height, shape.width) - 1
    kernel = configuration.model.kernel_size
    if "model.kernel_size" in tables.fields_read(configuration):
        config.require(kernel <= largest, "model.kernel_size", kernel, f"at most {largest}, so that it meets the image")


def _does_not_fit(configuration: Configuration, what: str, error: Exception) -> str:
    name = configuration.model.name
    return f"model: the network {name} {what} for these images: {type(error).__name__}: {config.one_line(error)}"
