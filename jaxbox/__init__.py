"""Train many small regression networks at once, and keep every number they produce.

Everything public is here by name, and loaded when it is first asked for: importing jaxbox loads no JAX.
"""

import importlib
import importlib.util
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from jaxbox.config import Configuration, ConfigurationError, Data, Loss, Model, Optimizer, RunError, Task, grid
    from jaxbox.layers import Activation, Conv, Dense
    from jaxbox.store import (
        Member,
        collapsed,
        curve_table,
        dead_layer,
        final_r2,
        load_member,
        member_table,
        open_run,
        wilson_rate,
    )
    from jaxbox.sweep import run, score
    from jaxbox.task import inputs, observe, positions, render, targets

_PLACES = {
    "jaxbox.config": (
        *("Configuration", "ConfigurationError", "Data", "Loss", "Model", "Optimizer", "RunError", "Task", "grid"),
    ),
    "jaxbox.layers": ("Activation", "Conv", "Dense"),
    "jaxbox.store": (
        *("Member", "collapsed", "curve_table", "dead_layer", "final_r2"),
        *("load_member", "member_table", "open_run", "wilson_rate"),
    ),
    "jaxbox.sweep": ("run", "score"),
    "jaxbox.task": ("inputs", "observe", "positions", "render", "targets"),
}
_MODULES = {name: module for module, names in _PLACES.items() for name in names}

__all__ = [
    "Activation",
    "Configuration",
    "ConfigurationError",
    "Conv",
    "Data",
    "Dense",
    "Loss",
    "Member",
    "Model",
    "Optimizer",
    "RunError",
    "Task",
    "collapsed",
    "curve_table",
    "dead_layer",
    "final_r2",
    "grid",
    "inputs",
    "load_member",
    "member_table",
    "observe",
    "open_run",
    "positions",
    "render",
    "run",
    "score",
    "targets",
    "wilson_rate",
]


def __getattr__(name: str) -> Any:
    if name in _MODULES:
        return getattr(importlib.import_module(_MODULES[name]), name)
    if not name.startswith("_") and importlib.util.find_spec(f"{__name__}.{name}"):
        return importlib.import_module(f"{__name__}.{name}")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
