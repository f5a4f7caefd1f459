"""A figure's numbers as CSV, and its picture as PDF, PNG and SVG."""

from pathlib import Path

import matplotlib
import pandas
import xarray
from matplotlib.figure import Figure as Canvas

from analysis.figures.contract import Drawing
from jaxbox.config import RunError
from jaxbox.plotting import ONE_COLUMN, STYLE, SUFFIXES, TWO_COLUMNS

WIDTHS = {"one": ONE_COLUMN, "two": TWO_COLUMNS}
"""Inches, by the number of columns of a page that a figure goes across."""
HEIGHT_OVER_WIDTH = 0.62
"""Of a figure that does not say how high it is."""


def table(numbers: xarray.Dataset) -> pandas.DataFrame:
    """The numbers as one long table: a block of rows for each set of dimensions, and what it lacks is empty.

    Coordinates are columns, so that each row says what it is of.
    """
    groups: dict[tuple[str, ...], list[str]] = {}
    for name, variable in numbers.data_vars.items():
        groups.setdefault(tuple(map(str, variable.dims)), []).append(str(name))
    blocks = [_block(numbers, names) for names in groups.values()]
    return pandas.concat(blocks, ignore_index=True)


def draw(figure: Drawing, numbers: xarray.Dataset, width: str = "two") -> Canvas:
    """The drawn figure, not yet saved, in the looks of `jaxbox.plotting`."""
    with matplotlib.rc_context(STYLE):
        inches = WIDTHS[width]
        canvas = Canvas(figsize=(inches, inches * HEIGHT_OVER_WIDTH), layout="constrained")
        figure.draw(numbers, canvas)
    return canvas


def save(canvas: Canvas, numbers: xarray.Dataset, folder: Path, name: str) -> list[Path]:
    """Write NAME.csv, NAME.pdf, NAME.png and NAME.svg into the folder, in place of those of an earlier time.

    Raises:
        RunError: the folder cannot be written.
    """
    paths = [folder / f"{name}{suffix}" for suffix in (".csv", *SUFFIXES)]
    try:
        folder.mkdir(parents=True, exist_ok=True)
        table(numbers).to_csv(paths[0], index=False)
        with matplotlib.rc_context({**STYLE, "svg.hashsalt": name}):
            for path in paths[1:]:
                canvas.savefig(path, metadata=_about(path.suffix, numbers.attrs["caption"]))
    except OSError as error:
        raise RunError(f"out: {error.filename or folder} cannot be written: {error.strerror}") from None
    return paths


def _about(suffix: str, caption: str) -> dict[str, str | None]:
    """The picture's caption, in the words of its format; no date, so that the same numbers are the same file."""
    words = {".pdf": "Subject", ".png": "Description", ".svg": "Description"}[suffix]
    dates = {".pdf": "CreationDate", ".svg": "Date"}
    return {words: caption} | ({dates[suffix]: None} if suffix in dates else {})


def _block(numbers: xarray.Dataset, names: list[str]) -> pandas.DataFrame:
    block = numbers[names]
    if not block.dims:
        return pandas.DataFrame([{name: block[name].item() for name in [*map(str, block.coords), *names]}])
    return block.to_dataframe().reset_index()
