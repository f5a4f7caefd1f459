"""What experiments start from: a box that is learned or lost within seconds, and the thread's own."""

from typing import Any

from jaxbox.config import Configuration, Task, change


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
    task, steps, evaluations = (Task(32, 32, 5), 7800, 100) if full else (Task(16, 16, 4), 100, 10)
    steps = fields.get("steps", steps)
    start = Configuration(task, steps=steps, eval_every=max(1, steps // evaluations))
    return change(start, fields)
