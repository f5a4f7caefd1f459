"""What a figure must be, and how one says that a run cannot fill it."""

import importlib
from pathlib import Path
from typing import Protocol, cast

import xarray
from matplotlib.figure import Figure as Canvas

from analysis.figures import FIGURES
from jaxbox.config import RunError, look_up, outside
from jaxbox.store.folder import load_plan


class Unfilled(RunError):
    """A run that lacks what a figure is about: one line that says what has to vary, and by which command."""


class Drawing(Protocol):
    """What draws numbers."""

    def draw(self, numbers: xarray.Dataset, figure: Canvas) -> None:
        """Draw these numbers, and nothing else, into an empty figure of the page's width; it may set the height."""
        ...


class Figure(Drawing, Protocol):
    """A module of this folder."""

    def numbers(self, run: Path) -> xarray.Dataset:
        """Everything that the figure draws: variables with the attributes `units` and `description`.

        Its attribute `caption` says in a sentence or two what is seen, with the numbers of members behind it.

        Raises:
            Unfilled: the run lacks what the figure is about.
            RunError: not a run, or one without results yet.
        """
        ...


def load(name: str) -> Figure:
    """The figure of this name.

    Raises:
        ConfigurationError: there is none.
    """
    return cast(Figure, importlib.import_module(look_up(FIGURES, name, "figure").module))


def numbers(name: str, run: Path) -> xarray.Dataset:
    """The numbers of a figure; none of the code that the run names is executed for them.

    Raises:
        Unfilled: the run lacks what the figure is about, or it takes such code to know.
        RunError: not a run, or one without results yet.
    """
    try:
        with outside.reading():
            return load(name).numbers(run)
    except outside.NotExecuted as error:
        raise Unfilled(f"figure: {name} of {run} is not drawn: {error}") from None


def require_varied(run: Path, name: str, fields: tuple[str, ...], command: str) -> None:
    """Refuse a run in which none of these fields, or nothing where none is named, differs between configurations.

    Raises:
        Unfilled: none does.
    """
    varied = load_plan(Path(run)).varied()
    if not any(field in varied for field in fields or varied):
        what = " or ".join(fields) or "anything"
        raise Unfilled(f"figure: {name} needs a run that varies {what}, which {run} does not; for example: {command}")
