"""Mean and variance of pixels over all images that a task can show: what inputs are standardised by.

These are the population's, not those of a seed's training set, so that they are known before tracing and all members
of a program share them. With thousands of examples the two hardly differ; with few they do, which nothing here shows.
Positions are equally likely here, whatever their law in the data.
"""

import dataclasses
from functools import lru_cache
from typing import Any, NamedTuple

import jax
import numpy as np
from jaxtyping import Float

from jaxbox.config import Task
from jaxbox.task import noises, scenes
from jaxbox.task.positions import position_count, positions
from jaxbox.task.rendering import draw_scene, render_drawn

IMAGES = 4096
"""Of an estimate, at least; a variance is then known to about 2% (standard error)."""
MOST_PIXELS = 2**28
"""In all clean images of a lattice, above which they are sampled; rendering them takes some seconds."""
BLOCK_PIXELS = 2**21
SEED = 2**31 - 2
"""Of estimates: always the same, and no member's nor the evaluation's."""


class Moments(NamedTuple):
    """Of every pixel, in [0, 1] units. Traced where they depend on the noise's level."""

    mean: Float[Any, "H W C"]
    variance: Float[Any, "H W C"]


def pixel_moments(task: Task) -> Moments:
    """Of clean images, in float64: exact over the lattice of a scene that draws nothing, unless those are too many.

    Otherwise an estimate, from IMAGES images or as many as there are positions, of a fixed seed. Floats of the task, an
    own scene's among them, are at their defaults here: what is traced has no population before tracing.
    """
    still = {field.name: field.default for field in dataclasses.fields(task) if isinstance(field.default, float)}
    return _pixel_moments(dataclasses.replace(task, **still))


def observed_moments(task: Task) -> Moments:
    """The same of noisy images."""
    return Moments(*noises.of(task).moments(task, *pixel_moments(task)))


def moments(task: Task) -> tuple[float, float]:
    """Mean and variance of all clean pixels together: the scene's own where it knows them, otherwise those above."""
    scene = scenes.of(task)
    if isinstance(scene, scenes.KnownMoments):
        return scene.moments(task)
    mean, variance = pixel_moments(task)
    return float(mean.mean()), float(np.mean(variance + mean**2) - mean.mean() ** 2)


@lru_cache(maxsize=8)
def _pixel_moments(task: Task) -> Moments:
    places, shape = positions(task), (task.height, task.width, task.channels)
    random, count = scenes.draws(task), position_count(task)
    if random or count * np.prod(shape, dtype=float) > MOST_PIXELS:
        count = -(-IMAGES // count) * count if random else IMAGES
        places = places[np.random.default_rng(SEED).permutation(np.arange(count) % len(places))]
    size = max(1, int(BLOCK_PIXELS // np.prod(shape)))
    total, squares = np.zeros(shape), np.zeros(shape)
    # Moments may be asked for while a program is traced, which is not to draw them.
    with jax.ensure_compile_time_eval():
        keys = jax.random.split(jax.random.key(SEED), count)
        for start in range(0, count, size):
            block = slice(start, start + size)
            images = render_drawn(task, places[block], draw_scene(task, keys[block]))
            total += images.sum(0)
            squares += (images**2).sum(0)
    mean = total / count
    return Moments(mean, np.maximum(squares / count - mean**2, 0.0))
