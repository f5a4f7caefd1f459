"""A grey box over `distractors` grey circles: as `red_box`, but box and circles have their greys from one law.

They are uniform between 1/4 and 1, so that nothing is invisible, and neither grey nor size tells which is the box.
"""

from typing import Any, NamedTuple

import jax
from jaxtyping import Array, Float, Int, Key

from jaxbox.config import Task
from jaxbox.task.scenes import box, shapes
from jaxbox.task.scenes.shapes import Circles

position_shape, position, centre = box.position_shape, box.position, box.centre
GREYS = (0.25, 1.0)


class Drawn(NamedTuple):
    """Of each image: its circles, and the grey of its box."""

    circles: Circles
    grey: Float[Any, "*n"]


def draw(task: Task, key: Key[Array, ""]) -> Drawn:
    """The circles, and the grey of the box."""
    circles, grey = jax.random.split(key)
    uniform = jax.random.uniform(grey, (), minval=GREYS[0], maxval=GREYS[1])
    return Drawn(shapes.circles_around(task, circles, 1, GREYS), uniform)


def render(task: Task, positions: Int[Any, "n 2"], drawn: Drawn) -> Float[Any, "n H W C"]:
    """Clean images: circles on black, then the box."""
    boxes = box.render(task, positions)
    xp = boxes.__array_namespace__()
    # One channel of circles, painted over as many as there are.
    return xp.where(boxes > 0, drawn.grey[:, None, None, None], shapes.paint(task, xp.zeros_like(boxes), drawn.circles))
