"""jaxbox itself: the compiled program that a sweep runs, on one chunk of its members."""

import dataclasses
import time

import jax
import numpy as np
from jaxtyping import Float

from jaxbox import config
from jaxbox.bench.jax_side import JaxSide
from jaxbox.bench.problem import Problem
from jaxbox.config import Configuration, Plan
from jaxbox.store import results
from jaxbox.training import groups, peak
from jaxbox.training.devices import cores, float32_products, one_device_per_core
from jaxbox.training.population import Population


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
        return peak.product_flops()


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
