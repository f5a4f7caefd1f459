"""One number for a configuration, averaged over seeds, with an interval: what a tuner of hyperparameters asks for."""

from __future__ import annotations

import math
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from jaxbox import config
from jaxbox.config import Configuration, ConfigurationError

if TYPE_CHECKING:
    import numpy as np
    import xarray


class Score(NamedTuple):
    """A mean over seeds and the ends of its 95% interval, in the measure's unit."""

    value: float
    low: float
    high: float


def score(
    configuration: Configuration,
    seeds: int = 8,
    measure: str = "r2_all",
    *,
    first_seed: int = 0,
    out: str | Path | None = None,
    name: str | None = None,
) -> Score:
    """Train a configuration with every seed, and average a measure over the seeds at the last evaluation.

    What a measure is called, as in the columns of `member_table`:

    - `r2_all`: R2 over both coordinates and all positions, `final_r2`;
    - `collapsed`, `dead_layer`, `finite`: rates, the shares of seeds of which that is true;
    - `loss`, `gradient_norm`, and every measure of an axis or a split: `r2_x`, `mse_unseen_y`. Without its axis
      (`r2`, `mse_unseen`) it is the mean of x and y; `dead_fraction` is the mean over the ReLU layers.

    The interval of a mean is Student's t, that of a rate Wilson's. It says how well these seeds know the mean over all
    seeds, and takes them for independent: with `data.shared_batches` they share their batches. One seed says nothing
    of how seeds differ: its interval is from -inf to inf. Student's supposes a mean that is nearly normal; where some
    seeds collapse, ask for more seeds, or for the rate.

    A seed failed if its update was not finite, or if its predictions or its measure overflowed. No mean goes without
    the failed ones, and none can include them: value and ends are then NaN, which is neither good nor bad in whatever
    direction is tuned, and which tuners take for a trial that failed. A rate counts each seed, the failed ones too.

    Seed s is the same in every configuration, so that scores of the same seeds are paired. A tuner picks the best of
    many noisy scores, which flatters the winner: score that again with seeds that it has not seen (`first_seed`).

    Args:
        configuration: what to train.
        seeds: how many.
        measure: what to average.
        first_seed: of them.
        out: the folder of runs in which to keep this one; it is not kept if left out.
        name: of the run's folder in `out`.

    Raises:
        ConfigurationError: an unknown measure, or one that this configuration has no value of (`mse_unseen` where all
            has been seen); `out` without `name`, or the reverse; else as `run`.
        RunError: as `run`.
        KeyboardInterrupt: a signal stopped it before its end.
    """
    if (out is None) != (name is None):
        raise ConfigurationError(f"name: {name!r} is not allowed with out {str(out)!r}; give both, or neither")
    read = config.look_up(_measures(), measure, "measure")

    from jaxbox import store, sweep

    with tempfile.TemporaryDirectory(prefix="jaxbox-") as folder:
        out, name = (folder, "score") if out is None else (out, name)
        run = sweep.run([configuration], seeds, first_seed=first_seed, out=out, name=name, quiet=True)
        if store.load_manifest(Path(out, str(name)))["status"] != "complete":
            raise KeyboardInterrupt
        values = read(run).load().isel(configuration=0).values
        if values.dtype == bool:
            return Score(*store.wilson_rate(values))
        failed = ~run["finite"].values[0] | (store.final_r2(run).values[0] == -math.inf)
    return _mean(values.astype(float), failed, measure)


def _measures() -> dict[str, Callable[[xarray.Dataset], xarray.DataArray]]:
    """What can be asked for by name: a function of results to an array (configuration, seed), of bool for a rate."""
    from jaxbox import store
    from jaxbox.training.metrics import AXES, MEASURES, SPLITS

    found: dict[str, Any] = {"r2_all": store.final_r2, "collapsed": store.collapsed, "dead_layer": store.dead_layer}
    found["finite"] = lambda run: run["finite"]
    for name, row in MEASURES.items():
        for split in SPLITS if "split" in row.dims else (None,):
            for axis in (None, *AXES) if "axis" in row.dims else (None,):
                place = {dim: label for dim, label in (("split", split), ("axis", axis)) if label}
                found["_".join((name, *place.values()))] = lambda run, name=name, place=place: _average(
                    store.at_end(run, name).sel(place)
                )
    return found


def _average(values: xarray.DataArray) -> xarray.DataArray:
    """The mean over what else there is than members. A layer that a network lacks is NaN; an axis is never lacking."""
    values = values.astype(float)
    return values.mean("layer") if "layer" in values.dims else values.mean(set(values.dims) & {"axis"}, skipna=False)


def _mean(values: np.ndarray, failed: np.ndarray, measure: str) -> Score:
    """The mean of (seed,) values with Student's interval; NaN if one failed."""
    import numpy as np
    from scipy.special import stdtrit

    failed = failed | np.isinf(values)
    lacking = np.isnan(values[~failed]).any()
    config.require(not lacking, "measure", measure, "one that this configuration has a value of")
    if failed.any():
        return Score(math.nan, math.nan, math.nan)
    count, mean = len(values), float(values.mean())
    if count == 1:
        return Score(mean, -math.inf, math.inf)
    half = float(stdtrit(count - 1, 0.975) * values.std(ddof=1) / math.sqrt(count))
    return Score(mean, mean - half, mean + half)
