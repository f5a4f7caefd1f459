"""jaxbox itself: the compiled program that a sweep runs, on one chunk of its members."""

import dataclasses
import time

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from jax.sharding import Mesh, PartitionSpec
from jaxtyping import Array, Float

from jaxbox import config
from jaxbox.bench.jax_side import JaxSide
from jaxbox.bench.problem import Problem
from jaxbox.config import Configuration, Plan
from jaxbox.store import results
from jaxbox.training import groups
from jaxbox.training.devices import cores, float32_products, one_device_per_core
from jaxbox.training.population import Population

PRODUCT_SIZE = 1024
PRODUCTS = 8
TRIES = 10


class Jaxbox(JaxSide):
    """A chunk of the population of `seeds` members: chunks train in turn, so that more of them tell nothing new."""

    initial_members = 4 * cores()
    scales_with_members = True

    def __init__(self, problem: Problem, seeds: int):
        one_device_per_core()
        float32_products()
        self.configuration = self.variant(problem.configuration)
        (group,) = groups.group(Plan.of([self.configuration], seeds))
        self.population = Population(group)
        members = self.population.chunks()[0]
        super().__init__(problem, len(members))
        self.step = 0
        self.population.compile()
        self.inputs = self.population.inputs(members)
        self.state = self.population.initialize(*self.inputs)
        self.data = self.population.prepare(*self.inputs, 0)
        self.measures: dict[str, np.ndarray] = {}

    def variant(self, configuration: Configuration) -> Configuration:
        """What this side trains when the problem has this configuration."""
        return configuration

    def run(self, steps: int) -> Float[np.ndarray, " seeds"]:
        """Train, then evaluate and bring the measures to the host, as a sweep does before its last step."""
        first, self.step = self.step, self.step + steps
        advanced = self.population.advance(self.state, self.data, *self.inputs, first, self.step, whole=False)
        self.state, self.data, measures = advanced
        if not self.measures:
            self.measures = results.allocate(self.configuration, measures, self.seeds)
        results.record(self.measures, measures, 0)
        jax.block_until_ready(self.state)
        return np.asarray(measures["loss"])[: self.seeds]

    def evaluation_seconds(self) -> float:
        """Seconds of a run of no steps, the measures' way to the host included."""
        start = time.perf_counter()
        self.run(0)
        return time.perf_counter() - start

    def product_flops(self) -> float:
        mesh, rows = Mesh(np.array(jax.local_devices()), ("device",)), PartitionSpec("device")
        product = jax.jit(jax.shard_map(_products, mesh=mesh, in_specs=rows, out_specs=rows, check_vma=False))
        # The rows sum to 1, so that powers of the matrix stay of its own size.
        matrix = jnp.full((mesh.size * PRODUCT_SIZE, PRODUCT_SIZE), 1 / PRODUCT_SIZE)
        times = []
        for _ in range(TRIES + 1):
            start = time.perf_counter()
            matrix = jax.block_until_ready(product(matrix))
            times.append(time.perf_counter() - start)
        return mesh.size * PRODUCTS * 2 * PRODUCT_SIZE**3 / min(times[1:])


class JaxboxRendered(Jaxbox):
    """The same, made to work on whole images."""

    def variant(self, configuration: Configuration) -> Configuration:
        return dataclasses.replace(configuration, render=True)


class JaxboxShared(Jaxbox):
    """The same, but every seed trains on the batches of seed 0, so that only that one's losses can be compared."""

    def variant(self, configuration: Configuration) -> Configuration:
        return config.replace(configuration, {"data.shared_batches": True})

    def compared_losses(self, step: int) -> Float[np.ndarray, " 1"]:
        return super().compared_losses(step)[:1]


def _products(matrix: Float[Array, "n n"]) -> Float[Array, "n n"]:
    return lax.fori_loop(0, PRODUCTS, lambda _, power: power @ matrix, matrix)
