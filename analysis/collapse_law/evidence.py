"""Everything that the page about the law says, from the runs that there are."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
from jaxtyping import Bool
from scipy.stats import binomtest

from analysis.collapse_law import fitting, forms, predictions
from analysis.collapse_law.floor import Floor, floor
from analysis.collapse_law.narrow import Narrow, narrow
from analysis.collapse_law.scores import Bin, Scores, calibration, scores
from analysis.collapse_law.settings import lost
from analysis.collapse_law.table import Settings
from analysis.collapse_law.warned import Warned, warned
from jaxbox import store
from jaxbox.config import Configuration, RunError, flatten
from jaxbox.experiments import EXPERIMENTS, fates
from jaxbox.forecast import SAFE
from jaxbox.forecast.law import Law
from jaxbox.intervals.rates import Interval, wilson
from jaxbox.training import strata

RESAMPLES = 200
BESIDE = (
    *dict.fromkeys(name for which in predictions.ROUNDS for name in (*which.fitted_to[1:], which.experiment)),
    "advised",
    "interventions",
    "born_dead",
    "scaled_targets",
)
"""Other runs that are looked at."""
SIDES = (0.025, 0.975)


class Constant(NamedTuple):
    """A constant of a law, or an exponent, with its 95% interval over programs."""

    name: str
    value: float
    low: float
    high: float


class Told(NamedTuple):
    """How good a predictor was, of all settings that it had not seen, and of each kind of them its absolute error."""

    predictor: str
    scores: Scores
    by_kind: dict[str, float]


class Changed(NamedTuple):
    """A configuration of the run of interventions, by what it changes, and its rate."""

    change: str
    learning_rate: float
    rate: Interval


class Scaled(NamedTuple):
    """A configuration of the run of scaled targets, and its rate."""

    targets: str
    rule: str
    learning_rate: float
    rate: Interval


@dataclass(frozen=True)
class Judged:
    """What came out where a fit had seen nothing.

    `told` is of all settings, `adam` of those with Adam, and so are the calibration `bins` and `within`, the law's
    errors that 50%, 80% and 90% of settings do not exceed; `safe` is the rate of settings that were promised SAFE.
    """

    which: predictions.Round
    settings: Settings
    told: list[Told]
    adam: list[Told]
    bins: list[Bin]
    safe: Interval
    safe_settings: int
    within: dict[str, float]


class Advised(NamedTuple):
    """Of the run `advised`: how many times the advised rate, in how many programs, which share of all members was lost,
    the share in the worst program, and in how many programs it was over SAFE by more than chance."""

    times: float
    programs: int
    lost: Interval
    worst: float
    over: int


@dataclass(frozen=True)
class Evidence:
    """What there is, `seen` being what the law is fitted to.

    Of runs that are not there: `rounds` has fewer, and what is nothing without them is None.
    """

    seen: Settings
    laws: dict[str, Law]
    constants: dict[str, list[Constant]]
    exponents: list[Constant]
    floor: Floor
    warned: Warned
    rounds: list[Judged]
    advised: list[Advised] | None
    interventions: list[Changed] | None
    narrow: list[Narrow] | None
    scaled: list[Scaled] | None

    @property
    def unseen(self) -> Settings | None:
        """What judged the law in its present form."""
        return next((each.settings for each in self.rounds if each.which == predictions.ROUNDS[-1]), None)


def gather(run: Path) -> Evidence:
    """From a run of `fates`, and those of the other experiments of the law that lie beside it under their own names.

    Raises:
        RunError: not such a run, or one of them that is not at its end.
    """
    fitted = _of("fates", run)
    beside = {name: run.parent / name for name in BESIDE if (run.parent / name).exists()}
    runs = {"fates": run, **beside}
    judged = [_judged(beside[which.experiment], which) for which in predictions.ROUNDS if which.experiment in beside]
    fitted_to = [name for name in predictions.ROUNDS[-1].fitted_to if name in runs]
    seen = Settings.joined([fitted if name == "fates" else _of(name, runs[name]) for name in fitted_to])
    laws = seen.laws(forms.FORMS)
    return Evidence(
        seen,
        laws,
        {kind: _constants(kind, law, seen) for kind, law in laws.items()},
        _exponents(fitted),
        floor(seen.of_kind("adam"), forms.FORMS["adam"]),
        warned(runs),
        judged,
        list(_advised(beside["advised"])) if "advised" in beside else None,
        list(_changed(beside["interventions"])) if "interventions" in beside else None,
        list(narrow(beside["born_dead"])) if "born_dead" in beside else None,
        list(_scaled(beside["scaled_targets"])) if "scaled_targets" in beside else None,
    )


def _of(experiment: str, run: Path) -> Settings:
    """The settings of a run, which must be of this experiment."""
    found = Settings.of(run)
    # As a run of a version stores them that knew no sample of positions.
    own, expected = (list(map(strata.settled, each)) for each in (found.configurations, EXPERIMENTS[experiment]()))
    if own != expected:
        how = f"python -m jaxbox.sweep {experiment} --seeds 32 --name {experiment} makes one"
        raise RunError(f"run: {run} is not of {experiment}; {how}")
    return found


def _resampled(seen: Settings, form: forms.Form) -> list[Law]:
    group = fitting.programs(seen.configurations)
    return fitting.resampled(form, seen.known, seen.lost, seen.members, group, RESAMPLES)


def _constants(kind: str, law: Law, seen: Settings) -> list[Constant]:
    drawn = _resampled(seen.of_kind(kind), forms.FORMS[kind])
    found = []
    for part in Law._fields:
        for name, value in getattr(law, part).items():
            low, high = np.quantile([getattr(each, part)[name] for each in drawn], SIDES)
            found.append(Constant(f"{part} {name or 'constant'}", value, float(low), float(high)))
    return found


def _exponents(seen: Settings) -> list[Constant]:
    """Of each variable of a free threshold: its constant over that of the rate."""
    own, form = seen.of_kind("adam"), (forms.FORMS["adam"][0], forms.FREE)
    best = fitting.fit(form, own.known, own.lost, own.members).threshold
    drawn = [each.threshold for each in _resampled(own, form)]
    found = []
    for name in forms.FREE[1:]:
        low, high = np.quantile([each[name] / each["rate"] for each in drawn], SIDES)
        found.append(Constant(name, best[name] / best["rate"], float(low), float(high)))
    return found


def _judged(run: Path, which: predictions.Round) -> Judged:
    found, said = _of(which.experiment, run), predictions.read(which)
    adam = forms.kinds(found.configurations) == "adam"
    law = said[predictions.LAW].to_numpy()
    safe = adam & (law <= SAFE)
    off = np.abs(law - found.lost / found.members)[adam]
    return Judged(
        which,
        found,
        _told(found, said, np.ones(len(adam), bool)),
        _told(found, said, adam),
        calibration(law[adam], found.lost[adam], found.members[adam]),
        wilson(found.lost[safe].sum(), max(found.members[safe].sum(), 1)),
        int(safe.sum()),
        {f"{share:.0%}": float(np.quantile(off, share)) for share in (0.5, 0.8, 0.9)},
    )


def _told(found: Settings, said: pd.DataFrame, chosen: Bool[np.ndarray, " settings"]) -> list[Told]:
    kind, result = said["kind"].to_numpy(), []
    for name in predictions.PREDICTORS:
        rates = said[name].to_numpy()
        of = {each: own for each in dict.fromkeys(kind) if (own := chosen & (kind == each)).any()}
        by_kind = {
            each: scores(rates[own], found.lost[own], found.members[own]).absolute_error for each, own in of.items()
        }
        result.append(Told(name, scores(rates[chosen], found.lost[chosen], found.members[chosen]), by_kind))
    return result


def _advised(run: Path) -> Iterator[Advised]:
    gone = lost(store.open_with_plan(run)[0])
    for place, times in enumerate(fates.ADVISED_TIMES):
        own = gone[place :: len(fates.ADVISED_TIMES)]
        over = sum(bool(binomtest(int(each.sum()), each.size, SAFE, "greater").pvalue < 0.05) for each in own)
        yield Advised(times, len(own), wilson(own.sum(), own.size), float(own.mean(axis=1).max()), over)


def _changed(run: Path) -> Iterator[Changed]:
    results, plan = store.open_with_plan(run)
    gone = lost(results)
    plain = dict(flatten(plan.configurations[0]))
    for configuration, own in zip(plan.configurations, gone, strict=True):
        yield Changed(_change(plain, configuration), configuration.optimizer.learning_rate, wilson(own.sum(), len(own)))


def _change(plain: dict[str, object], configuration: Configuration) -> str:
    own = {path: value for path, value in flatten(configuration) if value != plain[path]}
    return ", ".join(
        f"{path.split('.')[-1]} {value}" for path, value in own.items() if path != "optimizer.learning_rate"
    )


def _scaled(run: Path) -> Iterator[Scaled]:
    results, plan = store.open_with_plan(run)
    for configuration, own in zip(plan.configurations, store.dead_layer(results).values, strict=True):
        optimizer = configuration.optimizer
        decay = f"b1 {optimizer.b1:g}" if optimizer.name == "adam" else f"{optimizer.momentum:g}"
        rule, rate = f"{optimizer.name} {decay}", wilson(own.sum(), len(own))
        yield Scaled(configuration.task.targets, rule, optimizer.learning_rate, rate)
