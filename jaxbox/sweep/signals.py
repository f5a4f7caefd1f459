"""Asking a run to stop: by a first SIGINT, SIGTERM or SIGUSR1, or after a time; a second has its usual effect."""

import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from jaxbox.sweep.progress import Report

NAMES = ("SIGINT", "SIGTERM", "SIGUSR1")
"""Signals that ask; the last one, which batch systems send before the end, is not known to every system."""
TIME = "time"


class Stop:
    """Whether someone asked the run to stop, and who: one of NAMES, or TIME.

    Args:
        seconds: from now on, after which it is asked to.
    """

    def __init__(self, seconds: float | None = None):
        self.by = ""
        self._limit = None if seconds is None else time.monotonic() + seconds

    @property
    def requested(self) -> bool:
        """Whether it is to stop."""
        if not self.by and self._limit is not None and time.monotonic() >= self._limit:
            self.by = TIME
        return bool(self.by)


@contextmanager
def stop_on_signal(report: Report, seconds: float | None = None) -> Iterator[Stop]:
    """Turn the first signal of NAMES into a request to stop; a second one has its usual effect.

    Outside the main thread signals cannot be caught, and are left alone.

    Args:
        report: is told of a signal.
        seconds: after which the run is to stop without any.
    """
    stop, previous = Stop(seconds), {}

    def handler(number: int, frame: Any) -> None:
        stop.by = signal.Signals(number).name
        report.say("stopping after this segment; once more stops at once and loses what came after the checkpoint")
        for caught, old in previous.items():
            signal.signal(caught, old)

    try:
        for name in NAMES:
            if number := getattr(signal, name, None):
                previous[number] = signal.signal(number, handler)
    except ValueError:
        previous = {}
    try:
        yield stop
    finally:
        for number, old in previous.items():
            signal.signal(number, old)
