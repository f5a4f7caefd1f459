"""What a configuration is. Nothing here imports JAX, so that the command line answers before JAX is loaded.

sections.py   the dataclasses           fields.py   dotted paths, types, text, traced and static parts
tables.py     every name there is       checks.py   what is refused
plan.py       what a run computes       errors.py   how it is said
combinations.py                         which targets, losses and outputs go together
migration.py                            names that fields had in earlier versions
"""

from jaxbox.config.checks import LARGEST_INT, check_name, check_values, refuse_unread, settle
from jaxbox.config.errors import ConfigurationError, RunError, look_up, nearest, one_line, require
from jaxbox.config.fields import (
    DEFAULTS,
    OFF_AT_ZERO,
    TRACED,
    Static,
    Value,
    field_types,
    flatten,
    from_dict,
    parse_value,
    replace,
    to_dict,
    traced,
)
from jaxbox.config.migration import MOVED, migrated
from jaxbox.config.plan import Plan, fingerprint
from jaxbox.config.sections import Configuration, Data, Loss, Model, Optimizer, Task

__all__ = [
    "DEFAULTS",
    "LARGEST_INT",
    "MOVED",
    "OFF_AT_ZERO",
    "TRACED",
    "Configuration",
    "ConfigurationError",
    "Data",
    "Loss",
    "Model",
    "Optimizer",
    "Plan",
    "RunError",
    "Static",
    "Task",
    "Value",
    "check_name",
    "check_values",
    "field_types",
    "fingerprint",
    "flatten",
    "from_dict",
    "look_up",
    "migrated",
    "nearest",
    "one_line",
    "parse_value",
    "refuse_unread",
    "replace",
    "require",
    "settle",
    "to_dict",
    "traced",
]
