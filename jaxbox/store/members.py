"""One trained member of a run: its numbers, and its network on anyone's images."""

import dataclasses
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx
from jaxtyping import Array, Float, PyTree

from jaxbox import task
from jaxbox.config import Configuration, RunError, Static, traced
from jaxbox.store import results
from jaxbox.store.chunks import last_checkpoint, load_checkpoint, member_location
from jaxbox.store.folder import LOADABLE, load_plan, require_known
from jaxbox.store.imports import import_named
from jaxbox.store.manifest import drop_of, load_manifest
from jaxbox.training import member, outputs
from jaxbox.training.member import Weights


@dataclasses.dataclass(frozen=True, eq=False)
class Member:
    """A trained network with its configuration, as at its last checkpoint, after `step` updates: as many as its run has
    made then, or as it had made itself when it was dropped."""

    configuration: Configuration
    seed: int
    step: int
    weights: Weights

    @property
    def network(self) -> nnx.Module:
        """The Flax module, set to evaluation: (n, H, W, C) inputs -> outputs, which `predict` understands."""
        return member.merge(self.configuration, self.weights)

    def predict(self, pixels: Float[Any, "n H W C"]) -> Float[np.ndarray, "n 2"]:
        """(x, y) in target units (the whole image is [-1, 1]), for images with pixels in [0, 1].

        The task's input scale is applied here, and the inverse of its targets' scale.

        Products are float32 on every device, as they were in training unless JAX was told otherwise.

        Raises:
            ValueError: images of another shape than the task's.
        """
        shape = self.configuration.task
        expected = (shape.height, shape.width, shape.channels)
        array = jnp.asarray(pixels, jnp.float32)
        if array.ndim != 4 or array.shape[1:] != expected:
            raise ValueError(f"pixels has shape {array.shape}; it must be (n, {', '.join(map(str, expected))})")
        with jax.default_matmul_precision("highest"):
            return np.asarray(_predict(Static.of(self.configuration), traced(self.configuration), self.weights, array))


@partial(jax.jit, static_argnums=0)
def _predict(
    static: Static, floats: dict[str, Any], weights: Weights, pixels: Float[Array, "n H W C"]
) -> Float[Array, "n 2"]:
    """One program for all members of a group."""
    configuration = static.with_traced(floats)
    network: Any = member.merge(configuration, weights)
    return outputs.predictions(configuration, network(task.inputs(configuration.task, pixels)))


def load_member(run: str | Path, configuration: int, seed: int) -> Member:
    """A member of a run at its last checkpoint.

    Members of one chunk that are asked for one after another read it once. Code from outside of the project that the
    run names is imported, which a line on stderr says.

    Args:
        run: the run's folder.
        configuration: its index, the `configuration` coordinate of the results.
        seed: its seed.

    Raises:
        RunError: not a run, no such member, no checkpoint of it yet, or its code is not that of the run.
    """
    path = Path(run)
    plan = load_plan(path)
    folder, place = member_location(path, configuration, seed)
    require_known(path, LOADABLE)
    own = import_named(path, plan).configurations
    step = last_checkpoint(folder)
    if step is None:
        raise RunError(f"seed: {seed} of configuration {configuration} has no checkpoint yet")
    checkpoint, static = folder / str(step), Static.of(own[configuration])
    chunk = _chunk_weights(checkpoint, checkpoint.stat().st_mtime_ns, static)
    # Copies: whoever changes a member's numbers changes nobody else's, and keeps no whole chunk alive.
    weights = jax.tree.map(lambda leaf: leaf[place].copy(), chunk)
    if drop_of(load_manifest(path)) != "none":
        measures: Any = load_checkpoint(checkpoint, {"measures": results.like(own[configuration], drops=True)})
        dropped = int(measures["measures"]["dropped_step"][place])
        step = dropped if dropped >= 0 else step
    return Member(own[configuration], seed, step, weights)


@lru_cache(maxsize=2)
def _chunk_weights(checkpoint: Path, stamp: int, static: Static) -> Weights:
    """The weights of all members of a chunk; `stamp` is another number for another checkpoint of the same name."""
    like = member.abstract_state(static)
    if (checkpoint / "weights").is_dir():
        tree: Any = load_checkpoint(checkpoint, {"weights": like.weights})
        return tree["weights"]
    if not (checkpoint / "state").is_dir():
        raise RunError(f"run: {checkpoint} has measures only (--keep measures), and no networks")
    tree = load_checkpoint(checkpoint, {"state": like})
    return tree["state"].weights


def load_params(run: str | Path, configuration: int, seed: int) -> PyTree[np.ndarray]:
    """The parameters of one member at its last checkpoint, as nested dictionaries. Arguments as `load_member`.

    Raises:
        RunError: as `load_member`.
    """
    return load_member(run, configuration, seed).weights.params
