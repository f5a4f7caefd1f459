"""Dots drawn one over another, all of diameter `box_size`: the target is the first, under all others.

It is white, and the `distractors` over it are of greys between 1/4 and 3/4, so that it is known by its brightness, as
far as it is seen at all: the others are anywhere, and may hide some of it or all.
"""

from typing import Any

from jaxtyping import Array, Float, Int, Key

from jaxbox.config import Task
from jaxbox.task.scenes import box, shapes
from jaxbox.task.scenes.shapes import Circles

position_shape, position, centre = box.position_shape, box.position, box.centre
GREYS = (0.25, 0.75)


def draw(task: Task, key: Key[Array, ""]) -> Circles:
    """The other dots."""
    return shapes.draw_circles(task, key, 1, (task.box_size, task.box_size), GREYS)


def render(task: Task, positions: Int[Any, "n 2"], drawn: Circles) -> Float[Any, "n H W C"]:
    """Clean images: the white dot on black, then the others."""
    target = shapes.inside(task, centre(task, positions), task.box_size)
    xp = positions.__array_namespace__()
    white = shapes.over_channels(task, target.astype(xp.asarray(1.0).dtype))
    return shapes.paint(task, white, drawn)
