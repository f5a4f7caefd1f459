"""Keeps whole programs between processes: whoever starts what was compiled before neither traces nor compiles it.

JAX's own cache has what XLA compiles, but a program must be traced before it can be looked up, which takes longer than
all else before the first step. Here it is looked up by everything that it follows from: the group's static fields, how
many members, the devices, jaxbox's own source, and what JAX and the packages around it are and were told. Where only
the source has changed, programs are traced, and found by their text.

Only a process that was started as the command line keeps programs, and none whose configurations name code from
outside of the project: what other code has put in the place of jaxbox's could not be seen here.
"""

import contextlib
import functools
import hashlib
import os
import pickle
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any

import jax
from jax import monitoring
from jax.experimental import serialize_executable

import jaxbox
from jaxbox.config import Static, outside
from jaxbox.training import devices as local

FOLDER = "executables"
MOST_BYTES = 2**30
"""Of all that is kept; what has not been used for longest goes first."""
NAMED_SECONDS = 60 * 24 * 3600
"""How long a name stays that nobody asks for: each change of jaxbox makes others."""
PACKAGES = ("jax", "jaxlib", "flax", "optax", "numpy")
TALK = ("cache", "dump", "log", "traceback", "locations")
"""Parts of the names of what JAX is told that changes no program."""
ENVIRONMENT = ("XLA_FLAGS", "LIBTPU_INIT_ARGS")
COMMAND = "jaxbox.sweep.__main__"
"""What Python calls the module that a process of the command line was started with."""
HIT = "/jax/compilation_cache/cache_hits"

_folder: Path | None = None
_of_thread = threading.local()

Executables = tuple[Any, ...]
"""Compiled functions (`jax.stages.Compiled`)."""
Options = Sequence[dict[str, bool | int] | None]


def keep_in(folder: Path) -> None:
    """Keep programs in this folder, if this process is the command line's."""
    global _folder
    own = getattr(sys.modules["__main__"], "__spec__", None)
    _folder = folder / FOLDER if own is not None and own.name == COMMAND else None


def known(static: Static) -> bool:
    """Whether a program of these static fields was compiled before, by the same code with the same packages."""
    folder = _folder_of(static)
    return folder is not None and folder.is_dir() and any(folder.iterdir())


def compiled(
    static: Static,
    size: int,
    devices: Sequence[Any],
    lower: Callable[[], Sequence[Any]],
    options: Options,
    kind: str = "",
) -> Executables:
    """Programs for chunks of this size on these devices: those that are kept, or else compiled now, and kept.

    Args:
        lower: traces them (`jax.stages.Lowered`), if that is needed.
        options: of the compiler, for each.
        kind: tells them from others with the same static fields.
    """
    folder = _folder_of(static)
    if folder is None:
        return tuple(program for program, _ in _all_at_once(_compile, lower(), options))
    kinds = [(device.platform, device.device_kind, device.id) for device in devices]
    place = folder / _hash(size, kinds, devices[0].client.platform_version, *filter(None, [kind]))
    if found := _named(place, devices):
        return found
    lowered, surroundings = lower(), [place.name, _surroundings()]
    told = zip(lowered, options, strict=True)
    files = [folder.parent / _hash(program.as_text(), own, surroundings) for program, own in told]
    programs = _all_at_once(partial(_found_or_compiled, devices), lowered, options, files)
    if all(file.exists() for file in files):
        with contextlib.suppress(OSError):
            _write(place, "\n".join(file.name for file in files).encode())
            _make_room(folder.parent)
    return programs


def _named(place: Path, devices: Sequence[Any]) -> Executables | None:
    """The programs whose files a place names; None if it names none, or if one of them cannot be read."""
    try:
        files = [place.parents[1] / name for name in place.read_text().split()]
        os.utime(place)
    except (OSError, UnicodeDecodeError):
        return None
    programs = tuple(_read(file, devices) for file in files)
    return None if not programs or None in programs else programs


def _read(file: Path, devices: Sequence[Any]) -> Any:
    """The program in a file; None if there is none that can be read."""
    try:
        found = _loaded(pickle.loads(file.read_bytes()), devices)
        os.utime(file)
        return found
    except FileNotFoundError:
        return None
    except Exception:  # a file that is damaged
        file.unlink(missing_ok=True)
        return None


def _found_or_compiled(devices: Sequence[Any], lowered: Any, options: dict[str, bool | int] | None, file: Path) -> Any:
    if (found := _read(file, devices)) is not None:
        return found
    found, fresh = _compile(lowered, options)
    if fresh:  # on CPU a program that was itself read from JAX's cache would be written without its functions
        with contextlib.suppress(Exception):  # a backend that cannot, a disk that is full: nobody depends on it
            _write(file, pickle.dumps(_saved(found)))
    return found


def _all_at_once(function: Callable[..., Any], *values: Sequence[Any]) -> tuple[Any, ...]:
    with ThreadPoolExecutor(len(values[0])) as threads:
        return tuple(threads.map(function, *values))


def _compile(lowered: Any, options: dict[str, bool | int] | None) -> tuple[Any, bool]:
    """A program, and whether it was compiled: it was not in JAX's own cache."""
    _listen()
    _of_thread.hits = 0
    return lowered.compile(options), not _of_thread.hits


@functools.cache
def _listen() -> None:
    def count(event: str, **_: Any) -> None:
        if event == HIT:
            _of_thread.hits = getattr(_of_thread, "hits", 0) + 1

    monitoring.register_event_listener(count)


# JAX leaves it to others to write a tree of arguments down; one that has numbers for leaves says the same.
def _saved(program: Any) -> tuple[bytes, Any, Any]:
    content, *trees = serialize_executable.serialize(program)
    return content, *(jax.tree.unflatten(tree, range(tree.num_leaves)) for tree in trees)


def _loaded(saved: tuple[bytes, Any, Any], devices: Sequence[Any]) -> Any:
    content, *trees = saved
    structures = map(jax.tree.structure, trees)
    return serialize_executable.deserialize_and_load(content, *structures, execution_devices=list(devices))


def _write(path: Path, content: bytes) -> None:
    """All of it or nothing, whoever else writes there."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=path.parent, delete=False) as file:
        file.write(content)
    os.replace(file.name, path)


def _make_room(folder: Path) -> None:
    found = ((path.stat(), path) for path in folder.iterdir() if path.is_file())
    files = sorted((stat.st_mtime, stat.st_size, path) for stat, path in found)
    excess = sum(size for _, size, _ in files) - MOST_BYTES
    for _, size, path in files:
        if excess <= 0:
            break
        path.unlink(missing_ok=True)
        excess -= size
    for name in folder.glob("*/*"):
        if time.time() - name.stat().st_mtime > NAMED_SECONDS:
            name.unlink(missing_ok=True)
            with contextlib.suppress(OSError):  # other names are in it
                name.parent.rmdir()


def _folder_of(static: Static) -> Path | None:
    """Where the programs of these static fields are named; None where none are kept."""
    if _folder is None or outside.imported():
        return None
    return _folder / _hash(static, _source(), _surroundings())


def _surroundings() -> list[Any]:
    """All that programs depend on beside jaxbox, their configuration and their devices."""
    settings: Any = jax.config
    told = {name: repr(value) for name, value in settings.values.items() if not any(word in name for word in TALK)}
    environment = [os.environ.get(name) for name in ENVIRONMENT]
    return [sys.version, [version(name) for name in PACKAGES], sorted(told.items()), environment, local.cores()]


@functools.cache
def _source() -> str:
    """Of all code of jaxbox."""
    root = Path(jaxbox.__file__).parent
    return _hash(*((str(path.relative_to(root)), path.read_bytes()) for path in sorted(root.rglob("*.py"))))


def _hash(*values: Any) -> str:
    return hashlib.sha256(repr(values).encode()).hexdigest()[:32]
