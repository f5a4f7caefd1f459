"""Names from outside of the project: `module:name`, or `path/file.py:name` with a path from the working directory.

`load` executes the file that a name names: only those who train or who load a member call it, never who reads a run.
Everything else here reads files, and runs none of them. Who reads runs says so (`reading`), and `load` then refuses.
"""

import contextlib
import hashlib
import importlib
import importlib.machinery
import importlib.util
import operator
import sys
import traceback
from collections.abc import Iterator
from contextvars import ContextVar
from pathlib import Path
from types import ModuleType
from typing import Any

from jaxbox.config.errors import ConfigurationError, nearest

PLAIN = (str, bool, int, float, complex, tuple, list, dict, set, type(None))
"""Values that are no code."""
_IMPORTED: dict[Path, str] = {}
"""Every outside file that this process has imported, and its SHA-256 then."""


_READING = ContextVar("reading", default=False)


class NotExecuted(ConfigurationError):
    """What is asked for needs code that a run names, and who asks only reads the run."""


@contextlib.contextmanager
def reading() -> Iterator[None]:
    """In here no code from outside is loaded: what would need it raises NotExecuted."""
    token = _READING.set(True)
    try:
        yield
    finally:
        _READING.reset(token)


def is_outside(name: Any) -> bool:
    """Whether a name says where its code is, instead of being a row's name."""
    return isinstance(name, str) and ":" in name


def imported() -> bool:
    """Whether this process has executed code from outside."""
    return bool(_IMPORTED)


def split(name: str) -> tuple[str, str]:
    """The module or file that a name names, and what it names there."""
    place, _, attribute = name.rpartition(":")
    return place, attribute


def file_of(field: str, name: str) -> Path:
    """The file that holds the code; nothing is imported, not even the packages around it.

    Raises:
        ConfigurationError: there is none.
    """
    place, _ = split(name)
    if place.endswith(".py"):
        file = Path(place).resolve()
        if not file.is_file():
            raise ConfigurationError(f"{field}: {name!r} names no file: there is no {place} in {Path.cwd()}")
        return file
    file = getattr(sys.modules.get(place), "__file__", None) or _module_file(place)
    if file is None or not Path(file).is_file():
        raise ConfigurationError(f"{field}: {name!r} names no module: {place!r} is not on Python's path")
    return Path(file).resolve()


def _module_file(place: str) -> str | None:
    """Where a module's code is; unlike importlib's own search this imports no package around it."""
    folders, spec, parts = None, None, place.split(".")
    for count in range(1, len(parts) + 1):
        spec = importlib.machinery.PathFinder.find_spec(".".join(parts[:count]), folders)
        if spec is None:
            return None
        folders = list(spec.submodule_search_locations or ())
    return spec.origin if spec else None


def sha256(file: Path) -> str:
    """Of a file's content now.

    Raises:
        ConfigurationError: this process has imported the file, and it has changed since.
    """
    found = hashlib.sha256(file.read_bytes()).hexdigest()
    if _IMPORTED.get(file, found) != found:
        raise ConfigurationError(f"file: {file} has changed since it was imported; start Python anew")
    return found


def is_imported(file: Path) -> bool:
    """Whether this process has imported the file as somebody's own code."""
    return file in _IMPORTED


def load(field: str, name: str) -> Any:
    """What a name names; imports its file.

    Raises:
        ConfigurationError: no such file, its own error's last line, or no such name in it, with the nearest.
    """
    refuse_while_reading(field, name)
    file, (place, attribute) = file_of(field, name), split(name)
    try:
        value: Any = _import(place, file)
    except (Exception, SystemExit) as error:
        why = traceback.format_exception_only(error)[-1].strip().splitlines()[-1]
        raise ConfigurationError(f"{field}: {file} does not import: {why}") from error
    for part in attribute.split("."):
        if not hasattr(value, part):
            public = [known for known in vars(value) if not known.startswith("_")] if hasattr(value, "__dict__") else []
            raise ConfigurationError(f"{field}: {file} has no {attribute!r}{nearest(part, public)}")
        value = getattr(value, part)
    return value


def refuse_while_reading(field: str, name: str) -> None:
    """Refuse to load a name while a run is read.

    Raises:
        NotExecuted: in `reading`.
    """
    if _READING.get():
        raise NotExecuted(f"{field}: {name!r} is code from outside, which nobody executes who only reads a run")


def _import(place: str, file: Path) -> ModuleType:
    if not place.endswith(".py"):
        _IMPORTED.setdefault(file, sha256(file))
        return importlib.import_module(place)
    if _is_script(file):
        _IMPORTED.setdefault(file, sha256(file))
        return sys.modules["__main__"]
    return sys.modules[str(file)] if str(file) in sys.modules else _execute(file)


def _is_script(file: Path) -> bool:
    """Whether Python runs this very file: then its classes are there already, and to import it would run it again."""
    script = getattr(sys.modules.get("__main__"), "__file__", None)
    return script is not None and Path(script).resolve() == file


def _execute(file: Path) -> ModuleType:
    """The module that a file makes; dataclasses look for it in sys.modules, where its name is its path."""
    source = file.read_bytes()
    spec = importlib.util.spec_from_file_location(str(file), file)
    assert spec is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[str(file)] = module
    try:
        exec(compile(source, str(file), "exec"), vars(module))
    except BaseException:
        del sys.modules[str(file)]
        raise
    _IMPORTED[file] = hashlib.sha256(source).hexdigest()
    return module


def name_of(value: Any) -> str:
    """The name under which an object can be imported: what a configuration holds and a run stores.

    Raises:
        ConfigurationError: it cannot be imported, such as a lambda, or a class of a notebook or of a function.
    """
    module, name = getattr(value, "__module__", ""), getattr(value, "__qualname__", "")
    if not _is_at(module, name, value):
        module, name = _search(value)
    if not name:
        raise ConfigurationError(
            f"name: {value!r} cannot be imported; it must have a name of its own in a file: not in a function, "
            "nor typed into Python"
        )
    return f"{_place(module)}:{name}"


def _is_at(module: str, name: str, value: Any) -> bool:
    try:
        return operator.attrgetter(name)(sys.modules[module]) is value and bool(_place(module))
    except (KeyError, AttributeError):
        return False


def _search(value: Any) -> tuple[str, str]:
    """Module and name of an object that, as an instance, does not know them itself."""
    for module, content in list(sys.modules.items()):
        for name, other in list(getattr(content, "__dict__", {}).items()):
            if other is value and not isinstance(value, ModuleType) and _place(module):
                return module, name
    return "", ""


def _place(module: str) -> str:
    """How a module is named: a file by its path, from the working directory if it is in there."""
    if module == "__main__":
        module = str(Path(getattr(sys.modules[module], "__file__", None) or "").resolve())
    path = Path(module)
    if path.is_absolute():
        inside = path.is_relative_to(Path.cwd())
        return "" if path.is_dir() else str(path.relative_to(Path.cwd()) if inside else path)
    return module
