"""From the words of a command line to what it asks for: a plan, where to put it, and how to run it."""

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import tyro

from jaxbox import command_line, config, experiments
from jaxbox.config import Configuration, ConfigurationError, Plan, options, outside, tables
from jaxbox.config.tables import description

Flag = tyro.conf.FlagCreatePairsOff[bool]
DEFAULT_EXPERIMENT = "thread"


@dataclasses.dataclass(frozen=True)
class Arguments:
    """Train a population of networks on the box task, many seeds at once, and keep every result.

    Without an experiment it runs `thread`. A field of the configuration that is set here is set in every
    configuration of the experiment. A name can be one of your own code, as MODULE:NAME or FILE.py:NAME; its options are
    then options here.
    """

    experiment: Annotated[tyro.conf.Positional[str], tyro.conf.arg(metavar="EXPERIMENT")] = ""
    """A named experiment, see --list, or FILE.py:FUNCTION, one of your own; thread if left out."""
    full: Flag = False
    """The experiment in its full size, for an accelerator; see its own --list."""
    seeds: Annotated[int | None, tyro.conf.arg(metavar="INT")] = None
    """Replicates of each configuration; 64 if left out. More than a run has, with --resume, adds the others."""
    until: Annotated[str | None, tyro.conf.arg(metavar="RULE")] = None
    """Instead of --seeds: add seeds, look by look, to the configurations that are not decided yet, until each rate of
    collapse is known to within .05 on either side (width:0.05), or each pair of configurations that differ in one field
    has rates (order:0.1) or interquartile means of R2 (order_r2:0.05) that differ by more than that, or by less."""
    max_seeds: Annotated[int | None, tyro.conf.arg(metavar="INT")] = None
    """With --until: of a configuration, at most; 512 if left out."""
    first_seed: Annotated[int | None, tyro.conf.arg(metavar="INT")] = None
    """The number of the first of them; 0 if left out."""
    vary: Annotated[
        tyro.conf.UseAppendAction[tuple[tuple[str, ...], ...]], tyro.conf.arg(metavar="FIELD VALUE [VALUE ...]")
    ] = ()
    """A field and its values, e.g. --vary optimizer.learning_rate 1e-3 1e-2; given again, the product is taken.
    Several integers are one value when joined by commas: --vary model.features 4,8 16,32. With --resume, the run's
    configurations with these values are added to it."""
    name: Annotated[str | None, tyro.conf.arg(metavar="NAME")] = None
    """Name of the run; the experiment and the time if left out."""
    out: Path = Path("runs")
    """Folder of the runs."""
    resume: Annotated[Path | None, tyro.conf.arg(metavar="RUN")] = None
    """A run to go on with; it needs no other argument. With more --seeds or --steps, or with --vary, it grows."""
    from_: Annotated[Path | None, tyro.conf.arg(name="from", metavar="RUN")] = None
    """A run whose first configuration is where to start from, instead of an experiment."""
    overwrite: Flag = False
    """Replace an existing run of that name."""
    members_per_chunk: Annotated[int | None, tyro.conf.arg(metavar="INT")] = None
    """Most members trained together between evaluations; by default, what fits in memory."""
    checkpoint_seconds: float = 60.0
    """Time between checkpoints of a chunk."""
    keep: Annotated[str | None, tyro.conf.arg(metavar="WHAT")] = None
    """What finished members keep: all (the default), parameters (no optimisers' states, so that more --steps cost all
    of them again) or measures (no networks either)."""
    drop: Annotated[str | None, tyro.conf.arg(metavar="WHAT")] = None
    """Which members are not trained on: none (the default), or dead, those whose fate is sealed: they overflowed, or
    have a relu layer that nothing can revive. Their results are what they would be, their curves end; it saves time on
    CPU, elsewhere only where all members of a chunk are dead."""
    retrain: Flag = False
    """With more --steps, train members again from their first step that have kept nothing to go on from."""
    stop_after: Annotated[float | None, tyro.conf.arg(metavar="MINUTES")] = None
    """Save and stop after so many minutes, as on SIGUSR1; the exit code is then 75, and --resume goes on."""
    part: Annotated[str, tyro.conf.arg(metavar="I/N")] = "0/1"
    """Train the I-th of N shares, I from 0 to N - 1, while other processes, which share the folder, train the others:
    give each the same --name, or the same --resume. Part 0 gathers; when all are done, --resume alone ends the run."""
    on: str = "here"
    """Where chunks are trained: here, or ray, by workers of the Ray cluster that RAY_ADDRESS names, else of one that is
    started on this machine."""
    workers: Annotated[int | None, tyro.conf.arg(metavar="INT")] = None
    """Of that cluster; as many as it has room for if left out."""
    worker_devices: Annotated[int | None, tyro.conf.arg(metavar="INT")] = None
    """Devices (CPU cores, GPUs) that train, by default all; of each worker of a cluster, by default one. Numbers depend
    on it, in their last bits."""
    other_bits: Flag = False
    """With --resume, go on although devices, processor or versions are other ones than those of the run: last bits
    differ, and the manifest says so."""
    advise: Flag = False
    """Say of each configuration which share of networks is expected to lose a layer, and the largest learning rate that
    keeps it at 1%, and stop; nothing is trained."""
    list: Flag = False
    """Show the experiments, and every name with the options that it reads, and stop; after an experiment, what that
    one claims, costs and found."""
    configuration: Annotated[Configuration, tyro.conf.arg(name="")] = dataclasses.field(default_factory=Configuration)


def parse(words: Sequence[str]) -> Arguments:
    """Read a command line, whose options are those of the names that it says, too.

    Raises:
        ConfigurationError: an unknown option, or a value of the wrong type.
        SystemExit: after printing the help.
    """
    default = Arguments(configuration=offered(words))
    return command_line.read(default, words, "python -m jaxbox.sweep", names_help(_names(_said(words))))


def offered(words: Sequence[str]) -> Configuration:
    """The defaults, with options of the names that a command line says, of its experiment, and of --from's run.

    Raises:
        ConfigurationError: a name that cannot be loaded, or starts that exclude each other.
    """
    return _offered(_said(words))


def _said(words: Sequence[str]) -> list[tuple[str, list[str]]]:
    """Each option of a command line with its values; what comes before the first is those of ''."""
    said: list[tuple[str, list[str]]] = [("", [])]
    for word in words:
        if word.startswith("--"):
            name, equals, value = word[2:].partition("=")
            said.append((name.replace("-", "_"), [value] if equals else []))
        else:
            said[-1][1].append(word)
    return said


def _names(said: Sequence[tuple[str, list[str]]]) -> list[tuple[str, str]]:
    """The (field, name) of each name from outside, set or varied."""
    given = [(values[0], values[1:]) if option == "vary" and values else (option, values) for option, values in said]
    names = [(field, name) for field, values in given if field in tables.TABLES for name in values]
    return [(field, name) for field, name in dict.fromkeys(names) if outside.is_outside(name)]


def _offered(said: Sequence[tuple[str, list[str]]]) -> Configuration:
    """The defaults, with options of the names that are said, of the first word's experiment, and of --from's run."""
    given = {option: values[0] for option, values in said if values}
    for option, other in (("", "an experiment"), ("resume", "--resume")):
        if "from" in given and option in given:
            raise ConfigurationError(f"from: {given['from']} is not allowed with {other}, {given[option]}; give one")
    # What --vary adds to a run may be an option of the run's own kinds.
    runs = [given[option] for option in ("from", "resume") if option in given and (option == "from" or "vary" in given)]
    starts = [_first_of(Path(run)) for run in runs]
    if outside.is_outside(given.get("")):
        starts += experiments.configurations(given[""], any(option == "full" for option, _ in said))
    return options.offer([options.fit(start) for start in starts], _names(said))


def _first_of(run: Path) -> Configuration:
    """The first configuration of a run, whose code from outside is imported."""
    from jaxbox import store

    return store.import_named(run, store.load_plan(run)).configurations[0]


def names_help(own: Sequence[tuple[str, str]] = ()) -> str:
    """Every name that a configuration can hold, and the options that it reads; the end of the help text.

    Args:
        own: field and name of what is from outside.
    """
    lines = description.describe(own=own)
    return "\n".join(["names, and the options that they read (all others are always read):", *lines])


def plan(words: Sequence[str], arguments: Arguments) -> Plan:
    """The configurations and seeds that a command line asks for, without repeats.

    What a configuration does not read is left at its default, so that no two of them train equal networks.

    Raises:
        ConfigurationError: an unknown experiment or field, a value of the wrong type, an option that nobody reads.
    """
    starts, name = _starts(arguments)
    values = dict(config.flatten(arguments.configuration))
    said = {path: [values[path]] for path in values if path in command_line.named(words)}
    varied = _variations(arguments)
    configurations = config.spread(starts, said | varied)
    found = config.distinct(configurations, {*said, *varied}, inherited=arguments.from_ is not None)
    return Plan.of(found, 64 if arguments.seeds is None else arguments.seeds, name, arguments.first_seed or 0)


def added(arguments: Arguments) -> list[Configuration]:
    """The configurations that --vary adds to the run that is resumed.

    Raises:
        RunError: not a run, or its code from outside is not that of the run.
        ConfigurationError: an unknown field, a value of the wrong type, an option that nobody reads.
    """
    varied = _variations(arguments)
    if not varied or arguments.resume is None:
        return []
    from jaxbox import store

    starts = store.import_named(arguments.resume, store.load_plan(arguments.resume)).configurations
    return config.distinct(config.spread(starts, varied), set(varied), inherited=True)


def _starts(arguments: Arguments) -> tuple[list[Configuration], str]:
    """The configurations to set and vary fields of, and the name of the experiment that they are."""
    if arguments.from_ is None:
        name = arguments.experiment or DEFAULT_EXPERIMENT
        return experiments.configurations(name, arguments.full), name
    config.require(not arguments.full, "full", True, "left out with --from, which starts from no experiment")
    return [_first_of(arguments.from_)], ""


def _variations(arguments: Arguments) -> dict[str, list[config.Value]]:
    """The values of each field that is varied; of one that is given twice, those said last."""
    types = config.types_of(arguments.configuration)
    for words in arguments.vary:
        if len(words) < 2:
            raise ConfigurationError(f"vary: {' '.join(words)!r} is not allowed; it must be a field and its values")
    return {path: [config.parse_value(path, text, types) for text in texts] for path, *texts in arguments.vary}


GROWS = {"seeds", "first_seed", "steps", "vary"}
"""Options that, with --resume and without any other about what to compute, ask for more of it."""


def asks_for_a_plan(words: Sequence[str], arguments: Arguments) -> bool:
    """Whether a command line says what to compute; with --resume, other than more of it."""
    about = {"from", "full", *GROWS, *config.types_of(arguments.configuration)}
    about -= GROWS if arguments.resume else set()
    return bool(arguments.experiment or command_line.named(words) & about)
