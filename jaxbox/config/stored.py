"""Configurations as plain dictionaries, and back. Reading one back executes nothing that it names.

Fields of a kind's own are then plain data: a section made from the stored values and their types. Who trains it
turns that into the kind's own section (`options.fit`).
"""

import dataclasses
from collections.abc import Mapping
from functools import cache
from typing import Any, get_origin, get_type_hints

from jaxbox.config import options, outside, tables
from jaxbox.config.errors import ConfigurationError, look_up
from jaxbox.config.fields import check_type
from jaxbox.config.sections import Configuration


def to_dict(configuration: Configuration) -> dict[str, Any]:
    """Nested plain dictionaries, ready for JSON."""
    return dataclasses.asdict(configuration)


def from_dict(values: Mapping[str, Any], cls: Any = Configuration, prefix: str = "") -> Any:
    """The inverse of `to_dict`; fields left out take their defaults.

    A lone number stands for a tuple of one: `model.hidden` was a number in runs of version 0.2 and before.

    Raises:
        ConfigurationError: an unknown key, or a value of the wrong type.
    """
    hints, arguments = get_type_hints(cls), {}
    for key, value in values.items():
        kind = look_up(hints, key, f"field of {prefix or 'configuration'}")
        if dataclasses.is_dataclass(kind):
            arguments[key] = from_dict(value, _section(key, kind, value), f"{prefix}{key}.")
        else:
            arguments[key] = tuple(value) if isinstance(value, list) else value
            if get_origin(kind) is tuple and type(value) is int:
                arguments[key] = (value,)
            check_type(prefix + key, arguments[key], kind)
    return cls(**arguments)


def _section(section: str, base: Any, values: Mapping[str, Any]) -> Any:
    """The class of a stored section, with options of its own where a name brings some or is from outside."""
    names = {field: values.get(field.split(".")[1]) for field in options.names_of(section)}
    rows = [tables.TABLES[field][name] for field, name in names.items() if name in tables.TABLES[field]]
    known = options.combined(base, tuple(row.options for row in rows if row.options))
    if not any(map(outside.is_outside, names.values())):
        return known
    fields = {field.name for field in dataclasses.fields(known)}
    own = {key: _kind(f"{section}.{key}", value) for key, value in values.items() if key not in fields}
    return _plain(known, tuple(own.items()))


def may_have_own_fields(section: str, values: Any) -> bool:
    """Whether a stored section holds a name whose code may know fields that nobody else does."""
    names = (field.split(".")[1] for field in options.names_of(section))
    return isinstance(values, Mapping) and any(outside.is_outside(values.get(name)) for name in names)


def _kind(path: str, value: Any) -> Any:
    if isinstance(value, list):
        return tuple[_kind(path, value[0]) if value else int, ...]
    if type(value) not in (bool, int, float, str):
        raise ConfigurationError(f"{path}: {value!r} is no number, text, or list of such")
    return type(value)


@cache
def _plain(base: Any, own: tuple[tuple[str, Any], ...]) -> Any:
    """Made once for the same fields, so that equal sections are equal."""
    fields = [(name, kind, dataclasses.field(default=kind())) for name, kind in own]
    return dataclasses.make_dataclass(base.__name__, fields, bases=(base,), frozen=True) if fields else base
