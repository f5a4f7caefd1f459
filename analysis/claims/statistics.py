"""The numbers that claims compare, one of each network: functions of a run to an array of (configuration, seed)."""

import dataclasses
from collections.abc import Callable

import numpy as np
import xarray

from jaxbox.store import measures

FITTED_MSE = 1e-3
"""A smaller mean squared error on its own examples, averaged over both coordinates, is a fit: on 16 x 16 pixels it is a
quarter of a pixel, so that the nearest place is the right one."""
GOOD_R2, BAD_R2 = 0.9, 0.5
"""What counts as learned, and what does not, where a network has to do the one and not the other."""
WORST_R2 = -1.0
"""Everything worse counts as this: how far a network has diverged is no part of any claim, but would rule a mean."""
RISE = 1.1
"""Of an error from one evaluation to the next: smaller ones are the scatter of batches."""


@dataclasses.dataclass(frozen=True)
class Statistic:
    """A number of each network. `rate`: it is true or false of a network, so that its mean is a share of networks."""

    words: str
    rate: bool
    function: Callable[[xarray.Dataset], xarray.DataArray]


def bounded_r2(run: xarray.Dataset) -> xarray.DataArray:
    """R2 over all places, nothing below WORST_R2 told apart."""
    return _bounded(measures.final_r2(run))


def split_r2(run: xarray.Dataset, split: str) -> xarray.DataArray:
    """R2 over the places of a split (seen, unseen); in units of the variance of all places' targets, for both alike."""
    mse = _mse(run, split).sum("axis", skipna=False)
    return _bounded(1 - mse / measures.target_variance(run).sum("axis"))


def generalization_gap(run: xarray.Dataset) -> xarray.DataArray:
    """By how much R2 is better over the places of the training set than over all others."""
    return split_r2(run, "seen") - split_r2(run, "unseen")


def uniform_r2(run: xarray.Dataset) -> xarray.DataArray:
    """R2 over all places, each counted alike, whatever the law of the positions."""
    mse = measures.at_end(run, "mse_uniform").astype(float).fillna(np.inf).sum("axis")
    return _bounded(1 - mse / run["target"].load().astype(float).var("position").sum("axis"))


def fitted(run: xarray.Dataset) -> xarray.DataArray:
    """Whether the places of the training set are fitted."""
    return _mse(run, "seen").mean("axis") < FITTED_MSE


def overfitted(run: xarray.Dataset) -> xarray.DataArray:
    """Whether places of the training set are learned and other places are not."""
    return (split_r2(run, "seen") > GOOD_R2) & (split_r2(run, "unseen") < BAD_R2)


def fitted_and_useless(run: xarray.Dataset) -> xarray.DataArray:
    """Whether the training set is fitted while over all places, each counted alike, less than half is explained."""
    return fitted(run) & (uniform_r2(run) < BAD_R2)


def rises(run: xarray.Dataset) -> xarray.DataArray:
    """Whether the error over all places is ever RISE times as large as at the evaluation before."""
    mse = run["mse"].load().sel(split="all").astype(float).mean("axis", skipna=False)
    return (mse > RISE * mse.shift(step=1)).any("step")


def constant_nearer(run: xarray.Dataset, place: str) -> xarray.DataArray:
    """Whether a network has collapsed, to what is nearer the targets' `place`, mean or median, than the other of both.

    Under the law of the positions. The middle of the predictions stands for the constant; both coordinates together.
    """
    target, prediction = run["target"].load().astype(float), run["prediction"].load().astype(float)
    law = run["probability"].load().astype(float).fillna(0)
    mean = target.weighted(law).mean("position")
    median = target.weighted(law).quantile(q=0.5, dim="position").drop_vars("quantile")
    constant = prediction.median("position")
    from_mean, from_median = (((constant - each) ** 2).sum("axis") for each in (mean, median))
    nearer = from_mean < from_median if place == "mean" else from_median < from_mean
    return nearer & measures.collapsed(run)


def _mse(run: xarray.Dataset, split: str) -> xarray.DataArray:
    """At the end; infinite where predictions overflowed, NaN only where the split has no place."""
    every = measures.at_end(run, "mse").astype(float)
    overflowed = ~np.isfinite(every.sel(split="all", drop=True))
    return every.sel(split=split, drop=True).where(~overflowed, np.inf)


def _bounded(r2: xarray.DataArray) -> xarray.DataArray:
    return r2.clip(min=WORST_R2)


STATISTICS: dict[str, Statistic] = {
    "collapse rate": Statistic("share of networks that predict the mean (R2 under 0.05)", True, measures.collapsed),
    "dead layer rate": Statistic("share of networks with a layer of dead relus", True, measures.dead_layer),
    "R2": Statistic("R2 over all places", False, bounded_r2),
    "R2 on unseen places": Statistic("R2 over places never trained on", False, lambda run: split_r2(run, "unseen")),
    "generalization gap": Statistic("R2 on places trained on less that on all others", False, generalization_gap),
    "fitted rate": Statistic("share of networks that fit their own examples (MSE under 0.001)", True, fitted),
    "overfitted rate": Statistic("share of networks that learned the places seen, and no others", True, overfitted),
    "useless fit rate": Statistic(
        "share that fit their examples and explain under half of all places", True, fitted_and_useless
    ),
    "rising error rate": Statistic("share of networks whose error once rises by a tenth", True, rises),
    "rate at the median": Statistic(
        "share of networks that say one constant, nearer the targets' median than their mean",
        True,
        lambda run: constant_nearer(run, "median"),
    ),
    "rate at the mean": Statistic(
        "share of networks that say one constant, nearer the targets' mean than their median",
        True,
        lambda run: constant_nearer(run, "mean"),
    ),
}
