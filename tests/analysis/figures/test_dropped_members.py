"""Figures and the report of a run that drops members, whose curves end before those of others."""

import numpy as np
import pytest

from analysis.comparison import compare
from analysis.figures import curves, dead_units, saving, selection
from analysis.report.gather import gather
from jaxbox import config, store, sweep
from jaxbox.config import Configuration, Data, Model, Task

SMALL = Configuration(
    Task(6, 6, 2),
    Model("mlp", hidden=(8, 8)),
    data=Data(train_size=100),
    batch_size=16,
    steps=320,
    eval_every=40,
)


@pytest.fixture(scope="module")
def dropping(tmp_path_factory):
    folder = tmp_path_factory.mktemp("dropping")
    rates = [config.replace(SMALL, {"optimizer.learning_rate": rate}) for rate in (0.003, 0.5)]
    sweep.run(rates, 6, out=folder, name="run", drop="dead", quiet=True)
    return folder / "run"


def test_a_dropped_member_counts_with_what_it_was_last(dropping):
    results, plan = store.open_with_plan(dropping)
    carried = selection.carried_on(plan, results, "dead_fraction").transpose("configuration", "seed", "step", "layer")
    gone = store.dropped(results).values
    assert 2 <= gone.sum() < gone.size
    for place in np.ndindex(gone.shape):
        own = results["dead_fraction"].values[place]
        known = np.flatnonzero(np.isfinite(own).all(axis=1))
        assert (len(known) < len(own)) == gone[place]
        np.testing.assert_array_equal(carried.values[place][known], own[known])
        assert (carried.values[place][known[-1] :] == own[known[-1]]).all()


def test_quartiles_are_over_all_members_of_a_fate_at_every_step(dropping):
    numbers, fates = dead_units.numbers(dropping), compare(dropping)["fate"].values
    results, plan = store.open_with_plan(dropping)
    carried = selection.carried_on(plan, results, "dead_fraction").transpose("configuration", "seed", "step", "layer")
    for place, configuration in enumerate(numbers["configuration"].values):
        for fate in numbers["fate"].values:
            own = carried.values[configuration, fates[configuration] == fate]
            if len(own):
                expected = np.quantile(own, 0.5, axis=0).T
                found = numbers["median"].isel(configuration=place).sel(fate=fate)
                np.testing.assert_allclose(found.values, expected, atol=1e-12)


def test_figures_of_curves_can_be_drawn(dropping):
    for figure in (curves, dead_units):
        saving.draw(figure, figure.numbers(dropping), "one")


def test_the_report_takes_dropped_members_for_finished(dropping):
    found = gather(dropping)
    assert found.finished.all()
    assert (store.open_run(dropping)["last_step"] < SMALL.steps).any()
