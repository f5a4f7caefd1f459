"""Noise on images: for each kind what is drawn, and what that does. Rows: `jaxbox.config.tables.NOISES`."""

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Key

from jaxbox.config import Task, tables


class Noise(NamedTuple):
    """What a row of the table of noises must be: `draw`(key, shape) -> draws, `apply`(task, images, draws) -> images,
    `moments`(task, mean, variance) -> both of a noisy pixel, given those of the clean one.

    Draws depend on neither the level nor the image: they are made once for all who see the same noise.
    """

    draw: Callable[[Key[Array, ""], tuple[int, ...]], Array]
    apply: Callable[[Task, Array, Array], Array]
    moments: Callable[[Task, Any, Any], tuple[Any, Any]]


def white(task: Task, images: Float[Any, "n H W C"], normal: Float[Array, "n H W C"]) -> Float[Array, "n H W C"]:
    """Independent Gaussian noise of standard deviation `noise_level` on every pixel; values leave [0, 1]."""
    return images + task.noise_level * normal


def salt_pepper(task: Task, images: Float[Any, "n H W C"], uniform: Float[Array, "n H W C"]) -> Float[Array, "n H W C"]:
    """Each pixel is replaced with probability `noise_level`, by 1 with probability `salt` and otherwise by 0."""
    pepper, salt = uniform < task.noise_level * (1 - task.salt), uniform >= 1 - task.noise_level * task.salt
    return jnp.where(pepper, 0.0, jnp.where(salt, 1.0, images))


def _moments_of_salt_pepper(task: Task, mean: Any, variance: Any) -> tuple[Any, Any]:
    replaced, salt = task.noise_level, task.noise_level * task.salt
    noisy = (1 - replaced) * mean + salt
    return noisy, (1 - replaced) * (variance + mean**2) + salt - noisy**2


NONE = Noise(
    lambda key, shape: jnp.zeros(shape),
    lambda task, images, draws: images,
    lambda task, mean, variance: (mean, variance),
)
WHITE = Noise(jax.random.normal, white, lambda task, mean, variance: (mean, variance + task.noise_level**2))
SALT_PEPPER = Noise(jax.random.uniform, salt_pepper, _moments_of_salt_pepper)


def of(task: Task) -> Noise:
    """The task's noise.

    Raises:
        ConfigurationError: it is in no table.
    """
    return tables.load("task.noise", task.noise)


def draw_noise(task: Task, keys: Key[Array, " n"], shape: tuple[int, ...] | None = None) -> Float[Array, "n H W C"]:
    """What the task's noise draws for an image of each key: of this shape, or of the task's own."""
    shape = shape or (task.height, task.width, task.channels)
    draw = of(task).draw
    # One long row an image: XLA compiles draws with short last axes several times more slowly.
    return jax.vmap(lambda key: draw(key, (math.prod(shape),)))(keys).reshape(-1, *shape)


def apply_noise(task: Task, images: Float[Any, "n H W C"], draws: Float[Array, "n H W C"]) -> Float[Any, "n H W C"]:
    """Images with the noise that `draw_noise` has drawn."""
    return of(task).apply(task, images, draws)


def observe(task: Task, images: Float[Any, "n H W C"], key: Key[Array, "*n"]) -> Float[Any, "n H W C"]:
    """Images with the task's noise, drawn from one key, or from one key an image."""
    keys = key if key.ndim else jax.random.split(key, images.shape[0])
    return apply_noise(task, images, draw_noise(task, keys, images.shape[1:]))
