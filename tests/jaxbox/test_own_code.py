"""A researcher's own file in real processes: trained, stored, resumed; and read by who executes none of it."""

import contextlib
import importlib
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import processes
import pytest

import jaxbox
from jaxbox import store

ROOT = Path(__file__).parents[2]
MARK = "import pathlib\npathlib.Path('marker').touch()\n"
OWN = (
    MARK
    + '''
import dataclasses
import jax.numpy as jnp
from flax import nnx
from jaxbox import Configuration, Data, Model, Task, grid, layers, run
from jaxbox.losses.pointwise import Pointwise

@dataclasses.dataclass(frozen=True)
class ScaledModel(Model):
    gain: float = 1.0
    """What the outputs are multiplied by."""
    copies: int = 1

class Scaled(nnx.Module):
    """A dense layer, scaled."""
    options = ScaledModel
    reads = ("render",)

    def __init__(self, model, task, outputs, rngs):
        self.head = layers.Dense(task.height * task.width * task.channels, outputs, rngs=rngs)
        # Both a number that depends on a traced one and an array made of it may be kept.
        self.gain, self.shift = model.copies * model.gain, jnp.log(model.gain)

    def __call__(self, images):
        return self.gain * self.head(images) + self.shift

@Pointwise
def fourth_power(loss, predictions, targets):
    """Fourth power."""
    return (predictions - targets) ** 4

class Dot:
    """One pixel."""
    def position_shape(self, task): return task.height, task.width
    def position(self, task, index):
        return index.__array_namespace__().stack([index % task.width, index // task.width], axis=-1)
    def centre(self, task, positions): return positions + 0.5
    def render(self, task, positions):
        xp = positions.__array_namespace__()
        x, y = xp.arange(task.width)[None], xp.arange(task.height)[None]
        lit = (y == positions[:, 1, None])[:, :, None] & (x == positions[:, 0, None])[:, None, :]
        return xp.broadcast_to(lit[..., None], (*lit.shape, task.channels)).astype(xp.asarray(1.0).dtype)
    def moments(self, task): return 0.1, 0.1

dot = Dot()

def left(data, place, xp):
    """Twice as often at the left."""
    return 2.0 - (place[:, 0] > 0)

class Dropped(nnx.Module):
    """Its weight has no gradient."""
    def __init__(self, model, task, outputs, rngs):
        self.head = layers.Dense(task.height * task.width * task.channels, outputs, rngs=rngs)
        self.idle = nnx.Param(jnp.ones(3))

    def __call__(self, images):
        return self.head(images)

class Odd(nnx.Module):
    def __init__(self, model, rngs):
        pass

def base():
    return Configuration(Task(height=6, width=6, box_size=2), data=Data(train_size=20), batch_size=4, steps=4, eval_every=2)

def experiment():
    """Ours."""
    models = grid(base(), {"model.name": [Scaled, "linear"], "model.gain": [0.5, 2.0]})
    return [*models, *grid(base(), {"model.name": ["linear"], "loss.name": [fourth_power], "task.scene": [dot]}),
            *grid(base(), {"model.name": ["linear"], "data.law": [left]})]

def fails():
    return 1 / 0

def nothing():
    return []

if __name__ == "__main__":
    print(run(grid(base(), {"model.name": [Scaled]}), seeds=1, name="script", quiet=True)["loss"].sizes["seed"])
'''
)


def call(words, folder, code=0):
    """(standard output, standard error) of Python with these words in a folder; neither has a traceback."""
    kept = processes.environment()
    done = subprocess.run([sys.executable, *words], cwd=folder, env=kept, capture_output=True, text=True, timeout=300)
    assert done.returncode == code, done.stderr[-2000:]
    assert "Traceback" not in done.stderr
    return done.stdout, done.stderr


def sweep(words, folder, code=0):
    return call(["-m", "jaxbox.sweep", *words.split()], folder, code)


@pytest.fixture
def here(monkeypatch, capsys):
    """As `call` for a module's words, but in this process, to which JAX need not be imported first."""

    def answer(module, words, folder, code=0):
        monkeypatch.chdir(folder)
        found = None
        with contextlib.suppress(SystemExit) if "--help" in words else contextlib.nullcontext():
            found = importlib.import_module(f"{module}.__main__").main(words.split())
        assert found == (None if "--help" in words else code)
        return capsys.readouterr()

    return answer


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    folder = tmp_path_factory.mktemp("paper")
    (folder / "mine.py").write_text(OWN)
    sweep("mine.py:experiment --seeds 2 --name own", folder)
    return folder


@pytest.fixture
def paper(made, tmp_path):
    """A copy of the folder in which a run was made, without the marker that says that mine.py was executed."""
    folder = tmp_path / "paper"
    shutil.copytree(made, folder)
    (folder / "marker").unlink()
    return folder


def executed(folder):
    return (folder / "marker").exists()


def test_the_run_says_which_file_it_was_and_has_its_options(paper):
    manifest = store.load_manifest(paper / "runs" / "own")
    assert list(manifest["outside"]) == ["mine.py"]
    assert len(manifest["outside"]["mine.py"]["sha256"]) == 64
    assert [group["configurations"] for group in manifest["groups"]] == [[0, 1], [2], [3], [4]]
    table = store.member_table(paper / "runs" / "own")
    assert table["model.gain"][:4].tolist() == [0.5, 0.5, 2.0, 2.0]
    assert table["model.gain"][4:].isna().all()
    assert table["r2_all"].notna().all()
    assert table["task.scene"].tolist()[-3] == "mine.py:dot"


@pytest.mark.slow
def test_who_reads_a_run_executes_none_of_the_code_that_it_names(paper):
    (paper / "mine.py").write_text(MARK)
    program = (
        "import jaxbox, sys\nfrom analysis.comparison import compare\nfrom jaxbox.sweep import closing_table\n"
        "run = jaxbox.open_run('runs/own').load()\nprint(closing_table.table(run))\n"
        "print(len(jaxbox.member_table('runs/own')), len(jaxbox.curve_table('runs/own', 'loss')))\n"
        "print(compare('runs/own')['r2'].isnull().any().item())\n"
        "from analysis.report.__main__ import main as report\nfrom analysis.figures.__main__ import main as figures\n"
        "sys.exit(report(['runs/own']) or figures(['all', 'runs/own']))\n"
    )
    out, _ = call(["-c", program], paper)
    assert "mine.py:Scaled" in out
    assert "gain=0.5" in out
    assert (paper / "runs" / "own" / "report" / "index.html").exists()
    assert (paper / "runs" / "own" / "figures" / "collapse_rate.pdf").exists()
    assert not executed(paper)


def test_who_loads_a_member_is_told_what_is_imported(paper, monkeypatch, capsys):
    monkeypatch.chdir(paper)
    member = jaxbox.load_member("runs/own", 0, 1)
    assert "ScaledModel(name='mine.py:Scaled'" in str(member.configuration.model)
    assert member.predict(np.ones((1, 6, 6, 1))).shape == (1, 2)
    said = f"jaxbox: importing {paper / 'mine.py'}, which runs/own names as its model.name\n"
    assert said in capsys.readouterr().err
    assert executed(paper)


def test_resuming_imports_the_file_and_refuses_another(paper, here):
    _, err = sweep("--resume runs/own", paper)
    assert f"importing {paper / 'mine.py'}" in err
    (paper / "marker").unlink()
    (paper / "mine.py").write_text(OWN + "\n# another\n")
    for words in ("--resume runs/own", "--from runs/own"):
        _, err = here("jaxbox.sweep", words, paper, 2)
        assert "runs/own was made with another mine.py" in err
        assert err.count("\n") == 1
    (paper / "mine.py").unlink()
    _, err = here("jaxbox.sweep", "--resume runs/own", paper, 2)
    assert "there is no mine.py in" in err
    assert "when the run was made: " in err
    assert not executed(paper)


def test_options_of_its_own_are_options_of_the_command(paper, here):
    out, _ = here("jaxbox.sweep", "--model.name mine.py:Scaled --help", paper)
    assert "--model.gain FLOAT" in out
    assert "What the outputs are multiplied by" in out
    assert "A dense layer, scaled." in out
    words = (
        "base --model.name mine.py:Scaled --task.height 6 --task.width 6 --data.train_size 200 --steps 2 --eval_every 1"
    )
    here("jaxbox.sweep", f"{words} --vary model.gain .5 1 --model.copies 2 --seeds 1 --name varied", paper)
    table = store.member_table(paper / "runs" / "varied")
    assert table["model.gain"].tolist() == [0.5, 1.0]
    assert set(table["model.copies"]) == {2}


def test_from_a_run_is_its_first_configuration(paper, here):
    here("jaxbox.sweep", "--from runs/own --vary model.gain 3 4 --seeds 1 --name again", paper)
    table = store.member_table(paper / "runs" / "again")
    assert table["model.gain"].tolist() == [3.0, 4.0]
    assert set(table["task.height"]) == {6}


def test_a_script_hands_over_its_own_class(paper):
    out, _ = call(["mine.py"], paper)
    assert out == "1\n"
    assert set(store.member_table(paper / "runs" / "script")["model.name"]) == {"mine.py:Scaled"}


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("none.py:experiment", "experiment: 'none.py:experiment' names no file"),
        ("mine.py:experimnt", "has no 'experimnt' (did you mean experiment?)"),
        ("mine.py:fails", "experiment: mine.py:fails fails: ZeroDivisionError: division by zero"),
        ("mine.py:nothing", "experiment: mine.py:nothing must return a list of one or more Configuration"),
        ("--model.name mine.py:Scaled --model.gian 1", "'--model.gian' is not one; did you mean --model.gain?"),
        (
            "base --model.name mine.py:Odd",
            "model.name: mine.py:Odd cannot be called with (model, task, outputs, rngs=rngs)",
        ),
        ("base --loss.name mine.py:Odd", "loss.name: mine.py:Odd has no outputs() and no predictions()"),
        ("base --task.scene mine.py:Odd", "task.scene: mine.py:Odd has no position_shape() and no position()"),
        ("base --vary model.gain 1 2", "field: unknown name 'model.gain'"),
        ("base --from runs/own", "from: runs/own is not allowed with an experiment, base; give one"),
        ("--from runs/own --resume runs/own", "from: runs/own is not allowed with --resume, runs/own; give one"),
        ("--from runs/none", "runs/none is not a folder"),
    ],
)
def test_bad_input_is_refused_in_one_line(paper, here, words, message):
    _, err = here("jaxbox.sweep", f"{words} --seeds 1", paper, 2)
    assert message in err
    assert err.count("\n") == 1


def test_the_check_says_what_holds_and_what_fails(paper, here):
    out, _ = here("jaxbox.check", "mine.py:Scaled --model.gain 0.5", paper)
    assert out.startswith("mine.py:Scaled as model: A dense layer, scaled.\n")
    assert out.count("  holds  ") == 10
    assert "FAILS" not in out
    out, _ = call("-m jaxbox.check mine.py:Dropped".split(), paper, 1)
    assert "  FAILS  every parameter has a gradient: not moved by any step: ['idle']" in out
    assert out.count("FAILS") == 1


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (
            "mine.py:Odd --as model",
            1,
            "FAILS  keeps its contract: cannot be called with (model, task, outputs, rngs=rngs)",
        ),
        ("mine.py:Odd --as loss", 1, "FAILS  keeps its contract: has no outputs() and no predictions()"),
        ("mine.py:Odd", 2, "as: cannot tell what mine.py:Odd is; say it, for example --as model"),
        ("mine.py:Odd --as modle", 2, "as: unknown name 'modle' (did you mean model?)"),
        ("mine.py:Scald", 2, "has no 'Scald' (did you mean Scaled?)"),
        ("", 2, "name: nothing is not allowed; it must be MODULE:NAME or FILE.py:NAME"),
    ],
)
def test_the_check_refuses_in_a_line(paper, here, words, code, message):
    assert message in "".join(here("jaxbox.check", words, paper, code))
