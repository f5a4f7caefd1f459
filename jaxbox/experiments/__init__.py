"""The table of named sweeps, one theme a file.

Each is a function to configurations, whose docstring says claim, command, cost and outcome.
"""

from collections.abc import Callable

from jaxbox.config import Configuration, ConfigurationError, look_up, one_line, outside
from jaxbox.experiments.thread import base, thread

EXPERIMENTS: dict[str, Callable[[], list[Configuration]]] = {
    "thread": thread,
    "base": base,
}


def configurations(name: str) -> list[Configuration]:
    """The configurations of an experiment, by its name in the table or from outside: mine.py:experiment.

    Raises:
        ConfigurationError: there is none of that name, it raises, or it does not return configurations.
    """
    if not outside.is_outside(name):
        return look_up(EXPERIMENTS, name, "experiment")()
    function = outside.load("experiment", name)
    try:
        found = list(function())
    except ConfigurationError:
        raise
    except Exception as error:
        raise ConfigurationError(f"experiment: {name} fails: {type(error).__name__}: {one_line(error)}") from error
    if not found or not all(isinstance(each, Configuration) for each in found):
        raise ConfigurationError(f"experiment: {name} must return a list of one or more Configuration")
    return found
