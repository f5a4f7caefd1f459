"""From positions to clean images, with what the scene draws beside them."""

from typing import Any

import jax
import numpy as np
from jaxtyping import Array, Float, Int, Key

from jaxbox.config import Task
from jaxbox.task import scenes

SCENE = 1
"""Folded into an example's key for what its scene draws; its noise has the key itself."""


def draw_scene(task: Task, keys: Key[Array, " n"]) -> Any:
    """What the scene draws for an image of each key, beside its position; None where it draws nothing."""
    scene = scenes.of(task)
    if not isinstance(scene, scenes.DrawingScene):
        return None
    return jax.vmap(lambda key: scene.draw(task, jax.random.fold_in(key, SCENE)))(keys)


def render_drawn(task: Task, positions: Int[Any, "n 2"], drawn: Any) -> Float[Any, "n H W C"]:
    """Clean images with pixels in [0, 1], with what `draw_scene` has drawn."""
    scene = scenes.of(task)
    if not isinstance(scene, scenes.DrawingScene):
        return scene.render(task, positions)
    on_host = isinstance(positions, np.ndarray)
    return scene.render(task, positions, jax.tree.map(np.asarray, drawn) if on_host else drawn)


def render(task: Task, positions: Int[Any, "n 2"], key: Key[Array, "*n"] | None = None) -> Float[Any, "n H W C"]:
    """Clean images with pixels in [0, 1].

    Args:
        key: of what the scene draws beside the position: one key, or one an image; by default always the same. Scenes
            that draw nothing do not look at it.
    """
    if not scenes.draws(task):
        return render_drawn(task, positions, None)
    key = jax.random.key(0) if key is None else key
    keys = key if key.ndim else jax.random.split(key, positions.shape[0])
    return render_drawn(task, positions, draw_scene(task, keys))
