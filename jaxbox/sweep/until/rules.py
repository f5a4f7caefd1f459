"""Rules that say when a sweep has seeds enough: each rate is known to within a width, or each pair is ordered."""

from __future__ import annotations

import dataclasses
import itertools
import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Protocol, TypeAlias

from jaxbox import config
from jaxbox.config import ConfigurationError, Plan

if TYPE_CHECKING:
    import numpy as np
    import xarray

    from jaxbox.intervals import Interval
    from jaxbox.sweep.until.decisions import Decision

# What computes is imported late: the command line reads rules, and SciPy takes half a second. So is NumPy.
EXPECTED = 64
"""Seeds at which the sequences of pairs, which people see on the way, are as short as they can be."""
NORMAL = 1.959964
"""The normal quantile of a 95% interval."""
SMALLEST_WIDTH = 0.01
"""At the rate 1/2 that takes some ten thousand seeds."""

Values: TypeAlias = "Sequence[np.ndarray]"
"""A statistic of each of a subject's configurations, seed by seed, in the order of the seeds."""


@dataclasses.dataclass(frozen=True)
class Subject:
    """What is to be decided: a statistic of a configuration, or of a pair of them, given by their indices."""

    configurations: tuple[int, ...]
    statistic: str
    words: str = ""


class Rule(Protocol):
    """Decides from the results of a run, at looks that are fixed in advance, which configurations have seeds enough."""

    @property
    def name(self) -> str:
        """As the command line has it."""
        ...

    def looks(self, most: int) -> tuple[int, ...]:
        """At how many seeds of a configuration it looks, up to `most`."""
        ...

    def subjects(self, plan: Plan) -> list[Subject]:
        """What is to be decided in a run of this plan.

        Raises:
            ConfigurationError: nothing is.
        """
        ...

    def measure(self, run: xarray.Dataset) -> Mapping[str, np.ndarray]:
        """Each statistic, (configuration, seed)."""
        ...

    def fixed_seeds(self, decisions: Sequence[Decision]) -> int:
        """Seeds that each configuration would have to have, had somebody known them in advance, for as much."""
        ...

    def interval(self, subject: Subject, values: Values, looks: tuple[int, ...], look: int) -> Interval:
        """What is known of a subject at a look, given by its place in `looks`, with the confidence of that look."""
        ...

    def answer(self, subject: Subject, found: Interval) -> str:
        """What an interval decides; empty if nothing."""
        ...

    def sequence(self, subject: Subject, values: Values) -> Interval:
        """What is known of a subject for whoever looks whenever he likes (an anytime-valid sequence)."""
        ...


@dataclasses.dataclass(frozen=True)
class Width:
    """Until each rate of collapse is known to within `half` on either side of the middle of its interval."""

    half: float

    @property
    def name(self) -> str:
        """As the command line has it."""
        return f"width:{self.half:g}"

    def looks(self, most: int) -> tuple[int, ...]:
        """From the fewest seeds that could do, in tenths more."""
        from jaxbox.sweep.until import looks

        return looks.width_looks(self.half, most)

    def subjects(self, plan: Plan) -> list[Subject]:
        """Each configuration."""
        return [Subject((index,), "collapse rate") for index in range(len(plan.configurations))]

    def measure(self, run: xarray.Dataset) -> Mapping[str, np.ndarray]:
        """Who has collapsed."""
        return _collapsed(run)

    def interval(self, subject: Subject, values: Values, looks: tuple[int, ...], look: int) -> Interval:
        """Clopper and Pearson's, at a level that makes the one at which the rule stops miss in 5% at most."""
        from jaxbox.intervals import clopper_pearson
        from jaxbox.sweep.until.looks import width_confidence

        (events,) = values
        return clopper_pearson(events.sum(), len(events), width_confidence(self.half, looks))

    def answer(self, subject: Subject, found: Interval) -> str:
        """Known, once it is."""
        from jaxbox.sweep.until.looks import narrow

        return "known" if narrow(found, self.half) else ""

    def sequence(self, subject: Subject, values: Values) -> Interval:
        """`rate_sequence`, at every eighth seed so far, and what they have in common."""
        import numpy as np

        from jaxbox.intervals import Interval, rate_sequence, running
        from jaxbox.sweep.until.looks import TOGETHER

        (events,) = values
        places = np.unique([*range(TOGETHER, len(events), TOGETHER), len(events)])
        # As many seeds as a rate of .22 takes, which is the question's.
        found = running(rate_sequence(np.cumsum(events)[places - 1], places, expected=0.66 / self.half**2))
        return Interval(*(each[-1] for each in found))

    def fixed_seeds(self, decisions: Sequence[Decision]) -> int:
        """What a 95% interval of this width takes at the rate nearest to 1/2, for who knows that and looks once."""
        rates = [float(each.found.value) for each in decisions if each.found is not None]
        return max((math.ceil(NORMAL**2 * rate * (1 - rate) / self.half**2) for rate in rates), default=0)


@dataclasses.dataclass(frozen=True)
class Order:
    """Until each difference of two rates of collapse is more than `margin`, or less, either way.

    Pairs are configurations that differ in one field; both have the same seeds.
    """

    margin: float = 0.1

    @property
    def name(self) -> str:
        """As the command line has it."""
        return f"order:{self.margin:g}"

    def looks(self, most: int) -> tuple[int, ...]:
        """From 8 seeds, in quarters more."""
        from jaxbox.sweep.until import looks

        return looks.geometric(looks.TOGETHER, 1.25, most)

    def subjects(self, plan: Plan) -> list[Subject]:
        """Each pair of configurations that differ in one field."""
        found = [Subject(pair, self._statistic, field) for pair, field in pairs(plan)]
        if not found:
            raise ConfigurationError(
                f"until: {self.name} is not allowed; no two configurations of this sweep differ in one field only"
            )
        return found

    @property
    def _statistic(self) -> str:
        return "collapse rate"

    def measure(self, run: xarray.Dataset) -> Mapping[str, np.ndarray]:
        """Who has collapsed."""
        return _collapsed(run)

    def interval(self, subject: Subject, values: Values, looks: tuple[int, ...], look: int) -> Interval:
        """Tango's, at the confidence of the look."""
        from jaxbox.intervals import Table, paired_rates
        from jaxbox.sweep.until.looks import levels

        return paired_rates(Table.of(*values), levels(looks)[look])

    def answer(self, subject: Subject, found: Interval) -> str:
        """More, less, or no difference that matters."""
        return ordered(found, self.margin)

    def sequence(self, subject: Subject, values: Values) -> Interval:
        """`paired_rates_sequence`."""
        from jaxbox.intervals import Table, paired_rates_sequence

        return paired_rates_sequence(Table.of(*values), expected=EXPECTED)

    def fixed_seeds(self, decisions: Sequence[Decision]) -> int:
        """As many as the pair that took most."""
        return max((each.seeds for each in decisions), default=0)


@dataclasses.dataclass(frozen=True)
class OrderR2(Order):
    """The same of interquartile means of R2."""

    margin: float = 0.05

    @property
    def name(self) -> str:
        """As the command line has it."""
        return f"order_r2:{self.margin:g}"

    @property
    def _statistic(self) -> str:
        return "interquartile mean R2"

    def measure(self, run: xarray.Dataset) -> Mapping[str, np.ndarray]:
        """R2 at the end."""
        from jaxbox.store.measures import final_r2

        return {self._statistic: final_r2(run).values}

    def interval(self, subject: Subject, values: Values, looks: tuple[int, ...], look: int) -> Interval:
        """Yuen and Dixon's, at the confidence of the look."""
        from jaxbox.intervals import paired_means
        from jaxbox.sweep.until.looks import levels

        return paired_means(values[0], values[1], levels(looks)[look])

    def sequence(self, subject: Subject, values: Values) -> Interval:
        """`paired_means_sequence`."""
        from jaxbox.intervals import paired_means_sequence

        return paired_means_sequence(values[0], values[1], expected=EXPECTED)


def ordered(found: Interval, margin: float) -> str:
    """What an interval of a difference says beside a margin: more, less, equal, or nothing."""
    if found.low > margin:
        return "more"
    if found.high < -margin:
        return "less"
    return "equal" if found.low > -margin and found.high < margin else ""


def pairs(plan: Plan) -> list[tuple[tuple[int, int], str]]:
    """The pairs of configurations that differ in one of the fields that vary, with that field."""
    varied = plan.varied()
    # Numbers that a configuration lacks are NaN, which would differ from itself.
    rows = list(zip(*([str(value) for value in values] for values in varied.values()), strict=True))
    found = []
    for pair in itertools.combinations(range(len(rows)), 2):
        one, other = (rows[index] for index in pair)
        differing = [path for path, *values in zip(varied, one, other, strict=True) if values[0] != values[1]]
        if len(differing) == 1:
            found.append((pair, differing[0]))
    return found


def _collapsed(run: xarray.Dataset) -> Mapping[str, np.ndarray]:
    from jaxbox.store.measures import collapsed

    return {"collapse rate": collapsed(run).values}


RULES = {"width": (Width, 0.5), "order": (Order, 1.0), "order_r2": (OrderR2, 2.0)}
"""By name, with what its number must be below."""


def parse(text: str) -> Width | Order:
    """The rule that a command line names: `width:0.05`, `order`, `order:0.2`, `order_r2:0.05`.

    Raises:
        ConfigurationError: there is none of that name, or its number is out of range.
    """
    name, colon, number = text.partition(":")
    rule, below = config.look_up(RULES, name, "until")
    try:
        values = [float(number)] if colon else []
    except ValueError:
        raise ConfigurationError(f"until: {text!r} is not allowed; after {name}: comes a number") from None
    config.require(bool(values) or rule is not Width, "until", text, "width:NUMBER, such as width:0.05")
    for value in values:
        least = SMALLEST_WIDTH if rule is Width else 0.0
        config.require(least <= value < below, "until", text, f"{name}:NUMBER, from {least:g} to less than {below:g}")
    return rule(*values)
