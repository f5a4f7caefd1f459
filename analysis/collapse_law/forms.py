"""The law's form for each kind of optimiser, and what its rivals say of the same exponents."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
from jaxtyping import Float, Shaped

from analysis.collapse_law import fitting
from jaxbox.config import Configuration
from jaxbox.forecast.law import Law
from jaxbox.forecast.variables import DESCENT

Form = tuple[Sequence[str], Sequence[str]]
FIRST: dict[str, Form] = {
    "adam": (["input", "positions"], ["step", "scale"]),
    "descent": ([], ["rate", "momentum", "scale", "input"]),
}
"""What was fitted to `fates` alone, and judged on `fates_unseen`: variables of the plateau and of the threshold, by
kind of optimiser."""
SECOND: dict[str, Form] = {
    "adam": (["brightness", "positions", "units"], ["step", "scale", "shared"]),
    "descent": ([], ["rate", "momentum", "instability"]),
}
"""What came of that: fitted to both, and judged on `fates_fresh`."""
FORMS: dict[str, Form] = {
    "adam": (["brightness", "units", "hidden", "factors"], ["step", "scale", "shared", "wide", "carried"]),
    "descent": SECOND["descent"],
}
"""What is in use: fitted to all of these and to `fates_wide`, and judged on `fates_wide_unseen`."""
FREE = ["rate", "fan_in", "factors", "scale", "damping", "impulse", "batch", "input"]
"""Variables of Adam's threshold where each may have the exponent that the data give it."""


class Rival(NamedTuple):
    """What a mechanism says of the exponents of FREE in what the learning rate is compared with: a rate that is x times
    as high is made up for by a variable that is x^(1 / exponent) times smaller. What it does not name it says is 0."""

    name: str
    mechanism: str
    exponents: dict[str, float]


RIVALS = (
    Rival(
        "coherent shift",
        "a step moves a pre-activation by the rate times the sum of its inputs, against its spread at the start",
        {"fan_in": 1.0, "scale": -1.0, "damping": -1.0},
    ),
    Rival(
        "first weights",
        "a step moves each weight by the rate, against its standard deviation at the start",
        {"fan_in": 0.5, "scale": -1.0, "damping": -1.0},
    ),
    Rival(
        "overshoot and momentum",
        "the output overshoots, and the momentum of the gradient that follows carries every unit down",
        {"fan_in": 1.0, "scale": -1.0, "damping": -1.0, "impulse": 1.0, "input": 1.0},
    ),
    Rival(
        "step against size",
        "a step moves the product of all layers, against the weights that it needs, whatever it started with",
        {"fan_in": 0.5, "factors": 1.0, "damping": -1.0},
    ),
)
"""What was tried, from the issue's start to what is left."""


def kinds(configurations: Sequence[Configuration]) -> Shaped[np.ndarray, " settings"]:
    """The key in FORMS of each setting."""
    return np.array(["descent" if each.optimizer.name in DESCENT else "adam" for each in configurations])


def predicted(
    found: dict[str, Law], configurations: Sequence[Configuration], known: pd.DataFrame
) -> Float[np.ndarray, " settings"]:
    """Each setting's rate by the law of its kind."""
    of, rates = kinds(configurations), np.full(len(configurations), np.nan)
    for kind, law in found.items():
        rates[of == kind] = fitting.predicted(law, known.loc[of == kind])
    return rates
