"""Reads a dataclass from the words of a command line; what it refuses, it refuses in one line.

Imports no JAX, so that help and refusals come at once.
"""

import contextlib
import dataclasses
import difflib
import io
import itertools
import re
from collections.abc import Iterator, Sequence
from typing import NoReturn, TypeVar, get_type_hints

import tyro

from jaxbox import config
from jaxbox.config import ConfigurationError

Arguments = TypeVar("Arguments")


def read(default: Arguments, words: Sequence[str], program: str) -> Arguments:
    """`default`, a dataclass, with the fields replaced that these words name.

    In the name of an option - and _ mean the same. A field that is itself a dataclass must have the tyro name "": its
    fields are options of their own.

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
                args=list(words),
                default=default,
                return_unknown_args=True,
                use_underscores=True,
            )
    except SystemExit as stop:
        if not stop.code:
            raise
        raise ConfigurationError(_one_line(panel.getvalue())) from None
    if unknown:
        _refuse_option(unknown[0], type(default))
    return arguments


def _refuse_option(word: str, cls: type) -> NoReturn:
    near = difflib.get_close_matches(word.lstrip("-").replace("-", "_"), _options(cls), n=1)
    hint = f"did you mean --{near[0]}?" if near else "--help names them all"
    raise ConfigurationError(f"option: {word!r} is not one; {hint}")


def _options(cls: type) -> Iterator[str]:
    for name, kind in get_type_hints(cls).items():
        yield from config.field_types(kind) if dataclasses.is_dataclass(kind) else [name]


def _one_line(panel: str) -> str:
    """The message inside the panel that tyro draws, without its title and help text.

    Where standard output is not UTF-8 the panel's rules are hyphens.
    """
    drawn = (line.strip("│╭╮╰╯─ \n") for line in panel.splitlines()[1:])
    lines = itertools.dropwhile(lambda line: not line, (re.sub("^-+$", "", line) for line in drawn))
    message = " ".join(itertools.takewhile(bool, lines))
    usage = next((line for line in lines if re.match(r"-\S+ ", line)), "")
    return f"{message}; expected {usage}" if usage else message
