"""Which targets, losses and outputs go together; every other combination is refused before JAX is loaded."""

import itertools
from collections.abc import Mapping
from typing import Any

from jaxbox.config.errors import require

AFFINE_TARGETS = ("symmetric", "unit", "pixels", "centred_pixels", "standardized")
"""Targets that are affine in the scene's centre."""
PLACES = ("soft_argmax",)
"""Models whose outputs are a mean place, and nothing else."""
SPREADS = ("gaussian_nll", "beta_nll")
"""Losses that ask for a variance beside each number."""
CLASSES = ("cell", "cell_mode")
"""Targets that are probabilities of classes."""
NON_NEGATIVE_TARGETS = ("unit", "pixels", "quantile")
"""Targets that are never less than 0, as long as the scene's centre is in the image."""
NON_NEGATIVE_OUTPUTS = ("relu", "sigmoid", "softplus")
"""Output activations whose values are never less than 0."""

WIDTHS = {"mlp": ("model.hidden",), "cnn": ("model.dense",)}
"""Models that read a shortcut, and the field with the widths of their dense layers."""


def check_combination(leaves: Mapping[str, Any]) -> None:
    """Refuse a loss that cannot take these targets, or these outputs, and a model that cannot make them.

    Args:
        leaves: a configuration's values, by dotted path.

    Raises:
        ConfigurationError: with the field, its value, and what is allowed.
    """
    loss, targets = leaves["loss.name"], leaves["task.targets"]
    if loss == "cross_entropy":
        require(targets in CLASSES, "task.targets", targets, f"{_listed(CLASSES)} with loss.name cross_entropy")
    fits = targets not in CLASSES or loss == "cross_entropy"
    require(fits, "loss.name", loss, f"cross_entropy with task.targets {targets}")
    if leaves["model.name"] in PLACES:
        model = f"with model.name {leaves['model.name']}, whose outputs are a place"
        require(targets in AFFINE_TARGETS, "task.targets", targets, f"{_listed(AFFINE_TARGETS)} {model}")
        require(loss not in SPREADS, "loss.name", loss, f"a loss of (x, y) alone {model}")
    if loss == "mse_msle":
        allowed = f"{_listed(NON_NEGATIVE_TARGETS)} with loss.name mse_msle, whose logarithms need targets from 0 up"
        require(targets in NON_NEGATIVE_TARGETS, "task.targets", targets, allowed)
        _check_output_of_logarithms(leaves)
    if leaves["model.shortcut"] == "identity" and leaves["model.name"] in WIDTHS:
        _check_shortcut(leaves)


def _check_shortcut(leaves: Mapping[str, Any]) -> None:
    """Refuse shortcuts where no layer gives the shape that it is given."""
    convolutions = (leaves["task.channels"], *leaves["model.features"])
    keeps = leaves["model.stride"] == 1 and leaves["model.padding"] == "SAME" and leaves["model.pooling"] == "none"
    widths = [leaves[path] for path in WIDTHS[leaves["model.name"]]]
    if leaves["model.name"] == "cnn" and keeps:
        widths.append(convolutions)
    equal = any(one == other for each in widths for one, other in itertools.pairwise(each))
    allowed = "none, where no layer gives the shape that it is given (neighbours of one width; maps at stride 1, SAME)"
    require(equal, "model.shortcut", "identity", allowed)


def _check_output_of_logarithms(leaves: Mapping[str, Any]) -> None:
    """Refuse an output that can be negative: the logarithm is then NaN, and training ends at its first step."""
    output = leaves["model.output"]
    allowed = f"{_listed(NON_NEGATIVE_OUTPUTS)} with loss.name mse_msle, whose logarithms need outputs from 0 up"
    require(output in NON_NEGATIVE_OUTPUTS, "model.output", output, allowed)


def _listed(names: tuple[str, ...]) -> str:
    return f"{', '.join(names[:-1])} or {names[-1]}"
