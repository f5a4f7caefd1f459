"""The gradient of a batch's mean loss, block by block on CPU where a network's maps would not fit into the cache.

A network may say `bytes_per_image`: what its largest intermediate takes for one image. With that it says, too, that it
treats every image by itself. Summing the gradients of blocks then gives that of the batch, but for rounding: less than
a batch at once does, and sums of sums err less. Measured on 2 cores at 16 x 16, `coordconv` takes .70 of the time of
whole batches, and .52 at 32 x 32.
"""

from collections.abc import Callable
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
from flax import nnx
from jax import lax
from jaxtyping import Array, Float, PyTree

from jaxbox.config import Configuration, outside
from jaxbox.layers import first_derivatives_only

BLOCK_BYTES = 2**20
"""Of the largest intermediate of a block. A core's own cache has this size or half of it; a half or twice of it gains
nothing."""

Examples = tuple[Any, Float[Array, "B ..."]]
"""Inputs and targets of a batch."""
Loss = Callable[[PyTree[Array], Examples], tuple[Float[Array, ""], PyTree[Array]]]
"""(parameters, examples) -> (mean loss, what else the network keeps)."""


def images_per_block(configuration: Configuration, network: Any, inputs: Any) -> int:
    """How many images of a batch go through a network together on CPU: a divisor of the batch; 0 for all of them.

    All of them, too, where images meet (running statistics, a normalisation of one's own), where each call draws
    (dropout), and for windows, which are small.
    """
    per_image = getattr(network, "bytes_per_image", 0)
    kept = nnx.state(network, nnx.Not(nnx.Param))
    if not per_image or jax.tree.leaves(kept) or outside.is_outside(configuration.model.normalization):
        return 0
    if not isinstance(inputs, jax.Array):
        return 0
    most = max(1, BLOCK_BYTES // per_image)
    divisor = max(size for size in range(1, most + 1) if len(inputs) % size == 0)
    # A batch of a prime number would go image by image.
    return divisor if most // 2 <= divisor < len(inputs) else 0


def loss_and_gradient(loss: Loss, params: PyTree[Array], examples: Examples, size: int) -> Any:
    """((mean loss, what else the network keeps), gradient of the parameters); on CPU `size` examples at a time, if that
    is not 0: then the network keeps nothing."""
    whole = jax.value_and_grad(loss, has_aux=True)
    with first_derivatives_only():
        if not size:
            return whole(params, examples)
        return lax.platform_dependent(params, examples, cpu=partial(_by_blocks, whole, size), default=whole)


def _by_blocks(whole: Callable[..., Any], size: int, params: PyTree[Array], examples: Examples) -> Any:
    blocks = jax.tree.map(lambda leaf: leaf.reshape(-1, size, *leaf.shape[1:]), examples)
    zero = jax.tree.map(lambda leaf: jnp.zeros(leaf.shape, leaf.dtype), jax.eval_shape(whole, params, examples))
    total, _ = lax.scan(lambda total, block: (jax.tree.map(jnp.add, total, whole(params, block)), None), zero, blocks)
    return jax.tree.map(lambda leaf: leaf / (len(examples[1]) // size), total)
