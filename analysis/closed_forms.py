"""Which scene, noise, inputs and targets have which closed form; every other task is refused by name.

A closed form that is asked about a task that it was not derived for would answer wrongly, not fail. So each name that a
task can hold is listed here with the forms that know it, or with none; a test demands that every row of
`jaxbox.config.tables` is. Fields of a task that are not listed must be at their default.
"""

import dataclasses
from collections.abc import Mapping
from typing import Any

from jaxbox import config
from jaxbox.config import Configuration, ConfigurationError, Task, tables

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
    # Whatever a scene draws, its positions are equally likely and evenly spaced.
    "scene": {
        **dict.fromkeys(("box", "pixel"), ALL),
        **dict.fromkeys(("subpixel_box", "random_size_box", "overhanging_box"), (ENTROPY,)),
        **dict.fromkeys(("red_box", "grey_box", "dots"), (ENTROPY,)),
    },
    "noise": {"none": ALL, "white": ALL, "salt_pepper": ALL},
    # What is no affine map of all pixels alike has no form that looks at pixels, even where nothing is lost.
    "inputs": {
        **dict.fromkeys(("unit", "byte", "inverted", "standardized"), ALL),
        **dict.fromkeys(("mean_subtracted", "pixel_standardized", "image_standardized"), (ENTROPY,)),
        **dict.fromkeys(("stretched", "equalized"), (ENTROPY,)),
    },
    # Descent on an affine map of (x, y) is descent on (x, y) from another start. A box's columns and rows are evenly
    # spaced and equally frequent, so that their quantiles are an affine map, too.
    "targets": {
        **dict.fromkeys(("symmetric", "unit", "pixels", "centred_pixels", "standardized", "quantile"), ALL),
        **dict.fromkeys(("logit", "cell", "cell_mode"), JUDGED),
    },
}
"""By field of the task and name: the forms that know it. An empty tuple says that there is none."""
SIZES = ("height", "width", "box_size", "channels", "margin_left", "margin_right", "margin_top", "margin_bottom")
OF_SCENES = ("subpixels", "smallest_box", "overhang", "distractors")
FIELDS = frozenset((*SIZES, *OF_SCENES, *FORMS, "noise_level", "train_size"))
"""Fields of a task that every form takes into account, or that, as train_size, are no property of an image."""
AT_DEFAULT = {"salt": (LINEAR, DESCENT, BAYES)}
"""Fields that must be at their default for these forms: unequal salt and pepper is no white noise in disguise."""


def box_side(task: Task) -> int:
    """The side of the box of a task with closed forms: a pixel is a box of side 1."""
    return 1 if task.scene == "pixel" else task.box_size


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
            tables.row(path, value)
            known = [name for name, forms in FORMS[field.name].items() if form in forms]
            if value not in known:
                raise ConfigurationError(f"{path}: {value!r} does not have {form}; allowed: {', '.join(known)}")
        elif value != field.default and _must_be_default(field.name, form):
            raise ConfigurationError(f"{path}: {value!r} does not have {form}; it must be {field.default!r}")
    values: Any = {field.name: getattr(task, field.name) for field in dataclasses.fields(Task)}
    # An endless stream: a training set smaller than a batch is no fault of the image distribution. Nor is a loss that
    # does not take the targets.
    config.check_values(Configuration(task=Task(**values | {"train_size": 0, "targets": Task().targets})))


def _must_be_default(name: str, form: str) -> bool:
    return form in AT_DEFAULT[name] if name in AT_DEFAULT else name not in FIELDS


def has(task: Task, form: str) -> bool:
    """Whether `require` lets this task pass."""
    try:
        require(task, form)
    except ConfigurationError:
        return False
    return True
