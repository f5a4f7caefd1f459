"""Arrays of an .npz file as streams of rows, in C and in Fortran order. A pickle is never loaded."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO

import numpy as np
from numpy.lib import format as npy

from analysis.diagnose.refusal import Refusal, one_of, refuse

NUMBERS = 500_000
"""Read at a time, 4 MB."""


@dataclass
class Array:
    """What an array's header says, and where its numbers are."""

    file: zipfile.ZipFile
    name: str
    shape: tuple[int, ...]
    by_columns: bool
    dtype: np.dtype
    start: int

    def __len__(self) -> int:
        """Rows."""
        return self.shape[0]

    @property
    def columns(self) -> int:
        """1 for (n,)."""
        return self.shape[1] if len(self.shape) == 2 else 1

    @staticmethod
    def rows_of(columns: int) -> int:
        """How many rows are read at a time."""
        return max(1, NUMBERS // columns)

    def blocks(self, rows: int) -> Iterator[np.ndarray]:
        """Blocks (rows, columns), the last one smaller."""
        streams = self._streams()
        try:
            for start in range(0, len(self), rows):
                count = min(rows, len(self) - start)
                per_stream = count if self.by_columns else count * self.columns
                parts = [self._read(stream, per_stream) for stream in streams]
                yield np.stack(parts, 1) if self.by_columns else parts[0].reshape(count, -1)
            if any(stream.read(1) for stream in streams[-1:]):
                raise Refusal(f"{self.name}: more bytes than its shape, {self.shape}, has; it must have as many")
            if self.by_columns:
                self._compare_checksum()
        finally:
            for stream in streams:
                stream.close()

    def _streams(self) -> list[IO[bytes]]:
        """One stream, or one for each column where these come one after the other."""
        streams = [self._open() for _ in range(self.columns if self.by_columns else 1)]
        if not self.by_columns:
            streams[0].read(self.start)  # what is read from the first byte to the last has its checksum compared
            return streams
        for column, stream in enumerate(streams):
            stream.seek(self.start + column * len(self) * self.dtype.itemsize)
        return streams

    def _open(self) -> IO[bytes]:
        return self.file.open(f"{self.name}.npy")

    def _compare_checksum(self) -> None:
        """Read everything once more: from Python 3.12 on, a stream that has skipped bytes does not compare."""
        with self._open() as stream:
            while stream.read(8 * NUMBERS):
                pass

    def _read(self, stream: IO[bytes], count: int) -> np.ndarray:
        data = stream.read(count * self.dtype.itemsize)
        if len(data) < count * self.dtype.itemsize:
            raise Refusal(f"{self.name}: the file ends before its shape, {self.shape}, is filled; it must be whole")
        return np.frombuffer(data, self.dtype)


def names(file: zipfile.ZipFile) -> list[str]:
    """The arrays in the file."""
    return [name.removesuffix(".npy") for name in file.namelist() if name.endswith(".npy")]


def open_array(file: zipfile.ZipFile, name: str) -> Array:
    """One array, of which the header alone has been read.

    Raises:
        Refusal: no such array, or one that is not (n,) or (n, d) of real numbers.
    """
    one_of("array", name, names(file))
    with file.open(f"{name}.npy") as stream:
        shape, by_columns, dtype = _header(name, stream)
        start = stream.tell()
    if dtype.kind not in "fiub":
        refuse(name, f"type {dtype}", "real numbers; objects and pickles are never loaded")
    if len(shape) not in (1, 2) or min(shape) < 0 or 0 in shape[1:]:
        refuse(name, f"shape {shape}", "(n,) or (n, d)")
    return Array(file, name, shape, by_columns and len(shape) == 2, dtype, start)


def _header(name: str, stream: IO[bytes]) -> tuple[tuple[int, ...], bool, np.dtype]:
    try:
        version = npy.read_magic(stream)
        readers = {(1, 0): npy.read_array_header_1_0, (2, 0): npy.read_array_header_2_0}
        return readers[version](stream)
    except (ValueError, KeyError, EOFError) as error:
        raise Refusal(f"{name}: not an array of NumPy's format 1.0 or 2.0, which it must be ({error})") from None
