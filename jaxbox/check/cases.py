"""Small configurations for a name: what it needs beside it, and what it can then be asked to learn."""

from collections.abc import Mapping
from typing import Any

from jaxbox import config
from jaxbox.config import Configuration, Data, Model, Optimizer, Task

BASE = Configuration(
    Task(height=6, width=7, box_size=2, noise_level=0.1),
    Model("mlp", features=(3, 4), kernel_size=2, hidden=(16,)),
    # Weak, so that they hinder nothing.
    optimizer=Optimizer(learning_rate=0.01, weight_decay=1e-3, decay_every=2, decay_factor=0.999),
    data=Data(train_size=8, concentration=2.0),
    batch_size=4,
    steps=4,
    eval_every=2,
)
WITH = {
    "red_box": {"task.channels": 3},
    "cell": {"loss.name": "cross_entropy"},
    "cell_mode": {"loss.name": "cross_entropy"},
    "cross_entropy": {"task.targets": "cell"},
    "mse_msle": {"task.targets": "unit", "model.output": "softplus"},
}
"""What a name needs beside it."""


def case_of(changes: Mapping[str, Any]) -> Configuration:
    """BASE with these fields, and with what their names need beside them, but without what it then does not read."""
    needed = {path: value for name in changes.values() if isinstance(name, str) for path, value in _with(name)}
    return config.settle(config.change(BASE, needed | dict(changes)))


def _with(name: str) -> list[tuple[str, str]]:
    return list(WITH.get(name, {}).items())


def with_other_floats(case: Configuration) -> Configuration:
    """With another learning rate, another noise level if it is read, and nine tenths of each option of a kind's own."""
    own = {path: value for path, value in config.traced(case).items() if path not in config.TRACED}
    changes = {"optimizer.learning_rate": 0.02, "task.noise_level": 0.3}
    return config.settle(config.replace(case, changes | {path: 0.9 * value for path, value in own.items()}))
