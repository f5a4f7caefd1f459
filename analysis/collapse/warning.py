"""Whether a network is dying, told from its first steps: NumPy only, from any framework."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

BAD, WATCH = 0.5, 0.1
"""Probabilities from which the advice is to stop, and to look again."""


@dataclass(frozen=True)
class Warning:
    """How probable it is that a network of relus loses a layer by step 50, and what to do.

    `probability` is the formula's; `found` is which share of networks that were given such a probability did lose a
    layer, and `low` to `high` its 95% interval over settings, of those that the formula was not fitted on. `layer` is
    the one with the smallest share of units alive, `alive`.
    """

    probability: float
    found: float
    low: float
    high: float
    layer: int
    alive: float
    advice: str


def warning(
    activations: Sequence[ArrayLike] | None = None,
    step: int = 10,
    *,
    alive: ArrayLike | None = None,
    expected: float | None = None,
) -> Warning:
    """Is this network dying?

    Give what comes out of each relu layer for a batch of examples, a few hundred are enough, or the shares of units
    that are alive if you have them. A unit is alive if it is above zero for some example; of a convolution, a unit is a
    channel, the last axis, and some pixel is enough.

    Args:
        activations: of each relu layer, (examples, ..., units), after the relu or before it.
        step: how many steps have been taken; the formula was fitted at 10 to 30.
        alive: instead of them, each layer's share from 0 to 1.
        expected: the rate that the law of the collapse expects of such networks, which makes the answer sharper:
            `jaxbox.forecast.expect(configuration).rate`, or what `python -m jaxbox.sweep --advise` says.

    Raises:
        ValueError: neither or both are given, no layer, a layer without examples or with numbers that are not finite,
            a share or an expected rate outside 0 to 1, or a negative step.
    """
    from jaxbox.forecast import early  # late: `diagnose` is to run where there is no jaxbox

    if (activations is None) == (alive is None):
        raise ValueError("activations and alive are given both or not at all; give one of them")
    shares = _shares(activations) if activations is not None else np.asarray(alive, float)
    if shares.ndim != 1 or not shares.size:
        raise ValueError(f"alive has the shape {shares.shape}; it must be (layers,), of one layer or more")
    if not ((shares >= 0) & (shares <= 1)).all():
        raise ValueError(f"alive is {shares.tolist()}; each share must be from 0 to 1")
    if step < 0:
        raise ValueError(f"step is {step}; it must be at least 0")
    if expected is not None and not 0 <= expected <= 1:
        raise ValueError(f"expected is {expected}; it must be a rate from 0 to 1")
    rate = math.nan if expected is None else expected
    probability, layer = float(early.dying(shares, step, rate)), int(shares.argmin())
    found, low, high = early.calibrated(probability, with_law=expected is not None)
    return Warning(probability, found, low, high, layer, float(shares[layer]), _advice(probability, layer, shares))


def _shares(activations: Sequence[ArrayLike]) -> np.ndarray:
    found = []
    for number, values in enumerate(activations):
        layer = np.asarray(values, float)
        if layer.ndim < 2 or not layer.size or not np.isfinite(layer).all():
            must = "be finite numbers, (examples, ..., units), with one example or more"
            raise ValueError(f"activations[{number}] has the shape {layer.shape}; it must {must}")
        found.append((layer > 0).any(axis=tuple(range(layer.ndim - 1))).mean())
    return np.array(found)


def _advice(probability: float, layer: int, shares: np.ndarray) -> str:
    where = f"layer {layer} has {shares[layer]:.0%} of its units alive"
    if shares[layer] <= 0:
        return f"Layer {layer} is dead: no gradient reaches it or what is below it, so start again at a lower rate."
    if probability >= BAD:
        return (
            f"Stop: {where}, and most such networks lose it; start again at a third of the learning rate, or warm up."
        )
    if probability >= WATCH:
        return f"Look again after ten more steps: {where}; if the share falls, lower the learning rate."
    return f"Nothing to fear that these numbers show: {where}."
