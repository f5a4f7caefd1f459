"""Deep narrow networks: how many are dead at birth, beside Lu et al. (2019), and how many after training."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from jaxbox import forecast, store
from jaxbox.intervals.rates import Interval, wilson


class Narrow(NamedTuple):
    """A configuration of the run `born_dead`: how many layers of how many units, how weights start, how many members
    were dead at step 0 and at the end, what one input alone would make, and what the law says (NaN: nothing)."""

    layers: int
    units: int
    initialization: str
    born_dead: Interval
    dead: Interval
    one_input: float
    law: float


def born_dead(hidden: Sequence[int]) -> float:
    """The probability that a relu network with symmetric first weights and no biases is dead for a given input.

    1 - prod over layers of (1 - 2^-N): a layer of N units is dead for an input that reaches it with probability 2^-N,
    whatever that input is (Lu et al., 2019, arXiv 1903.06733, section 3). Of many inputs at once it is an upper bound.
    """
    return float(1 - np.prod([1 - 0.5**units for units in hidden]))


def narrow(run: Path) -> Iterator[Narrow]:
    """Of each configuration of a run of `born_dead`.

    Raises:
        RunError: not a run, or one without results.
    """
    results, plan = store.open_with_plan(run)
    dead = (results["dead_fraction"] >= 1).any("layer")
    first, last = dead.isel(step=0).values, store.dead_layer(results).values
    for number, configuration in enumerate(plan.configurations):
        hidden = configuration.model.hidden
        known = not forecast.unknown(configuration)
        yield Narrow(
            len(hidden),
            hidden[0],
            configuration.model.initialization,
            wilson(first[number].sum(), len(first[number])),
            wilson(last[number].sum(), len(last[number])),
            born_dead(hidden) if configuration.model.initialization != "asymmetric" else float("nan"),
            forecast.expect(configuration).rate if known else float("nan"),
        )
