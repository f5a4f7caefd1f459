"""results.zarr: written at one stroke with checksums, and read lazily by `open_run`, which names what is damaged."""

import shutil
import warnings
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import xarray
import zarr
from xarray.backends import BackendArray
from xarray.core import indexing
from zarr.codecs import Crc32cCodec, ZstdCodec

from jaxbox.config import MOVED, Plan, RunError, one_line
from jaxbox.store import files, folder, generations
from jaxbox.store.folder import RESULTS

DAMAGED = (OSError, ValueError, KeyError, RuntimeError, TypeError)
"""What zarr and its codecs raise for chunks that are cut short, changed or missing."""


def save_results(path: Path, blocks: Iterable[xarray.Dataset]) -> None:
    """Replace the run's results.

    Args:
        blocks: of configurations, one after the other, all of one length but the last, which may be shorter.

    Raises:
        RunError: they cannot be written; those before are whole.
    """
    aside = path / (RESULTS + ".aside")
    with files.writing(path / RESULTS):
        shutil.rmtree(aside, ignore_errors=True)
        marks = generations.new_marks(path)
        for number, block in enumerate(blocks):
            files.require_room(path, block.nbytes)
            _append(aside, block.assign_attrs(marks), first=number == 0)
        generations.put(aside, path)


def _append(store: Path, block: xarray.Dataset, first: bool) -> None:
    # zarr's format 3 specifies text of any length only.
    block = block.assign_coords({name: text.astype(object) for name, text in _texts(block)})
    # A block is a chunk, so that none is written twice. Each ends in its checksum, which is compared whenever it is
    # read, and each is there, so that one is missed.
    codecs = {"compressors": (ZstdCodec(level=3), Crc32cCodec())}
    encoding: Any = {name: codecs | {"chunks": variable.shape} for name, variable in block.variables.items()}
    options: Any = {"mode": "w", "encoding": encoding} if first else {"append_dim": "configuration"}
    block.to_zarr(store, zarr_format=3, consolidated=False, write_empty_chunks=True, **options)


def open_run(path: str | Path) -> xarray.Dataset:
    """The results of a run, loaded lazily; see runs/README.md for its dimensions, variables and units.

    Its attributes are the run's name, experiment and version. A chunk that was changed on disk raises when it is read.
    Of a run that trains or grows it is what there was when it was opened, and can be read until that has been replaced
    twice.

    Raises:
        RunError: not a run, a run without results yet, or damaged results.
    """
    return open_with_plan(path)[0]


def open_with_plan(path: str | Path) -> tuple[xarray.Dataset, Plan]:
    """The results of a run, as `open_run` has them, and the very plan that they are of: a run may grow meanwhile.

    Raises:
        RunError: as `open_run`.
    """
    path = Path(path)
    while True:
        planned = generations.planned(path)
        plan = folder.load_plan(path)
        marks = generations.current(path)
        if not generations.is_of(marks, planned):
            continue  # grown since
        try:
            return _open(path, marks.get(generations.GENERATION, "")), plan
        except generations.GoneError:
            continue  # replaced twice while they were opened


def _open(path: Path, generation: str) -> xarray.Dataset:
    own = _Results(path, generation)
    stored = own.opened().dataset
    guards = {name: _Guarded(own, str(name), stored.variables[name]) for name in stored.variables}
    lazy = {name: guards[name].lazy() for name in stored.data_vars}
    labels = {name: guards[name].label() for name in stored.coords}
    results = stored.assign_coords(labels).assign(lazy)
    attributes = {name: value for name, value in stored.attrs.items() if name not in generations.MARKS}
    results.attrs = attributes | folder.describe(path)
    results = results.rename({old: new for old, new in MOVED.items() if old in results.coords})
    results.encoding = {"source": str(path)}
    return results


def folder_of(run: str | Path | xarray.Dataset) -> Path:
    """The folder of a run, given by its path or by what `open_run` returned.

    Raises:
        RunError: a Dataset that is not from `open_run`, or was joined or loaded from elsewhere.
    """
    if not isinstance(run, xarray.Dataset):
        return Path(run)
    if "source" not in run.encoding:
        raise RunError("run: this Dataset does not know its folder; give the run's path")
    return Path(run.encoding["source"])


def _first_damaged(results: Path) -> str:
    """Words that name the first variable that cannot be read, if it can be told."""
    try:
        arrays = dict(zarr.open_group(results, mode="r").arrays())
    except DAMAGED:
        return ""
    for name, array in arrays.items():
        try:
            array[...]
        except DAMAGED:
            return f": the variable {name!r}"
    return ""


def _texts(dataset: xarray.Dataset) -> list[tuple[Any, xarray.DataArray]]:
    return [(name, labels) for name, labels in dataset.coords.items() if labels.dtype.kind in "OTU"]


class _Opened(NamedTuple):
    """Results in the folder where they were found."""

    folder: Path
    arrays: dict[str, zarr.Array]
    dataset: xarray.Dataset


class _Results:
    """The results with one mark, wherever they are by now."""

    def __init__(self, path: Path, generation: str):
        self.path, self.generation = path, generation
        self._opened: _Opened | None = None

    def opened(self) -> _Opened:
        """The results where they are now.

        Raises:
            RunError: they are gone, or damaged.
        """
        folder = generations.folder_of(self.path, self.generation)
        if self._opened is None or self._opened.folder != folder:
            self._opened = self._open(folder)
        return self._opened

    def _open(self, folder: Path) -> _Opened:
        found, damage = None, ""
        try:
            # zarr warns of a variable whose files go while it looks, which is told from damage below.
            with warnings.catch_warnings(action="ignore", category=UserWarning):
                arrays = dict(zarr.open_group(folder, mode="r").arrays())
                found = _Opened(folder, arrays, xarray.open_zarr(folder, chunks=None, consolidated=False))
        except DAMAGED as error:
            damage = one_line(error)
        now = generations.folder_of(self.path, self.generation)
        if now != folder:  # moved meanwhile
            return self._open(now)
        if found is None:
            raise RunError(f"run: {folder}{_first_damaged(folder)} is damaged: {damage}")
        return found


class _Guarded(BackendArray):
    """A variable that says its name and its run where it cannot be read, or where chunks of it are missing."""

    def __init__(self, results: _Results, name: str, variable: xarray.Variable):
        self.results, self.name, self.variable = results, name, variable
        self.shape, self.dtype = variable.shape, variable.dtype
        self._complete: Path | None = None

    def __getitem__(self, key: indexing.ExplicitIndexer) -> Any:
        return indexing.explicit_indexing_adapter(key, self.shape, indexing.IndexingSupport.OUTER, self._read)

    def _read(self, key: Any) -> np.ndarray:
        while True:
            opened, damage = self.results.opened(), None
            try:
                self._require_complete(opened)
                values = np.asarray(opened.dataset.variables[self.name][key].values)
            except DAMAGED as error:
                values, damage = np.empty(0), error
            if self.results.opened().folder != opened.folder:
                continue  # they were moved while they were read
            if damage:
                where = f"run: {opened.folder}: the variable {self.name!r} is damaged"
                raise RunError(f"{where}: {one_line(damage)}") from None
            return values

    def _require_complete(self, opened: _Opened) -> None:
        """Count the chunks, once: that lists a folder, which each read should not do."""
        array = opened.arrays[self.name]
        # Format 2 leaves out chunks that hold nothing but the fill value.
        if self._complete != opened.folder and array.metadata.zarr_format == 3:
            if missing := array.nchunks - array.nchunks_initialized:
                raise ValueError(f"{missing} of its {array.nchunks} chunks are missing")
            self._complete = opened.folder

    def lazy(self) -> xarray.Variable:
        """The variable, read where it is looked at."""
        array = indexing.LazilyIndexedArray(self)
        return xarray.Variable(self.variable.dims, array, self.variable.attrs, self.variable.encoding)

    def label(self) -> xarray.Variable:
        """The variable, read now; text as NumPy has it."""
        values = self._read(...)
        values = np.array(values.tolist()) if values.dtype.kind in "OT" else values
        return xarray.Variable(self.variable.dims, values, self.variable.attrs)
