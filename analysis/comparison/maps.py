"""One member's linear maps as pictures, beside the exact ones: what it weighs, and how far that is from the best."""

from functools import partial
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import xarray
from jaxtyping import Array, Float

from analysis import approximation, closed_forms, laws
from analysis.comparison import known
from jaxbox import task as tasks
from jaxbox.config import Configuration, Static, Task, traced
from jaxbox.store.archive import folder_of
from jaxbox.store.members import Member, load_member
from jaxbox.training import outputs
from jaxbox.training.member import Weights, merge
from jaxbox.training.metrics import AXES

REFERENCES = tuple(known.LINEAR_PREDICTORS)
MAPS = (*REFERENCES, "learned", "best_linear", "jacobian")
"""Exact ones; a linear member's own weights; the best linear approximation of any member; its mean input Jacobian."""
IMAGES_PER_PIXEL = 16
"""Noisy images of the best linear approximation, in which what is not linear leaves some noise."""
MOST_PIXELS = 2**27
"""In all of these images: half a gigabyte goes through a network in blocks, so that large images get fewer."""
BLOCK = 512


def weights(run: str | Path | xarray.Dataset, configuration: int, seed: int) -> xarray.Dataset:
    """Pictures of MAPS for one member, and how like the exact ones they are.

    Returns:
        `picture` (map, axis, row, column), in target units per unit of input, summed over channels; `cosine` and
        `distance` (map, reference, axis), of pictures as vectors: the distance is relative to the reference's length.
        NaN: a task without linear closed forms; `best_linear` under noise and a law that is not uniform; `learned` of a
        network that is not linear; an angle to a map of zeros.

    The best linear approximation is over the lattice without noise, and over fresh noisy images with it
    (`analysis.approximation`). The Jacobian is the mean over the images that members are evaluated on.

    Raises:
        RunError: not a run, no such member, or no checkpoint of it yet.
    """
    member = load_member(folder_of(run), configuration, seed)
    task = member.configuration.task
    pictures = np.full((len(MAPS), len(AXES), task.height, task.width), np.nan)
    if closed_forms.has(task, closed_forms.LINEAR, member.configuration.data):
        data = member.configuration.data
        exact = np.array([predictor(task, data=data).weights for predictor in known.LINEAR_PREDICTORS.values()])
        pictures[: len(REFERENCES)] = np.moveaxis(exact, -1, 1)
        if laws.is_uniform(data) or not known.is_noisy(task):  # the images that it is fitted to are equally probable
            pictures[MAPS.index("best_linear")] = _best_linear(member)
    pictures[MAPS.index("jacobian")] = _jacobian(member)
    if _is_linear(member.configuration):
        # Pixels in, targets out: the Jacobian of a linear network is its weights, whatever its parameters are called.
        pictures[MAPS.index("learned")] = pictures[MAPS.index("jacobian")]
    cosine, distance = _likeness(pictures)
    return xarray.Dataset(
        {
            "picture": (("map", "axis", "row", "column"), pictures, {"units": "target units per unit of input"}),
            "cosine": (("map", "reference", "axis"), cosine, {"units": "1"}),
            "distance": (("map", "reference", "axis"), distance, {"units": "lengths of the reference"}),
        },
        {"map": list(MAPS), "reference": list(REFERENCES), "axis": list(AXES)},
        {"configuration": configuration, "seed": seed, "step": member.step},
    )


def _is_linear(configuration: Configuration) -> bool:
    """Whether its predictions are linear in the inputs, in target units."""
    affine = closed_forms.has(configuration.task, closed_forms.DESCENT)
    return (configuration.model.name, configuration.model.output) == ("linear", "identity") and affine


def _best_linear(member: Member) -> Float[np.ndarray, "axis H W"]:
    task = member.configuration.task
    images = _images(task)
    return approximation.weights(task, images.astype(np.float64), _outputs(member, images))


def _images(task: Task) -> Float[np.ndarray, "n H W C"]:
    """Inputs to fit on: every position once, and under noise so often that there are several images a pixel."""
    count, pixels = tasks.position_count(task), task.height * task.width * task.channels
    repeats = 1
    if known.is_noisy(task):
        repeats = max(1, min(IMAGES_PER_PIXEL * task.height * task.width, MOST_PIXELS // pixels) // count)
    keys = jax.random.split(jax.random.key(0), repeats)
    clean = tasks.render(task, jnp.asarray(tasks.positions(task)))
    return np.concatenate([np.asarray(tasks.inputs(task, tasks.observe(task, clean, key))) for key in keys])


def _outputs(member: Member, images: Float[np.ndarray, "n H W C"]) -> Float[np.ndarray, "n axis"]:
    blocks = (jnp.asarray(images[start : start + BLOCK]) for start in range(0, len(images), BLOCK))
    return np.concatenate([np.asarray(_apply(*_parts(member), block), np.float64) for block in blocks])


def _jacobian(member: Member) -> Float[np.ndarray, "axis H W"]:
    """Mean over evaluation images of the gradient of each output: the gradient with respect to a shift of them all."""
    task = member.configuration.task
    count = tasks.position_count(task)
    total = np.zeros((len(AXES), task.height, task.width))
    for start in range(0, count, BLOCK):
        block = known.evaluation_inputs(task, np.arange(start, min(start + BLOCK, count)))
        total += np.asarray(_slopes(*_parts(member), jnp.asarray(block, jnp.float32)), np.float64).sum(-1)
    return total / count


def _parts(member: Member) -> tuple[Static, dict[str, Any], Weights]:
    """A member as one program takes it that serves all members of its group."""
    return Static.of(member.configuration), traced(member.configuration), member.weights


@partial(jax.jit, static_argnums=0)
def _apply(
    static: Static, floats: dict[str, Any], weights: Weights, images: Float[Array, "n H W C"]
) -> Float[Array, "n axis"]:
    """What the network predicts of inputs, in target units, in evaluation, with products in float32."""
    configuration = static.with_traced(floats)
    network: Any = merge(configuration, weights)
    with jax.default_matmul_precision("highest"):
        return outputs.predictions(configuration, network(images))


@partial(jax.jit, static_argnums=0)
def _slopes(
    static: Static, floats: dict[str, Any], weights: Weights, images: Float[Array, "n H W C"]
) -> Float[Array, "axis H W C"]:
    def total(shift: Float[Array, "H W C"]) -> Float[Array, " axis"]:
        return _apply(static, floats, weights, images + shift[None]).sum(0)

    return jax.jacrev(total)(jnp.zeros(images.shape[1:]))


def _likeness(pictures: Float[np.ndarray, "map axis H W"]) -> tuple[np.ndarray, np.ndarray]:
    """Cosine with, and relative distance to, each of REFERENCES: (map, reference, axis)."""
    flat = pictures.reshape(*pictures.shape[:2], -1)
    references = flat[: len(REFERENCES)]
    lengths = np.linalg.norm(flat, axis=-1)
    with np.errstate(invalid="ignore", divide="ignore"):
        cosine = np.einsum("map,rap->mra", flat, references) / (lengths[:, None] * lengths[: len(REFERENCES)])
        distance = np.linalg.norm(flat[:, None] - references, axis=-1) / lengths[: len(REFERENCES)]
    return cosine, distance
