"""Imports go one way: down DESIGN's list between folders, and without circles inside of them; importing is cheap."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
ORDER = {
    "jaxbox": (
        *("config", "intervals", "layers", "task", "models", "losses", "optimizers", "schedules", "forecast"),
        *(
            "training",
            "store",
            "experiments",
            "command_line",
            "plotting",
            "sweep",
            "status",
            "merge",
            "export",
            "check",
            "profile",
            "bench",
        ),
    ),
    "analysis": (
        *(
            "closed_forms",
            "laws",
            "moments",
            "weighted_ridge",
            "linear",
            "dynamics",
            "bayes",
            "linear_estimate",
            "shannon",
            "rate_distortion",
            "neighbours",
        ),
        *("information", "statistics", "collapse", "diagnose", "audit", "exact"),
        *("approximation", "comparison", "figures", "claims", "collapse_law", "report"),
    ),
}
"""Each may import what comes before it; analysis also jaxbox, never the reverse."""
FILES = sorted(file for package in ORDER for file in (ROOT / package).rglob("*.py"))


def imported(source: str) -> Iterator[str]:
    """Every dotted name that a module imports, anywhere in it; `from a import b` gives a.b."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "relative imports hide what is imported"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def at_import(source: str) -> Iterator[str]:
    """The same, of what is imported while the module itself is: not inside functions, not for types only."""
    tree = ast.parse(source)
    for node in ast.walk(tree):
        typing_only = isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) or typing_only:
            node.body = [ast.Pass()]
    yield from imported(ast.unparse(tree))


def module_of(file: Path) -> str:
    parts = file.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {module_of(file): file for file in FILES}


def owner(name: str) -> str | None:
    """The module of this project that a dotted name is, or is in."""
    parts = name.split(".")
    candidates = (".".join(parts[:count]) for count in range(len(parts), 0, -1))
    return next((candidate for candidate in candidates if candidate in MODULES), None)


def place(module: str) -> tuple[int, int]:
    """Where a module comes: its package, then its folder or file there."""
    package, *rest = module.split(".")
    return list(ORDER).index(package), ORDER[package].index(rest[0]) if rest else -1


def test_the_order_names_every_folder_and_file():
    for package, order in ORDER.items():
        own = {file.relative_to(ROOT / package).parts[0].removesuffix(".py") for file in (ROOT / package).rglob("*.py")}
        assert own - {"__init__"} == set(order)


def test_the_readers_see_what_they_should():
    source = "import a.b as c\nif x:\n    from d import e, f\ndef g():\n    from h.i import j\n"
    source += "if TYPE_CHECKING:\n    import k\n"
    assert set(imported(source)) == {"a.b", "d.e", "d.f", "h.i.j", "k"}
    assert set(at_import(source)) == {"a.b", "d.e", "d.f"}
    assert owner("jaxbox.task.scenes.box.render") == "jaxbox.task.scenes.box"
    assert owner("numpy.linalg") is None


@pytest.mark.parametrize("module", MODULES)
def test_imports_go_down_the_order(module):
    names = filter(None, map(owner, imported(MODULES[module].read_text())))
    if module in ORDER:
        return  # the package itself: the next test says what it may import
    # Inside a folder any file may import another: the circles test holds there.
    later = [name for name in names if place(name) > place(module)]
    assert not later


def edges(module: str) -> set[str]:
    """The modules that this one needs while it is imported, the packages around them included."""
    found = set()
    for name in filter(None, map(owner, at_import(MODULES[module].read_text()))):
        parts = name.split(".")
        around = {".".join(parts[:count]) for count in range(1, len(parts) + 1)}
        # A package that is being imported already, because it holds this module, is not waited for.
        found |= {each for each in around if each in MODULES and not f"{module}.".startswith(f"{each}.")}
    return found


def test_no_circle_of_imports():
    done, path = set(), []

    def visit(module: str) -> None:
        assert module not in path, " -> ".join([*path[path.index(module) :], module])
        if module in done:
            return
        path.append(module)
        for needed in sorted(edges(module)):
            visit(needed)
        done.add(path.pop())

    for module in MODULES:
        visit(module)


@pytest.mark.parametrize("module", ["jaxbox", "jaxbox.config", "jaxbox.sweep.arguments", "jaxbox.experiments"])
def test_what_answers_before_training_loads_no_jax(module):
    program = f"import sys, {module}\nprint({{'jax', 'flax', 'numpy', 'xarray'}} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


def test_the_public_names_are_there_and_lazy():
    program = (
        "import sys, jaxbox\nfor name in jaxbox.__all__:\n    getattr(jaxbox, name)\n"
        "assert sorted(jaxbox._MODULES) == list(jaxbox.__all__)\njaxbox.store.open_run\n"
        "try:\n    jaxbox.nothing\nexcept AttributeError as error:\n    print(error, set(jaxbox.__all__) <= set(dir(jaxbox)))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "module 'jaxbox' has no attribute 'nothing' True"
