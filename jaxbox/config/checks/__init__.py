"""What no program could run is refused before JAX is loaded: types, ranges, names, options that nobody reads."""

from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any

from jaxbox.config import options, tables
from jaxbox.config.checks.model import check_model
from jaxbox.config.checks.task import check_scene, check_task
from jaxbox.config.checks.training import check_data, check_loss, check_training
from jaxbox.config.combinations import check_combination
from jaxbox.config.errors import ConfigurationError, require
from jaxbox.config.fields import check_type, defaults_of, flatten, replace, types_of
from jaxbox.config.sections import Configuration

LARGEST_INT = 2**31 - 1
"""Steps, seeds and sizes are 32-bit integers on the device."""


def check_values(configuration: Configuration) -> None:
    """Refuse a configuration that no program could run.

    Raises:
        ConfigurationError: with the first field whose value is of the wrong type, out of range or no known name.
    """
    _check_sections(configuration)
    leaves = dict(flatten(configuration))
    for path, kind in types_of(configuration).items():
        check_type(path, leaves[path], kind)
        for value in leaves[path] if isinstance(leaves[path], tuple) else (leaves[path],):
            small = not isinstance(value, int) or abs(value) <= LARGEST_INT
            require(small, path, value, f"at most {LARGEST_INT}")
    for field in tables.TABLES:
        tables.row(field, leaves[field])
    check_task(leaves)
    check_scene(leaves, tables.fields_read(configuration))
    check_model(leaves)
    check_loss(leaves)
    check_data(leaves)
    check_training(configuration, leaves)
    check_combination(leaves)


def _check_sections(configuration: Configuration) -> None:
    """Refuse what is no section: a name in its place, or a class with fields of its own that no name brings."""
    for name, base in options.sections().items():
        value = getattr(configuration, name)
        fits = isinstance(value, base) and type(value) is options.class_of(name, value)
        require(fits, name, repr(value), f"a {name.capitalize()}")


def refuse_unread(configurations: Sequence[Configuration], said: Collection[str] = ()) -> None:
    """Refuse a field that is set and that no configuration reads.

    Args:
        configurations: of one sweep.
        said: fields that count as set even where they have their default.

    Raises:
        ConfigurationError: with the field, its value, and the names that would read it.
    """
    read = frozenset().union(*map(tables.fields_read, configurations))
    for configuration in configurations:
        defaults = defaults_of(configuration)
        for path, value in flatten(configuration):
            if path not in read and (value != defaults[path] or path in said):
                raise ConfigurationError(_unread(path, value, configurations))
    _refuse_unsampled(configurations, said)


def _refuse_unsampled(configurations: Sequence[Configuration], said: Collection[str]) -> None:
    """Refuse a number of positions to look at where every evaluation looks at all, which 0 says rightly."""
    usual = () if "eval_positions" in said else (Configuration.eval_positions,)
    for configuration in configurations:
        most = configuration.eval_positions
        if most not in (0, *usual) and all(map(tables.uses_windows, configurations)):
            raise ConfigurationError(
                f"eval_positions: {most} is not read with windows, which look at all positions; it is read under "
                "noise, by scenes without windows, and with render"
            )


def _unread(path: str, value: Any, configurations: Sequence[Configuration]) -> str:
    for field, names in tables.readers(path).items():
        chosen = list(dict.fromkeys(dict(flatten(configuration))[field] for configuration in configurations))
        if any(name not in names for name in chosen):
            deaf, able = (", ".join(map(repr, some)) for some in ([n for n in chosen if n not in names], names))
            return f"{path}: {value} is not read by {field} {deaf}; it is read by {able}"
    raise AssertionError(path)


def settle(configuration: Configuration, keep: Collection[str] = ()) -> Configuration:
    """The configuration with every field that it does not read at its default: equal ones train equal networks.

    Args:
        keep: fields that stay as they are.
    """
    read, defaults = {*tables.fields_read(configuration), *keep}, defaults_of(configuration)
    return replace(configuration, {path: default for path, default in defaults.items() if path not in read})


def check_name(name: str) -> None:
    """Refuse a run's name that is no single component of a path.

    Raises:
        ConfigurationError: with the name and what is allowed.
    """
    fine = name not in ("", ".", "..") and Path(name).name == name and "\0" not in name
    require(fine, "name", repr(name), "one component of a path: not empty, without /")
