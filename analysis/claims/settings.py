"""The settings in which a claim is tried: no verdict rests on one that we happened to choose."""

from collections.abc import Mapping
from typing import Any

SETTINGS: dict[str, Mapping[str, Any]] = {
    "small": {},
    "second": {"task.box_size": 5, "optimizer.epsilon": 1e-8},
    "epsilon": {"optimizer.epsilon": 1e-8},
    "large": {"task.height": 64, "task.width": 64, "task.box_size": 5, "steps": 60, "eval_every": 60},
    "full": {},
}
"""Fields that are set in every configuration of an experiment, by the setting's name. What a configuration does not
read, such as Adam's epsilon under SGD, changes nothing there."""
FULL = "full"
"""The experiments' full size, on a GPU; in place of all others."""
EPSILONS = {
    "small": "Adam's epsilon 1e-7 (Keras's)",
    "second": "Adam's epsilon 1e-8 (the question's)",
    "epsilon": "Adam's epsilon 1e-8 (the question's)",
    "full": "the full size",
}
"""What is left of a setting's words where rows say their own sizes."""
WORDS = {
    "small": "16 x 16, box of 4, Adam's epsilon 1e-7 (Keras)",
    "second": "16 x 16, box of 5, Adam's epsilon 1e-8 (the question's)",
    "epsilon": "16 x 16, box of 4, Adam's epsilon 1e-8 (the question's)",
    "large": "64 x 64, box of 5, 60 steps",
    "full": "the full size",
}
