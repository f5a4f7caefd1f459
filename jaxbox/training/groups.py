"""Groups: configurations that share every static field, and hence one compiled program."""

import dataclasses
from collections.abc import Collection, Sequence

from jaxbox.config import Block, Configuration, Plan, Static


@dataclasses.dataclass(frozen=True)
class Group:
    """Configurations that share one program; `configurations` are (index in the sweep, configuration).

    `blocks` are those of the sweep that have one of them, with no others.
    """

    static: Static
    configurations: tuple[tuple[int, Configuration], ...]
    blocks: tuple[Block, ...]

    def members(self) -> list[tuple[int, int]]:
        """(index of the configuration in the sweep, seed) of each member: block by block, seeds fastest."""
        return [member for block in self.blocks for member in _members(block)]

    def chunks(self, size: int) -> list[list[tuple[int, int]]]:
        """The members, cut into chunks, as `chunks` does."""
        return chunks(self.blocks, size)


def chunks(blocks: Sequence[Block], size: int) -> list[list[tuple[int, int]]]:
    """(configuration, seed) of the members of each chunk; what a block leaves over is a chunk smaller than `size`.

    A block that is added to a plan adds chunks, and changes none.
    """
    each = [_members(block) for block in blocks]
    return [members[start : start + size] for members in each for start in range(0, len(members), size)]


def blocks_of(plan: Plan, configurations: Collection[int]) -> tuple[Block, ...]:
    """The blocks of a plan that have one of these configurations, with no others."""
    return within(plan.blocks, configurations)


def within(blocks: Sequence[Block], configurations: Collection[int]) -> tuple[Block, ...]:
    """Those of the blocks that have one of these configurations, with no others."""
    wanted = frozenset(configurations)
    cut = [tuple(index for index in block.configurations if index in wanted) for block in blocks]
    pairs = zip(cut, blocks, strict=True)
    return tuple(dataclasses.replace(block, configurations=indices) for indices, block in pairs if indices)


def _members(block: Block) -> list[tuple[int, int]]:
    return [(index, seed) for index in block.configurations for seed in block.range]


def group(plan: Plan) -> list[Group]:
    """Groups in order of their first configuration."""
    found: dict[Static, list[tuple[int, Configuration]]] = {}
    for index, configuration in enumerate(plan.configurations):
        found.setdefault(Static.of(configuration), []).append((index, configuration))
    return [Group(static, tuple(own), blocks_of(plan, dict(own))) for static, own in found.items()]
