"""Computation for members that are live only: what is left out costs nothing where members take turns."""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Bool


def mapped(function: Callable[..., Any], live: Bool[Array, ""], *values: Any) -> Any:
    """`function` of a member's values, or zeros if it is not live."""
    return lax.cond(live, lambda: function(*values), lambda: _zeros(function, *values))


def round_of(function: Callable[..., Any], kept: Any, live: Bool[Array, "*together"], *values: Any) -> tuple[Any, Any]:
    """`function` (kept, values of a round) -> (kept, results); a round without a live member gives zeros.

    Whoever is not live keeps what it has, also beside others that are.

    Args:
        live: each member of the round; of a round of one it has no axis.
    """

    def play() -> tuple[Any, Any]:
        own, results = function(kept, *values)
        if live.ndim:
            own = jax.tree.map(lambda new, old: jnp.where(_beside(live, new), new, old), own, kept)
        return own, results

    return lax.cond(live.any(), play, lambda: (kept, _zeros(function, kept, *values)[1]))


def _beside(live: Bool[Array, " together"], leaf: Array) -> Bool[Array, "together ..."]:
    return live.reshape(-1, *(1,) * (leaf.ndim - 1))


def _zeros(function: Callable[..., Any], *values: Any) -> Any:
    return jax.tree.map(lambda leaf: jnp.zeros(leaf.shape, leaf.dtype), jax.eval_shape(function, *values))
