"""Imports go one way: analysis may import jaxbox, never the reverse, and inside jaxbox only from earlier files."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
ORDER = (
    *("config", "convolution", "axis", "gather", "windows", "task", "window_products", "layers", "models", "losses"),
    *(
        "optimizers",
        "metrics",
        "sampling",
        "member",
        "evaluation",
        "results",
        "population",
        "cache",
        "store",
        "manifest",
        "progress",
        "training",
    ),
    *("experiments", "command_line", "arguments", "summary", "sweep", "peers", "bench"),
)
FILES = sorted((ROOT / "jaxbox").rglob("*.py"))


def imported(source: str) -> Iterator[str]:
    """Every dotted name that a module imports, anywhere in it; `from a import b` gives a.b."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "relative imports hide what is imported"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def place(name: str) -> int:
    """Where the module of jaxbox with this dotted name comes in the order."""
    return ORDER.index(name.split(".")[1])


def test_the_order_names_every_file():
    own = {file.relative_to(ROOT / "jaxbox").parts[0].removesuffix(".py") for file in FILES} - {"__init__"}
    assert own == set(ORDER)


def test_the_reader_sees_imports_inside_functions_and_under_conditions():
    source = "import a.b as c\nif x:\n    from d import e, f\ndef g():\n    from h.i import j\n"
    assert list(imported(source)) == ["a.b", "d.e", "d.f", "h.i.j"]


@pytest.mark.parametrize("file", FILES, ids=[str(file.relative_to(ROOT)) for file in FILES])
def test_imports_go_one_way(file):
    names = list(imported(file.read_text()))
    assert not [name for name in names if name.split(".")[0] == "analysis"]
    relative = file.relative_to(ROOT).with_suffix("")
    own = [name for name in names if name.split(".")[0] == "jaxbox"]
    if relative.name == "__init__" and len(relative.parts) == 2:
        assert not own, "jaxbox itself imports nothing, so that --help is fast"
        return
    here = place(".".join(relative.parts))
    # A package, such as models, may import its own files.
    package = len(relative.parts) > 2
    later = [name for name in own if place(name) > here or (place(name) == here and not package)]
    assert not later
