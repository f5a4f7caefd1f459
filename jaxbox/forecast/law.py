"""The law of the collapse: the probability that a network loses a layer in its first steps, from its configuration.

    P = S(plateau) S(threshold),    S(x) = 1 / (1 + exp(-x))

Both are linear in `variables`. The threshold says whether steps are so long that activations go up and down by their
own size: the weights that a layer needs to pass its signal on are about 1 / sqrt(fan-in), whatever they started with,
and a step of Adam is the rate. The plateau says whether then all units of a layer go down together, or some are left.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:  # `analysis.collapse.warning` uses this, and is to run on NumPy alone
    from jaxtyping import Float

SPAN, HALVINGS = 50.0, 50
"""Of the learning rate's logarithm, up and down: beyond all rates of any use, and to more digits than are said."""
RATES = ("step", "rate", "instability")
"""Variables that have the learning rate in them."""
LIMIT = 40.0
"""Beyond it S is 0 or 1 in float64, all but."""


class Law(NamedTuple):
    """Constants by the name of their variable; "" is the constant term."""

    plateau: dict[str, float]
    threshold: dict[str, float]


def probability(law: Law, variables: Mapping[str, Float[np.ndarray, "*n"] | float]) -> Float[np.ndarray, "*n"]:
    """P of each setting, given its `variables`, numbers or arrays of one shape."""
    return gate(law.plateau, variables) * gate(law.threshold, variables)


def stretch(law: Law, variables: Mapping[str, float], most: float) -> float:
    """What the learning rate can be multiplied with, up or down, for P to be `most`; infinite if P is never so large.

    The rate is in the threshold alone, which grows with it: the place is found by halving an interval of its logarithm.
    """
    if float(gate(law.plateau, variables)) <= most:
        return math.inf
    low, high = -SPAN, SPAN
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        if float(probability(law, faster(variables, middle))) <= most:
            low = middle
        else:
            high = middle
    return math.exp(low)


def faster(variables: Mapping[str, float], by: float) -> dict[str, float]:
    """The variables where the learning rate's logarithm is larger by this number."""
    unstable = math.expm1(variables.get("instability", 0.0)) * math.exp(by)
    found = {name: variables[name] + by for name in ("rate", "step") if name in variables}
    return {**variables, **found, "instability": math.log1p(unstable)}


def gate(
    constants: Mapping[str, float], variables: Mapping[str, Float[np.ndarray, "*n"] | float]
) -> Float[np.ndarray, "*n"]:
    """S of a linear function of the variables."""
    terms = [factor * (np.asarray(variables[name]) if name else 1.0) for name, factor in constants.items()]
    return sigmoid(np.asarray(sum(terms)))


def sigmoid(logit: Float[np.ndarray, "*n"]) -> Float[np.ndarray, "*n"]:
    """S, without overflow."""
    return 1 / (1 + np.exp(-np.clip(logit, -LIMIT, LIMIT)))
