"""Writes the last checkpoint of a chunk while the next chunk trains: one at a time, in order."""

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor

from jaxbox.config import RunError, with_type


class Later:
    """A thread that writes. What goes wrong there is raised here, by whoever comes next."""

    def __init__(self):
        self._thread = ThreadPoolExecutor(1)
        self._at_hand: Future[None] | None = None

    def do(self, write: Callable[[], None]) -> None:
        """Begin to write once what is at hand is written.

        Raises:
            RunError: as `wait`.
        """
        self.wait()
        self._at_hand = self._thread.submit(write)

    def wait(self) -> None:
        """Until all is written.

        Raises:
            RunError: it could not be written.
        """
        at_hand, self._at_hand = self._at_hand, None
        try:
            if at_hand:
                at_hand.result()
        except RunError:
            raise
        except Exception as error:
            raise RunError(f"run: a checkpoint could not be written: {with_type(error)}") from error
