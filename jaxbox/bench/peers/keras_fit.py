"""Keras as the question ran it: `model.fit` on arrays of training images, one seed after another."""

# pyright: reportMissingImports=false, reportMissingModuleSource=false
# (optional packages)

import importlib.util
import os
from typing import Any

# Keras reads its backend when it is imported. The question's was TensorFlow; JAX is always there.
os.environ.setdefault("KERAS_BACKEND", "tensorflow" if importlib.util.find_spec("tensorflow") else "jax")

import keras
import numpy as np
from jaxtyping import Float

from jaxbox.bench.problem import Problem
from jaxbox.bench.side import Side
from jaxbox.training.devices import float32_products


class Adam(keras.optimizers.Adam):
    """Adam as it was published. Keras adds epsilon before it corrects the second moment, which is another optimiser in
    the first steps; scaling epsilon by that correction makes them the same."""

    def update_step(self, gradient: Any, variable: Any, learning_rate: Any) -> None:
        """One update, in the order of optax's operations."""
        epsilon: Any = self.epsilon
        iterations: Any = self.iterations
        decayed: Any = keras.ops.power(self.beta_2, keras.ops.cast(iterations + 1, "float32"))
        self.epsilon = epsilon * keras.ops.sqrt(1 - decayed)
        super().update_step(gradient, variable, learning_rate)
        self.epsilon = epsilon


class KerasFit(Side):
    """One model a member; an epoch's batches are shuffled by Keras, but for the first ones, which are jaxbox's."""

    def __init__(self, problem: Problem, seeds: int):
        super().__init__(problem, seeds)
        _float32_products()
        self.models = [self._model(member) for member in range(seeds)]
        self.images = [self.problem.images[examples] for examples in self.problem.examples]
        self.targets = [self.problem.targets[examples] for examples in self.problem.examples]

    def _model(self, member: int) -> Any:
        model, layers = self.problem.configuration.model, self.problem.layers[member]
        convolutions = [
            keras.layers.Conv2D(len(bias), model.kernel_size, model.stride, padding="same", activation="relu")
            for kernel, bias in layers
            if kernel.ndim == 4
        ]
        dense = [keras.layers.Dense(len(bias), "relu") for _, bias in layers[len(convolutions) : -1]]
        shape = keras.Input(self.problem.images.shape[1:])
        network = keras.Sequential([shape, *convolutions, keras.layers.Flatten(), *dense, keras.layers.Dense(2)])
        weights = [(np.moveaxis(kernel, 0, -1), bias) for kernel, bias in layers]
        network.set_weights([array for pair in weights for array in pair])
        network.compile(self._optimizer(), loss="mse")
        return network

    def _optimizer(self) -> Any:
        rule = self.problem.configuration.optimizer
        if rule.name == "sgd":
            return keras.optimizers.SGD(rule.learning_rate)
        return Adam(rule.learning_rate, rule.b1, rule.b2, rule.epsilon)

    def compared_losses(self, step: int) -> Float[np.ndarray, " seeds"]:
        batches = self.problem.first_batches
        return np.array([self._fit_batch(member, batches[member][step]) for member in range(self.seeds)])

    def _fit_batch(self, member: int, batch: np.ndarray) -> float:
        images, targets = self.problem.images[batch], self.problem.targets[batch]
        history = self.models[member].fit(images, targets, len(batch), verbose=0, shuffle=False)
        return history.history["loss"][0]

    def run(self, steps: int) -> Float[np.ndarray, " seeds"]:
        return np.array([self._fit(member, steps) for member in range(self.seeds)])

    def _fit(self, member: int, steps: int) -> float:
        size, images, targets = self.problem.configuration.batch_size, self.images[member], self.targets[member]
        an_epoch = len(images) // size
        losses = 0.0
        for epochs, batches in ((steps // an_epoch, an_epoch), (1, steps % an_epoch)):
            if epochs and batches:
                part = slice(batches * size)
                fitted = self.models[member].fit(images[part], targets[part], size, epochs=epochs, verbose=0)
                losses += batches * sum(fitted.history["loss"])
        return losses / steps


def _float32_products() -> None:
    """Products as those of the other sides, which on a GPU are not TF32."""
    if keras.backend.backend() == "jax":
        float32_products()
    elif keras.backend.backend() == "tensorflow":
        import tensorflow

        tensorflow.config.experimental.enable_tensor_float_32_execution(False)
