"""Which scene, noise, inputs and targets have which closed form; every other task is refused by name.

A closed form that is asked about a task that it was not derived for would answer wrongly, not fail. So each name that a
task can hold is listed here with the forms that know it, or with none; a test demands that every row of
`jaxbox.config.tables` is. Fields of a task that are not listed must be at their default.
"""

import dataclasses
from collections.abc import Mapping
from typing import Any

from jaxbox import config
from jaxbox.config import Configuration, ConfigurationError, Task, outside, tables

LINEAR = "a linear closed form"
"""Second moments of images and positions: ramp, minimum norm, LMMSE (`analysis.moments`)."""
DESCENT = "a closed form of gradient descent"
"""What a linear model with squared error has learned after t steps (`analysis.dynamics`)."""
BAYES = "a Bayes-optimal predictor"
"""Posterior over positions, MMSE and I(Y;X) (`analysis.bayes`)."""
ENTROPY = "a known entropy of positions"
"""All positions equally likely: H(Y) = ln N (`analysis.information`)."""
ALL = (LINEAR, DESCENT, BAYES, ENTROPY)
JUDGED = (LINEAR, BAYES, ENTROPY)
"""What holds of any targets, because predictors of (x, y) are judged in target units whatever networks are trained on:
how good the best of all, and the best linear one, can be. How a network gets there depends on what it is trained on."""

FORMS: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "scene": {"box": ALL},
    "noise": {"none": ALL, "white": ALL, "salt_pepper": ALL},
    "inputs": {"unit": ALL, "byte": ALL, "inverted": ALL, "standardized": ALL},
    # Descent on an affine map of (x, y) is descent on (x, y) from another start. A box's columns and rows are evenly
    # spaced and equally frequent, so that their quantiles are an affine map, too.
    "targets": {
        **dict.fromkeys(("symmetric", "unit", "pixels", "centred_pixels", "standardized", "quantile"), ALL),
        **dict.fromkeys(("logit", "cell", "cell_mode"), JUDGED),
    },
}
"""By field of the task and name: the forms that know it. An empty tuple says that there is none."""
SIZES = ("height", "width", "box_size", "channels", "margin_left", "margin_right", "margin_top", "margin_bottom")
FIELDS = frozenset((*SIZES, *FORMS, "noise_level", "train_size"))
"""Fields of a task that every form takes into account, or that, as train_size, are no property of an image."""


def require(task: Task, form: str) -> None:
    """Refuse a task that cannot be run, or that has no such closed form.

    Args:
        form: LINEAR, DESCENT, BAYES or ENTROPY.

    Raises:
        ConfigurationError: a ValueError, with the field, its value and what is allowed.
    """
    for field in dataclasses.fields(task):
        value, path = getattr(task, field.name), f"task.{field.name}"
        if field.name in FORMS:
            if not outside.is_outside(value):  # of which nothing is known, and which is not executed to be told so
                tables.row(path, value)
            known = [name for name, forms in FORMS[field.name].items() if form in forms]
            if value not in known:
                raise ConfigurationError(f"{path}: {value!r} does not have {form}; allowed: {', '.join(known)}")
        elif field.name not in FIELDS and value != field.default:
            raise ConfigurationError(f"{path}: {value!r} does not have {form}; it must be {field.default!r}")
    values: Any = {field.name: getattr(task, field.name) for field in dataclasses.fields(Task)}
    # An endless stream: a training set smaller than a batch is no fault of the image distribution. Nor is a loss that
    # does not take the targets.
    config.check_values(Configuration(task=Task(**values | {"train_size": 0, "targets": Task().targets})))


def has(task: Task, form: str) -> bool:
    """Whether `require` lets this task pass."""
    try:
        require(task, form)
    except ConfigurationError:
        return False
    return True
