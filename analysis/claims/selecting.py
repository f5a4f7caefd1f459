"""Which configurations of an experiment a claim compares."""

from collections.abc import Mapping, Sequence
from typing import Any

from analysis.claims.claim import Comparison, Fields
from jaxbox.config import Configuration, ConfigurationError, flatten


def select(configurations: Sequence[Configuration], fields: Fields) -> int:
    """The index of the one configuration that has these values; a field that it does not have is no match.

    Raises:
        ConfigurationError: none has them, or more than one has; the message names the fields.
    """
    leaves = (dict(flatten(configuration)) for configuration in configurations)
    found = [index for index, values in enumerate(leaves) if _matches(values, fields)]
    if len(found) != 1:
        said = ", ".join(f"{path}: {value!r}" for path, value in fields.items()) or "no field"
        raise ConfigurationError(
            f"{said}: selects {len(found)} of {len(configurations)} configurations; it must select 1"
        )
    return found[0]


def sides(comparison: Comparison) -> tuple[Fields, ...]:
    """The fields of the one or two configurations that it compares."""
    return (comparison.first,) if comparison.second is None else (comparison.first, comparison.second)


def _matches(values: Mapping[str, Any], fields: Fields) -> bool:
    return all(path in values and values[path] == value for path, value in fields.items())
