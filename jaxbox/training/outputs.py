"""How many outputs a network needs, and what they say: that follows from the targets and the loss."""

from jaxtyping import Array, Float

from jaxbox import losses, task
from jaxbox.config import Configuration, tables


def loss_function(configuration: Configuration) -> losses.LossFunction:
    """What is minimised."""
    return tables.load("loss.name", configuration.loss.name)


def output_count(configuration: Configuration) -> int:
    """Outputs of a network of this configuration."""
    numbers = task.target_kind(configuration.task).numbers(configuration.task)
    return loss_function(configuration).outputs(numbers)


def predictions(configuration: Configuration, outputs: Float[Array, "n outputs"]) -> Float[Array, "n 2"]:
    """The (x, y) that a network's outputs predict, in target units."""
    said = loss_function(configuration).predictions(outputs)
    return task.target_kind(configuration.task).decode(configuration.task, said)
