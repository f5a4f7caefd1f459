"""Many configurations from few: every combination of the values of some fields."""

import itertools
from collections.abc import Mapping, Sequence
from typing import Any

from jaxbox.config import outside, tables
from jaxbox.config.checks import check_values, refuse_unread, settle
from jaxbox.config.errors import ConfigurationError, look_up
from jaxbox.config.fields import flatten
from jaxbox.config.options import change, fit
from jaxbox.config.sections import Configuration


def grid(configuration: Configuration, fields: Mapping[str, Sequence[Any]]) -> list[Configuration]:
    """The configuration with every combination of these values, the last field fastest, without repeats.

    A field that a model (loss, ...) does not read is at its default there, so that no two train equal networks.

    Args:
        fields: the values of each field by its dotted path; objects where it holds a name may be given themselves.

    Raises:
        ConfigurationError: an unknown field, no value, a value that is not allowed, or a field that nobody reads.
    """
    for path, values in fields.items():
        if isinstance(values, str) or not isinstance(values, Sequence) or not values:
            raise ConfigurationError(f"{path}: {values!r} is not allowed; it must be a list of one or more values")
    named = {path: [_name(path, value) for value in values] for path, values in fields.items()}
    return distinct(spread([configuration], named), set(fields), inherited=True)


def _name(path: str, value: Any) -> Any:
    return outside.name_of(value) if path in tables.TABLES and not isinstance(value, outside.PLAIN) else value


def spread(configurations: Sequence[Configuration], fields: Mapping[str, Sequence[Any]]) -> list[Configuration]:
    """Each configuration with every combination of these values. An option of a kind's own goes to those that have it.

    Raises:
        ConfigurationError: a field that none of them has, or a name that is not known.
    """
    names = {path: values for path, values in fields.items() if path in tables.TABLES}
    others = {path: values for path, values in fields.items() if path not in names}
    fitted = [change(each, {}) if not names else each for each in configurations]
    known = {path: None for each in _product(fitted, names) for path, _ in flatten(each)}
    for path in others:
        look_up(known, path, "field")
    return _product(fitted, fields)


def _product(configurations: Sequence[Configuration], fields: Mapping[str, Sequence[Any]]) -> list[Configuration]:
    found = []
    for configuration in configurations:
        for values in itertools.product(*fields.values()):
            changes = dict(zip(fields, values, strict=True))
            named = change(configuration, {path: value for path, value in changes.items() if path in tables.TABLES})
            own = dict(flatten(named))
            found.append(change(named, {path: value for path, value in changes.items() if path in own}))
    return found


def distinct(configurations: Sequence[Configuration], said: set[str], inherited: bool = False) -> list[Configuration]:
    """The configurations, checked and settled, without repeats.

    Args:
        said: fields that count as set even where they have their default.
        inherited: whether all other fields come from where these configurations started, which may have read more.

    Raises:
        ConfigurationError: a value that is not allowed, or a field that is set and that nobody reads.
    """
    fitted = [fit(configuration) for configuration in configurations]
    for configuration in fitted:
        check_values(configuration)
    refuse_unread([settle(each, said) for each in fitted] if inherited else fitted, said)
    return list(dict.fromkeys(map(settle, fitted)))
