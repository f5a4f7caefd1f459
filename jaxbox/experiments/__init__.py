"""The table of named sweeps, one theme a file.

Each is a function to configurations, whose docstring says claim, command, cost and outcome.
"""

from collections.abc import Callable

from jaxbox.config import Configuration
from jaxbox.experiments.thread import base, thread, thread_full

EXPERIMENTS: dict[str, Callable[[], list[Configuration]]] = {
    "thread": thread,
    "thread_full": thread_full,
    "base": base,
}
