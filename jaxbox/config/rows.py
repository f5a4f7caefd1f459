"""A row of a table of names, and how one is made from code outside of the project."""

import dataclasses
import inspect
from typing import Any, NamedTuple, get_args, get_origin, get_type_hints

from jaxbox.config import outside
from jaxbox.config.errors import ConfigurationError, look_up
from jaxbox.config.fields import DEFAULTS, field_types
from jaxbox.config.sections import Configuration

KINDS = (bool, int, float, str)
"""What an option can be, or a tuple of."""
IMAGE = ("task.height", "task.width", "task.channels")
READ_UNSAID = {"task.scene": IMAGE}
"""What code reads that has no `reads`: nothing that others need not read, either, but for scenes an image's sizes."""


class Row(NamedTuple):
    """`place` is module:name (or a module alone); `reads` are dotted paths of the fields that it reads, with `render`
    among them if it works on windows too. `options` is a subclass of the section, whose further fields are its own:
    they are there where this name is chosen, and always read."""

    place: str
    summary: str
    reads: tuple[str, ...] = ()
    options: Any = None


def from_outside(field: str, name: str) -> Row:
    """The row of a name from outside; imports its file.

    Summary is the first line of its docstring; `reads` and `options` are its attributes of these names, if it has them.

    Raises:
        ConfigurationError: it cannot be imported, or its `reads` or `options` are none.
    """
    value = outside.load(field, name)
    options = getattr(value, "options", None)
    if options is not None:
        _check_options(field, name, options)
    own = list(field_types(options, field.split(".")[0] + ".")) if options else []
    reads = getattr(value, "reads", READ_UNSAID.get(field, ()))
    if not isinstance(reads, tuple | list):
        raise ConfigurationError(f"{field}: {name}: its reads is {reads!r}; it must be a tuple of fields")
    for path in reads:
        look_up(dict.fromkeys([*DEFAULTS, *own]), path, f"{field}: {name}: its reads")
    return Row(name, _summary(value), tuple(reads), options)


def _summary(value: Any) -> str:
    """What its own docstring says first; an instance's class speaks of all instances, a dataclass of its fields."""
    return (inspect.getdoc(value) or "").strip().partition("\n")[0] or "no docstring"


def _check_options(field: str, name: str, options: Any) -> None:
    """Refuse options that are no dataclass as the sections are, or of a type that no field can have."""
    section = field.split(".")[0]
    base = get_type_hints(Configuration)[section]
    where = f"{field}: {name}: its options"
    if not (isinstance(options, type) and issubclass(options, base)):
        raise ConfigurationError(f"{where} is {options!r}; it must be a subclass of jaxbox.{base.__name__}")
    parameters: Any = vars(options).get("__dataclass_params__")
    if parameters is None or not parameters.frozen:
        raise ConfigurationError(f"{where}, {options.__name__}, must be decorated @dataclasses.dataclass(frozen=True)")
    for option in dataclasses.fields(options):
        kind = get_type_hints(options)[option.name]
        inner = get_args(kind)[0] if get_origin(kind) is tuple and get_args(kind)[1:] == (...,) else kind
        if inner not in KINDS:
            allowed = "bool, int, float, str or tuple[..., ...] of one of these"
            raise ConfigurationError(f"{where}: {option.name} is of type {kind}; it must be {allowed}")
