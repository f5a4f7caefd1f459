"""What a configuration is. Nothing here imports JAX, so that the command line answers before JAX is loaded.

sections.py   the dataclasses           fields.py   dotted paths, types, text, traced and static parts
tables/       every name there is       checks/     what is refused
plan.py       what a run computes       errors.py   how it is said
combinations.py                         which targets, losses and outputs go together
outside.py    names from a user's file  rows.py     a row, and one made from a user's code
options.py    options of a kind's own   stored.py   as plain dictionaries, and back
variations.py every combination of some fields' values
migration.py  names that fields had in earlier versions
"""

from jaxbox.config.checks import LARGEST_INT, check_name, check_values, refuse_unread, settle
from jaxbox.config.errors import ConfigurationError, RunError, look_up, nearest, one_line, require, with_type
from jaxbox.config.fields import (
    DEFAULTS,
    OFF_AT_ZERO,
    TRACED,
    Static,
    Value,
    defaults_of,
    field_types,
    flatten,
    parse_value,
    replace,
    traced,
    types_of,
)
from jaxbox.config.migration import MOVED, migrated
from jaxbox.config.options import change, fit
from jaxbox.config.plan import Block, Plan, fingerprint
from jaxbox.config.sections import Configuration, Data, Loss, Model, Optimizer, Task
from jaxbox.config.stored import from_dict, to_dict
from jaxbox.config.variations import distinct, grid, spread

__all__ = [
    "DEFAULTS",
    "LARGEST_INT",
    "MOVED",
    "OFF_AT_ZERO",
    "TRACED",
    "Block",
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
    "change",
    "check_name",
    "check_values",
    "defaults_of",
    "distinct",
    "field_types",
    "fingerprint",
    "fit",
    "flatten",
    "from_dict",
    "grid",
    "look_up",
    "migrated",
    "nearest",
    "one_line",
    "parse_value",
    "refuse_unread",
    "replace",
    "require",
    "settle",
    "spread",
    "to_dict",
    "traced",
    "types_of",
    "with_type",
]
