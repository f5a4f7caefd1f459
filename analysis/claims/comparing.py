"""How comparisons are written: at several learning rates, and of how often networks predict the mean."""

from collections.abc import Sequence

from analysis.claims.claim import Comparison, Direction, Fields, Measured

RATE = "optimizer.learning_rate"
CHANNELS = (8, 16, 32), (32, 64, 128)
"""A quarter of the question's, and the question's."""
MARGIN = 0.2
"""Of shares of networks. One network in five is the least that would make anyone change a network for it: with less
than that, trying once more with other first weights does as much."""
DEFAULT = ("small", "second")
WITH_LARGE = (*DEFAULT, "large")
WITHOUT_BOX = ("small", "epsilon")
"""Where the side of a box is compared, or there is none, or the scene would be another one with it."""


def collapse(experiment: str, comparisons: tuple[Comparison, ...], settings: tuple[str, ...] = DEFAULT) -> Measured:
    """Decided by how often networks predict the mean."""
    return Measured(experiment, "collapse rate", MARGIN, comparisons, settings)


def at_rates(
    rates: Sequence[float], first: Fields, second: Fields | None, direction: Direction, level: float = 0.0, of: str = ""
) -> tuple[Comparison, ...]:
    """The same comparison at each of several learning rates, which both sides share.

    Args:
        of: what the comparison is of, if the claim has others at the same rates.
    """

    def one(rate: float) -> Comparison:
        both = [None if fields is None else {**fields, RATE: rate} for fields in (first, second)]
        condition = f"{of}, at the rate {rate:g}" if of else f"at the rate {rate:g}"
        return Comparison(condition, both[0] or {}, both[1], level, direction)

    return tuple(map(one, rates))
