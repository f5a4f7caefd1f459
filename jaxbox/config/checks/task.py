"""What no task can be: sizes, shares, and what does not fit into the image."""

from collections.abc import Collection
from typing import Any

from jaxbox.config.errors import require
from jaxbox.config.fields import single
from jaxbox.config.tables.task import MARGINS

MOST_DISTRACTORS = 64
"""Each is a part of the compiled program."""


def check_task(leaves: dict[str, Any]) -> None:
    """Refuse sizes that no image has, and shares that are none.

    Raises:
        ConfigurationError: with the field, its value and what is allowed.
    """
    for path in ("task.height", "task.width", "task.box_size", "task.subpixels", "task.smallest_box"):
        require(leaves[path] >= 1, path, leaves[path], "at least 1")
    for path in (*MARGINS, "task.overhang", "task.distractors"):
        require(leaves[path] >= 0, path, leaves[path], "at least 0")
    require(leaves["task.channels"] in (1, 3), "task.channels", leaves["task.channels"], "1 or 3")
    level, salt = leaves["task.noise_level"], leaves["task.salt"]
    require(level >= 0, "task.noise_level", level, "at least 0")
    if leaves["task.noise"] == "salt_pepper":
        require(level <= 1, "task.noise_level", level, "a probability, at most 1")
    contrast = leaves["task.contrast"]
    require(single(contrast) > 0, "task.contrast", contrast, "greater than 0, as a 32-bit float")
    require(0 <= salt <= 1, "task.salt", salt, "a share, from 0 to 1")


def check_scene(leaves: dict[str, Any], read: Collection[str]) -> None:
    """Refuse what does not fit into the image, of the fields that the scene reads.

    Raises:
        ConfigurationError: with the field, its value and what is allowed.
    """
    left, right, top, bottom = (leaves[path] for path in MARGINS)
    room = min(leaves["task.width"] - left - right, leaves["task.height"] - top - bottom)
    side = leaves["task.box_size"]
    if "task.box_size" in read:
        require(side <= room, "task.box_size", side, f"at most {room}, the image less its margins")
    else:
        require(room >= 1, "task.margin_left", left, "less: the margins leave no place in the image")
    if "task.smallest_box" in read:
        smallest = leaves["task.smallest_box"]
        require(smallest <= side, "task.smallest_box", smallest, f"at most task.box_size, {side}")
    if "task.overhang" in read:
        overhang = leaves["task.overhang"]
        require(2 * overhang <= side, "task.overhang", overhang, f"at most {side // 2}, half of task.box_size")
    if "task.distractors" in read:
        _check_distractors(
            leaves, side, 2 * side - leaves["task.smallest_box"] if "task.smallest_box" in read else side
        )
    if leaves["task.scene"] == "red_box":
        require(leaves["task.channels"] == 3, "task.channels", leaves["task.channels"], "3 with task.scene red_box")


def _check_distractors(leaves: dict[str, Any], side: int, largest: int) -> None:
    """Refuse more circles than could lie beside each other and the box, each in a square, going by areas."""
    height, width, count = leaves["task.height"], leaves["task.width"], leaves["task.distractors"]
    room = min(height, width)
    require(largest <= room, "task.box_size", side, f"less: circles of up to {largest} pixels do not fit into {room}")
    most = min((height * width - side**2) // largest**2, MOST_DISTRACTORS)
    require(count <= most, "task.distractors", count, f"at most {most}, as many as fit")
