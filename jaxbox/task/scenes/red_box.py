"""A red box over `distractors` circles of random colour, size and place, which may hide each other but never the box.

Circles are uniform in colour, in diameter from `smallest_box` to as far above `box_size`, and in place.
"""

from typing import Any

from jaxtyping import Array, Float, Int, Key

from jaxbox.config import Task
from jaxbox.task.scenes import box, shapes
from jaxbox.task.scenes.shapes import Circles

position_shape, position, centre = box.position_shape, box.position, box.centre


def draw(task: Task, key: Key[Array, ""]) -> Circles:
    """The circles."""
    return shapes.circles_around(task, key, 3, (0.0, 1.0))


def render(task: Task, positions: Int[Any, "n 2"], drawn: Circles) -> Float[Any, "n H W 3"]:
    """Clean images: circles on black, then the box, whose colour is (1, 0, 0)."""
    boxes = box.render(task, positions)
    xp = boxes.__array_namespace__()
    red = xp.asarray([1, 0, 0], dtype=boxes.dtype)[None, None, None]
    return xp.where(boxes > 0, red, shapes.paint(task, xp.zeros_like(boxes), drawn))
