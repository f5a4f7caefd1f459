"""Many members at once, on the same examples: for a comparison of thousands of networks."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from analysis.collapse import ranks, rules
from analysis.collapse.checks import LARGEST, best_possible
from analysis.collapse.evidence import Errors, Evidence
from analysis.collapse.moments import Moments
from analysis.collapse.places import Reference
from analysis.collapse.reservoir import sampled

if TYPE_CHECKING:
    from jaxtyping import Bool, Float, Shaped
    from numpy.typing import ArrayLike

# So many numbers at a time, 8 MB an array.
BATCH = 1_000_000


def kinds(
    targets: Float[np.ndarray, " n"],
    predictions: Shaped[np.ndarray, "members n"],
    train: Bool[np.ndarray, "members n"] | None = None,
    bayes_r2: ArrayLike | None = None,
) -> rules.Verdicts:
    """The kind of each member and where its constant is ("" for none), by the rules of `diagnose`.

    All pairs are judged, seen or not; `memorised` compares those that `train` marks with the others, and is not judged
    where all or none are marked. A member with a number that is not finite, or beyond 1e150, has diverged. Information
    is estimated where it decides: .4 ms a member of 169 pairs, 11 ms from 4,096 on.

    Args:
        targets: (n,), the same for all members.
        predictions: one row a member.
        train: which pairs a member has trained on, (n,) for all alike.
        bayes_r2: the best possible R2, one or one a member, NaN where it is not known.

    Raises:
        ValueError: shapes that disagree, targets that are not finite or constant, fewer than 2, `bayes_r2` over 1.
    """
    targets, predictions = np.asarray(targets, float), np.asarray(predictions, float)
    if targets.ndim != 1 or len(targets) < 2:
        raise ValueError(f"targets has shape {targets.shape}; it must be (n,), n at least 2")
    if not (np.abs(targets) <= LARGEST).all() or np.ptp(targets) == 0:
        raise ValueError(f"targets is constant or not finite; it must vary, within {LARGEST:g}")
    if predictions.ndim != 2 or predictions.shape[1] != len(targets):
        raise ValueError(f"predictions has shape {predictions.shape}; it must be (members, {len(targets)})")
    best = best_possible(bayes_r2, len(predictions))
    if train is not None and np.shape(train) not in (predictions.shape, targets.shape):
        raise ValueError(f"train has shape {np.shape(train)}; it must be {targets.shape} or {predictions.shape}")
    marked = None if train is None else np.broadcast_to(np.asarray(train, bool), predictions.shape)
    finite = (np.abs(predictions) <= LARGEST).all(-1)
    kind = np.full(len(predictions), "diverged", dtype=f"<U{max(map(len, rules.KINDS))}")
    constant_at = np.full(len(predictions), "", dtype="<U9")
    size = max(1, BATCH // len(targets))
    for start in range(0, int(finite.sum()), size):
        chosen = np.flatnonzero(finite)[start : start + size]
        some = None if marked is None else marked[chosen]
        # Fourth powers of what has blown up overflow; what is then inf or NaN is beyond no threshold.
        with np.errstate(over="ignore", invalid="ignore"):
            verdicts = rules.judge(_evidence(targets, predictions[chosen], some, best[chosen]))
        kind[chosen], constant_at[chosen] = verdicts
    return rules.Verdicts(kind, constant_at)


def _evidence(targets: np.ndarray, predictions: np.ndarray, train: np.ndarray | None, best: np.ndarray) -> Evidence:
    rows = sampled(len(targets))
    shared = np.ascontiguousarray(targets[rows])[None]
    moments = Moments.of(np.broadcast_to(targets, predictions.shape), predictions)
    chosen = np.ones(predictions.shape, bool) if train is None else train | ~train.any(-1, keepdims=True)
    known = _reference(targets, chosen)
    if train is None:
        return Evidence(moments, shared, predictions[:, rows], known, best)
    seen, unseen = (_errors(targets, predictions, which) for which in (train, ~train))
    above = ranks.above(np.abs(predictions - targets)[:, rows], ~train[:, rows])
    return Evidence(moments, shared, predictions[:, rows], known, best, seen, unseen, above)


def _reference(targets: np.ndarray, train: np.ndarray) -> Reference:
    """Of the targets that each member has trained on."""
    count = train.sum(-1).astype(float)
    mean, variance = _over(train, targets)
    ordered = np.sort(np.where(train, targets, np.inf), -1)
    places = [place.astype(int)[:, None] for place in ((count - 1) // 2, count // 2)]
    middle = np.mean([np.take_along_axis(ordered, place, -1)[:, 0] for place in places], axis=0)
    high = np.where(train, targets, -np.inf).max(-1)
    return Reference(count, mean, np.sqrt(variance), middle, count, ordered[:, 0], high)


def _errors(targets: np.ndarray, predictions: np.ndarray, which: np.ndarray) -> Errors:
    """On the pairs that `which` marks; NaN, on which no rule speaks, where these are under 2 or constant."""
    count = which.sum(-1).astype(float)
    mse, spread = _over(which, (predictions - targets) ** 2)
    variance = _over(which, targets)[1]
    with np.errstate(divide="ignore", invalid="ignore"):
        r2 = np.where(variance > 0, 1 - mse / variance, np.nan)
        return Errors(mse, np.sqrt(spread / (count - 1)), r2)


def _over(which: Bool[np.ndarray, "members n"], values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean and variance of the marked entries of each row."""
    with np.errstate(divide="ignore", invalid="ignore"):
        mean = np.where(which, values, 0).sum(-1) / which.sum(-1)
        squares = np.where(which, (values - mean[:, None]) ** 2, 0).sum(-1)
        return mean, squares / which.sum(-1)
