"""Asking a run to stop: the first SIGINT or SIGTERM is a request, the second has its usual effect."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from jaxbox.sweep.progress import Report


class Stop:
    """Whether someone asked the run to stop."""

    requested = False


@contextmanager
def stop_on_signal(report: Report) -> Iterator[Stop]:
    """Turn the first SIGINT or SIGTERM into a request to stop; a second signal has its usual effect.

    Outside the main thread signals cannot be caught, and are left alone.
    """
    stop, previous = Stop(), {}

    def handler(number: int, frame: Any) -> None:
        stop.requested = True
        report.say("stopping after this segment; once more stops at once and loses what came after the checkpoint")
        for caught, old in previous.items():
            signal.signal(caught, old)

    try:
        for number in (signal.SIGINT, signal.SIGTERM):
            previous[number] = signal.signal(number, handler)
    except ValueError:
        previous = {}
    try:
        yield stop
    finally:
        for number, old in previous.items():
            signal.signal(number, old)
