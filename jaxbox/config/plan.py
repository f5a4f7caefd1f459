"""What a run computes, and the fingerprint of that."""

import dataclasses
import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any

from jaxbox.config.fields import flatten, to_dict
from jaxbox.config.sections import Configuration


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

    def varied(self) -> dict[str, list[Any]]:
        """The fields that differ between configurations: dotted path -> value of each configuration."""
        rows = [dict(flatten(configuration)) for configuration in self.configurations]
        return {path: [row[path] for row in rows] for path in rows[0] if len({row[path] for row in rows}) > 1}
