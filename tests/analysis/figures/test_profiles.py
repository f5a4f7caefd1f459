"""Profiles and probabilities of improvement, against NumPy and SciPy on predictions."""

import numpy as np
import pytest
from scipy import stats

from analysis.comparison import compare
from analysis.figures import contract, profiles, saving
from jaxbox import store


def scores(path):
    """R2 over both coordinates (configuration, seed), from predictions; -inf where training overflowed."""
    run = store.open_run(path)
    prediction, target = run["prediction"].values.astype(float), run["target"].values.astype(float)
    target = target[:, None]
    errors = ((prediction - target) ** 2).mean(2).sum(-1)
    r2 = 1 - errors / target.var(2).sum(-1)
    return np.where(run["finite"].values, r2, -np.inf)


def test_shares_and_wins(tiny_run):
    numbers, r2 = profiles.numbers(tiny_run("mixed")), scores(tiny_run("mixed"))
    r2[compare(tiny_run("mixed"))["fate"].values == "diverged"] = -np.inf
    order = numbers["configuration"].values
    assert sorted(order) == list(range(7))
    for place, index in enumerate(order):
        np.testing.assert_allclose(
            numbers["share"].values[place], [(r2[index] > level).mean() for level in numbers["threshold"].values]
        )
        for other, against in enumerate(order):
            if other != place:
                u = stats.mannwhitneyu(r2[index], r2[against]).statistic
                assert numbers["better"].values[place, other] == pytest.approx(u / 36)
    assert np.isnan(np.diag(numbers["better"])).all()
    # Of Massart's constant: the half-width of the band at 6 seeds.
    half = np.sqrt(np.log(2 / 0.05) / 12)
    np.testing.assert_allclose(numbers["share_high"], np.minimum(numbers["share"] + half, 1))


def test_the_best_come_first_and_only_eight(tiny_run):
    numbers, r2 = profiles.numbers(tiny_run("many")), scores(tiny_run("many"))
    means = stats.trim_mean(r2, 0.25, axis=1)  # of three seeds none is cut
    assert numbers["configuration"].values.tolist() == np.argsort(-means, kind="stable")[:8].tolist()
    np.testing.assert_allclose(numbers["score"], np.sort(means)[::-1][:8], atol=1e-6)
    assert "Of 18 configurations these are the 8" in numbers.attrs["caption"]
    assert (numbers["score_low"] <= numbers["score"]).all()


def test_lines_and_cells_are_the_numbers(tiny_run):
    numbers = profiles.numbers(tiny_run("rates"))
    left, right = saving.draw(profiles, numbers, "two").axes
    for place, line in enumerate(left.get_lines()):
        np.testing.assert_array_equal(line.get_data(), [1 - numbers["threshold"], numbers["share"][place]])
    np.testing.assert_array_equal(right.get_images()[0].get_array().filled(np.nan), numbers["better"])
    assert len(right.texts) == 4 * 3
    assert right.texts[0].get_text().startswith(f"{100 * numbers['better'].values[0, 1]:.0f}\n")


def test_all_diverged_is_a_tie(tiny_run):
    numbers = profiles.numbers(tiny_run("diverged"))
    assert (numbers["share"] == 0).all()
    assert numbers["better"].values[0, 1] == 0.5
    assert np.isneginf(numbers["score"]).all()


def test_one_configuration_is_refused(tiny_run):
    for name in ("one", "interrupted"):
        with pytest.raises(contract.Unfilled, match="needs two configurations"):
            profiles.numbers(tiny_run(name))
