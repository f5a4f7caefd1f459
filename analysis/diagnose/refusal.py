"""What the command refuses, and how it says so: what, its value, what is allowed."""

import difflib
from collections.abc import Sequence
from typing import NoReturn


class Refusal(Exception):
    """Bad input, in one line."""


def refuse(what: str, value: object, allowed: str) -> NoReturn:
    """Raise a `Refusal`: "what: value is not allowed; it must be ..."."""
    raise Refusal(f"{what}: {value} is not allowed; it must be {allowed}")


def one_of(what: str, value: str, names: Sequence[str]) -> None:
    """Refuse a name that is none of these, with the one that is nearest.

    Raises:
        Refusal: `value` is not in `names`.
    """
    if value in names:
        return
    near = difflib.get_close_matches(value, names, n=1)
    hint = f"did you mean {near[0]!r}?" if near else f"there are {_some(names)}"
    raise Refusal(f"{what}: there is no {value!r}; {hint}")


def _some(names: Sequence[str], most: int = 10) -> str:
    shown = ", ".join(map(repr, names[:most])) or "none at all"
    return shown if len(names) <= most else f"{shown} and {len(names) - most} more"
