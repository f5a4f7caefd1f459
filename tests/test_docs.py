"""What the documents say is so: their code runs, their commands work, their tables are complete, and nothing is undocumented."""

import ast
import contextlib
import importlib
import re
import shlex
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path

import jax
import processes
import pytest

from analysis import comparison
from jaxbox import store
from jaxbox.config import tables
from jaxbox.config.rows import IMAGE
from jaxbox.config.tables import description
from jaxbox.experiments import EXPERIMENTS
from jaxbox.merge.__main__ import main as merge
from jaxbox.store import results
from jaxbox.sweep.__main__ import main as sweep
from jaxbox.training import peak

ROOT = Path(__file__).parents[1]
DOCUMENTS = sorted(
    path for path in ROOT.rglob("*.md") if not {".venv", "node_modules"} & set(path.relative_to(ROOT).parts)
)
SMALL = "--seeds 2 --steps 2 --eval_every 1".split()
"""Makes an example of a sweep cheap; what it says otherwise is kept."""
LARGER = {"--seeds": "3", "--steps": "4"}
"""What a run of SMALL size grows to, where a document says how large it shall be."""
SMALL_IMAGES = "--task.height 8 --task.width 8 --task.box_size 2".split()
PROFILED = {"--task.height": "12", "--task.width": "12"}
"""Images whose profile takes seconds, not minutes."""
LESS = {"--height": "10", "--width": "10"}
"""Of the images whose exact values are asked for: the same lines, of a tenth of the pixels."""


def blocks(document, language):
    return re.findall(rf"^```{language}\n(.*?)^```", document.read_text(), re.MULTILINE | re.DOTALL)


def run(words, folder):
    done = subprocess.run(words, cwd=folder, env=processes.environment(), capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, f"{words}\n{done.stdout[-2000:]}\n{done.stderr[-2000:]}"
    return done.stdout


PYTHON = [(path, number) for path in DOCUMENTS for number, _ in enumerate(blocks(path, "python"))]


@pytest.mark.parametrize("document", sorted({path for path, _ in PYTHON}), ids=lambda path: str(path.relative_to(ROOT)))
def test_python_examples_run_one_after_the_other(document, tmp_path, monkeypatch):
    # What an example shows is there after any number of steps, seeds and trials.
    code = re.sub(r"\bsteps=\d+(, eval_every=\d+)?", "steps=8, eval_every=8", "\n".join(blocks(document, "python")))
    code = re.sub(r"\bn_trials=\d+", "n_trials=2", re.sub(r"\bseeds=\d+", "seeds=6", code))
    if document == ROOT / "README.md":
        run([sys.executable, "-c", code], tmp_path)  # as a reader does, who has imported nothing
        return
    monkeypatch.chdir(tmp_path)
    exec(code, {"__name__": "example"})


def write_own_files(folder):
    """The files that README shows: blocks whose first line is a comment with the file's name."""
    for block in blocks(ROOT / "README.md", "python"):
        if named := re.match(r"# (\w+\.py)\n", block):
            (folder / named[1]).write_text(block)


PAPER = ("python -m jaxbox.check mine.py:Skip", "python -m jaxbox.sweep mine.py:experiment --seeds 64 --name skip")
"""What README says of that paper, which its test does, and looks at what comes of it."""


@pytest.mark.slow
def test_the_paper_that_readme_shows_runs_from_its_own_folder(tmp_path, monkeypatch):
    assert set(PAPER) < set(commands())
    write_own_files(tmp_path)
    checked = run([sys.executable, "-m", "jaxbox.check", "mine.py:Skip"], tmp_path)
    assert "FAILS" not in checked
    assert "mine.py:Skip as model: One hidden layer, and a linear path beside it." in checked
    monkeypatch.chdir(tmp_path)
    assert sweep(["mine.py:experiment", "--name", "skip", *SMALL]) == 0
    run([sys.executable, "-c", "import mine; mine.figure('runs/skip', 'skip.png')"], tmp_path)
    assert (tmp_path / "skip.png").stat().st_size > 1000
    table = store.member_table(tmp_path / "runs" / "skip")
    assert set(table["model.name"]) == {"mine.py:Skip"}
    assert set(table["loss.name"]) == {"mse", "mine.py:fourth_power"}
    assert set(table["model.skip"]) == {0.0, 1.0}


MERGED = (
    "python -m jaxbox.sweep base --seeds 32 --name first",
    "python -m jaxbox.sweep base --seeds 32 --first_seed 32 --name second",
    "python -m jaxbox.merge runs/first runs/second --into runs/both",
)
"""What README does one after the other."""
ON_RAY = "python -m jaxbox.sweep base --seeds 32 --name cluster --on ray --workers 2"
"""Its options are those of a test that kills a worker (tests/jaxbox/sweep/test_ray.py)."""


def test_runs_become_one_as_readme_says(tmp_path, monkeypatch):
    assert {*MERGED, ON_RAY} < set(commands())
    monkeypatch.chdir(tmp_path)
    for command in MERGED[:2]:
        assert sweep([*shlex.split(command)[3:], *SMALL, *SMALL_IMAGES, "--model.name", "linear"]) == 0
    assert merge(shlex.split(MERGED[2])[3:]) == 0
    assert store.load_plan(Path("runs/both")).seeds == [range(2), range(32, 34)]


def commands():
    """Every `python -m jaxbox...` or `python -m analysis...` that a document offers, comments cut off."""
    for document in DOCUMENTS:
        for block in blocks(document, "sh"):
            for line in block.splitlines():
                words = shlex.split(line, comments=True)
                if words[:2] == ["python", "-m"] and words[2].split(".")[0] in ("jaxbox", "analysis"):
                    yield shlex.join(words)


@pytest.fixture(scope="module")
def tiny(tmp_path_factory):
    """A folder with a run, for commands that read one."""
    folder = tmp_path_factory.mktemp("tiny")
    assert sweep([*"base --model.name linear --name tiny --out".split(), str(folder), *SMALL, *SMALL_IMAGES]) == 0
    return folder / "tiny"


COMMANDS = sorted(set(commands()) - {*PAPER, *MERGED, ON_RAY})
IN_A_PROCESS = {shlex.split(command)[2]: command for command in reversed(COMMANDS)}
"""A command of each module that runs in a process of its own, as users' do; JAX takes most of their time to start."""


def instead(words, values):
    """The words, with these values of options in place of theirs."""
    return [values.get(option, word) for option, word in zip(["", *words], words, strict=False)]


@pytest.mark.parametrize("command", COMMANDS)
def test_commands_work(command, tmp_path, request, monkeypatch):
    _, _, module, *words = shlex.split(command)
    write_own_files(tmp_path)
    if module == "jaxbox.bench":
        # Measuring takes minutes: that the words are understood is what can be tried here.
        from jaxbox.bench import arguments

        arguments.parse([*words, "--out", str(tmp_path / "bench.json")])
        return
    shown = [word for word in words if word.startswith("runs/")]
    if shown:
        shutil.copytree(request.getfixturevalue("tiny"), tmp_path / shown[0])
        words = instead(words, LARGER)
    elif module == "jaxbox.sweep" and not {"--list", "--help"} & set(words):
        words = [*words, *SMALL]
        if "--until" in words:
            words = [*words[: words.index("--seeds")], *words[words.index("--seeds") + 2 :], "--max_seeds", "8"]
        if "base" in words and "task." not in command:
            words += SMALL_IMAGES
        if "base" in words and "--model.name" not in words:
            # Unless it is about the model, any will do; and a small one.
            words += "--model.name mlp --model.hidden 4".split() if "model." in command else ["--model.name", "linear"]
    elif module == "analysis.claims" and "--run" in words:
        words.append("bias_bounds_error")  # the runs of all claims take an hour; of what is computed there are none
    elif module == "jaxbox.profile":
        words = [*instead(words, PROFILED), "--seconds", "0.05"]
        if "--model.name" not in words:
            words += ["--model.features", "4", "4"]
        # As in a process of its own, which has one device: a member trains on each.
        own = jax.local_devices()[:1]
        monkeypatch.setattr(jax, "local_devices", lambda: own)
        monkeypatch.setattr(peak, "SIZE", 64)
    elif module == "analysis.exact":
        words = instead(words, LESS)
    if command == IN_A_PROCESS[module]:
        run([sys.executable, "-m", module, *words], tmp_path)
        return
    monkeypatch.chdir(tmp_path)
    with contextlib.suppress(SystemExit) if "--help" in words else contextlib.nullcontext():
        assert importlib.import_module(f"{module}.__main__").main(words) == 0


def test_there_are_commands_and_examples():
    assert len(set(commands())) >= 6
    assert {path.relative_to(ROOT).parts[0] for path, _ in PYTHON} >= {"README.md"}


def test_the_table_of_variables_is_the_table_of_measures():
    text = (ROOT / "runs" / "README.md").read_text()
    rows = dict(re.findall(r"^\| `([a-z0-9_]+)` \| (.*) \|$", text, re.MULTILINE))
    assert list(rows) == list(results.VARIABLES)
    for name, variable in results.VARIABLES.items():
        dims = ", ".join(f"`{dim}`" for dim in results.dims_of(name))
        assert rows[name] == f"{dims} | {variable.units} | {variable.description}", (
            f"{name}: {dims} | {variable.units} | {variable.description}"
        )


def test_readme_has_a_row_for_every_experiment():
    rows = re.findall(r"^\| `([a-z_]+)` \|", (ROOT / "README.md").read_text(), re.MULTILINE)
    assert [name for name in rows if name in EXPERIMENTS] == [
        name for name in EXPERIMENTS if name not in ("thread", "base")
    ]


def test_readme_names_every_folder_and_file_of_the_layout():
    text = (ROOT / "README.md").read_text()
    for package in ("jaxbox", "analysis"):
        for entry in (ROOT / package).iterdir():
            if entry.name not in ("__init__.py", "__pycache__"):
                assert f"`{entry.name}" in text or f"`{package}/{entry.name}" in text, f"{package}/{entry.name}"


SOURCES = sorted(file for package in ("jaxbox", "analysis") for file in (ROOT / package).rglob("*.py"))


@cache
def classes():
    """Every class of the project by name."""
    trees = (ast.walk(ast.parse(file.read_text())) for file in SOURCES)
    return {node.name: node for tree in trees for node in tree if isinstance(node, ast.ClassDef)}


def inherited(node):
    """The methods whose docstrings this class has from its bases, and need not repeat."""
    found = set()
    for base in (classes().get(ast.unparse(base).split(".")[-1]) for base in node.bases):
        if base is not None and base.name != node.name:  # not a library's class that it is named after
            functions = (entry for entry in base.body if isinstance(entry, ast.FunctionDef))
            found |= {entry.name for entry in functions if ast.get_docstring(entry)} | inherited(base)
    return found


def undocumented(tree, prefix="", excused=frozenset()):
    """Public functions, classes and methods without a docstring; what is inside a function is nobody else's."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) and not node.name.startswith("_"):
            if not ast.get_docstring(node) and node.name not in excused:
                yield prefix + node.name
            if isinstance(node, ast.ClassDef):
                yield from undocumented(node, f"{prefix}{node.name}.", inherited(node))


@pytest.mark.parametrize("source", SOURCES, ids=[str(source.relative_to(ROOT)) for source in SOURCES])
def test_everything_public_is_documented(source):
    tree = ast.parse(source.read_text())
    assert ast.get_docstring(tree), "a file says in one sentence what it is for"
    assert not list(undocumented(tree))


def test_the_search_for_what_is_undocumented_finds_it():
    tree = ast.parse(
        "def a(): 1\nclass B:\n    'said'\n    def c(self): 1\n    def _d(self): 1\ndef e():\n    'said'\n"
    )
    assert list(undocumented(tree)) == ["a", "B.c"]


@pytest.mark.parametrize("field", tables.TABLES)
def test_help_names_every_row_and_what_it_reads(field):
    text = "\n".join(description.describe(width=1000))
    for name, row in tables.TABLES[field].items():
        line = next(line for line in text.split(f"{field}:")[1].splitlines() if line.split()[:1] == [name])
        assert row.summary in line
        assert all(path in line for path in row.reads if path not in (*IMAGE, "render"))
        assert (description.WINDOWS in line) == ("render" in row.reads)
    assert max(map(len, "\n".join(description.describe()).splitlines())) <= 80


def test_the_table_of_the_comparison_is_its_variables():
    text = (ROOT / "analysis" / "README.md").read_text()
    rows = dict(re.findall(r"^\| `([a-z0-9_]+)` \| (.*) \|$", text, re.MULTILINE))
    expected = {
        name: f"{', '.join(f'`{dim}`' for dim in variable.dims)} | {variable.units} | {variable.description}"
        for name, variable in comparison.VARIABLES.items()
    }
    assert rows == expected
