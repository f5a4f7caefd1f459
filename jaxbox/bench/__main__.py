"""The command `python -m jaxbox.bench`: the speed of jaxbox side by side with other ways to do the same work.

Each side has a process of its own. Sides take turns, round after round, so that only one computes at a time and
whatever else the machine does meets them all; ratios are paired by round. Losses are compared first.
"""

import contextlib
import signal
import sys
import time
from collections.abc import Mapping, Sequence
from typing import Any

from jaxbox import command_line
from jaxbox.bench.arguments import Arguments, parse
from jaxbox.config import ConfigurationError, RunError


def main(words: Sequence[str] | None = None) -> int:
    """The command line; returns the exit code: 1 if a side fails its check, 2 for bad input, 130 when interrupted."""
    # A polite kill is an interruption too: workers end and what was measured is kept. Only the main thread can ask so.
    with contextlib.suppress(ValueError):
        signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        arguments = parse(sys.argv[1:] if words is None else words)
        return _main(arguments)
    except KeyboardInterrupt:
        print("jaxbox.bench: stopped", file=sys.stderr)
        return 130
    except (ConfigurationError, RunError) as error:
        print(f"jaxbox.bench: {error}", file=sys.stderr)
        return 2


def _main(arguments: Arguments) -> int:
    # Imported late: JAX takes seconds, and help and refusals should come at once.
    from jaxbox.bench import measuring, plot
    from jaxbox.bench.comparison import LossError
    from jaxbox.bench.process import WorkerError

    start = time.monotonic()

    def say(line: str) -> None:
        print(f"{time.monotonic() - start:6.0f} s  {line}", file=sys.stderr, flush=True)

    try:
        content = measuring.run(arguments, say)
    except (LossError, WorkerError) as error:
        print(f"jaxbox.bench: {error}", file=sys.stderr)
        return 1
    show(content)
    print(f"results: {arguments.out}")
    if arguments.plot:
        plot.draw(content["cases"], arguments.plot)
        print(f"picture: {arguments.plot}")
    return 0


def show(content: Mapping[str, Any]) -> None:
    """Print the table and what must be said beside it."""
    from jaxbox.bench import table

    console = command_line.table_console()
    console.print(table.table(content["cases"]))
    for line in table.remarks(content):
        console.print(line, highlight=False, soft_wrap=True)


if __name__ == "__main__":
    sys.exit(main())
