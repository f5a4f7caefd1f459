"""What a run's numbers mean: final R2, collapsed, dead layer, rates; the one definition, for everybody."""

import math
from statistics import NormalDist
from typing import NamedTuple

import numpy as np
import xarray
from jaxtyping import Bool

COLLAPSED_R2 = 0.05
"""A member with a smaller R2 over both coordinates and all positions, at its last evaluation, has collapsed."""


def at_end(run: xarray.Dataset, name: str) -> xarray.DataArray:
    """A measure at each member's last evaluation; NaN where there was none.

    Args:
        run: of `open_run`.
        name: of a variable with the dimension step.
    """
    last = run["last_step"].load()
    values = run[name].load().sel(step=last.where(last >= 0, run["step"].values[0]))
    return values.where(last >= 0).drop_vars("step")


def target_variance(run: xarray.Dataset) -> xarray.DataArray:
    """Variance of the target under the law of the data, in squared target units: dimensions configuration and axis."""
    target = run["target"].load().astype(float)
    # A run from before there were laws has no probabilities: all positions were equally probable.
    even = target.isel(axis=0, drop=True).notnull()
    probability = run["probability"].load().astype(float).fillna(0) if "probability" in run else even
    return target.weighted(probability).var("position")


def final_r2(run: xarray.Dataset) -> xarray.DataArray:
    """R2 over both coordinates at each member's last evaluation: 1 - sum of MSE / sum of target variances.

    Both under the law of the data. Dimensions configuration and seed. NaN where there was no evaluation; -inf where
    predictions overflowed, also where that made their error NaN.
    """
    mse = at_end(run, "mse").sel(split="all").astype(float).fillna(np.inf).sum("axis")
    r2 = 1 - mse / target_variance(run).sum("axis")
    return r2.where(run["last_step"] >= 0)


def collapsed(run: xarray.Dataset) -> xarray.DataArray:
    """Whether each member's final R2 is under COLLAPSED_R2; False where there was no evaluation."""
    return final_r2(run) < COLLAPSED_R2


def dead_layer(run: xarray.Dataset) -> xarray.DataArray:
    """Whether a member ends with a ReLU layer that is zero on every evaluation image."""
    return (at_end(run, "dead_fraction") >= 1).any("layer")


def dropped(run: xarray.Dataset) -> xarray.DataArray:
    """Which members were dropped (--drop dead): nothing more will come of them, and nothing more is asked."""
    return run["dropped_step"] >= 0 if "dropped_step" in run else xarray.zeros_like(run["last_step"], bool)


class Rate(NamedTuple):
    """A proportion and its interval, all in [0, 1]."""

    value: float
    low: float
    high: float


def wilson_rate(events: Bool[np.ndarray, " n"], confidence: float = 0.95) -> Rate:
    """The proportion of events with its Wilson interval (Wilson, JASA 22, 1927).

    Raises:
        ValueError: there is not a single one.
    """
    if not len(events):
        raise ValueError("events is empty; a rate needs at least one")
    # Written out, because scipy.stats takes half a second to import, for which every sweep would wait.
    count, rate, z = len(events), float(np.mean(events)), NormalDist().inv_cdf((1 + confidence) / 2)
    middle = (rate + z**2 / (2 * count)) / (1 + z**2 / count)
    half = z / (1 + z**2 / count) * math.sqrt(rate * (1 - rate) / count + z**2 / (4 * count**2))
    # An interval reaches the rate 0 or 1, which rounding would miss.
    return Rate(rate, middle - half if rate > 0 else 0.0, middle + half if rate < 1 else 1.0)
