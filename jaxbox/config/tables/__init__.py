"""Every name that a configuration can hold: where its code is, and which fields that code reads.

One table a kind, one row a name. The tables hold text only, so that help, lists and refusals come before JAX is
loaded; `load` imports the code when it is needed. To add a model (noise, loss, ...): write its file, add its row.

A field that no row lists is always read. A field that some rows of a table list is read only where one of those rows is
chosen, in every table that lists it: `optimizer.momentum` is read by the optimiser momentum. `render` is how a row
says that it can do with windows instead of images (`jaxbox.layers.windows`): scene, noise, inputs, labels and model
must all list it.
"""

import importlib
from typing import Any

from jaxbox.config import outside, rows
from jaxbox.config.errors import look_up
from jaxbox.config.fields import check_type, flatten
from jaxbox.config.rows import Row
from jaxbox.config.sections import Configuration
from jaxbox.config.tables.data import LABELS, LAWS, SPLITS
from jaxbox.config.tables.model import (
    ACTIVATIONS,
    DROPOUTS,
    INITIALIZATIONS,
    MODELS,
    NORMALIZATIONS,
    OUTPUTS,
    POOLINGS,
    SHORTCUTS,
)
from jaxbox.config.tables.task import INPUTS, NOISES, SCENES, TARGETS
from jaxbox.config.tables.training import LOSSES, OPTIMIZERS, SCHEDULES

TABLES: dict[str, dict[str, Row]] = {
    "task.scene": SCENES,
    "task.noise": NOISES,
    "task.inputs": INPUTS,
    "task.targets": TARGETS,
    "model.name": MODELS,
    "model.activation": ACTIVATIONS,
    "model.output": OUTPUTS,
    "model.initialization": INITIALIZATIONS,
    "model.pooling": POOLINGS,
    "model.normalization": NORMALIZATIONS,
    "model.shortcut": SHORTCUTS,
    "model.dropout": DROPOUTS,
    "loss.name": LOSSES,
    "optimizer.name": OPTIMIZERS,
    "optimizer.schedule": SCHEDULES,
    "data.law": LAWS,
    "data.labels": LABELS,
    "data.split": SPLITS,
}
"""By the field that holds the name."""


def row(field: str, name: str) -> Row:
    """The row of a name in the table of this field; one from outside (`outside.load`) gets a row made from its code.

    Raises:
        ConfigurationError: unknown name; the nearest one is suggested.
    """
    check_type(field, name, str)
    return rows.from_outside(field, name) if outside.is_outside(name) else look_up(TABLES[field], name, field)


def load(field: str, name: str) -> Any:
    """The code behind a name; imports its module.

    Raises:
        ConfigurationError: unknown name; the nearest one is suggested.
    """
    if outside.is_outside(name):
        return outside.load(field, name)
    module, _, attribute = row(field, name).place.partition(":")
    imported = importlib.import_module(module)
    return getattr(imported, attribute) if attribute else imported


def readers(path: str) -> dict[str, list[str]]:
    """Which names of which tables read the field at this path; none if every configuration does."""
    found = {field: [name for name, row in table.items() if path in row.reads] for field, table in TABLES.items()}
    return {field: names for field, names in found.items() if names}


def fields_read(configuration: Configuration) -> frozenset[str]:
    """The dotted paths of the fields that a configuration with these names reads.

    Raises:
        ConfigurationError: a name is in no table.
    """
    values, unread = dict(flatten(configuration)), set()
    for field, table in TABLES.items():
        own = row(field, values[field]).reads
        unread.update(path for other in table.values() for path in other.reads if path not in own)
    return frozenset(values) - unread


def takes_windows(configuration: Configuration) -> bool:
    """Whether all that a configuration names can work on windows (see `jaxbox.layers.windows`) instead of images."""
    return "render" in fields_read(configuration)


def uses_windows(configuration: Configuration) -> bool:
    """Whether training works on windows rather than on images."""
    return takes_windows(configuration) and not configuration.render
