"""Which configurations of an experiment a claim compares."""

from collections.abc import Mapping, Sequence
from typing import Any

from analysis.claims.claim import Comparison, Fields, Measured
from analysis.claims.settings import SETTINGS
from jaxbox import config, experiments
from jaxbox.config import Configuration, ConfigurationError, flatten, look_up


def select(configurations: Sequence[Configuration], fields: Fields) -> int:
    """The index of the one configuration that has these values; a field that it does not have is no match.

    Raises:
        ConfigurationError: none has them, or more than one has; the message names the fields.
    """
    leaves = (dict(flatten(configuration)) for configuration in configurations)
    found = [index for index, values in enumerate(leaves) if _matches(values, fields)]
    if len(found) != 1:
        said = ", ".join(f"{path}: {value!r}" for path, value in fields.items()) or "no field"
        raise ConfigurationError(
            f"{said}: selects {len(found)} of {len(configurations)} configurations; it must select 1"
        )
    return found[0]


def configurations(evidence: Measured, setting: str) -> list[Configuration]:
    """The configurations that a claim's comparisons select, in a setting: in the experiment's order, without repeats.

    Comparisons select before the setting's fields are set. A field that a configuration does not read stays at its
    default there.

    Raises:
        ConfigurationError: an unknown experiment or setting, or a comparison that does not select exactly one.
    """
    changes = look_up(SETTINGS, setting, "setting")
    every = experiments.configurations(evidence.experiment)
    chosen = {select(every, fields) for each in (*evidence.comparisons, *evidence.reasons) for fields in sides(each)}
    spread = config.spread(
        [every[index] for index in sorted(chosen)], {path: [value] for path, value in changes.items()}
    )
    # Nothing counts as said: under plain descent Adam's epsilon is read by nobody, which is no mistake here.
    return config.distinct(spread, set(), inherited=True)


def sides(comparison: Comparison) -> tuple[Fields, ...]:
    """The fields of the one or two configurations that it compares."""
    return (comparison.first,) if comparison.second is None else (comparison.first, comparison.second)


def _matches(values: Mapping[str, Any], fields: Fields) -> bool:
    return all(path in values and values[path] == value for path, value in fields.items())
