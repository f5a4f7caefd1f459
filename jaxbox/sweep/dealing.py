"""Which place among the devices each member of a chunk has: those that still train are spread evenly.

A chunk's first half may be one configuration, all of it dead, so that its device would have nothing to do. Places are
(devices, rounds of a device, members of a round), flattened.
"""

import numpy as np
from jaxtyping import Bool, Int

WORTH = 0.9
"""Members are dealt anew where that makes the busiest device's rounds less than this share of what they are. To move all
of them costs about as much as a few steps of theirs; so it is done some twenty times in a chunk's life at most."""

Places = Int[np.ndarray, " places"]
"""For each place the number of its member; of places more than there are members, copies, which do not train."""


def deal(live: Bool[np.ndarray, " members"], shape: tuple[int, int, int]) -> Places:
    """Live members first: round by round, each round's on the next device; then the others."""
    devices, rounds, together = shape
    # Of each round of all devices, its places: filled one round of one device after the other.
    order = np.arange(devices * rounds * together).reshape(shape).swapaxes(0, 1).reshape(-1)
    members = np.argsort(~live, kind="stable")
    places = np.empty(len(order), int)
    places[order] = members[np.arange(len(order)) % len(members)]
    return places


def places_of(places: Places, members: int) -> Int[np.ndarray, " members"]:
    """The first place of each member."""
    found, first = np.unique(places, return_index=True)
    assert len(found) == members
    return first


def live_places(places: Places, live: Bool[np.ndarray, " members"], shape: tuple[int, int, int]) -> np.ndarray:
    """Which places train: those of live members, copies left out."""
    found = np.zeros(np.prod(shape), bool)
    found[places_of(places, len(live))[live]] = True
    return found


def busiest(places: Places, live: Bool[np.ndarray, " members"], shape: tuple[int, int, int]) -> int:
    """How many rounds the device has that has most to do."""
    return int(live_places(places, live, shape).reshape(shape).any(axis=2).sum(axis=1).max())


def dealt_anew(places: Places, live: Bool[np.ndarray, " members"], shape: tuple[int, int, int]) -> Places | None:
    """Better places, if they are worth it."""
    better = deal(live, shape)
    return better if busiest(better, live, shape) < WORTH * busiest(places, live, shape) else None
