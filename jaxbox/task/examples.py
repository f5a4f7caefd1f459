"""From indices of positions to what a network trains on: inputs, as images or as windows, and targets."""

from typing import Any, NamedTuple

import jax.numpy as jnp
from jaxtyping import Array, Float, Int, Key

from jaxbox.config import Task
from jaxbox.layers.windows.windowed import Windowed
from jaxbox.task import scenes
from jaxbox.task.inputs import input_scale, inputs
from jaxbox.task.labels import Taught
from jaxbox.task.noises import apply_noise, draw_noise
from jaxbox.task.positions import position
from jaxbox.task.rendering import draw_scene, render_drawn
from jaxbox.task.targets import target_kind


class Draws(NamedTuple):
    """All that is random in images beside their positions: the noise, and what the scene draws (None if nothing)."""

    noise: Float[Array, "n H W C"]
    scene: Any


def draw_images(task: Task, keys: Key[Array, " n"]) -> Draws:
    """What an image of each key draws: its noise, at any level, and the rest of its scene."""
    return Draws(draw_noise(task, keys), draw_scene(task, keys))


def example(
    task: Task,
    index: Int[Any, " n"],
    draws: Draws,
    windows: bool = False,
    taught: Taught = Taught(),  # noqa: B008 - it cannot be changed
) -> tuple[Float[Any, "n H W C"] | Windowed, Float[Any, "n numbers"]]:
    """Inputs, and targets in their own scale, at these position indices, with what `draw_images` has drawn.

    Args:
        index: into `positions`; for windows it may be a NumPy array, and what follows from it is then done before
            tracing.
        draws: not looked at where windows are asked for: they have none.
        windows: whether the inputs are windows, which scene, noise, inputs and labels must allow (`config.tables`).
        taught: what is not true of the examples.
    """
    targets = target_kind(task).encode(task, index if taught.index is None else taught.index)
    if windows:
        return scenes.windowed(task).windows(task, index, *input_scale(task)), targets
    images = render_drawn(task, position(task, index), draws.scene)
    if taught.mirrored is not None:
        images = jnp.where(taught.mirrored[:, None, None, None], images[:, :, ::-1], images)
    return inputs(task, apply_noise(task, images, draws.noise)), targets
