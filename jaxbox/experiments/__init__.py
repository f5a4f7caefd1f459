"""The table of named sweeps, one theme a file.

Each is a function to configurations, whose docstring says claim, command, cost and outcome.
"""

import functools
import inspect
from collections.abc import Callable
from typing import Any

from jaxbox.config import Configuration, ConfigurationError, look_up, outside, require, with_type
from jaxbox.experiments import (
    architecture,
    fates,
    fates_wide,
    images,
    interventions,
    losses,
    optimization,
    question,
    remedies,
    targets,
    thread,
)

EXPERIMENTS: dict[str, Callable[..., list[Configuration]]] = {
    "thread": thread.thread,
    "question": question.question,
    "grey_channels": question.grey_channels,
    "one_convolution": architecture.one_convolution,
    "without_convolutions": architecture.without_convolutions,
    "shuffled_labels": question.shuffled_labels,
    "linear_model": architecture.linear_model,
    "noise": images.noise,
    "harder_task": images.harder_task,
    "classification": targets.classification,
    "width": architecture.width,
    "sgd_first": optimization.sgd_first,
    "dense_layers": architecture.dense_layers,
    "sigmoid_units": architecture.sigmoid_units,
    "learning_rates": optimization.learning_rates,
    "capacity": architecture.capacity,
    "concentrated_targets": targets.concentrated_targets,
    "transformed_targets": targets.transformed_targets,
    "imbalanced_targets": targets.imbalanced_targets,
    "one_example": question.one_example,
    "msle": losses.msle,
    "unit_targets": targets.unit_targets,
    "overfitting": question.overfitting,
    "standardized_pixels": images.standardized_pixels,
    "hundred_pixels": optimization.hundred_pixels,
    "memorization": question.memorization,
    "too_easy": optimization.too_easy,
    "dots": images.dots,
    "collapse_map": remedies.collapse_map,
    "coordconv": remedies.coordconv,
    "soft_argmax": remedies.soft_argmax,
    "initialization": remedies.initialization,
    "small_variance": targets.small_variance,
    "scaled_targets": targets.scaled_targets,
    "absolute_error": losses.absolute_error,
    "gaussian_nll": losses.gaussian_nll,
    "normalization": remedies.normalization,
    "fates": fates.fates,
    "fates_unseen": fates.fates_unseen,
    "fates_fresh": fates.fates_fresh,
    "fates_wide": fates_wide.fates_wide,
    "fates_wide_unseen": fates_wide.fates_wide_unseen,
    "advised": fates.advised,
    "interventions": interventions.interventions,
    "born_dead": interventions.born_dead,
    "base": thread.base,
}
"""In the order in which the thread makes its claims, then ours and the field's."""


def configurations(name: str, full: bool = False) -> list[Configuration]:
    """The configurations of an experiment, by its name in the table or from outside: mine.py:experiment.

    Args:
        full: those of its full size, for an accelerator; an experiment that has one takes the argument `full`.

    Raises:
        ConfigurationError: there is none of that name, it has no full size, it raises, or it does not return
            configurations.
    """
    function: Any = named(name)
    if full:
        takes = callable(function) and "full" in inspect.signature(function).parameters
        require(takes, "full", full, f"left out with {name}, which has no argument of that name")
        function = functools.partial(function, full=True)
    if not outside.is_outside(name):
        return function()
    try:
        found = list(function())
    except ConfigurationError:
        raise
    except Exception as error:
        raise ConfigurationError(f"experiment: {name} fails: {with_type(error)}") from error
    if not found or not all(isinstance(each, Configuration) for each in found):
        raise ConfigurationError(f"experiment: {name} must return a list of one or more Configuration")
    return found


def named(name: str) -> Any:
    """The function behind a name; imports its file if it is from outside.

    Raises:
        ConfigurationError: there is none of that name.
    """
    return outside.load("experiment", name) if outside.is_outside(name) else look_up(EXPERIMENTS, name, "experiment")
