"""A configuration as a tree of fields: dotted paths, types, values as text, the traced and the static part.

**A float field is traced, every other field is static.** Configurations that differ in floats only share one compiled
program (a *group*); any other difference makes another group. A float that is OFF_AT_ZERO is static where it is 0.
"""

import dataclasses
import math
import re
import struct
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any, Self, TypeVar, get_args, get_origin, get_type_hints

from jaxbox.config.errors import ConfigurationError, look_up, require
from jaxbox.config.sections import Configuration

Value = bool | int | float | str | tuple[int, ...]
Tree = TypeVar("Tree")


def flatten(tree: Any, prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Yield (dotted path, value) of every leaf field, in order of definition."""
    for name in _names(type(tree)):
        value = getattr(tree, name)
        if _names(type(value)):
            yield from flatten(value, f"{prefix}{name}.")
        else:
            yield prefix + name, value


@cache
def _names(cls: type) -> tuple[str, ...]:
    """The fields of a dataclass; none of another class. Thousands of configurations are of a few classes."""
    return tuple(field.name for field in dataclasses.fields(cls)) if dataclasses.is_dataclass(cls) else ()


def replace(tree: Tree, changes: Mapping[str, Any]) -> Tree:
    """A copy of `tree` with the leaves at the dotted paths of `changes` replaced.

    Raises:
        ConfigurationError: a path is not a leaf field; the nearest one is suggested.
    """
    known = dict(flatten(tree))
    for path in changes:
        look_up(known, path, "field")
    return _replace(tree, changes)


def _replace(tree: Any, changes: Mapping[str, Any]) -> Any:
    new: dict[str, Any] = {}
    inside: dict[str, dict[str, Any]] = {}
    for path, value in changes.items():
        name, _, rest = path.partition(".")
        if rest:
            inside.setdefault(name, {})[rest] = value
        else:
            new[name] = value
    new |= {name: _replace(getattr(tree, name), own) for name, own in inside.items()}
    return dataclasses.replace(tree, **new)


@cache
def field_types(cls: Any = Configuration, prefix: str = "", nested: bool = True) -> Mapping[str, type]:
    """The declared type of every leaf field, by dotted path; of every section, too, if they are not nested."""
    hints, types = get_type_hints(cls), {}
    for name in (field.name for field in dataclasses.fields(cls)):
        inner = nested and dataclasses.is_dataclass(hints[name])
        types |= field_types(hints[name], f"{prefix}{name}.") if inner else {prefix + name: hints[name]}
    return types


def types_of(configuration: Any) -> dict[str, type]:
    """The declared type of every leaf field of this configuration, whose sections may have fields of their own."""
    types = {}
    for name, kind in field_types(type(configuration), nested=False).items():
        value = getattr(configuration, name)
        types |= field_types(type(value), f"{name}.") if dataclasses.is_dataclass(value) else {name: kind}
    return types


def defaults_of(configuration: Any) -> dict[str, Any]:
    """The default of every leaf field of this configuration."""
    kinds = {name: type(value) for name, value in vars(configuration).items() if _names(type(value))}
    return dict(_defaults(type(configuration), tuple(kinds.items())))


@cache
def _defaults(cls: type, kinds: tuple[tuple[str, type], ...]) -> Mapping[str, Any]:
    return dict(flatten(cls(**{name: kind() for name, kind in kinds})))


TRACED = tuple(path for path, kind in field_types().items() if kind is float)
DEFAULTS: Mapping[str, Any] = dict(flatten(Configuration()))
"""As TRACED, of the fields that every configuration has; `types_of` and `defaults_of` know those of a kind's own."""
OFF_AT_ZERO = ("optimizer.weight_decay", "optimizer.clip_norm")
"""Floats without which a program does less work. Where they are 0 it is compiled without them: a term of zero times a
weight would cost time, and change how the compiler rounds everything else."""


@dataclasses.dataclass(frozen=True)
class Static:
    """The static part of a configuration: hashable, equal within a group."""

    configuration: Configuration

    @classmethod
    def of(cls, configuration: Configuration) -> Self:
        """The static part of this configuration: traced floats are 0, and 1 if they are OFF_AT_ZERO and on."""
        leaves = dict(flatten(configuration))
        off = {path: float(path in OFF_AT_ZERO and leaves[path] != 0) for path in traced(configuration)}
        return cls(replace(configuration, off))

    def with_traced(self, traced: Mapping[str, Any]) -> Configuration:
        """The configuration whose float fields are `traced`, which may be JAX tracers; what is off stays Python's 0."""
        leaves = dict(flatten(self.configuration))
        off = [path for path in OFF_AT_ZERO if leaves[path] == 0]
        return replace(self.configuration, {path: value for path, value in traced.items() if path not in off})


def traced(configuration: Configuration) -> dict[str, float]:
    """The float fields of a configuration, by dotted path."""
    leaves = dict(flatten(configuration))
    return {path: float(leaves[path]) for path, kind in types_of(configuration).items() if kind is float}


def parse_value(path: str, text: str, types: Mapping[str, Any] | None = None) -> Value:
    """The value that `text` spells for the field at `path`; integers of a tuple are separated by commas or spaces.

    Args:
        types: of the fields that there are, if not those that every configuration has.

    Raises:
        ConfigurationError: unknown field, or text that is not of the field's type.
    """
    kind = look_up(types or field_types(), path, "field")
    try:
        if kind is bool:
            return {"true": True, "false": False}[text.lower()]
        if get_origin(kind) is tuple:
            return tuple(get_args(kind)[0](part) for part in split_items(text))
        return kind(text)
    except (KeyError, ValueError):
        name = "comma-separated int" if get_origin(kind) is tuple else kind.__name__
        raise ConfigurationError(f"{path}: {text!r} is not of type {name}") from None


def split_items(text: str) -> list[str]:
    """The items of a tuple that is spelled with commas, spaces or both."""
    return [item for item in re.split(r"[\s,]+", text) if item]


def single(value: float) -> float:
    """The 32-bit float that the device will have of a number; infinity where it has none."""
    try:
        return struct.unpack("f", struct.pack("f", value))[0]
    except OverflowError:
        return math.copysign(math.inf, value)


def check_type(path: str, value: Any, kind: Any) -> None:
    """Refuse a value that is not of its field's declared type, or a float that is not finite.

    Raises:
        ConfigurationError: with the field, the value and the type.
    """
    expected = get_origin(kind) or kind
    accepted = (int, float) if expected is float else (expected,)
    if isinstance(value, bool) != (expected is bool) or not isinstance(value, accepted):
        raise ConfigurationError(f"{path}: {value!r} is not of type {expected.__name__}")
    if isinstance(value, float):
        require(abs(single(value)) < float("inf"), path, value, "a finite number, as a 32-bit float")
    if isinstance(value, tuple):
        for item in value:
            check_type(path, item, get_args(kind)[0])
