"""Publishes what a run has so far while it trains, as seldom as it takes to cost little."""

import time
from collections.abc import Callable

SHARE = 0.02
"""Of the time, at most, is spent on it."""
LEAST_SECONDS = 10.0


class Publisher:
    """Gathers results when they are due.

    Args:
        gather: makes what the checkpoints have the results of the run.
        seconds: at least between one time and the next; never under LEAST_SECONDS.
    """

    def __init__(self, gather: Callable[[], None], seconds: float):
        self.gather, self.seconds = gather, max(seconds, LEAST_SECONDS)
        self._cost, self._last = 0.0, time.monotonic()

    def __call__(self) -> None:
        """There is a new checkpoint."""
        start = time.monotonic()
        if start - self._last >= max(self.seconds, self._cost / SHARE):
            self.gather()
            self._last = time.monotonic()
            self._cost = self._last - start
