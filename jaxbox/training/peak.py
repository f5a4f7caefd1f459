"""How fast a device multiplies large matrices: what the speed of everything else is held against."""

import time
from collections.abc import Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from jax.sharding import Mesh, PartitionSpec
from jaxtyping import Array, Float

SIZE = 1024
PRODUCTS = 8
TRIES = 10


def product_flops(devices: Sequence[Any] | None = None) -> float:
    """Operations a second of products of matrices of SIZE rows and columns, on all of these devices together.

    A multiplication and an addition count as two. It is the best of TRIES.
    """
    mesh, rows = Mesh(np.array(devices or jax.local_devices()), ("device",)), PartitionSpec("device")
    product = jax.jit(jax.shard_map(_products, mesh=mesh, in_specs=rows, out_specs=rows, check_vma=False))
    # The rows sum to 1, so that powers of the matrix stay of its own size.
    matrix = jnp.full((mesh.size * SIZE, SIZE), 1 / SIZE)
    times = []
    for _ in range(TRIES + 1):
        start = time.perf_counter()
        matrix = jax.block_until_ready(product(matrix))
        times.append(time.perf_counter() - start)
    return mesh.size * PRODUCTS * 2 * SIZE**3 / min(times[1:])


def _products(matrix: Float[Array, "n n"]) -> Float[Array, "n n"]:
    return lax.fori_loop(0, PRODUCTS, lambda _, power: power @ matrix, matrix)
