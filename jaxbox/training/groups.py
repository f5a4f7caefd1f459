"""Groups: configurations that share every static field, and hence one compiled program."""

import dataclasses
from collections.abc import Sequence

from jaxbox.config import Configuration, Static


@dataclasses.dataclass(frozen=True)
class Group:
    """Configurations that share one program; `configurations` are (index in the sweep, configuration)."""

    static: Static
    configurations: tuple[tuple[int, Configuration], ...]
    seeds: int

    def members(self) -> list[tuple[int, int]]:
        """(index of the configuration in the sweep, seed) of each member, seeds fastest."""
        return [(index, seed) for index, _ in self.configurations for seed in range(self.seeds)]


def group(configurations: Sequence[Configuration], seeds: int) -> list[Group]:
    """Groups in order of their first configuration."""
    found: dict[Static, list[tuple[int, Configuration]]] = {}
    for index, configuration in enumerate(configurations):
        found.setdefault(Static.of(configuration), []).append((index, configuration))
    return [Group(static, tuple(members), seeds) for static, members in found.items()]
