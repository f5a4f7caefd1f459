"""Pairs from a file, block by block: what is held at a time does not grow with the file."""

from __future__ import annotations

import zipfile
import zlib
from argparse import Namespace
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from analysis.collapse import Accumulator
from analysis.diagnose import archive, tables
from analysis.diagnose.refusal import Refusal, refuse

TRAIN = frozenset(("train", "training", "fit", "seen"))
TEST = frozenset(("test", "testing", "unseen", "holdout", "val", "valid", "validation", "dev"))


@dataclass
class Given:
    """What a file held: pairs to judge, training pairs if any, whether these have predictions, and names to show."""

    title: str
    test: Accumulator
    train: Accumulator | None
    predicted: bool
    names: list[str | int]


def read(arguments: Namespace) -> Given:
    """The pairs that the words name.

    Raises:
        Refusal: a file that is not there, is not what it should be or lacks what the words name.
        ValueError: as `Accumulator.update`.
    """
    title = "standard input" if arguments.file == "-" else Path(arguments.file).name
    try:
        if arguments.file != "-" and Path(arguments.file).suffix.lower() == ".npz":
            return _archive(arguments, title)
        return _table(arguments, title)
    except FileNotFoundError:
        raise Refusal(f"FILE: there is no {arguments.file!r}") from None
    except BrokenPipeError:
        raise
    except (OSError, EOFError, UnicodeDecodeError, zipfile.BadZipFile, zlib.error, NotImplementedError) as error:
        raise Refusal(f"FILE: {arguments.file!r} cannot be read: {getattr(error, 'strerror', None) or error}") from None


def _archive(arguments: Namespace, title: str) -> Given:
    for option in ("target", "prediction", "split"):
        if (value := getattr(arguments, option)) is not None:
            refuse(f"--{option}", value, "left out for .npz files, whose arrays have names")
    with zipfile.ZipFile(arguments.file) as file:
        names = archive.names(file)
        test = _pairs(file, ("targets", "predictions"))
        predicted = "train_predictions" in names
        if predicted and "train_targets" not in names:
            raise Refusal("train_targets: the file has train_predictions alone; it must have both or neither")
        second = "train_predictions" if predicted else "train_targets"
        train = _pairs(file, ("train_targets", second)) if "train_targets" in names else None
    moments = test.moments
    return Given(title, test, train, predicted, list(range(0 if moments is None else len(moments.products))))


def _pairs(file: zipfile.ZipFile, names: tuple[str, str]) -> Accumulator:
    some, others = (archive.open_array(file, name) for name in names)
    rows = some.rows_of(max(some.columns, others.columns))
    if len(some) != len(others):
        raise Refusal(f"{names[1]}: {len(others)} rows; it must have those of {names[0]}, {len(some)}")
    result = Accumulator(names)
    for block, other in zip(some.blocks(rows), others.blocks(rows), strict=True):
        result.update(block, other)
    return result


def _table(arguments: Namespace, title: str) -> Given:
    targets, predictions = arguments.target or [], arguments.prediction or []
    if not targets or len(targets) != len(predictions):
        count = f"{len(targets)} of --target and {len(predictions)} of --prediction"
        refuse("columns", count, "one prediction for each target, at least one: --target COLUMN --prediction COLUMN")
    wanted = [*targets, *predictions]
    test, train = Accumulator(), Accumulator(("train_targets", "train_predictions"))
    for numbers, split in _blocks(arguments, wanted):
        some, others = np.hsplit(numbers, 2)
        training = np.zeros(len(numbers), bool) if split is None else _training(arguments.split, split)
        test.update(some[~training], others[~training])
        train.update(some[training], others[training])
    if arguments.split is not None and test.count == 0:
        refuse("--split", f"{train.count} training rows and no others", "a column with rows to judge, such as test")
    return Given(title, test, train if train.count else None, True, list(targets))


def _blocks(arguments: Namespace, wanted: list[str]) -> Iterator[tuple[np.ndarray, np.ndarray | None]]:
    parquet = arguments.file != "-" and Path(arguments.file).suffix.lower() == ".parquet"
    return (tables.parquet if parquet else tables.csv)(arguments.file, wanted, arguments.split)


def _training(column: str, split: np.ndarray) -> np.ndarray:
    """Which rows are training rows."""
    names, places = np.unique(split, return_inverse=True)
    for name in names:
        if name not in TRAIN | TEST:
            refuse(
                f"--split {column}", repr(str(name)), f"one of {', '.join(sorted(TRAIN))}; {', '.join(sorted(TEST))}"
            )
    return np.isin(names, list(TRAIN))[places]
