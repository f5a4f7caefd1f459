"""What is refused, and how: in one line that names the field, its value and what is allowed."""

import difflib
from collections.abc import Iterable, Mapping
from typing import Any


class ConfigurationError(ValueError):
    """A configuration that cannot be run; the message is one line: field, value, what is allowed."""


class RunError(ValueError):
    """A run folder that cannot be used; the message is one line."""


def require(condition: bool, path: str, value: Any, allowed: str) -> None:
    """Refuse the value of a field unless the condition holds.

    Raises:
        ConfigurationError: the field at `path`, the value, and what is allowed.
    """
    if not condition:
        raise ConfigurationError(f"{path}: {value} is not allowed; it must be {allowed}")


def look_up(table: Mapping[str, Any], name: str, field: str) -> Any:
    """`table[name]`.

    Raises:
        ConfigurationError: `name` is not in the table; the message names the nearest entry.
    """
    if name in table:
        return table[name]
    raise ConfigurationError(f"{field}: unknown name {name!r}{nearest(name, table)}; allowed: {', '.join(table)}")


def nearest(name: str, known: Iterable[str]) -> str:
    """' (did you mean ...?)' with the known name that is most like this one; nothing if none is."""
    near = difflib.get_close_matches(name, list(known), n=1, cutoff=0.5)
    return f" (did you mean {near[0]}?)" if near else ""


def one_line(error: BaseException) -> str:
    """The first line of an error's message that says something, or its type's name."""
    return next((line.strip() for line in str(error).splitlines() if line.strip()), type(error).__name__)


def with_type(error: BaseException) -> str:
    """The type of an error and the first line of its message."""
    name, message = type(error).__name__, one_line(error)
    return name if message == name else f"{name}: {message}"
