"""The command `python -m jaxbox.merge RUN RUN... --into RUN`: runs of other members as one."""

import dataclasses
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import tyro

from jaxbox import command_line, config

Flag = tyro.conf.FlagCreatePairsOff[bool]


@dataclasses.dataclass(frozen=True)
class Arguments:
    """Make one run of several that share no member: of other seeds, or of other configurations. They stay as they are.

    The whole is a run as any other: it can be read, resumed and grown.
    """

    runs: Annotated[tyro.conf.Positional[tuple[str, ...]], tyro.conf.arg(metavar="RUN RUN...")] = ()
    """The folders of the runs."""
    into: Annotated[Path | None, tyro.conf.arg(metavar="RUN")] = None
    """The folder of the whole, which must not exist."""
    other_bits: Flag = False
    """Also where devices, processors, precision or versions differ, on which last bits depend; the manifest says so."""


def main(words: Sequence[str] | None = None) -> int:
    """The command line; returns the exit code: 2 for bad input."""
    words = sys.argv[1:] if words is None else words
    return command_line.exit_code("jaxbox.merge", lambda: _merge(words))


def _merge(words: Sequence[str]) -> int:
    arguments = command_line.read(Arguments(), words, "python -m jaxbox.merge")
    config.require(arguments.into is not None, "into", "nothing", "the folder of the whole")
    assert arguments.into is not None

    from jaxbox import merge, store

    path = merge.merge(arguments.runs, arguments.into, arguments.other_bits)
    plan = store.load_plan(path)
    print(f"{path}: {len(plan.configurations)} configurations, {plan.member_count} members")
    revisions = {revision for run in store.load_manifest(path)["merged"] for revision in run["revisions"]}
    if len(revisions) > 1:
        print(f"they were made with {len(revisions)} revisions of the source, which its manifest keeps")
    return 0


if __name__ == "__main__":
    command_line.own_process(main)
