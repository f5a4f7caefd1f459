"""The command `python -m jaxbox.check`: puts a researcher's own code through the project's invariants.

python -m jaxbox.check mine.py:Sparse --model.sparsity .3
"""

import dataclasses
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import tyro

from jaxbox import command_line, config
from jaxbox.config import Configuration, ConfigurationError, options, outside, tables

KINDS = {field: field.split(".")[0 if field.endswith(".name") else 1] for field in tables.TABLES}
"""The field of each kind, and what the command calls the kind."""


@dataclasses.dataclass(frozen=True)
class Arguments:
    """Put a model, loss, scene, ... of your own through the invariants of those in the tables; a line for each.

    It is tried on images of 6 x 7 pixels with the names and numbers that are said here, else with simple ones.
    """

    name: Annotated[tyro.conf.Positional[str], tyro.conf.arg(metavar="NAME")] = ""
    """MODULE:NAME or FILE.py:NAME; its options are options here."""
    as_: Annotated[str, tyro.conf.arg(name="as", metavar="KIND")] = ""
    """What it is: model, loss, optimizer, scene, noise, inputs, targets, activation, ...; by its methods and arguments
    if left out."""
    configuration: Annotated[Configuration, tyro.conf.arg(name="")] = dataclasses.field(default_factory=Configuration)


def main(words: Sequence[str] | None = None) -> int:
    """The command line; returns the exit code: 1 if an invariant does not hold, 2 for bad input."""
    words = sys.argv[1:] if words is None else list(words)
    try:
        return _check(words)
    except KeyboardInterrupt:
        print("jaxbox.check: stopped", file=sys.stderr)
        return 130
    except ConfigurationError as error:
        print(f"jaxbox.check: {error}", file=sys.stderr)
        return 2


def _check(words: Sequence[str]) -> int:
    name = next((word for word in words if outside.is_outside(word) and not word.startswith("-")), "")
    field = _field(name, words) if name else ""
    offered = options.offer([], [(field, name)] if name else [])
    arguments = command_line.read(Arguments(configuration=offered), words, "python -m jaxbox.check")
    config.require(bool(name), "name", arguments.name or "nothing", "MODULE:NAME or FILE.py:NAME")

    from jaxbox.check import cases, invariants
    from jaxbox.training import contracts, devices

    row = tables.row(field, name)
    found = contracts.lacks(field, tables.load(field, name), "render" in row.reads)
    if not _say("keeps its contract", found, f"{name} as {KINDS[field]}: {row.summary}"):
        return 1
    devices.float32_products()
    values = dict(config.flatten(arguments.configuration))
    said = {path: values[path] for path in command_line.named(words) if path in values}
    # Without weight decay, which moves a parameter that has no gradient, too.
    case = cases.case_of({"optimizer.weight_decay": 0.0} | said | {field: name})
    config.check_values(case)
    with tempfile.TemporaryDirectory() as folder:
        held = [_holds(invariant, case, Path(folder)) for invariant in invariants.INVARIANTS]
    return 0 if all(held) else 1


def _holds(invariant: Any, case: Configuration, folder: Path) -> bool:
    """Whether it does, and a line about that; an error of the code itself counts as one that does not."""
    try:
        invariant(case, folder)
    except AssertionError as error:
        return _say(invariant.__doc__, config.one_line(error))
    except Exception as error:
        last = [line.strip() for line in str(error).splitlines() if line.strip("- ")]
        return _say(invariant.__doc__, f"{type(error).__name__}: {last[-1] if last else ''}")
    return _say(invariant.__doc__)


def _say(what: str, problem: str = "", title: str = "") -> bool:
    """Print a line; whether there is no problem."""
    if title:
        print(title)
    print(f"  {'FAILS' if problem else 'holds'}  {what}" + (f": {problem}" if problem else ""), flush=True)
    return not problem


def _field(name: str, words: Sequence[str]) -> str:
    """The field of the kind that is said, or of the one kind whose contract the object keeps."""
    kind = _said_kind(words)
    if kind:
        config.look_up({kind: field for field, kind in KINDS.items()}, kind, "as")
        return next(field for field, known in KINDS.items() if known == kind)
    from jaxbox.training import contracts

    return contracts.guess(name, outside.load("name", name))


def _said_kind(words: Sequence[str]) -> str:
    for word, following in zip(words, [*words[1:], ""], strict=True):
        if word.startswith("--as"):
            return word.partition("=")[2] or following
    return ""


if __name__ == "__main__":
    command_line.own_process(main)
