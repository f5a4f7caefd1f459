"""The folder that a report goes to: nothing in it is replaced or removed but the files of an earlier report."""

import json
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from analysis.figures import FIGURES
from analysis.report.content import CSV
from jaxbox.config import RunError
from jaxbox.plotting import SUFFIXES

PAGE, MARKDOWN, FIGURE_FOLDER = "index.html", "report.md", "figures"
OWN = "report.json"
"""Names the files of the report that the folder holds."""
FIGURE_FILES = {name: [f"{FIGURE_FOLDER}/{name}{suffix}" for suffix in (".csv", *SUFFIXES)] for name in FIGURES}
FILES = (PAGE, MARKDOWN, *CSV, *(file for files in FIGURE_FILES.values() for file in files))
"""All that a report may write, beside OWN."""


class Folder:
    """Where a report is written.

    Raises:
        RunError: it is a file, it cannot be written, or it holds a file of one of these names that is not a report's.
    """

    def __init__(self, path: Path):
        self.path = path
        self.written: list[str] = []
        if path.exists() and not path.is_dir():
            raise RunError(f"out: {path} is a file; it must be a folder")
        with _saying(path):
            (path / FIGURE_FOLDER).mkdir(parents=True, exist_ok=True)
            tempfile.TemporaryFile(dir=path).close()
        self.earlier = self._earlier()
        foreign = [name for name in FILES if (path / name).exists() and name not in self.earlier]
        if foreign:
            raise RunError(f"out: {path / foreign[0]} is not of an earlier report; move it, or give another --out")

    def _earlier(self) -> list[str]:
        """The files of the report that is there."""
        file = self.path / OWN
        if not file.exists():
            return []
        try:
            names = json.loads(file.read_text())["files"]
            return [name for name in FILES if name in names]
        except (OSError, ValueError, KeyError, TypeError):
            raise RunError(f"out: {file} is not of an earlier report; move it, or give another --out") from None

    def own(self, *names: str) -> None:
        """Say that these files are the report's, before they are written: one that is interrupted can be made again."""
        self.written += names
        with _saying(self.path):
            (self.path / OWN).write_text(json.dumps({"files": sorted({*self.earlier, *self.written})}, indent=1) + "\n")

    def write(self, name: str, text: str) -> None:
        """Write a file, in place of that of an earlier report."""
        self.own(name)
        with _saying(self.path):
            (self.path / name).write_text(text, encoding="utf-8")

    def figure(self, name: str) -> Path:
        """Where the files of a figure go."""
        self.own(*FIGURE_FILES[name])
        return self.path / FIGURE_FOLDER

    def finish(self) -> None:
        """Remove what an earlier report had and this one has not."""
        with _saying(self.path):
            for name in set(self.earlier) - {name for name in self.written if (self.path / name).exists()}:
                (self.path / name).unlink(missing_ok=True)
            self.written = [name for name in self.written if (self.path / name).exists()]
            self.earlier = []
            self.own()


@contextmanager
def _saying(path: Path) -> Iterator[None]:
    """Turn an error of the system into one line."""
    try:
        yield
    except OSError as error:
        raise RunError(f"out: {error.filename or path} cannot be written: {error.strerror}") from None
