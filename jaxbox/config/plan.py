"""What a run computes, block by block as it was asked for, and the fingerprint of that."""

import dataclasses
import hashlib
import json
import math
from collections.abc import Iterable, Mapping
from typing import Any

from jaxbox.config import outside, stretches, tables
from jaxbox.config.fields import flatten, types_of
from jaxbox.config.sections import Configuration
from jaxbox.config.stored import to_dict


def fingerprint(content: Mapping[str, Any]) -> str:
    """SHA-256 of a plan as `Plan.content` has it."""
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


@dataclasses.dataclass(frozen=True)
class Block:
    """Members that were asked for together: configurations, by their index in the plan, x seeds."""

    configurations: tuple[int, ...]
    first_seed: int
    seeds: int

    @property
    def range(self) -> range:
        """Its seeds."""
        return range(self.first_seed, self.first_seed + self.seeds)

    @property
    def member_count(self) -> int:
        """How many members it has."""
        return len(self.configurations) * self.seeds


@dataclasses.dataclass(frozen=True)
class Plan:
    """What a run computes. `experiment` is the name of the sweep, if it has one.

    A run that grows has more blocks, never other ones: what is done already stays where it is.
    """

    configurations: tuple[Configuration, ...]
    blocks: tuple[Block, ...]
    experiment: str = ""

    @classmethod
    def of(
        cls, configurations: Iterable[Configuration], seeds: int, experiment: str = "", first_seed: int = 0
    ) -> "Plan":
        """The plan of a new run: every configuration with the same seeds, from `first_seed` on."""
        configurations = tuple(configurations)
        return cls(configurations, (Block(tuple(range(len(configurations))), first_seed, seeds),), experiment)

    @property
    def fingerprint(self) -> str:
        """Of what determines the numbers: the configurations, in order, and the seeds of each."""
        return fingerprint(self.content())

    def content(self) -> dict[str, Any]:
        """Configurations and blocks as plain values; a single block of seeds from 0 on is their number."""
        values = [to_dict(configuration) for configuration in self.configurations]
        if self.blocks == Plan.of(self.configurations, self.blocks[0].seeds).blocks:
            return {"configurations": values, "seeds": self.blocks[0].seeds}
        return {"configurations": values, "blocks": [dataclasses.asdict(block) for block in self.blocks]}

    @staticmethod
    def blocks_of(content: Mapping[str, Any]) -> tuple[Block, ...]:
        """The blocks of what `content` returned."""
        every = tuple(range(len(content["configurations"])))
        if "blocks" not in content:
            return (Block(every, 0, content["seeds"]),)
        found = (Block(tuple(each["configurations"]), each["first_seed"], each["seeds"]) for each in content["blocks"])
        return tuple(found)

    @property
    def seeds(self) -> list[range]:
        """Every seed that a configuration has, in stretches."""
        return stretches.union(block.range for block in self.blocks)

    @property
    def seed_count(self) -> int:
        """How many seeds there are."""
        return sum(map(len, self.seeds))

    @property
    def member_count(self) -> int:
        """How many members it has."""
        return sum(block.member_count for block in self.blocks)

    @property
    def seed_steps(self) -> int:
        """Updates of all members together."""
        each = [configuration.steps for configuration in self.configurations]
        return sum(each[index] * block.seeds for block in self.blocks for index in block.configurations)

    def seeds_of(self, configuration: int) -> list[range]:
        """The seeds of a configuration, given by its index, in stretches."""
        return stretches.union(block.range for block in self.blocks if configuration in block.configurations)

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
