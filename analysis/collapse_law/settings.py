"""The settings of a run as tables: their fields as they are, and how many of their members were lost."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import xarray
from jaxtyping import Bool, Int

from jaxbox import store
from jaxbox.config import Configuration, RunError


def fields(configurations: Sequence[Configuration]) -> pd.DataFrame:
    """A row a setting, of every field that `fates` varies: names as text, and numbers that are all above zero.

    Of decays it is what is left of 1, so that a logarithm can be taken; of channels the first, the last and the
    geometric mean.
    """
    return pd.DataFrame([_row(each) for each in configurations])


def _row(configuration: Configuration) -> dict[str, float | str]:
    task, model, optimizer = configuration.task, configuration.model, configuration.optimizer
    return {
        "optimizer": optimizer.name,
        "inputs": task.inputs,
        "initialization": model.initialization,
        "learning_rate": optimizer.learning_rate,
        "epsilon": optimizer.epsilon,
        "one_less_b1": 1 - optimizer.b1,
        "one_less_b2": 1 - optimizer.b2,
        "one_less_momentum": 1 - optimizer.momentum,
        "initial_scale": model.initial_scale,
        "contrast": task.contrast if task.inputs == "dimmed" else 1.0,
        "height": task.height,
        "kernel_size": model.kernel_size,
        "batch_size": configuration.batch_size,
        "layers": len(model.features),
        "first_channels": model.features[0],
        "last_channels": model.features[-1],
        "mean_channels": float(np.exp(np.mean(np.log(model.features)))),
    }


def lost(run: xarray.Dataset) -> Bool[np.ndarray, "configurations seeds"]:
    """Which members end with a layer that is zero on every image, or have blown up: from either nothing comes back."""
    return (store.dead_layer(run) | (run["failed_step"] >= 0)).values


def counts(path: Path) -> tuple[list[Configuration], Int[np.ndarray, " settings"], Int[np.ndarray, " settings"]]:
    """The settings of a run, how many of their members were lost, and how many they have.

    Raises:
        RunError: not a run, or one that is not at its end.
    """
    results, plan = store.open_with_plan(path)
    gone = lost(results)
    ended = (results["last_step"] >= np.array([each.steps for each in plan.configurations])[:, None]).values
    if not (ended | gone).all():
        raise RunError(f"run: {path} is not at its end; go on with it: python -m jaxbox.sweep --resume {path}")
    return list(plan.configurations), gone.sum(axis=1), np.full(len(gone), gone.shape[1])
