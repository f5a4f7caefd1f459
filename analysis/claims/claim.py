"""What a claim is: a sentence of the thread, who says it, and the rule that decides it, written down before any run."""

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any, Literal

from analysis.audit import Verdict as Audited

Fields = Mapping[str, Any]
"""Values of fields by dotted path, which select one configuration of an experiment."""
Direction = Literal["more", "less", "equal"]
"""What a claim says of a difference: above 0, below 0, or too small to matter."""
Answer = Literal["true", "false", "conditional", "unfounded", "undecided"]


@dataclasses.dataclass(frozen=True)
class Comparison:
    """A number of one configuration against another's at the same seeds, or against a fixed number.

    `condition`: where this is, in a few words that end "..., at the rate 0.01". `first` and `second` each select one
    configuration of the experiment; without `second` the number is compared with `level`.
    """

    condition: str
    first: Fields
    second: Fields | None = None
    level: float = 0.0
    direction: Direction = "more"
    statistic: str = ""
    """Instead of the claim's."""


@dataclasses.dataclass(frozen=True)
class Measured:
    """Decided by runs: an experiment, in several settings, and comparisons of its configurations.

    `statistic` is a name of `statistics.STATISTICS`. A comparison's difference D is settled by its interval. For
    "more": false once D < `margin`, else true once D > 0; what lies between both is a region in which either answer is
    right (Wald 1945, Ann. Math. Stat. 16). "less" is its mirror image. "equal": true once |D| < `margin`, else false
    once D excludes 0.
    """

    experiment: str
    statistic: str
    margin: float
    comparisons: tuple[Comparison, ...]
    settings: tuple[str, ...] = ("small", "second")
    reasons: tuple[Comparison, ...] = ()
    """Comparisons of the reason that is given: if the effect is true and these are not, the claim is unfounded."""


@dataclasses.dataclass(frozen=True)
class Computed:
    """Decided on the spot: each function returns a step in one example, with what is claimed and what is true."""

    steps: tuple[Callable[[], Audited], ...]


@dataclasses.dataclass(frozen=True)
class Claim:
    """A sentence of the thread that can be decided.

    `name` is a Python identifier; `text` says it in our own words; `source` says who says it: the question, a comment,
    an answer (which one, by what it is about). `surprise`, 0 to 3, is how little a reader of the thread would expect
    the verdict (fixed by hand). `advice` says in one sentence what a reader with a stuck regression should do about it.
    """

    name: str
    text: str
    source: str
    evidence: Measured | Computed
    advice: str
    surprise: int = 1

    @property
    def kind(self) -> str:
        """How it is decided."""
        return "measured" if isinstance(self.evidence, Measured) else "computed"

    @property
    def command(self) -> str:
        """What to type to see it decided."""
        return (
            f"python -m analysis.claims {self.name} --run"
            if self.kind == "measured"
            else f"python -m analysis.claims {self.name}"
        )
