"""What a run computes, and the fingerprint of that."""

import dataclasses
import hashlib
import json
import math
from collections.abc import Mapping, Sequence
from typing import Any

from jaxbox.config import outside, tables
from jaxbox.config.fields import flatten, types_of
from jaxbox.config.sections import Configuration
from jaxbox.config.stored import to_dict


def fingerprint(configurations: Sequence[Mapping[str, Any]], seeds: int) -> str:
    """SHA-256 of configurations as plain dictionaries, in order, and of the number of seeds."""
    text = json.dumps({"configurations": configurations, "seeds": seeds}, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


@dataclasses.dataclass(frozen=True)
class Plan:
    """What a run computes: configurations x seeds. `experiment` is the name of the sweep, if it has one."""

    configurations: tuple[Configuration, ...]
    seeds: int
    experiment: str = ""

    @property
    def fingerprint(self) -> str:
        """Of what determines the numbers: the configurations, in order, and the number of seeds."""
        return fingerprint([to_dict(configuration) for configuration in self.configurations], self.seeds)

    def types(self) -> dict[str, type]:
        """The type of every field that one of the configurations has, by dotted path."""
        return {path: kind for each in self.configurations for path, kind in types_of(each).items()}

    def varied(self) -> dict[str, list[Any]]:
        """The fields that differ between configurations: dotted path -> value of each configuration.

        A configuration without such a field, which is another kind's own, has NaN for a number and else no text.
        """
        rows = [dict(flatten(configuration)) for configuration in self.configurations]
        none = {path: math.nan if kind in (int, float) else "" for path, kind in self.types().items()}
        columns = {path: [row.get(path, nothing) for row in rows] for path, nothing in none.items()}
        return {path: values for path, values in columns.items() if len(set(values)) > 1}

    def outside(self) -> dict[str, str]:
        """The names from outside: name -> the field that holds it."""
        leaves = [pair for each in self.configurations for pair in flatten(each) if pair[0] in tables.TABLES]
        return {name: field for field, name in leaves if outside.is_outside(name)}
