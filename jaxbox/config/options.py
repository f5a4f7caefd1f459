"""Sections with options of a kind's own: which class a section must be, as its names ask for it.

A name (a row of a table, or code from outside) may bring `options`, a subclass of its section. Where it is chosen the
section is of that class; where several names of one section bring some, of a class that is made from all of these.
"""

import dataclasses
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from typing import Any, get_type_hints

from jaxbox.config import tables
from jaxbox.config.errors import ConfigurationError
from jaxbox.config.fields import replace
from jaxbox.config.sections import Configuration


@cache
def sections() -> dict[str, Any]:
    """The class of each section."""
    hints = get_type_hints(Configuration)
    return {name: kind for name, kind in hints.items() if dataclasses.is_dataclass(kind)}


@cache
def names_of(section: str) -> tuple[str, ...]:
    """The fields of a section that hold names."""
    return tuple(field for field in tables.TABLES if field.startswith(f"{section}."))


@cache
def combined(base: Any, options: tuple[Any, ...]) -> Any:
    """The class that has the fields of all of these; made once, so that equal sections are equal.

    Raises:
        ConfigurationError: classes that cannot be one.
    """
    options = tuple(dict.fromkeys(options))
    kept = tuple(one for one in options if not any(one is not other and issubclass(other, one) for other in options))
    if len(kept) < 2:
        return kept[0] if kept else base
    try:
        return dataclasses.make_dataclass(base.__name__, [], bases=kept, frozen=True)
    except TypeError as error:
        raise ConfigurationError(f"options: {', '.join(map(repr, kept))} do not go together: {error}") from None


def class_of(section: str, value: Any) -> Any:
    """The class that a section with these names must be; imports names from outside.

    Raises:
        ConfigurationError: a name that is not known or cannot be imported.
    """
    rows = [tables.row(field, getattr(value, field.split(".")[1])) for field in names_of(section)]
    return combined(sections()[section], tuple(row.options for row in rows if row.options))


def fit(configuration: Configuration, drop: bool = False) -> Configuration:
    """The configuration with each section of the class that its names ask for; options that are new have defaults.

    A section with fields that this class does not know stays as it is, and is refused later (`checks.check_values`).

    Args:
        drop: leave such fields out instead.

    Raises:
        ConfigurationError: a name that is not known or cannot be imported.
    """
    fitted = {}
    for section, base in sections().items():
        value = getattr(configuration, section)
        if isinstance(value, base):
            kind, own = class_of(section, value), {field.name for field in dataclasses.fields(value)}
            known = {field.name for field in dataclasses.fields(kind)}
            if type(value) is not kind and (drop or own <= known):
                fitted[section] = kind(**{name: getattr(value, name) for name in own & known})
    return dataclasses.replace(configuration, **fitted)


def change(configuration: Configuration, changes: Mapping[str, Any]) -> Configuration:
    """`fields.replace`, where new names bring and take options of their own.

    Raises:
        ConfigurationError: a field that this configuration does not have, or a name that is not known.
    """
    names = {path: value for path, value in changes.items() if path in tables.TABLES}
    return replace(fit(replace(configuration, names), drop=True), changes)


def offer(configurations: Sequence[Configuration], names: Iterable[tuple[str, str]]) -> Configuration:
    """The defaults, with every field that one of these configurations has, or options of one of these (field, name)."""
    rows = [(field.split(".")[0], tables.row(field, name).options) for field, name in names]
    offered = {}
    for section, base in sections().items():
        given = [type(getattr(configuration, section)) for configuration in configurations]
        asked = [options for own, options in rows if own == section and options]
        offered[section] = combined(base, tuple(given + asked))()
    return Configuration(**offered)
