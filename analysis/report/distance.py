"""How far the members that did not collapse are from the best linear and the best possible predictor, in sentences."""

import dataclasses

import numpy as np

from analysis import statistics
from analysis.report.gather import Gathered
from analysis.report.values import FEW, Number, Words, count, number

EXACT = 1e-9
"""R2 of two optima that differ by less are one."""
Z95 = 1.96
OPTIMA = {"lmmse": "the best linear", "bayes": "the best possible"}
"""By variable r2_ of the comparison: a predictor that members are compared with."""


def distance(run: Gathered) -> list[Words]:
    """How far the members that did not collapse are from the best linear and the best possible predictor."""
    rows = [row for row in range(len(run.names)) if run.rest[row].any()]
    if not rows:
        return [("No member is left: all collapsed or diverged.",)]
    known = [row for row in rows if _optima(run, row)]
    if not known:
        return [("No closed form or estimate of the best linear or the best possible predictor is known for what they "
                 "learn.",)]  # fmt: skip
    perfect = all(np.minimum(run.r2_lmmse[known], run.r2_bayes[known]) > 1 - EXACT)
    what = _what(run, known, perfect)
    if len(known) <= FEW:
        return [what, *(_distance(run, row) for row in known)]
    lines = [what, *_extremes(run, known)]
    return lines if perfect else [*lines, *_above(run, known)]


def _optima(run: Gathered, row: int) -> list[str]:
    """Those of OPTIMA that are known of a configuration."""
    return [name for name in OPTIMA if np.isfinite(getattr(run, f"r2_{name}")[row])]


def _what(run: Gathered, rows: list[int], perfect: bool) -> Words:
    """What the sentences after it are about."""
    names = [name for name in OPTIMA if any(name in _optima(run, row) for row in rows)]
    text = ("Of the seeds that neither collapsed nor diverged: R2, as interquartile mean, and how far from "
            f"{' and '.join(OPTIMA[name] for name in names)} predictor, as median")  # fmt: skip
    if perfect:
        return (f"{text}, which are the same and perfect here.",)
    unknown = [words.capitalize() for name, words in OPTIMA.items() if name not in names]
    return (f"{text}.", *(f" {words} one is not known." for words in unknown))


def _extremes(run: Gathered, rows: list[int]) -> list[Words]:
    """The configurations with the least and the greatest distance: to the best possible, where that is known."""
    possible = [row for row in rows if "bayes" in _optima(run, row)]
    best = run.r2_bayes if possible else run.r2_lmmse
    gaps = {row: float(np.median(best[row] - run.score[row, run.rest[row]])) for row in possible or rows}
    nearest, farthest = min(gaps, key=gaps.__getitem__), max(gaps, key=gaps.__getitem__)
    words = ("Nearest to the best possible: ", "Farthest from it: ")
    if not possible:  # which can be exceeded
        words = ("Best beside the best linear: ", "Worst beside it: ")
    return [(word, *_distance(run, row)) for word, row in zip(words, (nearest, farthest), strict=True)]


def _above(run: Gathered, rows: list[int]) -> list[Words]:
    """What no linear network can: how many configurations are better than the best of them, or surely, if estimated."""
    rows = [row for row in rows if "lmmse" in _optima(run, row)]
    if not rows:
        return []
    least = run.r2_lmmse + Z95 * run.r2_lmmse_error + EXACT
    above = [row for row in rows if np.median(run.score[row, run.rest[row]]) > least[row]]
    better = count(len(above), "r2, r2_lmmse, r2_lmmse_error", "configurations above the linear optimum")
    total = count(len(rows), "r2_lmmse", "configurations with optima")
    return [("In ", better, " of ", total, " configurations the median of these seeds is above the linear optimum.")]


def _distance(run: Gathered, row: int) -> Words:
    seeds, gaps, known = int(run.rest[row].sum()), gap_numbers(run, row), _optima(run, row)
    text: Words = (f"“{run.names[row]}”, ", count(seeds, "r2", f"rest[{row}]"), f" seed{'s' * (seeds > 1)}: R2 ")
    text += (gaps["rest_iqm"], "; ")
    lmmse, bayes = optimum(run, "r2_lmmse", row), optimum(run, "r2_bayes", row)
    if abs(bayes.value - lmmse.value) < EXACT:
        # That perfect is 1 is said above.
        which = ("both.",) if bayes.value > 1 - EXACT else ("both (", bayes, ").")
        return (*text, *_below(gaps["bayes_median"]), *which)
    linear = "the estimated best linear" if lmmse.has_interval else OPTIMA["lmmse"]
    parts = {"lmmse": (linear, lmmse), "bayes": (OPTIMA["bayes"], bayes)}
    for name in known:
        words, best = parts[name]
        text += (*_below(gaps[f"{name}_median"]), f"{words} (", best, ")." if name == known[-1] else "), ")
    return text


def optimum(run: Gathered, name: str, row: int) -> Number:
    """R2 of the best predictor, `r2_lmmse` or `r2_bayes`; with an interval where it is estimated."""
    value, error = float(getattr(run, name)[row]), float(getattr(run, f"{name}_error")[row])
    found = Number(value, "R2", name, name=f"{name}[{row}]")
    return dataclasses.replace(found, low=value - Z95 * error, high=value + Z95 * error) if error else found


def _below(gap: Number) -> Words:
    """A gap in words: a negative one is how far above."""
    if gap.value >= 0:
        return (gap, " below ")
    return (dataclasses.replace(gap, value=-gap.value, low=-gap.high, high=-gap.low, name=f"-{gap.name}"), " above ")


def gap_numbers(run: Gathered, row: int) -> dict[str, Number]:
    """R2 of the members that did not collapse, and how far it is below each optimum; empty where there are none."""
    scores = run.score[row, run.rest[row]]
    if not len(scores):
        return {}
    mean = statistics.interquartile_mean(scores)
    found = {"rest_iqm": number(mean, "R2", "interquartile mean over seeds of r2", f"rest_iqm[{row}]")}
    for optimum in _optima(run, row):
        gaps = getattr(run, f"r2_{optimum}")[row] - scores
        if not np.isfinite(gaps).all():
            continue
        for key, statistic in {"median": statistics.median, "iqm": statistics.interquartile_mean}.items():
            name, source = f"{optimum}_{key}", f"{key} over seeds of r2_{optimum} - r2"
            found[name] = number(statistic(gaps), "R2 difference", source, f"gap_{name}[{row}]")
    return found
