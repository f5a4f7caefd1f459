"""The one definition of the box task: positions, images, noise, inputs and targets.

An image is zero but for one white box; the target is the box's centre. Functions of integer
positions accept NumPy arrays (and compute in float64, for analysis) or JAX arrays (float32, inside
the compiled step). To add a scale of the inputs or of the targets write one function, and to add a
noise say what it draws and what that does to images; name it in its table.
"""

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int, Key

from jaxbox import windows
from jaxbox.config import Task, choose
from jaxbox.windows import Windowed


class Affine(NamedTuple):
    """The map pixel -> scale * pixel + offset."""

    scale: float
    offset: float


def position_shape(task: Task) -> tuple[int, int]:
    """(P_y, P_x): how many rows and columns the box's top-left pixel can take."""
    rows = task.height - task.margin_top - task.margin_bottom - task.box_size + 1
    columns = task.width - task.margin_left - task.margin_right - task.box_size + 1
    return rows, columns


def position_count(task: Task) -> int:
    """N = P_y P_x."""
    rows, columns = position_shape(task)
    return rows * columns


def positions(task: Task) -> Int[np.ndarray, "N 2"]:
    """Every (column, row) of the box's top-left pixel, row by row: index = i_y P_x + i_x."""
    return np.asarray(position(task, np.arange(position_count(task))))


def position(task: Task, index: Int[Any, " n"]) -> Int[Any, "n 2"]:
    """The (column, row) of the positions with these indices into `positions(task)`."""
    xp = index.__array_namespace__()
    _, columns = position_shape(task)
    return xp.stack([index % columns + task.margin_left, index // columns + task.margin_top], axis=-1)


def render(task: Task, positions: Int[Any, "n 2"]) -> Float[Any, "n H W C"]:
    """Clean images with pixels 0 and 1."""
    xp = positions.__array_namespace__()
    column, row = positions[:, 0, None], positions[:, 1, None]
    x, y = xp.arange(task.width), xp.arange(task.height)
    in_column = (x >= column) & (x < column + task.box_size)
    in_row = (y >= row) & (y < row + task.box_size)
    image = (in_row[:, :, None] & in_column[:, None, :])[..., None]
    return xp.broadcast_to(image, (*image.shape[:3], task.channels)).astype(xp.asarray(1.0).dtype)


class Noise(NamedTuple):
    """What is drawn for each pixel, (key, shape) -> draws, and (task, images, draws) -> noisy images.

    Draws depend on neither the level nor the image: they are made once for all who see the same noise.
    """

    draw: Callable[..., Array]
    observe: Callable[..., Array]


def white(task: Task, images: Float[Array, "n H W C"], normal: Float[Array, "n H W C"]) -> Float[Array, "n H W C"]:
    """Independent Gaussian noise of standard deviation `noise_level` on every pixel; values leave [0, 1]."""
    return images + task.noise_level * normal


def salt_pepper(
    task: Task, images: Float[Array, "n H W C"], uniform: Float[Array, "n H W C"]
) -> Float[Array, "n H W C"]:
    """Each pixel is replaced with probability `noise_level`, by 0 or 1 with equal chance."""
    pepper, salt = uniform < task.noise_level / 2, uniform >= 1 - task.noise_level / 2
    return jnp.where(pepper, 0.0, jnp.where(salt, 1.0, images))


NOISES = {
    "none": Noise(lambda key, shape: jnp.zeros(shape), lambda task, images, draws: images),
    "white": Noise(jax.random.normal, white),
    "salt_pepper": Noise(jax.random.uniform, salt_pepper),
}


def draw_noise(task: Task, keys: Key[Array, " n"], shape: tuple[int, ...] | None = None) -> Float[Array, "n H W C"]:
    """What the task's noise draws for an image of each key: of this shape, or of the task's own."""
    shape = shape or (task.height, task.width, task.channels)
    draw = choose(NOISES, task.noise, "task.noise").draw
    # One long row an image: XLA compiles draws with short last axes several times more slowly.
    return jax.vmap(lambda key: draw(key, (math.prod(shape),)))(keys).reshape(-1, *shape)


def observe(task: Task, images: Float[Array, "n H W C"], key: Key[Array, "*n"]) -> Float[Array, "n H W C"]:
    """Images with the task's noise, drawn from one key, or from one key an image."""
    keys = key if key.ndim else jax.random.split(key, images.shape[0])
    return _add_noise(task, images, draw_noise(task, keys, images.shape[1:]))


def _add_noise(task: Task, images: Float[Array, "n H W C"], draws: Float[Array, "n H W C"]) -> Float[Array, "n H W C"]:
    return choose(NOISES, task.noise, "task.noise").observe(task, images, draws)


def lit_fraction(task: Task) -> float:
    """The share of an image's pixels that the box covers."""
    return task.box_size**2 / (task.height * task.width)


def _standardized(task: Task) -> Affine:
    # One mean and one scale for all pixels: per-pixel statistics divide by nearly nothing at pixels seldom lit.
    deviation = max(np.sqrt(lit_fraction(task) * (1 - lit_fraction(task))), 1e-3)
    return Affine(1 / deviation, -lit_fraction(task) / deviation)


INPUTS: dict[str, Callable[[Task], Affine]] = {
    "unit": lambda task: Affine(1.0, 0.0),
    "byte": lambda task: Affine(255.0, 0.0),
    "inverted": lambda task: Affine(-1.0, 1.0),
    "standardized": _standardized,
}


def input_scale(task: Task) -> Affine:
    """The affine map from [0, 1] pixels to what the network sees."""
    return choose(INPUTS, task.inputs, "task.inputs")(task)


def inputs(task: Task, images: Float[Any, "n H W C"]) -> Float[Any, "n H W C"]:
    """What the network sees of observed images."""
    scale, offset = input_scale(task)
    return images * scale + offset


def symmetric(task: Task, centre: Float[Any, "n 2"]) -> Float[Any, "n 2"]:
    """The image's edges at -1 and 1: x = 2 (c + b/2) / W - 1."""
    return centre * np.array([2 / task.width, 2 / task.height]) - 1


TARGETS: dict[str, Callable] = {"symmetric": symmetric}


def targets(task: Task, positions: Int[Any, "n 2"]) -> Float[Any, "n 2"]:
    """The (x, y) of the box's centre, in the task's target scale."""
    centre = positions + task.box_size / 2
    return choose(TARGETS, task.targets, "task.targets")(task, centre)


def check(task: Task) -> None:
    """Refuse names that are in no table.

    Raises:
        ConfigurationError: with the field and the nearest known name.
    """
    choose(NOISES, task.noise, "task.noise")
    choose(INPUTS, task.inputs, "task.inputs")
    choose(TARGETS, task.targets, "task.targets")


def draw_index(task: Task, key: Key[Array, ""], size: int) -> Int[Array, " size"]:
    """Indices into `positions(task)`, uniform and independent."""
    return jax.random.randint(key, (size,), 0, position_count(task))


def example(
    task: Task, index: Int[Any, " n"], draws: Float[Array, "n H W C"], render_images: bool = False
) -> tuple[Float[Array, "n H W C"] | Windowed, Float[Any, "n 2"]]:
    """Inputs and targets of the examples at these position indices, with the noise that `draw_noise` has drawn.

    The inputs are windows, unless there is noise or images are asked for. For windows the indices may be a NumPy array,
    and then what follows from them is done before tracing.
    """
    places = position(task, index)
    if windowed(task) and not render_images:
        return _windows(task, index), targets(task, places)
    return inputs(task, _add_noise(task, render(task, places), draws)), targets(task, places)


def windowed(task: Task) -> bool:
    """Whether every image is a box on a constant background, so that layers can work on windows."""
    return task.noise == "none"


def _windows(task: Task, index: Int[Any, " n"]) -> Windowed:
    rows, columns = position_shape(task)
    corners = np.arange(rows) + task.margin_top, np.arange(columns) + task.margin_left
    scale, offset = input_scale(task)
    examples = index.__array_namespace__().stack([index // columns, index % columns], axis=-1)
    shape = task.height, task.width, task.channels
    return windows.boxes(corners, shape, task.box_size, offset, scale, examples)
