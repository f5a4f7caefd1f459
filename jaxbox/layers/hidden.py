"""What follows the product of a hidden layer."""

import jax
from flax import nnx

from jaxbox.config import Model, tables
from jaxbox.layers.activation import Activation
from jaxbox.layers.batch import Batch


class Hidden(nnx.Module):
    """Normalisation, activation, pooling of maps, dropout, in this order: (B, ..., C) -> (B, ..., C), or windows.

    Args:
        model: names each of them.
        units: C.
        rngs: the stream `dropout`.
        pooling: a name in the table of `model.pooling`; vectors are not pooled.
    """

    def __init__(self, model: Model, units: int, rngs: nnx.Rngs, pooling: str = "none"):
        self.scope = f"layer_hidden_{units}"
        self.normalization = tables.load("model.normalization", model.normalization)(units)
        self.activation = Activation(model.activation)
        self.pooling = tables.load("model.pooling", pooling)()
        self.dropout = tables.load("model.dropout", model.dropout)(model.dropout_rate, rngs=rngs)

    def __call__(self, batch: Batch) -> Batch:
        """What the next layer gets of a product."""
        with jax.named_scope(self.scope):
            return self.dropout(self.pooling(self.activation(self.normalization(batch))))

    def output_size(self, size: int) -> int:
        """Pixels of an axis of `size` pixels after the pooling.

        Raises:
            ValueError: nothing is left of the axis.
        """
        if size < self.pooling.factor:
            raise ValueError(f"pooling leaves nothing of a map of {size} pixel")
        return size // self.pooling.factor
