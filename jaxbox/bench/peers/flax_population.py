"""A population as plain Flax gives it: `nn.Conv`, vmap over the members, a loop over the steps in one program."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from jaxtyping import Array, Float, Int

from jaxbox.bench.peers.flax_network import FlaxSide, State
from jaxbox.bench.problem import Problem

CALL_STEPS = 32
"""The most steps of one call. The program takes their number, so that it need not be compiled for each."""


class FlaxPopulation(FlaxSide):
    """All members go through each step together."""

    scales_with_members = True

    def __init__(self, problem: Problem, seeds: int):
        super().__init__(problem, seeds)
        self.state = jax.tree.map(lambda *leaves: jnp.stack(leaves), *[self.initial(member) for member in range(seeds)])
        members = jax.vmap(self.step_function(), (0, None, None, 0))

        def train(
            state: State, images: Array, targets: Array, batches: Int[Array, "steps seeds B"], steps: Int[Array, ""]
        ) -> tuple[State, Float[Array, " seeds"]]:
            def body(step: Int[Array, ""], carry: Any) -> Any:
                state, losses = members(carry[0], images, targets, batches[step])
                return state, carry[1] + losses

            return lax.fori_loop(0, steps, body, (state, jnp.zeros(seeds)))

        self.train = jax.jit(train, donate_argnums=0)

    def run(self, steps: int) -> Float[np.ndarray, " seeds"]:
        total = jnp.zeros(self.seeds)
        for start in range(0, steps, CALL_STEPS):
            count = min(CALL_STEPS, steps - start)
            batches = np.stack([batches.take(count) for batches in self.batches], axis=1)
            padded = np.pad(batches, ((0, CALL_STEPS - count), (0, 0), (0, 0)))
            self.state, losses = self.train(self.state, self.images, self.targets, padded, count)
            total += losses
        return np.asarray(total) / steps
