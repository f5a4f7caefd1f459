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
"""H(Y) of the law of the positions, ln N where they are equally likely (`analysis.information`)."""
ALL = (LINEAR, DESCENT, BAYES, ENTROPY)
JUDGED = (LINEAR, BAYES, ENTROPY)
"""What holds of any targets, because predictors of (x, y) are judged in target units whatever networks are trained on:
how good the best of all, and the best linear one, can be. How a network gets there depends on what it is trained on."""

FORMS: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    # Whatever a scene draws, its positions are as likely as the law says, and evenly spaced.
    "scene": {
        **dict.fromkeys(("box", "pixel"), ALL),
        **dict.fromkeys(("subpixel_box", "random_size_box", "overhanging_box"), (ENTROPY,)),
        **dict.fromkeys(("red_box", "grey_box", "dots"), (ENTROPY,)),
    },
    "noise": {"none": ALL, "white": ALL, "salt_pepper": ALL},
    # What is no affine map of all pixels alike has no form that looks at pixels, even where nothing is lost.
    "inputs": {
        **dict.fromkeys(("unit", "byte", "dimmed", "inverted", "standardized"), ALL),
        **dict.fromkeys(("mean_subtracted", "pixel_standardized", "image_standardized"), (ENTROPY,)),
        **dict.fromkeys(("checkerboard", "stretched", "equalized"), (ENTROPY,)),
    },
    # Descent on an affine map of (x, y) is descent on (x, y) from another start. A box's columns and rows are evenly
    # spaced and equally frequent, so that their quantiles are an affine map, too.
    "targets": {
        **dict.fromkeys(("symmetric", "unit", "pixels", "centred_pixels", "standardized", "quantile"), ALL),
        **dict.fromkeys(("logit", "cell", "cell_mode"), JUDGED),
    },
}
"""By field of the task and name: the forms that know it. An empty tuple says that there is none."""
OF_DATA: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    # A posterior takes any law. What is linear is solved axis by axis, and a quadrant is no product of two axes.
    "law": {"uniform": ALL, "beta": JUDGED, "corner": (BAYES, ENTROPY)},
    # What is judged is judged on true images and labels of all positions; what descent is towards is another matter.
    "labels": {"true": ALL, **dict.fromkeys(("shuffled", "flipped"), JUDGED)},
    "split": {"random": ALL, **dict.fromkeys(("held_out", "quadrant"), JUDGED)},
}
"""The same by field of the data."""
SIZES = ("height", "width", "box_size", "channels", "margin_left", "margin_right", "margin_top", "margin_bottom")
OF_SCENES = ("subpixels", "smallest_box", "overhang", "distractors")
FIELDS = frozenset((*SIZES, *OF_SCENES, *FORMS, "contrast", "noise_level", "salt"))
"""Fields of a task that forms take into account."""
FIELDS_OF_DATA = frozenset((*OF_DATA, "train_size", "shared_batches", "concentration", "corner_share", "held_out"))
"""Fields of the data, those included that belong to one of its names or are no property of what is judged."""
AT_DEFAULT = {"salt": (LINEAR, DESCENT)}
"""Those that must be at their default for these forms: unequal salt and pepper is no white noise in disguise."""


def box_side(task: Task) -> int:
    """The side of the box of a task with closed forms: a pixel is a box of side 1."""
    return 1 if task.scene == "pixel" else task.box_size


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
        elif value != field.default and (form in AT_DEFAULT.get(field.name, ()) or field.name not in fields):
            raise ConfigurationError(f"{path}: {value!r} does not have {form}; it must be {field.default!r}")


def has(task: Task, form: str, data: Data = Data()) -> bool:  # noqa: B008 - it cannot be changed
    """Whether `require` lets this task pass."""
    try:
        require(task, form, data)
    except ConfigurationError:
        return False
    return True
