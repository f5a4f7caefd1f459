"""Writing that survives: aside, synced, renamed. What was there before stays whole until the new version is.

A file system that is full, or that cannot be written, ends in one line that says what could not be written.
"""

import contextlib
import errno
import itertools
import json
import os
import shutil
import socket
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil

from jaxbox.config import RunError

REASONS = (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES, errno.EFBIG, errno.EIO)
"""What a system says of a disk that cannot be written."""
ABANDONED_SECONDS = 86400.0
"""What another machine has left aside for so long, it has left for good."""
ATTEMPTS = itertools.count()
ROOM_FOR_NAMES = 2**20
"""Bytes that names, types and indices of arrays take beside their numbers, generously."""


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """Turn what a library raises while it writes to `path` into one line.

    Raises:
        RunError: what could not be written, why, and how to go on.
    """
    try:
        yield
    except RunError:
        raise
    except Exception as error:  # TensorStore and zarr have types of their own for a full disk
        reason = error.strerror if isinstance(error, OSError) and error.strerror else _reason(error)
        if not reason:
            raise
        message = f"run: {path} could not be written: {reason}; what was saved before is whole"
        raise RunError(f"{message}, go on with --resume once it can be") from error


def _reason(error: Exception) -> str:
    """The system's reason inside of a library's error; nothing if it is an error of another kind."""
    return next((reason for reason in map(os.strerror, REASONS) if reason in str(error)), "")


def write_json(file: Path, content: Any) -> None:
    """Replace a JSON file.

    Raises:
        RunError: it cannot be written.
    """
    with writing(file):
        aside = file.with_name(own_name(file.name))
        with open(aside, "w") as unfinished:
            unfinished.write(json.dumps(content, indent=1) + "\n")
            unfinished.flush()
            os.fsync(unfinished.fileno())
        aside.replace(file)
        sync_folder(file.parent)


def own_name(name: str) -> str:
    """A name to write `name` aside under, which no other process uses, on this machine or another."""
    return f".{name}.{socket.gethostname()}.{os.getpid()}.{next(ATTEMPTS)}"


def remove_abandoned(folder: Path) -> None:
    """Remove what was written aside in a folder by processes of this machine that are no more, or very long ago."""
    for entry in folder.glob(".*"):
        words = entry.name.rsplit(".", 3)
        with contextlib.suppress(OSError, ValueError, IndexError):
            host, process = words[1], int(words[2].split("-")[0])
            there = host == socket.gethostname() and not psutil.pid_exists(process)
            if there or folder.stat().st_mtime - entry.stat().st_mtime > ABANDONED_SECONDS:
                shutil.rmtree(entry, ignore_errors=True) if entry.is_dir() else entry.unlink()


def put_folder(aside: Path, path: Path, overwrite: bool = False) -> bool:
    """Give a finished folder its name, once everything in it is on disk, unless another has it: then that one stays.

    Args:
        overwrite: whether what has the name is removed first.

    Returns:
        Whether it was given.
    """
    sync_tree(aside)
    if overwrite:
        discard(path)
    try:
        aside.rename(path)
    except OSError as error:
        if error.errno not in (errno.ENOTEMPTY, errno.EEXIST):
            raise
        shutil.rmtree(aside, ignore_errors=True)
        return False
    sync_folder(path.parent)
    return True


def sync_tree(tree: Path) -> None:
    """Bring a folder and everything in it to disk."""
    for folder, _, names in os.walk(tree, topdown=False):
        for name in names:
            _sync(Path(folder) / name)
        sync_folder(Path(folder))


def make_folder(folder: Path) -> None:
    """Make a folder and those around it, and bring their names to disk."""
    missing = [part for part in (folder, *folder.parents) if not part.exists()]
    folder.mkdir(parents=True, exist_ok=True)
    for part in missing:
        sync_folder(part.parent)


def require_room(folder: Path, size: int) -> None:
    """Make sure that `size` bytes, and a little more, can be written into a folder now.

    Raises:
        OSError: the disk, or the user's share of it, is too full.
    """
    wanted = size + ROOM_FOR_NAMES
    if not hasattr(os, "posix_fallocate"):  # macOS, Windows: what is free, quotas left out
        if shutil.disk_usage(folder).free < wanted:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return
    with tempfile.TemporaryFile(dir=folder) as probe:
        os.posix_fallocate(probe.fileno(), 0, wanted)


def discard(path: Path) -> None:
    """Remove a folder; renamed first, so that half of it is never taken for the whole."""
    aside = path.with_name(own_name(f"{path.name}.discarded"))
    try:
        path.rename(aside)
    except FileNotFoundError:
        return
    shutil.rmtree(aside, ignore_errors=True)


def sync_folder(folder: Path) -> None:
    """Bring the names in a folder to disk, where the system can (Windows cannot open folders)."""
    if hasattr(os, "O_DIRECTORY"):
        _sync(folder)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
