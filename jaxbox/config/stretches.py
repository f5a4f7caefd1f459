"""Sets of integers as ascending stretches without gaps, because a set of all seeds may be too large to be listed."""

from collections.abc import Iterable


def union(stretches: Iterable[range]) -> list[range]:
    """The integers that are in any of these, as few stretches as it takes."""
    found: list[range] = []
    for each in sorted(stretches, key=lambda stretch: stretch.start):
        if found and each.start <= found[-1].stop:
            found[-1] = range(found[-1].start, max(found[-1].stop, each.stop))
        else:
            found.append(each)
    return found


def difference(stretches: Iterable[range], others: Iterable[range]) -> list[range]:
    """The integers of the first that are in none of the others."""
    left = union(stretches)
    for other in others:
        cut = [
            (range(each.start, min(each.stop, other.start)), range(max(each.start, other.stop), each.stop))
            for each in left
        ]
        left = [part for parts in cut for part in parts if part]
    return left


def in_words(stretches: Iterable[range]) -> str:
    """Such as 0 to 3, 8 to 9."""
    return ", ".join(f"{each.start} to {each.stop - 1}" for each in stretches)
