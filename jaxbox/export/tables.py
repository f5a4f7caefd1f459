"""A run as two tables that any other program reads, one of members and one of curves.

Configurations are written one after the other, so that memory is that of one, however many members there are.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pandas
import xarray

from jaxbox.config import Plan, RunError
from jaxbox.store import files, frames

Write = Callable[[pandas.DataFrame], None]
"""Adds rows to a file."""


def write(to: str, results: xarray.Dataset, plan: Plan, folder: Path, overwrite: bool) -> list[Path]:
    """Write members.* and curves.* into the folder. Columns as `member_table`, and `curve_table` of all measures.

    Args:
        to: csv or parquet, the ending of the files.

    Raises:
        RunError: a file that exists or cannot be written, or a package that is missing.
    """
    opened = {"csv": _csv, "parquet": _parquet}[to]
    tables: dict[str, Callable[[xarray.Dataset, Plan], pandas.DataFrame]] = {
        "members": frames.members_of,
        "curves": lambda part, plan: frames.curves_of(part, plan, frames.curves_in(part)),
    }
    paths = {name: folder / f"{name}.{to}" for name in tables}
    for path in paths.values():
        if path.exists() and not overwrite:
            raise RunError(f"out: {path} exists; give --overwrite, or another --out")
    for name, path in paths.items():
        with files.writing(path):
            files.make_folder(folder)
            aside = path.with_name(files.own_name(path.name))
            with opened(aside) as add:
                for index in range(results.sizes["configuration"]):
                    add(tables[name](results.isel(configuration=[index]), plan))
            aside.replace(path)
    return list(paths.values())


@contextmanager
def _csv(path: Path) -> Iterator[Write]:
    with open(path, "w", newline="") as file:
        yield lambda table: table.to_csv(file, index=False, header=not file.tell())


@contextmanager
def _parquet(path: Path) -> Iterator[Write]:
    try:
        import pyarrow
        from pyarrow import parquet
    except ModuleNotFoundError:
        raise RunError("to: parquet needs pyarrow, the extra `parquet`: pip install 'jaxbox[parquet]'") from None
    writer: Any = None

    def write(table: pandas.DataFrame) -> None:
        nonlocal writer
        rows = pyarrow.Table.from_pandas(table, schema=writer.schema if writer else None, preserve_index=False)
        writer = writer or parquet.ParquetWriter(path, rows.schema)
        writer.write_table(rows)

    try:
        yield write
    finally:
        if writer:
            writer.close()
