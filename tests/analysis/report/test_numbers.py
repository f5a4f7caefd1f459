"""Every number of the page against NumPy and SciPy on the run itself, and what it says it comes from."""

import re

import numpy as np
import pytest
from scipy import stats

from analysis import comparison
from analysis.report import choice, gather, preference, values
from jaxbox import store
from jaxbox.store import results


def numbers(page):
    """By name: those of sentences."""
    return {number.name: number for number in page.numbers()}


def table(page, name):
    return page.tables[name].frame()


@pytest.fixture(scope="module")
def own(tiny_run):
    """R2 over both coordinates of every member of `mixed`, from its predictions alone; -inf where they are not finite."""
    run = store.open_run(tiny_run("mixed")).load()
    target, prediction = (run[name].values.astype(float) for name in ("target", "prediction"))
    with np.errstate(all="ignore"):
        error = ((prediction - target[:, None]) ** 2).mean(2).sum(-1)
    return np.where(run["finite"].values, 1 - error / target.var(1).sum(-1)[:, None], -np.inf)


def test_collapse_is_counted_as_the_run_has_it(page, own, gathered):
    found = numbers(page("mixed"))
    assert found["members"].value == own.size
    assert found["collapsed"].value == (own < 0.05).sum() > 0
    for row, scores in enumerate(own):
        if f"collapsed_rate[{row}]" in found:
            events, rate = int((scores < 0.05).sum()), found[f"collapsed_rate[{row}]"]
            interval = stats.binomtest(events, len(scores)).proportion_ci(method="wilson")
            assert (rate.value, rate.low, rate.high) == pytest.approx((events / len(scores), *interval))
    kinds = [number.value for name, number in found.items() if re.match("collapsed: ", name)]
    assert sum(kinds) == found["collapsed"].value


def test_the_table_of_configurations_is_what_scipy_says(page, own):
    found = table(page("mixed"), "configurations")
    assert found["r2_median"].values == pytest.approx(np.median(own, axis=1), abs=1e-5)
    with np.errstate(invalid="ignore"):
        assert found["r2_iqm"].values == pytest.approx(stats.trim_mean(own, 0.25, axis=1), abs=1e-5)
    assert (found["r2_iqm_low"] <= found["r2_iqm"]).all()
    assert (found["r2_iqm"] <= found["r2_iqm_high"]).all()
    assert found["collapsed"].values == pytest.approx((own < 0.05).mean(1))
    assert found["fate diverged"].values == pytest.approx(np.isneginf(own).mean(1))
    fates = found[[name for name in found if re.fullmatch("fate [a-z -]*", name)]]
    assert fates.sum(axis=1).values == pytest.approx(1)
    assert found[["r2_lmmse", "r2_bayes"]].values == pytest.approx(1)
    assert found["entropy"].values == pytest.approx(2 * np.log(5))
    for row, scores in enumerate(own):
        rest = scores[scores >= 0.05]
        gap = found["gap_bayes_median"][row]
        assert gap == pytest.approx(np.median(1 - rest), abs=1e-5) if len(rest) else gap in ("", None) or np.isnan(gap)


def test_dead_layers_and_information(page, tiny_run, own):
    found, run = table(page("mixed"), "configurations"), store.open_run(tiny_run("mixed")).load()
    last = run["dead_fraction"].values[:, :, -1]
    for row in range(len(own)):
        if np.isfinite(last[row]).any():
            assert found["dead_layer"][row] == pytest.approx(np.nanmax(last[row], axis=-1).__ge__(1).mean())
        usable = np.isfinite(own[row])
        told = [
            counted(run["prediction"].values[row, seed], run["target"].values[row]) for seed in np.flatnonzero(usable)
        ]
        if told:
            assert found["information"][row] == pytest.approx(np.median(told))


def counted(prediction, target):
    """I(x;xhat) + I(y;yhat) from counts, by loops."""
    total = 0.0
    for axis in range(2):
        pairs = list(zip(target[:, axis].tolist(), prediction[:, axis].tolist(), strict=True))
        joint = {pair: pairs.count(pair) / len(pairs) for pair in pairs}
        marginals = [{}, {}]
        for pair, share in joint.items():
            for side in range(2):
                marginals[side][pair[side]] = marginals[side].get(pair[side], 0.0) + share
        total += sum(share * np.log(share / marginals[0][a] / marginals[1][b]) for (a, b), share in joint.items())
    return total


def test_the_preferred_configuration_beats_the_runner_up_as_often_as_mann_and_whitney_count(gathered, own):
    (found,) = preference.preferences(gathered("mixed"))
    order = sorted(range(len(own)), key=lambda row: -stats.trim_mean(own[row], 0.25))
    assert (found.best, found.rivals[0].index) == tuple(order[:2])
    first, second = own[order[0]], own[order[1]]
    statistic = stats.mannwhitneyu(first, second).statistic
    assert found.rivals[0].improvement.value == pytest.approx(statistic / len(first) / len(second))
    expected = stats.trim_mean(first, 0.25) - stats.trim_mean(second, 0.25)
    assert found.rivals[0].difference.value == pytest.approx(expected, abs=1e-5)


def test_who_is_not_surely_beaten_is_named(gathered):
    (found,) = preference.preferences(gathered("mixed"))
    assert found.undecided == [rival.index for rival in found.rivals if not rival.beaten]
    again = preference.Rival(1, *(values.Number(1.0, "1", "", low, 2.0) for low in (0.1, 0.5)))
    assert not again.beaten
    again = preference.Rival(1, *(values.Number(1.0, "1", "", low, 2.0) for low in (0.0, 0.9)))
    assert not again.beaten
    text = values.plain(choice.preferred(gathered("mixed"), [found])[0])
    assert text.startswith("Undecided between" if found.undecided else "Prefer")


def test_one_seed_decides_nothing(tiny_run, gathered):
    run = gathered("mixed")
    alone = gather.dataclasses.replace(run, begun=run.begun & (np.arange(6) == 0))
    (found,) = preference.preferences(alone)
    assert len(found.undecided) == len(found.rivals)


def test_the_chain_is_medians_of_the_comparison(page, tiny_run):
    found, compared = table(page("mixed"), "chain"), comparison.compare(tiny_run("mixed"))
    finite = compared["fate"].values != "diverged"
    for row, axis in enumerate("xy"):
        for name in ("information", "rate_distortion", "discrete_shannon", "dithered", "thread_bound"):
            assert found[name][row] == np.median(compared[name].sel(axis=axis).values[finite])
        assert found["entropy"][row] == found["information_input"][row] == pytest.approx(np.log(5))
    ordered = found[["entropy", "information_input", "information", "rate_distortion", "discrete_shannon", "dithered"]]
    assert (np.diff(ordered.values, axis=1) <= 1e-5).all()
    assert (found["broken"] == 0).all()


def test_the_thread_s_argument_is_tried_on_the_predictions(page, tiny_run):
    run, found = store.open_run(tiny_run("mixed")).load(), numbers(page("mixed"))
    usable = run["finite"].values
    target, prediction = run["target"].values[:, None].astype(float), run["prediction"].values.astype(float)
    with np.errstate(all="ignore"):
        mse, variance = ((prediction - target) ** 2).mean(2)[usable], prediction.var(2)[usable]
        bias = (prediction - target).mean(2)[usable] ** 2
        bound = np.log(5 * 1 / 3) - 0.5 * np.log(2 * np.pi * np.e * mse)
    assert found["audit: members and coordinates"].value == mse.size
    assert found["audit: differential_entropy"].value == (bound > np.log(5)).sum()
    assert found["audit: bias_below_error"].value == (bias > 1.01 * mse).sum() == 0
    misses = np.abs(variance + bias - mse) / target.var(2)[0, 0, 0]
    assert found["audit: error_decomposition"].value == pytest.approx((misses > 1e-4).sum(), abs=1)
    assert found["audit: variance_below_error"].value == pytest.approx((variance > mse).sum(), abs=1)


@pytest.mark.parametrize("name", ["mixed", "noisy", "interrupted"])
def test_every_number_says_which_variable_it_is_from(page, name):
    known = {*comparison.VARIABLES, *results.VARIABLES, "configuration.json", "configuration", "seed"}
    cells = [cell for made in page(name).tables.values() for row in made.rows for cell in row]
    found = [*page(name).numbers(), *(cell for cell in cells if isinstance(cell, values.Number))]
    assert len(found) > 50
    assert not {number.source for number in found if not known & set(re.findall(r"[\w.]+", number.source))}


def test_members_have_a_row_each_with_fate_and_both_coordinates(page, tiny_run, own):
    found, compared = page("mixed").member_table, comparison.compare(tiny_run("mixed"))
    assert len(found) == own.size
    assert found["fate"].tolist() == compared["fate"].values.ravel().tolist()
    assert found["r2"].values == pytest.approx(own.ravel(), rel=1e-6, abs=1e-5)
    for name in ("kind_x", "kind_y", "information_x", "distance_to_bayes_y", "optimizer.learning_rate", "dead_layer"):
        assert name in found
    last = compared.isel(configuration=-1, seed=-1)
    assert found["rate_distortion_y"].iloc[-1] == last["rate_distortion"].sel(axis="y").item()


def test_how_numbers_are_written():
    number = values.Number
    assert str(number(0.21875, "share", "", 0.136, 0.333)) == "22% [14, 33]"
    assert str(number(0.004, "share", "")) == "0.4%"
    assert str(number(0.99984, "R2", "")) == "0.99984"
    assert str(number(1.0, "R2", "")) == "1.0000"
    assert str(number(-np.inf, "R2", "", -np.inf, 0.5)) == "-∞ [-∞, 0.5000]"
    assert str(number(0.5, "R2", "", -np.inf, np.inf)) == "0.5000"
    assert str(number(np.nan, "nats", "")) == "–"
    assert values.listed(["a"]) == "“a”"
    assert values.listed(["a", "b", "c", "d", "e"]) == "“a”, “b”, “c” and 2 more"


def test_an_estimated_optimum_has_an_interval_and_an_exact_one_none(page, tiny_run):
    compared, found = comparison.compare(tiny_run("noisy")), table(page("noisy"), "configurations")
    # Both coordinates have the same variance on a square lattice.
    assert found["r2_bayes"].values == pytest.approx(compared["r2_bayes"].mean("axis").values)
    error = compared["r2_bayes_error"].mean("axis").values
    assert (found["r2_bayes_high"] - found["r2_bayes_low"]).values == pytest.approx(2 * 1.96 * error)
    assert "r2_lmmse_low" not in found
    members = page("noisy").member_table
    assert (members["r2_lmmse_error"] == 0).all()
    assert members["r2_bayes_error"].to_numpy() == pytest.approx(np.repeat(error, 4))
    assert "r2_bayes_low" not in table(page("mixed"), "configurations")


def test_r2_over_both_coordinates_weighs_their_variances():
    weights = np.array([[0.25, 0.75], [0.0, 1.0], [0.5, 0.5]])
    r2 = np.array([[0.8, 0.4], [np.nan, 0.3], [-np.inf, 1.0]])
    assert gather._both(r2, weights).tolist() == [pytest.approx(0.5), 0.3, -np.inf]
    assert np.isnan(gather._both(np.full(2, np.nan), weights[0]))
