"""Of which configurations the law of the collapse speaks, and of which of those it was fitted on nothing alike."""

from typing import Any

from jaxbox.config import Configuration
from jaxbox.config.tables import INPUTS

KNOWN: dict[str, tuple[str, ...]] = {
    "model.name": ("cnn", "mlp"),
    "model.activation": ("relu",),
    "model.output": ("identity",),
    "model.initialization": ("glorot", "he", "lecun"),
    "model.pooling": ("none",),
    "model.normalization": ("none",),
    "model.shortcut": ("none",),
    "model.dropout": ("none",),
    "task.scene": ("box", "pixel"),
    "task.inputs": tuple(INPUTS),
    "task.noise": ("none",),
    "loss.name": ("mse",),
    "optimizer.name": ("adam", "momentum", "sgd"),
    "optimizer.schedule": ("constant",),
}
"""What the formula has a meaning for, by field."""
ABOVE_ZERO = ("optimizer.learning_rate", "model.initial_scale")
"""What it takes the logarithm of."""
FITTED: dict[str, tuple[float, float]] = {
    "task.height": (16, 40),
    "task.width": (16, 40),
    "task.contrast": (0.01, 100),
    "model.kernel_size": (3, 9),
    "model.stride": (2, 2),
    "batch_size": (32, 128),
    "model.initial_scale": (0.25, 4),
    "model.initial_bias": (0, 0),
    "optimizer.weight_decay": (0, 0),
    "optimizer.clip_norm": (0, 0),
    "optimizer.warmup_steps": (0, 0),
}
"""From and to which numbers the settings went that it was fitted on, by field; every other number of theirs is free."""
CHANNELS, LAYERS = (6, 160), (1, 5)
"""Likewise of each layer, and of how many."""
NAMES: dict[str, tuple[str, ...]] = {
    "model.name": ("cnn",),
    "model.initialization": ("glorot", "he"),
    "task.inputs": ("unit", "dimmed", "byte", "inverted", "standardized", "mean_subtracted"),
    "task.scene": ("box",),
    "task.targets": ("symmetric",),
    "data.law": ("uniform",),
    "optimizer.frozen": ("none",),
}
"""What it was fitted on, of names."""


def unknown(configuration: Configuration) -> str:
    """Why the law says nothing of a configuration; empty if it does say something."""
    for path, names in KNOWN.items():
        section, field = path.split(".")
        value = getattr(getattr(configuration, section), field)
        if value not in names:
            return f"{path}: the law of the collapse knows {', '.join(names)}, not {value}"
    for path in ABOVE_ZERO:
        if _value(configuration, path) <= 0:
            return f"{path}: the law of the collapse knows what is above 0, not {_value(configuration, path):g}"
    return ""


def beyond(configuration: Configuration) -> list[str]:
    """In what a configuration goes beyond all that the law was fitted on, in words; the less, the more it is to be
    trusted."""
    found = [f"{path} {name}" for path, names in NAMES.items() if (name := _value(configuration, path)) not in names]
    for path, (least, most) in FITTED.items():
        value = _value(configuration, path)
        if not least <= value <= most:
            found.append(f"{path} {value:g}")
    model = configuration.model
    units = (*model.features, *model.dense) if model.name == "cnn" else model.hidden
    found += [f"a layer of {each}" for each in dict.fromkeys(units) if not CHANNELS[0] <= each <= CHANNELS[1]]
    if not LAYERS[0] <= len(units) <= LAYERS[1]:
        found.append(f"{len(units)} hidden layer{'s' * (len(units) != 1)}")
    return found


def _value(configuration: Configuration, path: str) -> Any:
    section, _, field = path.rpartition(".")
    return getattr(getattr(configuration, section) if section else configuration, field)
