"""What was said of `fates_unseen` before it was trained, against what came out."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from analysis.collapse_law import fitting, forms, predictions, settings
from analysis.collapse_law.scores import scores
from jaxbox import forecast, sweep
from jaxbox.experiments import EXPERIMENTS
from jaxbox.forecast import constants
from jaxbox.store import open_with_plan

FOUND = pd.read_csv(Path(__file__).with_name("unseen.csv"), index_col="setting")
"""How many of 32 members of each setting were lost: jax 0.10.2, 2 CPU cores."""
SAID = predictions.read()
MEMBERS = 32


@pytest.fixture(scope="module")
def configurations():
    return EXPERIMENTS["fates_unseen"]()


@pytest.fixture(scope="module")
def adam(configurations):
    return forms.kinds(configurations) == "adam"


def scored(name, chosen):
    lost = FOUND["lost"].to_numpy()[chosen]
    return scores(SAID[name].to_numpy()[chosen], lost, np.full(len(lost), MEMBERS))


def test_there_is_a_prediction_and_an_outcome_for_every_setting(configurations):
    assert len(SAID) == len(FOUND) == len(configurations)
    assert SAID[list(predictions.PREDICTORS)].notna().all(axis=None)


def test_the_law_that_is_used_is_the_one_that_predicted(configurations):
    """Constants are kept to three digits: a logit is then off by .03 at most, and a rate by a fourth of that."""
    known = fitting.table(configurations)
    rates = forms.predicted({"adam": constants.ADAM, "descent": constants.DESCENT}, configurations, known)
    np.testing.assert_allclose(rates, SAID["law"], atol=0.01)
    for number in range(0, len(configurations), 37):
        assert forecast.expect(configurations[number]).rate == pytest.approx(rates[number])


def test_with_adam_the_law_is_better_than_every_baseline(adam):
    law = scored("law", adam)
    for name in predictions.BASELINES:
        assert law.absolute_error < scored(name, adam).absolute_error, name
        assert law.brier < scored(name, adam).brier, name


@pytest.mark.slow
def test_what_came_out_comes_out_again(configurations, tmp_path):
    """A program of one hidden layer and one of an inverted box, trained anew: counts differ by no more than last bits do.

    On another machine members near the border may fall on the other side; that is less than chance between two sets of
    seeds, whose counts differ by sqrt(2 n p (1 - p)), 4 of 32 at most; four times that is far too much for any setting.
    """
    for first in (80, 496):
        own = configurations[first : first + 16]
        sweep.run(own, MEMBERS, name=f"again{first}", out=tmp_path, quiet=True)
        again = settings.lost(open_with_plan(tmp_path / f"again{first}")[0]).sum(axis=1)
        then = FOUND["lost"].to_numpy()[first : first + 16]
        assert np.abs(again - then).max() <= 16
        assert np.abs(again - then).mean() <= 3
