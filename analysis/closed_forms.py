"""Which scene, noise, inputs and targets have which closed form; every other task is refused by name.

A closed form that is asked about a task that it was not derived for would answer wrongly, not fail. So each name that a
task, or the data, can hold is listed here with the forms that know it, or with none; a test demands that every row of
`jaxbox.config.tables` is. Fields that are not listed must be at their default.
"""

import dataclasses
from collections.abc import Mapping
from typing import Any

from jaxbox import config
from jaxbox.config import Configuration, ConfigurationError, Data, Task, outside, tables

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
OF_DATA: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "law": {"uniform": ALL, "beta": (), "corner": ()},
    # What is judged is judged on true images and labels of all positions; what descent is towards is another matter.
    "labels": {"true": ALL, **dict.fromkeys(("shuffled", "flipped"), JUDGED)},
    "split": {"random": ALL, **dict.fromkeys(("held_out", "quadrant"), JUDGED)},
}
"""The same by field of the data."""
SIZES = ("height", "width", "box_size", "channels", "margin_left", "margin_right", "margin_top", "margin_bottom")
FIELDS = frozenset((*SIZES, *FORMS, "noise_level"))
"""Fields of a task that every form takes into account."""
FIELDS_OF_DATA = frozenset((*OF_DATA, "train_size", "shared_batches", "concentration", "corner_share", "held_out"))
"""Fields of the data, those included that belong to one of its names or are no property of what is judged."""


def require(task: Task, form: str, data: Data = Data()) -> None:  # noqa: B008 - it cannot be changed
    """Refuse a task that cannot be run, or that has no such closed form.

    Args:
        form: LINEAR, DESCENT, BAYES or ENTROPY.
        data: by default every position is equally probable.

    Raises:
        ConfigurationError: a ValueError, with the field, its value and what is allowed.
    """
    _require_names("task", task, form, FORMS, FIELDS)
    _require_names("data", data, form, OF_DATA, FIELDS_OF_DATA)
    values: Any = {field.name: getattr(task, field.name) for field in dataclasses.fields(Task)}
    # A loss that does not take the targets is no fault of the image distribution.
    config.check_values(Configuration(task=Task(**values | {"targets": Task().targets})))


def _require_names(
    section: str, values: Any, form: str, listed: Mapping[str, Mapping[str, tuple[str, ...]]], fields: frozenset[str]
) -> None:
    """Refuse a name that does not have the form, or a field that nobody has listed."""
    for field in dataclasses.fields(values):
        value, path = getattr(values, field.name), f"{section}.{field.name}"
        if field.name in listed:
            if not outside.is_outside(value):  # of which nothing is known, and which is not executed to be told so
                tables.row(path, value)
            known = [name for name, forms in listed[field.name].items() if form in forms]
            if value not in known:
                raise ConfigurationError(f"{path}: {value!r} does not have {form}; allowed: {', '.join(known)}")
        elif field.name not in fields and value != field.default:
            raise ConfigurationError(f"{path}: {value!r} does not have {form}; it must be {field.default!r}")


def has(task: Task, form: str, data: Data = Data()) -> bool:  # noqa: B008 - it cannot be changed
    """Whether `require` lets this task pass."""
    try:
        require(task, form, data)
    except ConfigurationError:
        return False
    return True
