"""The table against numbers worked out by hand, on a made-up run."""

import io

import numpy as np
import pytest
import xarray
from rich.console import Console
from scipy import stats

from jaxbox import summary

VARIANCE = np.array([0.25, 0.16])


def made_up_run():
    """Two configurations of four seeds: one at R2 = .9, .5, .04 and 0, one whose last two seeds did not finish."""
    targets = np.sqrt(VARIANCE) * np.array([[-1, -1], [1, 1], [-1, 1], [1, -1]])
    r2 = np.array([[0.9, 0.5, 0.04, 0.0], [0.05, -3.0, np.nan, np.nan]])
    last = np.array([[10, 10, 10, 10], [5, 10, -1, -1]])
    mse = np.full((2, 4, 3, 3, 2), np.nan)
    dead = np.full((2, 4, 3, 2), np.nan)
    for index, place in enumerate(np.searchsorted([0, 5, 10], last).reshape(-1)):
        member = divmod(index, 4)
        if last[member] >= 0:
            mse[(*member, place, 0)] = (1 - r2[member]) * VARIANCE
            dead[(*member, place)] = 0.5
    dead[0, 3, 2, 1] = 1.0
    finite = np.full((2, 4), True)
    finite[1, 0] = False
    dims = ("configuration", "seed")
    variables = {
        "mse": ((*dims, "step", "split", "axis"), mse),
        "dead_fraction": ((*dims, "step", "layer"), dead),
        "finite": (dims, finite),
        "last_step": (dims, last),
        "target": (("configuration", "position", "axis"), np.stack([targets, targets])),
        "seconds": (("configuration",), [1.25, 2.5]),
    }
    coordinates = {
        "configuration": [0, 1],
        "step": [0, 5, 10],
        "split": ["all", "seen", "unseen"],
        "optimizer.learning_rate": ("configuration", [0.1, 0.001]),
        "model.name": ("configuration", ["cnn", "mlp"]),
    }
    return xarray.Dataset(variables, coordinates)


def test_final_r2_is_over_both_coordinates_at_the_last_evaluation():
    expected = [[0.9, 0.5, 0.04, 0.0], [0.05, -3.0, np.nan, np.nan]]
    np.testing.assert_allclose(summary.final_r2(made_up_run()), expected, atol=1e-12)


def test_r2_weights_the_coordinates_by_their_variance():
    run = made_up_run()
    run["mse"][0, 0, 2, 0] = [0.25, 0.0]  # x is not predicted, y is exact
    assert float(summary.final_r2(run)[0, 0]) == pytest.approx(1 - 0.25 / (0.25 + 0.16))


def test_a_layer_is_dead_if_all_of_it_is():
    assert summary.dead_layer(made_up_run()).values.tolist() == [[False, False, False, True], [False] * 4]


def test_labels_name_what_varies_model_first():
    assert summary.labels(made_up_run()) == ["cnn learning_rate=0.1", "mlp learning_rate=0.001"]


@pytest.mark.parametrize(("events", "count"), [(0, 64), (2, 12), (64, 64), (1, 3)])
def test_rate_has_wilsons_interval(events, count):
    z, share = stats.norm.ppf(0.975), events / count
    centre = (share + z**2 / (2 * count)) / (1 + z**2 / count)
    half = z / (1 + z**2 / count) * np.sqrt(share * (1 - share) / count + z**2 / (4 * count**2))
    expected = f"{100 * share:.0f}% [{abs(100 * (centre - half)):.0f}, {100 * (centre + half):.0f}]"
    assert summary.rate(np.arange(count) < events) == expected


def test_the_table_has_a_row_a_configuration():
    console = Console(file=io.StringIO(), width=200)
    console.print(summary.table(made_up_run()))
    text = console.file.getvalue()  # type: ignore[attr-defined]
    (first,) = (line for line in text.splitlines() if line.strip().startswith("cnn"))
    (second,) = (line for line in text.splitlines() if line.strip().startswith("mlp"))
    # R2 of .04 and 0 are below .05; the quartiles of .9, .5, .04, 0 are .03, .27, .6.
    assert first.split() == "cnn learning_rate=0.1 4 50% [15, 85] 0.27 [0.03, 0.6] 25% [5, 70] 0 1.2".split()
    # Only the two seeds that have begun count: R2 of .05, not below it, and -3; one froze.
    assert second.split()[2:6] == ["2", "50%", "[9,", "91]"]
    assert second.split()[-2:] == ["1", "2.5"]


def test_a_run_in_which_nothing_was_trained_has_a_table():
    run = made_up_run()
    run["last_step"][:] = -1
    console = Console(file=io.StringIO(), width=200)
    console.print(summary.table(run))
    assert "nan" in console.file.getvalue()  # type: ignore[attr-defined]
