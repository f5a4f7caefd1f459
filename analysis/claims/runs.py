"""The runs that claims rest on: one for each experiment in each setting, of all that any claim compares there."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from pathlib import Path

import numpy as np
import xarray

from analysis.claims import judging
from analysis.claims.claim import Claim, Comparison, Fields, Measured
from analysis.claims.judging import Compared
from analysis.claims.selecting import select, sides
from analysis.claims.settings import FULL, SETTINGS
from analysis.claims.statistics import STATISTICS
from analysis.claims.table import CLAIMS
from jaxbox import config, experiments
from jaxbox.config import Configuration, ConfigurationError, Plan, tables
from jaxbox.intervals import Interval
from jaxbox.sweep.until import Subject
from jaxbox.sweep.until.looks import TOGETHER, geometric, levels

MOST_SEEDS = 96
"""Of a configuration: a claim that they do not decide is left undecided."""
RATIO = 1.5


@dataclasses.dataclass(frozen=True)
class Placed:
    """A comparison of a claim in a setting: what its sides are there."""

    claim: str
    experiment: str
    setting: str
    comparison: Comparison
    statistic: str
    margin: float
    reason: bool
    """Whether it is of the reason that the claim gives."""
    configurations: tuple[Configuration, ...]

    @property
    def job(self) -> str:
        """The name of the run that has it: small enough for its results to be gathered at each look in no time."""
        return f"{self.setting}-{self.experiment}"

    @property
    def where(self) -> str:
        """Size of image and box, and Adam's epsilon, as far as the configurations read them."""
        readers = {path: each for each in reversed(self.configurations) for path in tables.fields_read(each)}
        own = self.configurations[0]
        words = [f"{own.task.height} x {own.task.width}"]
        words += [f"box of {own.task.box_size}"] if "task.box_size" in readers else []
        if "optimizer.epsilon" in readers:  # one side may be plain descent
            epsilon = readers["optimizer.epsilon"].optimizer.epsilon
            said = f"Adam's epsilon {epsilon:g}".replace("e-0", "e-")
            words.append(said + (f" ({WHOSE[epsilon]})" if epsilon in WHOSE else ""))
        return ", ".join([*words, f"{own.steps:,} steps"])


WHOSE = {1e-7: "Keras's", 1e-8: "the question's"}


@lru_cache
def placed(name: str, setting: str) -> tuple[Placed, ...]:
    """The comparisons of a measured claim in a setting; none where it does not have them in full size.

    Raises:
        ConfigurationError: a comparison that does not select its configurations.
    """
    evidence = CLAIMS[name].evidence
    assert isinstance(evidence, Measured)
    every, found = _experiment(evidence.experiment, setting == FULL), []
    for reason, comparisons in ((False, evidence.comparisons), (True, evidence.reasons)):
        for comparison in comparisons:
            statistic = comparison.statistic or evidence.statistic
            try:
                own = tuple(_in_setting(every, fields, setting) for fields in sides(comparison))
            except ConfigurationError:
                if setting != FULL:
                    raise
                continue
            found.append(
                Placed(name, evidence.experiment, setting, comparison, statistic, evidence.margin, reason, own)
            )
    return tuple(found)


@lru_cache
def _experiment(name: str, full: bool) -> tuple[Configuration, ...]:
    return tuple(experiments.configurations(name, full))


def _in_setting(every: Sequence[Configuration], fields: Fields, setting: str) -> Configuration:
    """The configuration that the fields select, with the setting's fields set."""
    changes = {path: [value] for path, value in SETTINGS[setting].items()}
    spread = config.spread([every[select(every, fields)]], changes)
    # Nothing counts as said: under plain descent Adam's epsilon is read by nobody, which is no mistake here.
    return config.fit(config.distinct(spread, set(), inherited=True)[0])


@dataclasses.dataclass(frozen=True)
class Job:
    """A run, and the comparisons that look at it; the rule for its sweep, which stops when all are decided.

    It looks at 8, 16, 24, 40, 64 and 96 seeds, at the levels of `jaxbox.sweep.until.looks`: each comparison is decided
    wrongly in 5% at most, over all of its looks. That is for one comparison; some of many will be wrong.
    """

    name: str
    placed: tuple[Placed, ...]

    def configurations(self) -> list[Configuration]:
        """What is compared, without repeats: claims that compare the same network share it."""
        return list(dict.fromkeys(each for one in self.placed for each in one.configurations))

    def looks(self, most: int) -> tuple[int, ...]:
        """Half as many again each time."""
        return geometric(TOGETHER, RATIO, most)

    def subjects(self, plan: Plan) -> list[Subject]:
        """Its comparisons; those of configurations that the run does not have are left out."""
        places = {configuration: index for index, configuration in enumerate(plan.configurations)}
        found: list[Subject] = []
        for one in self.placed:
            own = tuple(places[each] for each in one.configurations if each in places)
            if len(own) == len(one.configurations):
                found.append(Compared(own, one.statistic, f"{one.claim}, {one.comparison.condition}", one))
        return found

    def measure(self, run: xarray.Dataset) -> Mapping[str, np.ndarray]:
        """The statistics that its comparisons ask for."""
        names = dict.fromkeys(one.statistic for one in self.placed)
        return {name: STATISTICS[name].function(run).transpose("configuration", "seed").values for name in names}

    def interval(self, subject: Subject, values: Sequence[np.ndarray], looks: tuple[int, ...], look: int) -> Interval:
        """Of the difference, at the confidence of the look."""
        assert isinstance(subject, Compared)
        return judging.difference(subject.statistic, values, subject.placed.comparison, levels(looks)[look])

    def answer(self, subject: Subject, found: Interval) -> str:
        """True or false."""
        assert isinstance(subject, Compared)
        return judging.answer(subject.placed.comparison, subject.placed.margin, found)

    def sequence(self, subject: Subject, values: Sequence[np.ndarray]) -> Interval:
        """The interval of the last look that there is: what is seen on the way decides here, too."""
        looks = self.looks(MOST_SEEDS)
        return self.interval(subject, values, looks, max(sum(look <= len(values[0]) for look in looks) - 1, 0))

    def fixed_seeds(self, decisions: Sequence[object]) -> int:
        """Nobody asks."""
        return 0


def jobs(names: Iterable[str] = (), full: bool = False) -> list[Job]:
    """Every run that claims need, or that those need which are named."""
    found: dict[str, list[Placed]] = {}
    for name in names or CLAIMS:
        for setting in settings_of(CLAIMS[name], full):
            for one in placed(name, setting):
                found.setdefault(one.job, []).append(one)
    return [Job(name, tuple(own)) for name, own in found.items()]


def settings_of(claim: Claim, full: bool = False) -> tuple[str, ...]:
    """The settings in which a claim is tried; none if it is computed."""
    if not isinstance(claim.evidence, Measured):
        return ()
    return (FULL,) if full else claim.evidence.settings


def path_of(folder: Path, job: Job) -> Path:
    """Where its run is."""
    return folder / job.name
