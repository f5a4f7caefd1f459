"""The same network from Flax's own layers, with its data and optimiser: what the Flax peers share."""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import optax
from flax import linen as nn
from jaxtyping import Array, Float, Int

from jaxbox.bench.jax_side import JaxSide
from jaxbox.bench.problem import Layer, Problem
from jaxbox.training.devices import float32_products

State = Any
"""Parameters and the optimiser's state."""


class Network(nn.Module):
    """Convolutions and hidden dense layers with a relu each, then two outputs."""

    convolutions: tuple[int, ...]
    dense: tuple[int, ...]
    kernel_size: int
    stride: int

    @nn.compact
    def __call__(self, images: Float[Array, "B H W C"]) -> Float[Array, "B 2"]:
        values = images
        for features in self.convolutions:
            layer = nn.Conv(features, (self.kernel_size, self.kernel_size), (self.stride, self.stride), padding="SAME")
            values = nn.relu(layer(values))
        values = values.reshape(len(values), -1)
        for features in self.dense[:-1]:
            values = nn.relu(nn.Dense(features)(values))
        return nn.Dense(self.dense[-1])(values)


def _parameters(layers: list[Layer]) -> dict[str, Any]:
    convolutions = [layer for layer in layers if layer[0].ndim == 4]
    dense = layers[len(convolutions) :]
    tree = {f"Conv_{i}": {"kernel": k.transpose(1, 2, 3, 0), "bias": b} for i, (k, b) in enumerate(convolutions)}
    tree |= {f"Dense_{i}": {"kernel": k.T, "bias": b} for i, (k, b) in enumerate(dense)}
    return {"params": tree}


class FlaxSide(JaxSide):
    """What the Flax peers share: `initial` makes a member's state, `step_function` what trains it on one batch."""

    def __init__(self, problem: Problem, seeds: int):
        super().__init__(problem, seeds)
        float32_products()
        layers, model = self.problem.layers[0], problem.configuration.model
        convolutions, dense = (tuple(len(bias) for kernel, bias in layers if kernel.ndim == rank) for rank in (4, 2))
        self.network = Network(convolutions, dense, model.kernel_size, model.stride)
        self.images, self.targets = jnp.asarray(problem.images), jnp.asarray(problem.targets)
        rule = problem.configuration.optimizer
        adam = optax.adam(rule.learning_rate, rule.b1, rule.b2, rule.epsilon)
        self.rule = optax.sgd(rule.learning_rate) if rule.name == "sgd" else adam

    def initial(self, member: int) -> State:
        """A member's state before the first step."""
        parameters = jax.tree.map(jnp.asarray, _parameters(self.problem.layers[member]))
        return parameters, self.rule.init(parameters)

    def step_function(self) -> Callable[[State, Array, Array, Int[Array, " B"]], tuple[State, Float[Array, ""]]]:
        """(state, all images, all targets, batch) -> (state, loss), of one member."""

        def step(state: State, images: Array, targets: Array, index: Int[Array, " B"]) -> tuple[State, Array]:
            def loss(parameters: Any) -> Float[Array, ""]:
                predictions: Any = self.network.apply(parameters, images[index])
                return jnp.mean(jnp.square(predictions - targets[index]))

            parameters, optimizer_state = state
            value, gradient = jax.value_and_grad(loss)(parameters)
            updates, optimizer_state = self.rule.update(gradient, optimizer_state, parameters)
            return (optax.apply_updates(parameters, updates), optimizer_state), value

        return step
