"""The constants of the law from a run, by maximum likelihood, with intervals."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from jaxtyping import Float, Int
from scipy.optimize import minimize

from jaxbox.config import Configuration, Static
from jaxbox.forecast.law import Law, probability, sigmoid
from jaxbox.forecast.variables import variables

PULL = 1e-5
"""Of a penalty on the squares of the constants, in units of a standard deviation of their variables and a member: it
decides where the likelihood is flat, and nowhere else."""
LEAST = 1e-9
"""The least probability that a logarithm is taken of."""


def table(configurations: Sequence[Configuration]) -> pd.DataFrame:
    """The `variables` of each setting, a row each."""
    return pd.DataFrame([variables(each) for each in configurations])


def programs(configurations: Sequence[Configuration]) -> Int[np.ndarray, " settings"]:
    """A number for each setting, the same for those that differ in numbers alone: what resamples leave together."""
    numbers: dict[Static, int] = {}
    return np.array([numbers.setdefault(Static.of(each), len(numbers)) for each in configurations])


def fit(
    form: tuple[Sequence[str], Sequence[str]],
    known: pd.DataFrame,
    lost: Int[np.ndarray, " settings"],
    members: Int[np.ndarray, " settings"],
) -> Law:
    """The constants of the law that make what was found most probable.

    Args:
        form: names of the variables of the plateau and of the threshold; both have a constant term, too.
        known: of `table`.
        lost: how many members of each setting were lost.
        members: how many it has.
    """
    centre, size = known.mean(), known.std(ddof=0).replace(0, 1)
    scaled = (known - centre) / size
    designs = [np.column_stack([np.ones(len(known)), scaled[list(names)]]) for names in form]
    cut = designs[0].shape[1]

    def cost(constants: Float[np.ndarray, " constants"]) -> tuple[float, Float[np.ndarray, " constants"]]:
        gates = [sigmoid(design @ own) for design, own in zip(designs, np.split(constants, [cut]), strict=True)]
        rate = np.clip(gates[0] * gates[1], LEAST, 1 - LEAST)
        value = -(lost * np.log(rate) + (members - lost) * np.log1p(-rate)).sum()
        slope = -(lost / rate - (members - lost) / (1 - rate)) * rate
        slopes = [design.T @ (slope * (1 - own)) for design, own in zip(designs, gates, strict=True)]
        total = members.sum()
        return value / total + PULL * constants @ constants, np.concatenate(slopes) / total + 2 * PULL * constants

    start = np.zeros(sum(design.shape[1] for design in designs))
    start[0] = 1.0  # a plateau near 1: between two gates that are alike nothing would choose
    found = minimize(cost, start, jac=True, method="L-BFGS-B", options={"maxiter": 5000}).x
    return Law(*(_unscaled(names, own, centre, size) for names, own in zip(form, np.split(found, [cut]), strict=True)))


def resampled(
    form: tuple[Sequence[str], Sequence[str]],
    known: pd.DataFrame,
    lost: Int[np.ndarray, " settings"],
    members: Int[np.ndarray, " settings"],
    group: Int[np.ndarray, " settings"],
    resamples: int = 200,
) -> list[Law]:
    """Laws fitted to programs drawn with replacement, all settings of each (the cluster bootstrap; Efron, 1979).

    Settings of one program share what the law does not know of it, and so tell less than as many programs would.
    """
    generator, count = np.random.default_rng(0), group.max() + 1
    places = [np.flatnonzero(group == number) for number in range(count)]
    found = []
    for _ in range(resamples):
        chosen = np.concatenate([places[number] for number in generator.integers(count, size=count)])
        found.append(fit(form, known.iloc[chosen].reset_index(drop=True), lost[chosen], members[chosen]))
    return found


def predicted(law: Law, known: pd.DataFrame) -> Float[np.ndarray, " settings"]:
    """The law's rate of each setting."""
    return np.asarray(probability(law, {name: known[name].to_numpy() for name in known}))


def _unscaled(
    names: Sequence[str], own: Float[np.ndarray, " constants"], centre: pd.Series, size: pd.Series
) -> dict[str, float]:
    slopes = {name: float(value / size[name]) for name, value in zip(names, own[1:], strict=True)}
    return {"": float(own[0] - sum(value * centre[name] for name, value in slopes.items())), **slopes}
