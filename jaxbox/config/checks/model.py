"""What no network can be: sizes, widths, rates."""

from typing import Any

from jaxbox.config.errors import require
from jaxbox.config.fields import single


def check_model(leaves: dict[str, Any]) -> None:
    """Refuse sizes, widths and rates that no network can have.

    Raises:
        ConfigurationError: with the field, its value and what is allowed.
    """
    for path in ("model.kernel_size", "model.stride"):
        require(leaves[path] >= 1, path, leaves[path], "at least 1")
    # A heat map can be made of the image itself.
    fewest = {"model.features": 0 if leaves["model.name"] == "soft_argmax" else 1, "model.hidden": 1, "model.dense": 0}
    for path, count in fewest.items():
        fine = len(leaves[path]) >= count and min(leaves[path], default=1) >= 1
        require(fine, path, leaves[path], f"{('any number of', 'one or more')[count]} positive integers")
    require(leaves["model.initial_scale"] >= 0, "model.initial_scale", leaves["model.initial_scale"], "at least 0")
    rate = leaves["model.dropout_rate"]
    require(0 <= single(rate) < 1, "model.dropout_rate", rate, "at least 0 and less than 1, as a 32-bit float")
    require(leaves["model.padding"] in ("SAME", "VALID"), "model.padding", leaves["model.padding"], "SAME or VALID")
