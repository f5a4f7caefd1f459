"""How far the members that did not collapse are from the best linear and the best possible predictor, in sentences."""

import dataclasses

import numpy as np

from analysis import statistics
from analysis.report.gather import Gathered
from analysis.report.values import FEW, Number, Words, count, number

EXACT = 1e-9
"""R2 of two optima that differ by less are one."""
Z95 = 1.96


def distance(run: Gathered) -> list[Words]:
    """How far the members that did not collapse are from the best linear and the best possible predictor."""
    rows = [row for row in range(len(run.names)) if run.rest[row].any()]
    if not rows:
        return [("No member is left: all collapsed or diverged.",)]
    known = [row for row in rows if np.isfinite(run.r2_bayes[row]) and np.isfinite(run.r2_lmmse[row])]
    if not known:
        return [("No closed form of the best linear or the best possible predictor is known for what they learn.",)]
    perfect = all(min(run.r2_lmmse[row], run.r2_bayes[row]) > 1 - EXACT for row in known)
    what: Words = ("Of the seeds that neither collapsed nor diverged: R2, as interquartile mean, and how far from the "
                   "best linear and the best possible predictor, as median",)  # fmt: skip
    what += (", which are the same and perfect here." if perfect else ".",)
    if len(known) <= FEW:
        return [what, *(_distance(run, row) for row in known)]
    gaps = {row: float(np.median(run.r2_bayes[row] - run.score[row, run.rest[row]])) for row in known}
    nearest, farthest = min(known, key=gaps.__getitem__), max(known, key=gaps.__getitem__)
    lines = [
        what,
        ("Nearest to the best possible: ", *_distance(run, nearest)),
        ("Farthest from it: ", *_distance(run, farthest)),
    ]
    return lines if perfect else [*lines, _above(run, known)]


def _above(run: Gathered, rows: list[int]) -> Words:
    """What no linear network can: how many configurations are better than the best of them."""
    above = [row for row in rows if np.median(run.score[row, run.rest[row]]) > run.r2_lmmse[row] + EXACT]
    better = count(len(above), "r2, r2_lmmse", "configurations above the linear optimum")
    total = count(len(rows), "r2_lmmse", "configurations with optima")
    return ("In ", better, " of ", total, " configurations the median of these seeds is above the linear optimum.")


def _distance(run: Gathered, row: int) -> Words:
    seeds, gaps = int(run.rest[row].sum()), gap_numbers(run, row)
    text: Words = (f"“{run.names[row]}”, ", count(seeds, "r2", f"rest[{row}]"), f" seed{'s' * (seeds > 1)}: R2 ")
    text += (gaps["rest_iqm"],)
    lmmse, bayes = optimum(run, "r2_lmmse", row), optimum(run, "r2_bayes", row)
    if abs(bayes.value - lmmse.value) < EXACT:
        # That perfect is 1 is said above.
        which = ("both.",) if bayes.value > 1 - EXACT else ("both (", bayes, ").")
        return (*text, "; ", *_below(gaps["bayes_median"]), *which)
    text += ("; ", *_below(gaps["lmmse_median"]), "the best linear (", lmmse, "), ")
    return (*text, *_below(gaps["bayes_median"]), "the best possible (", bayes, ").")


def optimum(run: Gathered, name: str, row: int) -> Number:
    """R2 of an exact predictor, `r2_lmmse` or `r2_bayes`; with an interval where it is estimated."""
    value, error = float(getattr(run, name)[row]), float(run.r2_bayes_error[row]) if name == "r2_bayes" else 0.0
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
    for optimum in ("lmmse", "bayes"):
        gaps = getattr(run, f"r2_{optimum}")[row] - scores
        if not np.isfinite(gaps).all():
            continue
        for key, statistic in {"median": statistics.median, "iqm": statistics.interquartile_mean}.items():
            name, source = f"{optimum}_{key}", f"{key} over seeds of r2_{optimum} - r2"
            found[name] = number(statistic(gaps), "R2 difference", source, f"gap_{name}[{row}]")
    return found
