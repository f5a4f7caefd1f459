"""Dropout at a traced rate. Rows: `jaxbox.config.tables.DROPOUTS`."""

from typing import Any

import jax
import jax.numpy as jnp
from flax import nnx
from jaxtyping import Array, Float

from jaxbox.layers.batch import Batch


class Undropped(nnx.Module):
    """Values as they are."""

    def __init__(self, rate: Any, rngs: nnx.Rngs):
        pass

    def __call__(self, batch: Batch) -> Batch:
        """The batch itself."""
        return batch


class Dropout(nnx.Module):
    """While training, each number of a batch is zero with probability `rate`, else divided by 1 - `rate`.

    Srivastava et al. (2014). The rate may be a tracer, which `nnx.Dropout` cannot take; it is one of the numbers that
    the network keeps. Draws follow the seed and the step (`training.member.merge`).
    """

    def __init__(self, rate: Any, rngs: nnx.Rngs):
        self.rate = nnx.Variable(jnp.asarray(rate, jnp.float32))
        self.stream = rngs.dropout.fork()
        self.deterministic = False

    def __call__(self, batch: Float[Array, "B ..."]) -> Float[Array, "B ..."]:
        """The batch, with other numbers dropped at each call; in evaluation the batch itself."""
        if self.deterministic:
            return batch
        keep = 1 - self.rate[...]
        return jnp.where(jax.random.bernoulli(self.stream(), keep, batch.shape), batch / keep, 0)
