"""Losses: what training minimises, how many outputs that takes, what these predict. Rows: `config.tables.LOSSES`."""

from typing import Protocol, runtime_checkable

from jaxtyping import Array, Float

from jaxbox.config import Loss


@runtime_checkable
class LossFunction(Protocol):
    """What a row of the table of losses must be; the batch's mean is what training minimises."""

    def __call__(
        self, loss: Loss, outputs: Float[Array, "B outputs"], targets: Float[Array, "B numbers"]
    ) -> Float[Array, " B"]:
        """The loss of each example; floats of `loss` may be traced."""
        ...

    def outputs(self, numbers: int) -> int:
        """How many outputs a network needs where this many numbers are to be predicted."""
        ...

    def predictions(self, outputs: Float[Array, "B outputs"]) -> Float[Array, "B numbers"]:
        """What a network's outputs predict, in the targets' own scale."""
        ...
