"""What experiments start from: a box that is learned or lost within seconds, and the thread's own."""

from collections.abc import Mapping, Sequence
from typing import Any

from jaxbox.config import Configuration, Task, change, grid

THREAD_STEPS = 7800
"""100 epochs of the thread's 10,000 examples, in batches of 128."""
RATES = (0.003, 0.01, 0.03)
"""The question's learning rate, about a third of it and three times it: what becomes of a network depends on it, so
that a remedy is tried at each of them."""


def box(full: bool = False, **fields: Any) -> Configuration:
    """The thread's network on its task, with some fields changed; small, and decided within tens of steps, or in full.

    Small is 16 x 16 pixels, a box of 4 and 100 steps. Full is what the thread trains: 32 x 32 pixels, a box of 5,
    10,000 examples, 100 epochs. Unless it is given, `eval_every` is a tenth of the steps, in full a hundredth.

    Args:
        full: the thread's own size.
        fields: values by dotted path: `box(steps=200, **{"model.name": "linear"})`.

    Raises:
        ConfigurationError: a field or a name that is not known.
    """
    task, steps, evaluations = (Task(32, 32, 5), THREAD_STEPS, 100) if full else (Task(16, 16, 4), 100, 10)
    steps = fields.get("steps", steps)
    start = Configuration(task, steps=steps, eval_every=max(1, steps // evaluations))
    return change(start, fields)


def grids(start: Configuration, *products: Mapping[str, Sequence[Any]]) -> list[Configuration]:
    """Several grids from one start, one after the other; for what is no single product, as rules with their own rates.

    Args:
        products: of each grid the values of each field by its dotted path, as in `jaxbox.config.grid`.

    Raises:
        ConfigurationError: as `grid`.
    """
    return [configuration for fields in products for configuration in grid(start, fields)]
