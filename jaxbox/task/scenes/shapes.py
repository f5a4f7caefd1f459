"""What several scenes draw: boxes between pixels, and circles."""

from typing import Any, NamedTuple

import jax
from jaxtyping import Array, Float, Key, Real

from jaxbox.config import Task


class Circles(NamedTuple):
    """Of one image (or, with a first axis n, of n): centres and diameters in pixels, colours in [0, 1]."""

    centre: Float[Any, "*n k 2"]
    diameter: Float[Any, "*n k"]
    colour: Float[Any, "*n k C"]


def coverage(start: Real[Any, " n"], length: Any, pixels: int) -> Real[Any, "n pixels"]:
    """The share of each pixel of an axis that a segment covers; both in pixels, from the image's edge."""
    xp = start.__array_namespace__()
    pixel = xp.arange(pixels)[None]
    end = (start + length)[:, None]
    return xp.clip(xp.minimum(pixel + 1, end) - xp.maximum(pixel, start[:, None]), 0, 1)


def box(task: Task, corner: Real[Any, "n 2"], side: Any) -> Float[Any, "n H W C"]:
    """White boxes on black: a pixel is the share of it that the box covers.

    Args:
        corner: (x, y) of the top-left corner, in pixels from the image's; may be outside of the image.
        side: in pixels: a number, or one of each image.
    """
    xp = corner.__array_namespace__()
    corner = xp.asarray(corner, dtype=xp.asarray(1.0).dtype)
    across, down = coverage(corner[:, 0], side, task.width), coverage(corner[:, 1], side, task.height)
    return over_channels(task, (down[:, :, None] * across[:, None, :])[..., None])


def over_channels(task: Task, image: Float[Any, "n H W 1"]) -> Float[Any, "n H W C"]:
    """The same picture in each channel."""
    xp = image.__array_namespace__()
    return xp.broadcast_to(image, (*image.shape[:3], task.channels))


def draw_circles(
    task: Task, key: Key[Array, ""], channels: int, diameters: tuple[int, int], colours: tuple[float, float]
) -> Circles:
    """`task.distractors` circles, wholly inside of the image: all uniform and independent.

    Args:
        diameters: smallest and largest, in pixels.
        colours: smallest and largest value of each channel.
    """
    # All at once: a draw costs about the same whatever it draws.
    uniform = jax.random.uniform(key, (task.distractors * (3 + channels),)).reshape(-1, 3 + channels)
    diameter = diameters[0] + (diameters[1] - diameters[0]) * uniform[:, 0]
    room = jax.numpy.array([[task.width, task.height]]) - diameter[:, None]
    colour = colours[0] + (colours[1] - colours[0]) * uniform[:, 3:]
    return Circles(diameter[:, None] / 2 + room * uniform[:, 1:3], diameter, colour)


def circles_around(task: Task, key: Key[Array, ""], channels: int, colours: tuple[float, float]) -> Circles:
    """Circles whose mean diameter is the box's side, so that size does not tell the box from them."""
    return draw_circles(task, key, channels, (task.smallest_box, 2 * task.box_size - task.smallest_box), colours)


def inside(task: Task, centre: Float[Any, "n 2"], diameter: Any) -> Any:
    """Which pixels (n, H, W, 1) have their centre in a circle; not anti-aliased."""
    xp = centre.__array_namespace__()
    across = xp.arange(task.width)[None] + 0.5 - centre[:, 0, None]
    down = xp.arange(task.height)[None] + 0.5 - centre[:, 1, None]
    return (across[:, None, :, None] ** 2 + down[:, :, None, None] ** 2) <= (diameter / 2) ** 2


def paint(task: Task, images: Float[Any, "n H W C"], circles: Circles) -> Float[Any, "n H W C"]:
    """Images with circles drawn over them, the later over the earlier."""
    xp = images.__array_namespace__()
    for number in range(circles.diameter.shape[1]):
        covered = inside(task, circles.centre[:, number], circles.diameter[:, number, None, None, None])
        images = xp.where(covered, circles.colour[:, number, None, None], images)
    return images
