"""The law of the positions as the closed forms need it: over the lattice, and along each axis."""

import numpy as np
from jaxtyping import Float
from scipy.special import entr

from jaxbox import task as tasks
from jaxbox.config import Data, Task

UNIFORM = Data()
"""All positions equally probable."""


def is_uniform(data: Data) -> bool:
    """Whether all positions are equally probable by name."""
    return data.law == UNIFORM.law


def probability(task: Task, data: Data) -> Float[np.ndarray, "P_y P_x"]:
    """Of each position, in float64."""
    return tasks.probability(task, data).reshape(tasks.position_shape(task))


def along_axes(task: Task, data: Data) -> tuple[Float[np.ndarray, " P_x"], Float[np.ndarray, " P_y"]]:
    """Of each column and of each row. Their product is `probability` for a law that factors, and for no other."""
    both = probability(task, data)
    return both.sum(axis=0), both.sum(axis=1)


def entropy(probabilities: Float[np.ndarray, "..."]) -> float:
    """-sum p ln p, in nats; what has no probability adds nothing."""
    return float(entr(probabilities).sum())
