"""What the code behind a name must be, kind by kind, and what it lacks: methods, or arguments."""

import inspect
from collections.abc import Mapping
from typing import Any, NamedTuple

from jaxbox import losses, models, optimizers, schedules, task
from jaxbox.config import Configuration, ConfigurationError, flatten, outside, tables
from jaxbox.layers.start import Initialization
from jaxbox.task.inputs import Inputs
from jaxbox.task.noises import Noise
from jaxbox.task.scenes import Lattice, WindowedScene
from jaxbox.task.targets import TargetKind


class Contract(NamedTuple):
    """`kind` is the class or protocol whose methods it has; `call` is what it is called with, if it is called."""

    kind: type
    call: str | None = None
    hint: str = ""


CONTRACTS: Mapping[str, Contract] = {
    "task.scene": Contract(Lattice),
    "task.noise": Contract(Noise),
    "task.inputs": Contract(Inputs, "task, images"),
    "task.targets": Contract(TargetKind),
    "model.name": Contract(models.Constructor, "model, task, outputs, rngs=rngs"),
    "model.activation": Contract(object, "values"),
    "model.output": Contract(object, "values"),
    "model.initialization": Contract(Initialization, "key, shape"),
    "model.pooling": Contract(object, ""),
    "model.normalization": Contract(object, "units"),
    "model.shortcut": Contract(object, ""),
    "model.dropout": Contract(object, "rate, rngs"),
    "loss.name": Contract(
        losses.LossFunction,
        "loss, outputs, targets",
        "; jaxbox.losses.pointwise.Pointwise makes a loss of a function of (loss, predictions, targets)",
    ),
    "optimizer.name": Contract(optimizers.Rule, "optimizer"),
    "optimizer.schedule": Contract(schedules.Schedule, "optimizer, steps"),
    "data.law": Contract(task.Law, "data, place, xp"),
    "data.labels": Contract(task.Labels, "following, keys"),
    "data.split": Contract(task.Split, "task, data, key"),
}
"""By the field that holds the name."""


def lacks(field: str, value: Any, windows: bool = False) -> str:
    """What an object lacks to be of this kind, in a few words; nothing if it has all.

    Args:
        windows: whether it says that it works on windows.
    """
    contract = CONTRACTS[field]
    kind = WindowedScene if windows and contract.kind is Lattice else contract.kind
    missing = [name for name in methods(kind) if not callable(getattr(value, name, None))]
    if missing:
        return f"has no {' and no '.join(f'{name}()' for name in missing)}{contract.hint}"
    if contract.call is None:
        return ""
    if not callable(value):
        return f"cannot be called: ({contract.call})"
    return _misfit(value, contract.call)


def methods(kind: type) -> list[str]:
    """The names of the public methods that a class or protocol asks for."""
    fields = getattr(kind, "_fields", ())  # a named tuple of functions
    own = [name for cls in reversed(kind.__mro__) for name, value in vars(cls).items() if inspect.isfunction(value)]
    return list(fields) or list(dict.fromkeys(name for name in own if not name.startswith("_")))


def _misfit(value: Any, call: str) -> str:
    """Why it cannot be called with these arguments, some of them by keyword; nothing if it can."""
    words = [word.strip() for word in call.split(",") if word.strip()]
    signature = _signature(value)
    try:
        by_keyword = {word.split("=")[0]: None for word in words if "=" in word}
        signature.bind(*[None for word in words if "=" not in word], **by_keyword)
    except TypeError as error:
        return f"cannot be called with ({call}): {error}"
    return ""


def require_kept(configuration: Configuration) -> None:
    """Refuse names from outside whose code does not keep its contract.

    Raises:
        ConfigurationError: the name, and which method it lacks.
    """
    for field, name in flatten(configuration):
        if field in CONTRACTS and outside.is_outside(name):
            found = lacks(field, tables.load(field, name), "render" in tables.row(field, name).reads)
            if found:
                raise ConfigurationError(f"{field}: {name} {found}")


def guess(name: str, value: Any) -> str:
    """The field of the kind that an object is: of whose contract it has the methods, or else is called like.

    Raises:
        ConfigurationError: it is like none, or like several.
    """
    by_methods = [field for field, contract in CONTRACTS.items() if methods(contract.kind) and not lacks(field, value)]
    if by_methods:
        return by_methods[0]
    arguments = _arguments(value)
    like = [field for field, contract in CONTRACTS.items() if contract.call and _words(contract.call) == arguments]
    if len(like) != 1:
        raise ConfigurationError(f"as: cannot tell what {name} is; say it, for example --as model")
    return like[0]


def _words(call: str) -> list[str]:
    return [word.split("=")[0].strip() for word in call.split(",")]


def _arguments(value: Any) -> list[str]:
    """The names of the arguments without which it cannot be called."""
    parameters = _signature(value).parameters.values()
    return [parameter.name for parameter in parameters if parameter.default is parameter.empty]


def _signature(value: Any) -> inspect.Signature:
    """What it can be called with; anything, where that is not known, as of compiled code."""
    try:
        if not isinstance(value, type):
            return inspect.signature(value)
        own = inspect.signature(value.__init__)  # of a Flax module, whose metaclass takes anything
        return own.replace(parameters=list(own.parameters.values())[1:])
    except (TypeError, ValueError):
        return inspect.signature(lambda *args, **kwargs: None)
