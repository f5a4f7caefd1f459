"""Which chunks of a run are one process's, where several share them without knowing of each other."""

import dataclasses
import re
from typing import Self

from jaxbox.config import ConfigurationError


@dataclasses.dataclass(frozen=True)
class Part:
    """The share of one of several processes in the chunks of a run: the `index`-th of `count`, from 0 on."""

    index: int = 0
    count: int = 1

    @classmethod
    def of(cls, text: str) -> Self:
        """The part that I/N means.

        Raises:
            ConfigurationError: it is no I/N, or I is not below N.
        """
        words = re.fullmatch(r"(\d{1,9})/(\d{1,9})", text)
        if not words or not int(words[1]) < int(words[2]):
            raise ConfigurationError(f"part: {text} is not allowed; it must be I/N with I from 0 to N - 1, such as 0/2")
        return cls(int(words[1]), int(words[2]))

    def has(self, group: int, chunk: int) -> bool:
        """Whether a chunk of a group is in it. The first chunks of groups differ, for runs of many small groups."""
        return (group + chunk) % self.count == self.index

    def __str__(self) -> str:
        return f"{self.index}/{self.count}"
