"""From indices of positions to what a network trains on: inputs, as images or as windows, and targets."""

from typing import Any

import jax.numpy as jnp
from jaxtyping import Array, Float, Int

from jaxbox.config import Task
from jaxbox.layers.windows.windowed import Windowed
from jaxbox.task import scenes
from jaxbox.task.inputs import input_scale, inputs
from jaxbox.task.labels import Taught
from jaxbox.task.noises import apply_noise
from jaxbox.task.positions import position
from jaxbox.task.targets import target_kind


def render(task: Task, positions: Int[Any, "n 2"]) -> Float[Any, "n H W C"]:
    """Clean images with pixels in [0, 1]."""
    return scenes.of(task).render(task, positions)


def example(
    task: Task,
    index: Int[Any, " n"],
    draws: Float[Array, "n H W C"],
    windows: bool = False,
    taught: Taught = Taught(),  # noqa: B008 - it cannot be changed
) -> tuple[Float[Any, "n H W C"] | Windowed, Float[Any, "n numbers"]]:
    """Inputs, and targets in their own scale, at these position indices, with the noise that `draw_noise` has drawn.

    Args:
        index: into `positions`; for windows it may be a NumPy array, and what follows from it is then done before
            tracing.
        draws: not looked at where windows are asked for: they have no noise.
        windows: whether the inputs are windows, which scene, noise and labels must allow (`config.tables`).
        taught: what is not true of the examples.
    """
    targets = target_kind(task).encode(task, index if taught.index is None else taught.index)
    if windows:
        return scenes.windowed(task).windows(task, index, *input_scale(task)), targets
    images = render(task, position(task, index))
    if taught.mirrored is not None:
        images = jnp.where(taught.mirrored[:, None, None, None], images[:, :, ::-1], images)
    return inputs(task, apply_noise(task, images, draws)), targets
