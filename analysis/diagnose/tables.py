"""Columns of a CSV or Parquet file as blocks of rows."""

from __future__ import annotations

import contextlib
import csv as words
import importlib.util
import io
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from analysis.collapse.checks import LARGEST
from analysis.diagnose.refusal import Refusal, one_of, refuse

if TYPE_CHECKING:
    import pandas as pd

Block = tuple[np.ndarray, "np.ndarray | None"]
NUMBERS = 500_000
"""Cells at a time."""


def csv(file: str, wanted: list[str], split: str | None) -> Iterator[Block]:
    """Numbers (n, columns) in the order wanted, and the split's words in small letters; `file` may be -.

    Raises:
        Refusal: a column that is not there or has something else than numbers; a file that is no table.
    """
    with contextlib.ExitStack() as stack:
        # A byte order mark, which spreadsheets write, is no part of the first column's name.
        stream = (
            io.TextIOWrapper(sys.stdin.buffer, "utf-8-sig", newline="")
            if file == "-"
            else stack.enter_context(open(file, encoding="utf-8-sig", newline=""))
        )
        columns = next(words.reader(stream), [])
        if not columns:
            raise Refusal("FILE: empty; it must have a line with the columns' names, and rows")
        places = _places(columns, wanted, split)
        first = 0
        for frame in _frames(stream, len(columns), places[-1] if split is not None else None):
            yield _block(frame, places, wanted, first)
            first += len(frame)


def parquet(file: str, wanted: list[str], split: str | None) -> Iterator[Block]:
    """As `csv`.

    Raises:
        Refusal: as `csv`; pyarrow is not installed.
    """
    if importlib.util.find_spec("pyarrow") is None:
        raise Refusal("FILE: .parquet needs pyarrow, the extra `parquet`: pip install 'jaxbox[parquet]'")
    import pyarrow
    import pyarrow.parquet

    with open(file, "rb") as stream:
        try:
            table = pyarrow.parquet.ParquetFile(stream)
            columns = list(table.schema_arrow.names)
            places = _places(columns, wanted, split)
            kept = sorted(set(places))
            first = 0
            for batch in table.iter_batches(max(1, NUMBERS // len(kept)), columns=[columns[place] for place in kept]):
                frame = batch.to_pandas()
                frame.columns = kept
                yield _block(frame, places, wanted, first)
                first += len(frame)
        except pyarrow.ArrowException as error:
            raise Refusal(f"FILE: {file!r} is no Parquet file that can be read: {error}") from None


def _places(columns: list[str], wanted: list[str], split: str | None) -> list[int]:
    """Where the wanted columns are, and the split last."""
    chosen = [*wanted, *([split] if split is not None else [])]
    for name in chosen:
        one_of("column", name, columns)
        if columns.count(name) > 1:
            refuse("column", repr(name), f"the name of one column, not of {columns.count(name)}")
    return [columns.index(name) for name in chosen]


def _frames(stream: Any, columns: int, split: int | None) -> Iterator[pd.DataFrame]:
    import pandas as pd

    # All columns are read, so that a row with too many, such as one with decimal commas, is an error.
    options: Any = {"header": None, "dtype": None if split is None else {split: str}, "low_memory": False}
    source: Any = _Source(stream)
    try:
        for frame in pd.read_csv(source, chunksize=max(1, NUMBERS // columns), **options):
            if frame.shape[1] != columns:
                refuse("FILE", f"a first row of {frame.shape[1]} fields", f"{columns}, as in the line of names")
            yield frame
    except pd.errors.EmptyDataError:
        pass
    except pd.errors.ParserError as error:
        if source.error is None:
            raise Refusal(f"FILE: no table: {error}") from None
    if source.error is not None:  # pandas may also take it for the end
        raise source.error from None


class _Source:
    """A stream that remembers what went wrong: pandas makes a parser's error of it, of Ctrl-C too."""

    def __init__(self, stream: Any) -> None:
        self._stream = stream
        self.error: BaseException | None = None

    def read(self, size: int = -1) -> str:
        """As the stream's."""
        try:
            return self._stream.read(size)
        except BaseException as error:
            self.error = error
            raise

    def __iter__(self) -> Iterator[str]:
        return iter(self._stream)


def _block(frame: pd.DataFrame, places: list[int], names: list[str], first: int) -> Block:
    """`first` is the number of the frame's first row; where there is a split its place is the last."""
    series: Any = [frame[place] for place in places]
    columns = [_column(column, name, first) for column, name in zip(series, names, strict=False)]
    split = series[-1] if len(places) > len(names) else None
    return np.stack(columns, 1), None if split is None else split.astype(str).str.strip().str.lower().to_numpy(str)


def _column(column: pd.Series, name: str, first: int) -> np.ndarray:
    """As float64, all finite; `first` is the number of its first row."""
    import pandas as pd

    # Infinities and words too long to be numbers come as text.
    numeric = pd.api.types.is_numeric_dtype(column) and not pd.api.types.is_complex_dtype(column)
    able: Any = column if numeric else pd.to_numeric(column.astype(str), errors="coerce")
    values = able.to_numpy(float, na_value=np.nan)
    wrong = ~(np.abs(values) <= LARGEST)
    if wrong.any():
        place = int(wrong.argmax())
        found = "nothing" if pd.isna(column.iloc[place]) else repr(str(column.iloc[place]))
        refuse(
            f"column {name!r}",
            f"{found} in row {first + place + 1}",
            f"a finite number in every row, within {LARGEST:g}",
        )
    return values
