"""Order and repeated values along the last axis, of many coordinates or members at once."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from jaxtyping import Bool, Float, Int


class Runs(NamedTuple):
    """Along the last axis, in ascending order: the order, the sorted values, and where each run of equals is."""

    order: Int[np.ndarray, "d n"]
    values: Float[np.ndarray, "d n"]
    first: Int[np.ndarray, "d n"]
    last: Int[np.ndarray, "d n"]


def runs(values: Float[np.ndarray, "d n"]) -> Runs:
    """Sort, and find the runs of equal values."""
    order = np.argsort(values, axis=-1, kind="stable")
    ordered = np.take_along_axis(values, order, -1)
    places = np.arange(values.shape[-1])
    new = ordered[..., 1:] != ordered[..., :-1]
    edge = np.ones((*values.shape[:-1], 1), bool)
    first = np.maximum.accumulate(np.where(np.concatenate([edge, new], -1), places, 0), -1)
    ends = np.where(np.concatenate([new, edge], -1), places, places[-1])
    return Runs(order, ordered, first, np.minimum.accumulate(ends[..., ::-1], -1)[..., ::-1])


def ranks(values: Float[np.ndarray, "d n"]) -> Float[np.ndarray, "d n"]:
    """From 0 along the last axis; equal values share the mean of their ranks."""
    found = runs(values)
    result = np.empty(values.shape)
    np.put_along_axis(result, found.order, (found.first + found.last) / 2, -1)
    return result


def rank_correlation(
    targets: Float[np.ndarray, "#d n"], predictions: Float[np.ndarray, "d n"]
) -> Float[np.ndarray, " d"]:
    """Spearman's; 0 where the predictions are constant."""
    some, others = (ranks(values) - (values.shape[-1] - 1) / 2 for values in (targets, predictions))
    scale = np.sqrt(np.vecdot(some, some) * np.vecdot(others, others))
    return np.divide(np.vecdot(some, others), scale, out=np.zeros_like(scale), where=scale > 0)


def above(values: Float[np.ndarray, "d n"], marked: Bool[np.ndarray, "#d n"]) -> Float[np.ndarray, " d"]:
    """By how many standard deviations of chance the marked values rank above the others (Mann and Whitney 1947).

    NaN where all or none are marked.
    """
    count, some = values.shape[-1], marked.sum(-1)
    with np.errstate(divide="ignore", invalid="ignore"):
        mean = np.where(marked, ranks(values), 0).sum(-1) / some
        return (mean - (count - 1) / 2) / np.sqrt((count - some) * (count + 1) / (12 * some))


class Mode(NamedTuple):
    """The most frequent value, its share of all, and the share that each of the other values has on average."""

    value: Float[np.ndarray, " d"]
    share: Float[np.ndarray, " d"]
    others: Float[np.ndarray, " d"]


def mode(values: Float[np.ndarray, "d n"]) -> Mode:
    """Of each coordinate; `others` is 0 where there are none."""
    found, count = runs(values), values.shape[-1]
    length = found.last - found.first + 1
    place, distinct = length.argmax(-1)[:, None], (found.first == np.arange(count)).sum(-1)
    most = np.take_along_axis(length, place, -1)[:, 0]
    value = np.take_along_axis(found.values, place, -1)[:, 0]
    return Mode(value, most / count, (count - most) / np.maximum(distinct - 1, 1) / count)
