"""The table against numbers worked out by hand, on a made-up run."""

import numpy as np
import pytest
import xarray
from made_up import VARIANCE, made_up_run
from scipy import stats

from jaxbox import store
from jaxbox.sweep import closing_table


def test_labels_name_what_varies_model_first():
    assert closing_table.labels(made_up_run()) == ["cnn learning_rate=0.1", "mlp learning_rate=0.001"]


def test_labels_name_fields_of_the_configuration_itself():
    run = made_up_run().assign_coords({"batch_size": ("configuration", [8, 64])})
    assert [label.split()[-1] for label in closing_table.labels(run)] == ["batch_size=8", "batch_size=64"]


def test_labels_tell_numbers_apart_that_differ_late():
    run = made_up_run().drop_vars("model.name")
    run["optimizer.learning_rate"] = ("configuration", [0.001, 0.00100001])
    assert closing_table.labels(run) == ["learning_rate=0.001", "learning_rate=0.00100001"]


def test_labels_spell_tuples_and_integers_out():
    run = made_up_run().drop_vars(["model.name", "optimizer.learning_rate"])
    run = run.assign_coords({"model.features": ("configuration", ["(8,)", "(32, 64)"])})
    run = run.assign_coords({"data.train_size": ("configuration", [10_000_000, 0])})
    assert closing_table.labels(run) == ["features=(8,) train_size=10000000", "features=(32, 64) train_size=0"]


def test_labels_leave_out_a_field_that_varies_because_of_other_models():
    models = {"model.name": ["linear", "mlp", "cnn", "cnn"], "model.activation": ["relu", "tanh", "relu", "gelu"]}
    run = xarray.Dataset(coords={"configuration": range(4)} | {k: ("configuration", v) for k, v in models.items()})
    assert closing_table.labels(run) == ["linear", "mlp tanh", "cnn relu", "cnn gelu"]


@pytest.mark.parametrize(("events", "count"), [(0, 64), (2, 12), (64, 64), (1, 3)])
def test_rate_has_wilsons_interval(events, count):
    expected = stats.binomtest(events, count).proportion_ci(method="wilson")
    found = store.wilson_rate(np.arange(count) < events)
    np.testing.assert_allclose(found, (events / count, *expected), rtol=0, atol=1e-14)
    assert closing_table.rate(np.arange(count) < events) == "{:.0f}% [{:.0f}, {:.0f}]".format(*100 * np.array(found))


INF = np.inf


@pytest.mark.parametrize(
    ("scores", "expected"),
    [
        ([0.9, 0.5, 0.04, 0.0], "0.2700 [0.0300, 0.6000]"),
        ([-INF, 0.0, 1.0, 1.0], "0.5000 [-inf, 1.0000]"),  # a quarter is at 3/4 of the way from -inf to 0
        ([1.0, -INF, -INF, -INF], "-inf [-inf, -inf]"),
        ([-INF, -INF, 0.5, 0.5], "-inf [-inf, 0.5000]"),
        ([-INF, 0.25, 0.5, 0.75, 1.0], "0.5000 [0.2500, 0.7500]"),
        ([-0.0123, -0.0123], "-0.012 [-0.012, -0.012]"),
        ([-123.4], "-123 [-123, -123]"),
        ([-1.5e38], "-2e+38 [-2e+38, -2e+38]"),
        ([], "-"),
    ],
)
def test_quartiles_rank_minus_infinity_lowest(scores, expected):
    assert closing_table.quartiles(np.array(scores)) == expected


@pytest.mark.parametrize("size", [1e-4, 0.99, 5.0, 9.89995, 99.96, 998.7, 9998.7, 9999.7, 3e38])
def test_quartiles_are_never_wider_than_their_column(size):
    assert len(closing_table.quartiles(np.array([-size, -size, -size]))) <= 23
    assert len(closing_table.quartiles(np.array([-size, 0.5, 0.99999]))) <= 23


def test_the_table_has_a_row_a_configuration():
    _, _, first, second, *_ = closing_table.table(made_up_run(), width=200).splitlines()
    # R2 of .04 and 0 are below .05; the quartiles of .9, .5, .04, 0 are .03, .27, .6.
    expected = "0: cnn learning_rate=0.1 4 50% [15, 85] 0.2700 [0.0300, 0.6000] 25% [5, 70] 0 1.2"
    assert first.split() == expected.split()
    # Only the two seeds that have begun count: R2 of .05, not below it, and -3; one froze.
    assert second.split()[:6] == ["1:", "mlp", "learning_rate=0.001", "2", "50%", "[9,"]
    assert second.split()[-2:] == ["1", "2.5"]


def test_an_evaluation_before_the_first_step_counts():
    run = made_up_run()
    run["last_step"][1, 2] = 0
    run["mse"][1, 2, 0, 0] = 0.7 * VARIANCE
    # Of .05, -3 and .3 one has collapsed.
    assert closing_table.table(run, width=200).splitlines()[3].split()[3:5] == ["3", "33%"]


def test_a_narrow_table_says_the_same_on_two_lines():
    wide, narrow = (closing_table.table(made_up_run(), width).split("collapsed: ")[0] for width in (200, 80))
    words, again = ([word for word in text.split() if set(word) != {"-"}] for text in (wide, narrow))
    assert again == words
    assert narrow.splitlines()[3] == "0: cnn learning_rate=0.1"
    assert narrow.splitlines()[4].startswith("    4  50% [15, 85]  0.2700 [0.0300, 0.6000]  25% ")


def test_a_table_is_narrow_only_where_it_must_be():
    wide = closing_table.table(made_up_run(), width=200)
    needed = max(map(len, wide.splitlines()[:4]))
    assert closing_table.table(made_up_run(), needed) == wide
    narrow = closing_table.table(made_up_run(), needed - 1).splitlines()
    assert len(narrow) > len(wide.splitlines())


def test_the_widest_numbers_fit_80_columns():
    run = made_up_run().isel(configuration=[0], seed=np.tile(range(4), 100))
    run["mse"][:, :, :, 0] = 1e38
    run["seconds"][:] = 99_999.9
    lines = closing_table.table(run, width=80).splitlines()
    assert max(map(len, lines)) <= 80
    assert lines[4].split()[-1] == "99999.9"


def test_a_long_name_is_folded_never_cut():
    run = made_up_run()
    fields = ["task.noise_level", "optimizer.momentum", "optimizer.b1", "optimizer.b2", "optimizer.epsilon"]
    run = run.assign_coords({field: ("configuration", [0.123456789, 0.2]) for field in fields})
    lines = closing_table.table(run, width=80).splitlines()
    assert max(map(len, lines)) <= 80
    assert " ".join(" ".join(lines[3:6]).split()).startswith(f"0: {closing_table.labels(run)[0]} 4 50%")


def test_a_long_table_repeats_its_heading():
    run = made_up_run().isel(configuration=np.tile([0, 1], 30)).assign_coords(configuration=range(60))
    lines = closing_table.table(run, width=80).splitlines()
    assert [line.split(":")[0] for line in lines if "learning_rate" in line] == [str(index) for index in range(60)]
    assert sum(line.startswith("seeds ") for line in lines) == 3


def test_no_rate_of_dead_layers_without_a_relu():
    run = made_up_run()
    run["dead_fraction"][0] = np.nan
    row = closing_table.table(run, width=200).splitlines()[2]
    assert row.split()[-3:] == ["-", "0", "1.2"]


def test_a_run_in_which_nothing_was_trained_has_a_table():
    run = made_up_run()
    run["last_step"][:] = -1
    run["seconds"][0] = np.nan
    row = closing_table.table(run, width=200).splitlines()[2]
    assert row.split() == "0: cnn learning_rate=0.1 0 - - - 0 -".split()


@pytest.mark.parametrize(
    ("replicates", "line"),
    [
        (None, None),  # runs from before batches could be shared
        ([True, True], None),
        ([True, False], "shared batches in 1: seeds differ"),
        ([False, False], "shared batches: seeds differ"),
    ],
)
def test_seeds_that_are_no_replicates_are_named(replicates, line):
    run = made_up_run()
    if replicates:
        run["replicates"] = ("configuration", replicates)
    last = closing_table.table(run).splitlines()[-1]
    assert last.startswith(line or "seconds: ")
    assert len(last) <= 100
