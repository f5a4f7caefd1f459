"""Shortcuts past a hidden layer. Rows: `jaxbox.config.tables.SHORTCUTS`."""

from flax import nnx
from jaxtyping import Array, Float

from jaxbox.layers.batch import Batch


class NoShortcut(nnx.Module):
    """What the layer gives."""

    def __call__(self, given: Batch, values: Batch) -> Batch:
        """The values themselves."""
        return values


class IdentityShortcut(nnx.Module):
    """What a layer gives, plus what it was given where both have the same shape (He et al., 2016).

    The sum is taken after the activation, so that nothing stands in the way of the gradient.
    """

    def __call__(self, given: Float[Array, "B ..."], values: Float[Array, "B ..."]) -> Float[Array, "B ..."]:
        """The sum, or the values themselves."""
        return given + values if given.shape == values.shape else values
