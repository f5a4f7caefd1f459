"""From the words of a command line to what it asks for: a plan, where to put it, and how to run it."""

import dataclasses
import itertools
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import tyro

from jaxbox import command_line, config
from jaxbox.config import Configuration, ConfigurationError, Plan, tables
from jaxbox.experiments import EXPERIMENTS

Flag = tyro.conf.FlagCreatePairsOff[bool]
DEFAULT_EXPERIMENT = "thread"


@dataclasses.dataclass(frozen=True)
class Arguments:
    """Train a population of networks on the box task, many seeds at once, and keep every result.

    Without an experiment it runs `thread`. A field of the configuration that is set here is set in every
    configuration of the experiment.
    """

    experiment: Annotated[tyro.conf.Positional[str], tyro.conf.arg(metavar="EXPERIMENT")] = ""
    """A named experiment, see --list; thread if left out."""
    seeds: int = 64
    """Replicates of each configuration, numbered from 0."""
    vary: Annotated[
        tyro.conf.UseAppendAction[tuple[tuple[str, ...], ...]], tyro.conf.arg(metavar="FIELD VALUE [VALUE ...]")
    ] = ()
    """A field and its values, e.g. --vary optimizer.learning_rate 1e-3 1e-2; given again, the product is taken.
    Several integers are one value when joined by commas: --vary model.features 4,8 16,32."""
    name: Annotated[str | None, tyro.conf.arg(metavar="NAME")] = None
    """Name of the run; the experiment and the time if left out."""
    out: Path = Path("runs")
    """Folder of the runs."""
    resume: Annotated[Path | None, tyro.conf.arg(metavar="RUN")] = None
    """A run to go on with; it needs no other argument."""
    overwrite: Flag = False
    """Replace an existing run of that name."""
    members_per_chunk: Annotated[int | None, tyro.conf.arg(metavar="INT")] = None
    """Most members trained together between evaluations; by default, what fits in memory."""
    checkpoint_seconds: float = 60.0
    """Time between checkpoints of a chunk."""
    list: Flag = False
    """Show the experiments, and every name with the options that it reads, and stop."""
    configuration: Annotated[Configuration, tyro.conf.arg(name="")] = dataclasses.field(default_factory=Configuration)


def parse(words: Sequence[str]) -> Arguments:
    """Read a command line.

    Raises:
        ConfigurationError: an unknown option, or a value of the wrong type.
        SystemExit: after printing the help.
    """
    return command_line.read(Arguments(), words, "python -m jaxbox.sweep", names_help())


def names_help() -> str:
    """Every name that a configuration can hold, and the options that it reads; the end of the help text."""
    return "\n".join(["names, and the options that they read (all others are always read):", *tables.describe()])


def plan(words: Sequence[str], arguments: Arguments) -> Plan:
    """The configurations and seeds that a command line asks for, without repeats.

    What a configuration does not read is left at its default, so that no two of them train equal networks.

    Raises:
        ConfigurationError: an unknown experiment or field, a value of the wrong type, an option that nobody reads.
    """
    name = arguments.experiment or DEFAULT_EXPERIMENT
    experiment = config.look_up(EXPERIMENTS, name, "experiment")
    said = _options(words) & set(config.DEFAULTS)
    values = dict(config.flatten(arguments.configuration))
    configurations = [config.replace(each, {path: values[path] for path in said}) for each in experiment()]
    varied = [
        config.replace(configuration, dict(changes))
        for configuration in configurations
        for changes in itertools.product(*[_variations(words) for words in arguments.vary])
    ]
    for configuration in varied:
        config.check_values(configuration)
    config.refuse_unread(varied, {path for path, *_ in arguments.vary} | said)
    return Plan(tuple(dict.fromkeys(map(config.settle, varied))), arguments.seeds, name)


def _variations(words: Sequence[str]) -> list[tuple[str, config.Value]]:
    if len(words) < 2:
        raise ConfigurationError(f"vary: {' '.join(words)!r} is not allowed; it must be a field and its values")
    return [(words[0], config.parse_value(words[0], text)) for text in words[1:]]


def _options(words: Sequence[str]) -> set[str]:
    """The options that a command line names, without their hyphens and without the no of a flag."""
    names = (word[2:].split("=")[0].replace("-", "_") for word in words if word.startswith("--"))
    return {re.sub("^no_", "", name) for name in names}


def asks_for_a_plan(words: Sequence[str], arguments: Arguments) -> bool:
    """Whether a command line says anything about what to compute."""
    return bool(arguments.experiment or _options(words) & {"seeds", "vary", *config.DEFAULTS})
