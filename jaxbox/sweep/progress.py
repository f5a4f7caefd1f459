"""What a person sees while a sweep runs: one live bar on a terminal, plain lines elsewhere."""

import time
from collections.abc import Callable
from datetime import timedelta
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn
from rich.table import Column

PLAIN_SECONDS, LIVE_SECONDS = 10.0, 0.1
"""At most one plain line in this time; and one new text of the bar, which many evaluations of a small network share."""


class Report:
    """Progress in seed-steps (one seed, one update).

    Args:
        total: seed-steps of the whole sweep.
        quiet: show nothing.
    """

    def __init__(self, total: int, quiet: bool = False):
        self.total, self.quiet = total, quiet
        self.console = Console(stderr=True)
        self.done = 0
        self.group = ""
        self.warning: Callable[[], str] = str
        """Says of the members that train if they are not well; asked only where it is shown."""
        self._working, self._last = 0.0, time.monotonic()
        self._trained = 0
        self._said = 0.0
        # A narrow terminal folds the text, which rich would otherwise cut off.
        text = TextColumn("{task.description}", table_column=Column(overflow="fold"))
        self.bar = Progress(SpinnerColumn(), BarColumn(8), text, console=self.console)
        self.line = self.bar.add_task("", total=total)
        self.live = self.console.is_terminal and not quiet

    def __enter__(self) -> Self:
        if self.live:
            self.bar.start()
        return self

    def __exit__(self, kind: type | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self.live:
            self.bar.stop()

    def say(self, text: str) -> None:
        """A line of its own."""
        if not self.quiet:
            self.console.print(text, highlight=False, soft_wrap=True)

    def start(self, group: str) -> None:
        """A group begins."""
        self.group = group
        self.bar.update(self.line, description=group)

    def skip(self, seed_steps: int) -> None:
        """Work that an earlier session did."""
        self.done += seed_steps

    def leave(self, seed_steps: int) -> None:
        """Work that another process does."""
        self.total -= seed_steps
        self.bar.update(self.line, total=self.total)

    def begin_chunk(self) -> None:
        """A chunk begins: what was done before it was no training."""
        self._last, self.warning = time.monotonic(), str

    def advance(self, seed_steps: int, step: int) -> None:
        """Members went on by `seed_steps` in all, and are now at `step`."""
        now = time.monotonic()
        self._working, self._last = self._working + now - self._last, now
        self.done, self._trained = self.done + seed_steps, self._trained + seed_steps
        if not self._trained:
            return
        if self.live:
            self.bar.update(self.line, completed=self.done)
            if now - self._said > LIVE_SECONDS or self.done >= self.total:
                self._said = now
                self.bar.update(self.line, description=self._text(step))
        elif not self.quiet and now - self._said > PLAIN_SECONDS:
            self._said = now
            self.say(self._text(step))

    def _text(self, step: int) -> str:
        """The time left is at the mean speed of this session: the speed of the moment jumps with every group."""
        share, speed = 100 * self.done / self.total, self._trained / max(self._working, 1e-9)
        left = timedelta(seconds=round((self.total - self.done) / speed))
        line = f"{self.group}, step {step}: {share:.0f}%, {speed:,.0f} seed-steps/s, {left} left"
        return f"{line}; {warning}" if (warning := self.warning()) else line
