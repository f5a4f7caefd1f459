"""The last layer of every network."""

from typing import Any

from flax import nnx
from jaxtyping import Array, Float

from jaxbox.config import Model
from jaxbox.layers.activation import Activation
from jaxbox.layers.batch import Batch
from jaxbox.layers.dense import Dense
from jaxbox.layers.start import Start


class Head(Dense):
    """A dense layer whose outputs go through `model.output`: (B, ...) -> (B, F).

    Outputs of a relu are measured for dead units like any other layer's: a network whose outputs are dead says zero of
    every image, and no gradient reaches its weights.

    Args:
        inputs: numbers that an example holds, H W C of a map.
        features: F, the number of outputs.
        model: names the function of the outputs, and how the layer starts.
        rngs: the stream `params` draws the first values.
    """

    def __init__(self, inputs: int, features: int, model: Model, rngs: nnx.Rngs):
        super().__init__(inputs, features, rngs=rngs, start=Start.of(model))
        self.output = Activation(model.output, "model.output")

    def __call__(self, batch: Batch) -> Float[Array, "B F"]:
        """The F outputs of each example of (B, ...), flattened row by row, or of windows."""
        outputs: Any = self.output(super().__call__(batch))
        return outputs
