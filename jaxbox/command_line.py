"""Reads a dataclass from the words of a command line; what it refuses, it refuses in one line.

Imports no JAX, so that help and refusals come at once.
"""

from __future__ import annotations

import contextlib
import dataclasses
import difflib
import gc
import io
import itertools
import os
import re
import sys
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar, get_origin, get_type_hints

import tyro

from jaxbox import config
from jaxbox.config import ConfigurationError, RunError
from jaxbox.config.fields import split_items

if TYPE_CHECKING:
    from rich.console import Console

Arguments = TypeVar("Arguments")
TABLE_WIDTH = 140
"""Characters a line, where there is no terminal."""
OBJECTS_BETWEEN_LOOKS = 100_000
"""New objects after which Python looks for garbage; its own choice is some 1,000."""


def read(default: Arguments, words: Sequence[str], program: str, more_help: str = "") -> Arguments:
    """`default`, a dataclass, with the fields replaced that these words name.

    In the name of an option - and _ mean the same, and several values of one may be separated by commas. A field that
    is itself a dataclass must have the tyro name "": its fields are options of their own.

    Args:
        program: what the help calls the command.
        more_help: what the help says after the options.

    Raises:
        ConfigurationError: an unknown option, or a value that is missing or of the wrong type.
        SystemExit: with code 0, after printing the help.
    """
    panel = io.StringIO()
    try:
        with contextlib.redirect_stderr(panel):
            arguments, unknown = tyro.cli(
                type(default),
                prog=program,
                args=list(_separated(words, default)),
                default=default,
                return_unknown_args=True,
                use_underscores=True,
            )
    except SystemExit as stop:
        if not stop.code:
            print(more_help)
            raise
        raise ConfigurationError(_one_line(panel.getvalue())) from None
    if unknown:
        _refuse_option(unknown[0], default)
    return arguments


def exit_code(program: str, work: Callable[[], int]) -> int:
    """What `work` returns, or after one line on standard error 2 for bad input and 130 where it was interrupted; 1
    where the reader of the output has gone.

    Args:
        program: what the line begins with.
    """
    try:
        return work()
    except KeyboardInterrupt:
        print(f"{program}: stopped", file=sys.stderr)
        return 130
    except BrokenPipeError:  # the reader of the output, such as head, has gone
        sys.stderr.close()
        return 1
    except (ConfigurationError, RunError) as error:
        print(f"{program}: {error}", file=sys.stderr)
        return 2


def table_console() -> Console:
    """Where to print a table: a terminal, or a pipe or file, which has no width to respect, so that nothing is cut."""
    # Imported late, as not every command prints one.
    from rich.console import Console

    console = Console()
    return console if console.is_terminal else Console(width=TABLE_WIDTH)


def own_process(main: Callable[[], int]) -> NoReturn:
    """Run a command as this process, and exit with its code.

    Garbage is looked for seldom, as importing makes none, and not at all at the end: that takes .3 s and .5 s of a
    sweep whose programs are kept.

    A program that is still compiled in the end is for a run that was stopped. It is not waited for, as Python would do:
    an interrupt meanwhile would be a traceback.
    """
    gc.set_threshold(OBJECTS_BETWEEN_LOOKS, 20, 50)
    code = main()
    gc.freeze()
    programs = sys.modules.get("jaxbox.sweep.programs")  # needs JAX, and is there only where something was trained
    if programs is not None and programs.underway():
        with contextlib.suppress(OSError, ValueError):  # whoever read it has gone
            sys.stdout.flush()
            sys.stderr.flush()
        os._exit(code)
    sys.exit(code)


def _refuse_option(word: str, default: Any) -> NoReturn:
    near = difflib.get_close_matches(word.lstrip("-").replace("-", "_"), options(default), n=1)
    hint = f"did you mean --{near[0]}?" if near else "--help names them all"
    raise ConfigurationError(f"option: {word!r} is not one; {hint}")


def options(default: Any) -> dict[str, Any]:
    """Every option's name and type."""
    found = {}
    for name, kind in get_type_hints(type(default)).items():
        nested = dataclasses.is_dataclass(kind)
        found |= config.types_of(getattr(default, name)) if nested else {name: kind}
    return found


def named(words: Sequence[str]) -> set[str]:
    """The options that a command line names, without their hyphens and without the no of a flag."""
    names = (word[2:].split("=")[0].replace("-", "_") for word in words if word.startswith("--"))
    return {re.sub("^no_", "", name) for name in names}


def _separated(words: Sequence[str], default: Any) -> Iterator[str]:
    """The words, with `4,8` as two of them where an option takes several integers of a configuration."""
    sections = (name for name, kind in get_type_hints(type(default)).items() if dataclasses.is_dataclass(kind))
    fields = (field for name in sections for field in config.types_of(getattr(default, name)).items())
    tuples, several = {name for name, kind in fields if get_origin(kind) is tuple}, False
    for word in words:
        if word.startswith("--"):
            name, equals, value = word.partition("=")
            several = name[2:].replace("-", "_") in tuples
            yield from [name, *split_items(value)] if several and equals else [word]
        else:
            yield from split_items(word) if several else [word]


def _one_line(panel: str) -> str:
    """The message inside the panel that tyro draws, without its title and help text.

    Where standard output is not UTF-8 the panel's rules are hyphens.
    """
    drawn = (line.strip("│╭╮╰╯─ \n") for line in panel.splitlines()[1:])
    lines = itertools.dropwhile(lambda line: not line, (re.sub("^-+$", "", line) for line in drawn))
    message = " ".join(itertools.takewhile(bool, lines))
    usage = next((line for line in lines if re.match(r"-\S+ ", line)), "")
    return f"{message}; expected {usage}" if usage else message
