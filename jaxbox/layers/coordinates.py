"""Where a pixel is: coordinates as channels, and the mean place of a heat map."""

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from jaxbox.layers.batch import Batch
from jaxbox.layers.windows import windowed as windows
from jaxbox.layers.windows.windowed import Windowed


def add_coordinates(images: Float[Array, "B H W C"]) -> Float[Array, "B H W C+2"]:
    """The images with two more channels, x and y of each pixel: from -1 in the first to 1 in the last, or 0 of one.

    Liu et al. (2018, arXiv 1807.03247) call a convolution of these a CoordConv layer.
    """
    batch, height, width, _ = images.shape
    y, x = np.meshgrid(_axis(height), _axis(width), indexing="ij")
    channels = jnp.asarray(np.stack([x, y], axis=-1), images.dtype)
    return jnp.concatenate([images, jnp.broadcast_to(channels[None], (batch, height, width, 2))], axis=-1)


def _axis(size: int) -> Float[np.ndarray, " size"]:
    return np.linspace(-1, 1, size) if size > 1 else np.zeros(1)


def mean_place(heat: Batch, x: Float[np.ndarray, " w"], y: Float[np.ndarray, " h"]) -> Float[Array, "B 2"]:
    """The mean (x, y) over the pixels of a heat map (B, h, w, 1), weighted by the softmax of its values.

    A soft argmax (Levine et al., 2016; Nibali et al., 2018). Windows are rendered: every pixel has a weight.

    Args:
        x, y: what the columns and the rows stand for.
    """
    maps = windows.render(heat) if isinstance(heat, Windowed) else heat
    weights = jax.nn.softmax(maps[..., 0], axis=(1, 2))
    means = weights.sum(axis=1) @ jnp.asarray(x, maps.dtype), weights.sum(axis=2) @ jnp.asarray(y, maps.dtype)
    return jnp.stack(means, axis=-1)
