"""One verdict for each coordinate, of arrays or of pairs that were accumulated."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from analysis.collapse import dependence, outputs, ranks, rules
from analysis.collapse.accumulate import Accumulator
from analysis.collapse.advice import advice
from analysis.collapse.checks import best_possible, numbers, same_shape
from analysis.collapse.evidence import Errors, Evidence
from analysis.collapse.places import Reference

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from analysis.collapse.moments import Moments

BLOCK = 65_536
"""Rows at a time: what is computed with takes a few megabytes, whatever the arrays do."""


@dataclass(frozen=True)
class Diagnosis:
    """What one coordinate of a prediction does, in numbers, its kind of collapse, and what to do about it.

    `constant_at` says where the constant is (mean, median, zero, minimum, maximum, elsewhere) and `constant` what it
    is, both None where there is none; `share` is the share of examples that get the most frequent value. With
    `variance_ratio` s^2 = Var Yhat / Var Y, `correlation` rho (0 for a constant) and `bias` the mean of prediction -
    target, in the targets' unit, 1 - R2 = (1 - rho^2) + (rho - s)^2 + bias^2 / Var Y. `information` I(Y;Yhat) in nats
    is an estimate from at most 4,096 pairs, not clipped at 0, and 0 for a dead output. `copy_of` is the first
    coordinate of which this output is an affine copy, or None.
    """

    coordinate: int
    kind: str
    constant_at: str | None
    r2: float
    variance_ratio: float
    correlation: float
    bias: float
    information: float
    advice: str
    n: int
    share: float
    constant: float | None = None
    copy_of: int | None = None


def diagnose(
    targets: ArrayLike,
    predictions: ArrayLike,
    train_targets: ArrayLike | None = None,
    train_predictions: ArrayLike | None = None,
    bayes_r2: ArrayLike | None = None,
) -> list[Diagnosis]:
    """Which kind of collapse each coordinate of a prediction shows, if any; `KINDS` says what they mean.

    Args:
        targets: (n,) or (n, d), in any unit; those of unseen examples where there are training ones too.
        predictions: the same shape, in the targets' unit. (n, 1) for (n,) is understood.
        train_targets: of the examples trained on; alone, they say where the mean is that a constant has learned.
        train_predictions: with `train_targets`, to tell what was memorised.
        bayes_r2: the best R2 that any predictor can have, one or one per coordinate, to tell what noise forbids.

    Raises:
        ValueError: arrays that are no finite numbers within 1e150, shapes that differ, fewer than 2 pairs, constant
            targets, `train_predictions` alone, or a `bayes_r2` over 1.
    """
    test = _accumulate(("targets", "predictions"), targets, predictions)
    if train_targets is None:
        if train_predictions is not None:
            raise ValueError("train_targets is missing; it must be given where train_predictions is")
        return conclude(test, bayes_r2=bayes_r2)
    guesses = train_targets if train_predictions is None else train_predictions
    train = _accumulate(("train_targets", "train_predictions"), train_targets, guesses)
    return conclude(test, train, bayes_r2, predicted=train_predictions is not None)


def conclude(
    test: Accumulator, train: Accumulator | None = None, bayes_r2: ArrayLike | None = None, predicted: bool = True
) -> list[Diagnosis]:
    """As `diagnose`, of pairs that were accumulated. `predicted`: training pairs have predictions, not targets twice.

    Raises:
        ValueError: as `diagnose`.
    """
    # Fourth powers of what has blown up overflow; what is then inf or NaN is beyond no threshold.
    with np.errstate(over="ignore", invalid="ignore"):
        evidence = gather(test, train, bayes_r2, predicted)
        verdicts = rules.judge(evidence)
    mode = ranks.mode(evidence.predictions)
    copies = outputs.copies(evidence.predictions, evidence.targets)
    return [_diagnosis(evidence, verdicts, mode, copy_of, place) for place, copy_of in enumerate(copies)]


def gather(
    test: Accumulator, train: Accumulator | None = None, bayes_r2: ArrayLike | None = None, predicted: bool = True
) -> Evidence:
    """What the rules decide by, of pairs that were accumulated; arguments and errors as `conclude`."""
    moments = _enough(test, "targets")
    training = moments if train is None else _enough(train, "train_targets")
    if len(training.products) != len(moments.products):
        raise ValueError(f"train_targets has {len(training.products)} columns; it must have {len(moments.products)}")
    known, best = _reference(test if train is None else train), best_possible(bayes_r2, len(moments.products))
    if train is None or not predicted:
        return Evidence(moments, *test.sample, known, best)
    errors = [np.abs(np.subtract(*some.sample)) for some in (train, test)]
    unseen = np.arange(sum(some.shape[1] for some in errors)) >= errors[0].shape[1]
    above = ranks.above(np.hstack(errors), unseen[None])
    return Evidence(moments, *test.sample, known, best, _errors(train), _errors(test), above)


def _accumulate(names: tuple[str, str], targets: ArrayLike, predictions: ArrayLike) -> Accumulator:
    some, others = numbers(names[0], targets), numbers(names[1], predictions)
    same_shape(names, some, others)
    result = Accumulator(names)
    for start in range(0, len(some), BLOCK):
        result.update(some[start : start + BLOCK], others[start : start + BLOCK])
    return result


def _enough(accumulator: Accumulator, name: str) -> Moments:
    if accumulator.moments is None or accumulator.count < 2:
        raise ValueError(f"{name} has {accumulator.count} row{'s' * (accumulator.count != 1)}; it must have at least 2")
    constant = np.flatnonzero(accumulator.moments.squares[0] == 0)
    if constant.size:
        value = accumulator.moments.mean[0][constant[0]]
        raise ValueError(f"{name} is {value:g} in every row of coordinate {constant[0]}; it must vary")
    return accumulator.moments


def _reference(accumulator: Accumulator) -> Reference:
    moments, (some, _) = _enough(accumulator, "targets"), accumulator.sample
    count, kept = (np.full(len(some), float(number)) for number in (moments.count, some.shape[-1]))
    deviation, median = np.sqrt(moments.target_variance), np.median(some, -1)
    return Reference(count, moments.mean[0], deviation, median, kept, moments.low[0], moments.high[0])


def _errors(accumulator: Accumulator) -> Errors:
    moments, (some, others) = _enough(accumulator, "targets"), accumulator.sample
    deviation = ((others - some) ** 2).std(-1, ddof=1)
    return Errors(moments.mse, deviation / np.sqrt(moments.count), moments.r2)


def _diagnosis(
    evidence: Evidence, verdicts: rules.Verdicts, mode: ranks.Mode, copy_of: int | None, place: int
) -> Diagnosis:
    moments, kind, at = evidence.moments, str(verdicts.kind[place]), str(verdicts.constant_at[place])
    r2, ratio, rho, bias = (
        float(values[place]) for values in (moments.r2, moments.variance_ratio, moments.correlation, moments.bias)
    )
    partly = kind == "partly dead"
    constant = float(mode.value[place] if partly else moments.mean[1, place]) if at else None
    information = 0.0 if at and not partly else dependence.information(*evidence.row(place))
    named = {
        "n": moments.count,
        "r2": r2,
        "share": float(mode.share[place]),
        "constant": constant if constant is not None else np.nan,
        "seen": np.nan if evidence.seen is None else evidence.seen.r2[place],
        "unseen": r2,
        "scale": np.sqrt(ratio),
        "stretch": rho / np.sqrt(ratio) if ratio > 0 else np.nan,
        "reachable": rho**2,
        "information": information,
        "level": rules.null_level(moments.count),
        "bias": bias,
        "unbiased": r2 + bias**2 / moments.target_variance[place],
    }
    text = advice(kind, at, named, copy_of)
    share = named["share"]
    return Diagnosis(
        place, kind, at or None, r2, ratio, rho, bias, information, text, moments.count, share, constant, copy_of
    )
