"""A run, its comparison, and what the page needs beside both, each computed once."""

import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import xarray
from jaxtyping import Bool, Float

from analysis.comparison import DIVERGED, known, snapshot
from jaxbox.config import Plan, outside, tables
from jaxbox.store import at_end, collapsed, dead_layer, dropped, load_manifest
from jaxbox.store.measures import target_variance

BEST = ("r2_lmmse", "r2_bayes", "r2_lmmse_error", "r2_bayes_error")
"""Of the comparison: how good the best predictors are."""


@dataclasses.dataclass(frozen=True, eq=False)
class Gathered:
    """Everything that is known of a run; arrays are over (configuration, seed) if nothing else is said."""

    folder: Path
    plan: Plan
    manifest: dict[str, Any]
    results: xarray.Dataset
    compared: xarray.Dataset
    names: tuple[str, ...]
    """Of the configurations: what varies, in words."""
    tasks: tuple[int, ...]
    """For each configuration the first with the same images: only their scores can be compared."""
    begun: Bool[np.ndarray, "configuration seed"]
    """Members with an evaluation; of the others nothing is known."""
    finished: Bool[np.ndarray, "configuration seed"]
    """Members at their last step, or frozen or dropped before."""
    collapsed: Bool[np.ndarray, "configuration seed"]
    has_relu: Bool[np.ndarray, "configuration seed"]
    dead_layer: Bool[np.ndarray, "configuration seed"]
    score: Float[np.ndarray, "configuration seed"]
    """R2 over both coordinates, in float64: -inf where diverged, NaN where not begun."""
    r2_lmmse: Float[np.ndarray, " configuration"]
    r2_bayes: Float[np.ndarray, " configuration"]
    """Over both coordinates, like the scores."""
    r2_lmmse_error: Float[np.ndarray, " configuration"]
    r2_bayes_error: Float[np.ndarray, " configuration"]
    """At most their standard errors: both coordinates are estimated from the same images. 0: exact."""
    information: Float[np.ndarray, "configuration seed"]
    """I(x;xhat) + I(y;yhat), in nats."""

    @property
    def fate(self) -> np.ndarray:
        """Of each member."""
        return self.compared["fate"].values

    @property
    def rest(self) -> Bool[np.ndarray, "configuration seed"]:
        """Members that neither collapsed nor diverged."""
        return self.begun & ~self.collapsed & (self.fate != DIVERGED)

    @property
    def noisy(self) -> bool:
        """Whether in some task more is in an image than the position."""
        return any(known.is_noisy(configuration.task) for configuration in self.plan.configurations)

    def same_task(self) -> dict[int, list[int]]:
        """The configurations of each task."""
        return {
            task: [index for index, own in enumerate(self.tasks) if own == task] for task in dict.fromkeys(self.tasks)
        }

    def task_name(self, task: int) -> str:
        """The task of a configuration in words: the fields of its images that vary over the run."""
        law = self.plan.configurations[task].data.law
        reads = () if outside.is_outside(law) else tables.row("data.law", law).reads
        of_images = ("task.", "data.law", *reads)
        varied = {path: values[task] for path, values in self.plan.varied().items() if path.startswith(of_images)}
        varied = {path: value for path, value in varied.items() if value == value and value != ""}  # another task's own
        shown = {path: f"{value:.12g}" if isinstance(value, float) else value for path, value in varied.items()}
        return " ".join(f"{path.split('.')[1]}={value}" for path, value in shown.items()) or "all"


def gather(folder: Path, progress: Callable[[int, int], None] | None = None) -> Gathered:
    """Compare the run with its closed forms, or take what an earlier call found.

    Raises:
        RunError: not a run, or a run without results yet.
    """
    results, plan, compared = snapshot(folder, progress)
    last = results["last_step"].values
    begun = last >= 0
    steps = np.array([configuration.steps for configuration in plan.configurations])[:, None]
    weights = _weights(results)
    diverged = compared["fate"].values == DIVERGED
    score = np.where(diverged, -np.inf, _both(compared["r2"].values, weights[:, None]))
    return Gathered(
        folder=folder,
        plan=plan,
        manifest=load_manifest(folder),
        results=results,
        compared=compared,
        names=tuple(str(label) or "the only configuration" for label in compared["label"].values),
        tasks=_tasks(plan),
        begun=begun,
        finished=(last >= steps) | (begun & ~results["finite"].values) | dropped(results).values,
        collapsed=collapsed(results).values,
        has_relu=begun & at_end(results, "dead_fraction").notnull().any("layer").values,
        dead_layer=dead_layer(results).values,
        score=np.where(begun, score, np.nan),
        **{name: _both(compared[name].values, weights) for name in BEST},
        information=compared["information"].sum("axis", skipna=False).values,
    )


def _weights(results: xarray.Dataset) -> Float[np.ndarray, "configuration 2"]:
    """What each coordinate counts in the R2 over both: its share of their variance."""
    variance = target_variance(results).values
    return variance / variance.sum(-1, keepdims=True)


def _both(r2: Float[np.ndarray, "*shape 2"], weights: Float[np.ndarray, "*shape 2"]) -> Float[np.ndarray, "*shape"]:
    """1 - sum of MSE / sum of variances, from the R2 of each coordinate; one that is constant has none, and no part."""
    return np.where(weights > 0, r2 * np.where(weights > 0, weights, 1.0), 0.0).sum(-1)


def _tasks(plan: Plan) -> tuple[int, ...]:
    found = [known.judged(configuration) for configuration in plan.configurations]
    return tuple(found.index(task) for task in found)
