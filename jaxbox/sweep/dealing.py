"""Which place among the devices each member of a chunk has: those that still train are spread evenly.

A chunk's first half may be one configuration, all of it dead, so that its device would have nothing to do. Places are
(devices, rounds of a device, members of a round), flattened.
"""

import numpy as np
from jaxtyping import Bool, Int

WORTH = 0.9
"""Members are dealt anew where that makes the busiest device's rounds less than this share of what they are. To move
all of them costs about as much as a few of their steps, and it is done some twenty times in a chunk's life at most."""

Places = Int[np.ndarray, " places"]
"""For each place the number of its member; NOBODY at places more than there are members."""
NOBODY = -1


def deal(live: Bool[np.ndarray, " members"], shape: tuple[int, int, int]) -> Places:
    """Live members first: round by round, each round's on the next device; then the others."""
    devices, rounds, together = shape
    # Of each round of all devices, its places: filled one round of one device after the other.
    order = np.arange(devices * rounds * together).reshape(shape).swapaxes(0, 1).reshape(-1)
    places = np.full(len(order), NOBODY)
    places[order[: len(live)]] = np.argsort(~live, kind="stable")
    return places


def places_of(places: Places) -> Int[np.ndarray, " members"]:
    """The place of each member."""
    return np.argsort(places, kind="stable")[np.sum(places == NOBODY) :]


def live_places(places: Places, live: Bool[np.ndarray, " members"]) -> Bool[np.ndarray, " places"]:
    """Which places train."""
    return (places != NOBODY) & live[places]


def busiest(places: Places, live: Bool[np.ndarray, " members"], shape: tuple[int, int, int]) -> int:
    """How many rounds the device has that has most to do."""
    return int(live_places(places, live).reshape(shape).any(axis=2).sum(axis=1).max())


def dealt_anew(places: Places, live: Bool[np.ndarray, " members"], shape: tuple[int, int, int]) -> Places | None:
    """Better places, if they are worth it."""
    better = deal(live, shape)
    return better if busiest(better, live, shape) < WORTH * busiest(places, live, shape) else None
