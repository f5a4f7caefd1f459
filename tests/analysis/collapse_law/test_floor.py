"""The floor of the error, of fates that are drawn from a law, where it is known."""

import numpy as np
import pytest

from analysis.collapse_law import fitting, settings
from analysis.collapse_law.floor import floor
from analysis.collapse_law.scores import scores
from analysis.collapse_law.table import Settings
from jaxbox.experiments import EXPERIMENTS
from jaxbox.forecast.law import Law

LAW = Law({"": 2.0}, {"": -2.0, "step": 3.0})
FORM = ([], ["step"])


def drawn(shift):
    """Settings of 12 programs of `fates`, whose members die by LAW, its threshold moved by `shift` times a normal
    number for each program."""
    own = [each for each in EXPERIMENTS["fates"]() if each.optimizer.name == "adam"][: 12 * 24]
    known, generator = fitting.table(own), np.random.default_rng(0)
    program = fitting.programs(own)
    moved = known.assign(step=known["step"] + shift * generator.normal(size=program.max() + 1)[program])
    rate = fitting.predicted(LAW, moved)
    members = np.full(len(own), 32)
    return Settings(own, known, settings.fields(own), generator.binomial(members, rate), members), rate


@pytest.mark.slow
def test_where_the_law_is_true_it_is_off_by_chance_alone():
    seen, rate = drawn(shift=0.0)
    found = floor(seen, FORM, folds=3)
    chance = scores(rate, seen.lost, seen.members)
    # The error of the true rates on this very draw, and a fit of three constants to 190 settings that adds little.
    assert abs(found.law - chance.absolute_error) < 0.003
    assert found.law < found.trees
    assert found.own_constants < found.law


@pytest.mark.slow
def test_what_programs_have_of_their_own_only_their_own_constants_tell():
    seen, rate = drawn(shift=1.0)  # a logit is then off by 3, as one standard deviation
    found = floor(seen, FORM, folds=3)
    chance = scores(rate, seen.lost, seen.members).absolute_error
    assert found.law > 2 * chance
    assert found.own_constants < 1.1 * chance
