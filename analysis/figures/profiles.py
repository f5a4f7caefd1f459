"""Performance profiles of configurations, and how likely a seed of one beats a seed of another."""

import string
from pathlib import Path

import numpy as np
import xarray
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from analysis import statistics
from analysis.comparison import DIVERGED, NOT_BEGUN, snapshot
from analysis.figures import panels, selection
from analysis.figures.contract import Unfilled
from jaxbox.plotting import LOOKS
from jaxbox.store.measures import final_r2

LETTERS = string.ascii_uppercase
ENDS = ("", "_low", "_high")
MOST = 8
"""At most so many configurations are drawn."""
COMMAND = "python -m jaxbox.sweep base --vary optimizer.learning_rate 1e-3 1e-2 --seeds 32"
# Inches: a figure that is wider has both panels beside each other.
BESIDE = 5.0
# Thresholds are equally spaced in the logarithm of 1 - R2, from R2 = 1 - WORST to the best score, or this at most.
THRESHOLDS, WORST, BEST = 101, 2.0, 1e-6


def numbers(run: Path) -> xarray.Dataset:
    """`share` (configuration, threshold) with its band, `better` (configuration, other) and the interquartile mean
    `score` with their intervals; configurations with the best score first."""
    results, _, compared = snapshot(run)
    selection.require_begun(run, compared, "profiles")
    begun = compared["fate"].values != NOT_BEGUN
    scores = np.where(compared["fate"].values == DIVERGED, -np.inf, final_r2(results).values.astype(float))
    candidates = np.flatnonzero(begun.any(1))
    if len(candidates) < 2:
        raise Unfilled(
            f"figure: profiles needs two configurations that have begun, which {run} has not; for example: {COMMAND}"
        )
    means = {index: statistics.interquartile_mean(scores[index][begun[index]]) for index in candidates.tolist()}
    best = sorted(means, key=lambda index: -means[index].value)[:MOST]
    thresholds = _thresholds(scores[best])
    profiles = [statistics.performance_profile(scores[index][begun[index]], thresholds) for index in best]
    better = [[_better(scores, begun, one, other) for other in best] for one in best]
    labels = compared["label"].values[best]
    variables = _variables(
        ("configuration", "threshold"), np.array(profiles), "share", "share of seeds with a higher R2"
    )
    variables |= _variables(
        ("configuration",), np.array([means[index] for index in best]), "score", "interquartile mean of R2"
    )
    variables |= _variables(
        ("configuration", "other"), np.array(better), "better", "probability that a seed of it beats one of the other"
    )
    variables["label"] = panels.variable(["configuration"], labels, "1", "the configuration in words: what varies")
    variables["seeds"] = panels.variable(["configuration"], begun[best].sum(1), "1", "seeds that have begun")
    found = xarray.Dataset(variables, {"configuration": best, "other": best, "threshold": thresholds})
    return found.assign_attrs(caption=_caption(found, len(candidates)))


def _thresholds(scores: np.ndarray) -> np.ndarray:
    finite = scores[np.isfinite(scores)]
    least = max(BEST, (1 - finite.max()) / 2) if len(finite) else 0.1
    return 1 - np.geomspace(WORST, min(least, 0.1), THRESHOLDS)


def _better(scores: np.ndarray, begun: np.ndarray, one: int, other: int) -> statistics.Interval:
    """At the seeds that have begun in both; NaN for a configuration beside itself, or without such a seed."""
    both = begun[one] & begun[other]
    if one == other or not both.any():
        return statistics.Interval(*np.full(3, np.nan))
    return statistics.probability_of_improvement(scores[one][both], scores[other][both])


def _variables(dims: tuple[str, ...], values: np.ndarray, name: str, about: str) -> dict[str, tuple]:
    """The value and both ends of its interval: the axis of 3 is the one after the configurations'."""
    values = np.moveaxis(values, len(dims) - ("threshold" in dims), 0)
    return {
        f"{name}{end}": panels.variable(dims, part, "1", f"{about}{words}")
        for end, words, part in zip(ENDS, ("", ", lower end of its 95% interval", ", upper end"), values, strict=True)
    }


def _caption(found: xarray.Dataset, count: int) -> str:
    seeds = found["seeds"].values
    how_many = f"{seeds.min()} to {seeds.max()} seeds" if seeds.min() < seeds.max() else panels.plural(seeds[0], "seed")
    best = f" Of {count} configurations these are the {len(seeds)} with the best interquartile mean." * (
        count > len(seeds)
    )
    return (
        f"Lines: the share of seeds with an R2 above each threshold, with 95% bands ({how_many} a configuration); "
        f"matrix: how likely a seed of the row's configuration beats one of the column's, in percent, with 95% "
        f"intervals. A diverged seed is below every threshold.{best}"
    )


def draw(numbers: xarray.Dataset, figure: Figure) -> None:
    """The profiles, the matrix, beside or below each other, and what the letters stand for."""
    count, width = numbers.sizes["configuration"], figure.get_figwidth()
    key = [_key(numbers.isel(configuration=place), place, width) for place in range(count)]
    matrix, legend = max(2.2, 0.7 + 0.3 * count), 0.4 + 0.15 * sum(1 + words.count("\n") for words in key)
    if width > BESIDE:
        figure.set_figheight(legend + matrix)
        left, right = figure.subplots(1, 2, width_ratios=(1.15, 1))
    else:
        figure.set_figheight(legend + 2.0 + matrix)
        left, right = figure.subplots(2, 1, height_ratios=(2.0, matrix))
    for place in range(count):
        _profile(left, numbers.isel(configuration=place), place, key[place], 0.3 / count)
    _threshold_axis(left, 1 - numbers["threshold"].values)
    panels.cells(right, *(numbers[f"better{end}"].values for end in ENDS))
    right.set_xticks(range(count), LETTERS[:count])
    right.set_yticks(range(count), LETTERS[:count])
    right.set(xlabel="than a seed of", ylabel="a seed of")
    right.set_title("better, in % of pairs", fontsize="medium")
    title = panels.wrapped("interquartile mean of R2 [95% interval]", width - 0.7, 7)
    legend = figure.legend(loc="outside lower left", frameon=False, title=title, title_fontsize=7, alignment="left")
    legend.get_title().set_multialignment("left")


def _key(of: xarray.Dataset, place: int, width: float) -> str:
    score, low, high = (_short(of[f"score{end}"].item()) for end in ENDS)
    together = f"{score} [{low}, {high}]".replace(" ", panels.TOGETHER)
    return panels.wrapped(f"{LETTERS[place]}: {of['label'].item()}, {together}", width - 0.7, 7)


def _short(value: float) -> str:
    return f"{value:.4f}" if value > -10 else f"{value:.0e}" if np.isfinite(value) else str(value).replace("inf", "∞")


def _profile(axes: Axes, of: xarray.Dataset, place: int, words: str, alpha: float) -> None:
    look, errors, share = LOOKS[place], 1 - of["threshold"].values, of["share"].values
    axes.fill_between(errors, of["share_low"], of["share_high"], color=look["color"], alpha=alpha, linewidth=0)
    # The markers of lines are apart, so that lines on each other are told apart.
    axes.plot(errors, share, markevery=(3 * place, 25), label=words, **look)
    # So are their letters: each is where the line falls below a height of its own, which it does somewhere.
    height = 0.92 - 0.1 * place
    below = int(np.argmax(share < height))
    at = (errors[below], height) if below else (errors[10 * place], share[10 * place])
    letter = axes.annotate(LETTERS[place], at, (1, 1), "data", "offset points", fontsize=7, fontweight="bold")
    letter.set(color=look["color"], path_effects=panels.OUTLINE, zorder=5)


def _threshold_axis(axes: Axes, errors: np.ndarray) -> None:
    """R2 on the scale of the logarithm of 1 - R2: most scores are near 1."""
    panels.plain(axes)
    decades = [power for power in range(7) if 10.0**-power >= errors[-1]]
    axes.set(xscale="log", xlim=(errors[0], errors[-1]), ylim=(-0.03, 1.03))
    axes.set_xticks([10.0**-power for power in decades], [f"{1 - 10.0**-power:.{power}f}" for power in decades])
    axes.minorticks_off()
    axes.set(xlabel="threshold of R2", ylabel="share of seeds above it")
