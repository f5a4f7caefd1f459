"""JAX as most people write it: a jitted step with Flax's layers, called in a loop over seeds and steps."""

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float

from jaxbox.bench.peers.flax_network import FlaxSide
from jaxbox.bench.problem import Problem


class JaxLoop(FlaxSide):
    """One member after another."""

    def __init__(self, problem: Problem, seeds: int):
        super().__init__(problem, seeds)
        self.states = [self.initial(member) for member in range(seeds)]
        self.step = jax.jit(self.step_function(), donate_argnums=0)

    def run(self, steps: int) -> Float[np.ndarray, " seeds"]:
        return np.array([self.train(member, steps) for member in range(self.seeds)])

    def train(self, member: int, steps: int) -> float:
        """The mean loss of a member's next steps."""
        losses, state = [], self.states[member]
        for index in jnp.asarray(self.batches[member].take(steps)):
            state, loss = self.step(state, self.images, self.targets, index)
            losses.append(loss)
        self.states[member] = jax.block_until_ready(state)
        return float(jnp.mean(jnp.stack(losses)))
