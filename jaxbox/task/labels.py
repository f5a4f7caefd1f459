"""What the images of a training set are taught as, by name. Rows: `jaxbox.config.tables.LABELS`.

An example has the same label in every epoch, so that a wrong one can be learned by heart. Evaluation knows nothing of
this: its images and targets are true.
"""

from typing import NamedTuple, Protocol, runtime_checkable

import jax
from jaxtyping import Array, Bool, Int, Key

from jaxbox.config import Data, tables


class Taught(NamedTuple):
    """How a batch differs from the truth; None where it does not."""

    index: Int[Array, " n"] | None = None
    """Of the position whose target is taught."""
    mirrored: Bool[Array, " n"] | None = None
    """Whether the image is flipped left-right, before there is noise on it."""


@runtime_checkable
class Labels(Protocol):
    """What a row of the table of labels must be."""

    def __call__(self, following: Int[Array, " n"], keys: Key[Array, " n"]) -> Taught:
        """What a batch is taught.

        Args:
            following: the position of the example that was drawn after each one; after the last comes the first.
            keys: of each example.
        """
        ...


def true(following: Int[Array, " n"], keys: Key[Array, " n"]) -> Taught:
    """Every image with its own target."""
    return Taught()


def shuffled(following: Int[Array, " n"], keys: Key[Array, " n"]) -> Taught:
    """Every image with the target of the next example: examples are drawn independently, so that to go round by one
    makes image and target as independent as any other permutation without a fixed point."""
    return Taught(index=following)


def flipped(following: Int[Array, " n"], keys: Key[Array, " n"]) -> Taught:
    """Every image flipped left-right with probability 1/2, and taught as if it were not."""
    return Taught(mirrored=jax.vmap(jax.random.bernoulli)(keys))


def taught(data: Data, following: Int[Array, " n"], keys: Key[Array, " n"]) -> Taught:
    """What a batch is taught.

    Raises:
        ConfigurationError: the labels are in no table.
    """
    labels: Labels = tables.load("data.labels", data.labels)
    return labels(following, keys)
