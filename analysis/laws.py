"""The law of the positions as the closed forms need it: over the lattice, and along each axis."""

from typing import Any

import numpy as np
from jaxtyping import Float
from scipy.special import entr

from jaxbox import task as tasks
from jaxbox.config import Data, Task, tables

UNIFORM = Data()
"""All positions equally probable."""


def is_uniform(data: Data) -> bool:
    """Whether all positions are equally probable by name."""
    return data.law == UNIFORM.law


def options(data: Data) -> dict[str, Any]:
    """The fields of the data that its law reads, by name. The law is one of the project's own."""
    names = (path.removeprefix("data.") for path in tables.row("data.law", data.law).reads)
    return {name: getattr(data, name) for name in names}


def probability(task: Task, data: Data) -> Float[np.ndarray, "P_y P_x"]:
    """Of each position, in float64."""
    return tasks.probability(task, data).reshape(tasks.position_shape(task))


def along_axes(task: Task, data: Data) -> tuple[Float[np.ndarray, " P_x"], Float[np.ndarray, " P_y"]]:
    """Of each column and of each row. Their product is `probability` for a law that factors, and for no other."""
    both = probability(task, data)
    return both.sum(axis=0), both.sum(axis=1)


def target_variance(task: Task, data: Data) -> Float[np.ndarray, "2"]:
    """Of (x, y) over all positions, in squared target units."""
    targets = np.asarray(tasks.targets(task, tasks.positions(task)), np.float64)
    if is_uniform(data):
        return targets.var(axis=0)
    weights = tasks.probability(task, data)
    return weights @ (targets - weights @ targets) ** 2


def joint_entropy(task: Task, data: Data) -> float:
    """H(Y) in nats: ln N where all positions are equally probable; what has no probability adds nothing."""
    if is_uniform(data):
        return float(np.log(tasks.position_count(task)))
    return float(entr(probability(task, data)).sum())


def axis_entropies(task: Task, data: Data) -> Float[np.ndarray, "2"]:
    """H(x) and H(y) in nats: ln P of each axis where its places are equally probable."""
    if is_uniform(data):
        rows, columns = tasks.position_shape(task)
        return np.log([columns, rows])
    return np.array([entr(along).sum() for along in along_axes(task, data)])
