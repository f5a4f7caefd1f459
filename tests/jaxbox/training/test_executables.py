"""Whole programs that are kept: a second process neither traces nor compiles, computes the same, and never a wrong one."""

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import jax
import numpy as np
import processes
import pytest

from jaxbox import open_run
from jaxbox.config import Configuration, Model, Static, outside
from jaxbox.training import executables

WORDS = "base --task.height 6 --task.width 5 --task.box_size 2 --model.name mlp --model.hidden 3 --batch_size 8 --steps 4 --eval_every 2 --seeds 3"
OWN_CODE = "import jax\n\ndef double(values):\n    return 2 * jax.nn.relu(values)\n"
TRACED = "Finished jaxpr to MLIR module conversion jit(_advance_members)"
COMPILED = "Finished XLA compilation of jit(_advance_members)"
"""What JAX says of a program."""


def trained(folder, name, *words, code=processes.ROOT):
    """(what JAX said, results) of the command line in a process of its own, with the jaxbox that is in `code`."""
    environment = processes.environment(keep=False) | {
        "JAX_ENABLE_COMPILATION_CACHE": "true",
        "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0",
        "JAX_LOG_COMPILES": "1",
        "XDG_CACHE_HOME": str(folder / "home"),
        "PYTHONPATH": str(code),
    }
    command = [sys.executable, "-m", "jaxbox.sweep", *WORDS.split(), "--out", str(folder), "--name", name, *words]
    done = subprocess.run(command, env=environment, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stderr, open_run(folder / name)["prediction"].values


def kept(folder):
    """The files with programs; names of them are a folder further down."""
    return [path for path in folder.glob("home/jaxbox/*/executables/*") if path.is_file()]


def test_a_second_process_neither_traces_nor_compiles(tmp_path):
    said, first = trained(tmp_path, "first")
    assert TRACED in said
    assert COMPILED in said
    said, second = trained(tmp_path, "second")
    assert TRACED not in said
    assert COMPILED not in said
    np.testing.assert_array_equal(first, second)

    programs = kept(tmp_path)
    assert len(programs) == 3
    for program in programs:
        program.write_bytes(program.read_bytes()[:1000])
    said, third = trained(tmp_path, "third")
    assert TRACED in said, "a damaged file is as good as none"
    np.testing.assert_array_equal(first, third)
    assert kept(tmp_path) == [], "JAX had it in its own cache, and what is read from there cannot be written again"
    np.testing.assert_array_equal(first, trained(tmp_path, "fourth")[1])


@pytest.mark.slow
def test_where_the_source_has_changed_programs_are_traced_and_found(tmp_path):
    code = tmp_path / "code"
    shutil.copytree(processes.ROOT / "jaxbox", code / "jaxbox", ignore=shutil.ignore_patterns("__pycache__"))
    _, first = trained(tmp_path, "first", code=code)
    member = code / "jaxbox" / "training" / "member.py"
    member.write_text(f"{member.read_text()}\n# a remark\n")
    said, second = trained(tmp_path, "second", code=code)
    assert TRACED in said
    assert COMPILED not in said
    np.testing.assert_array_equal(first, second)
    member.write_text(member.read_text().replace("optax.apply_updates(state.params, updates)", "state.params"))
    said, third = trained(tmp_path, "third", code=code)
    assert COMPILED in said
    assert not np.array_equal(first, third), "a network that no longer learns"


@pytest.mark.slow
def test_groups_that_share_a_program_keep_it_once(tmp_path):
    widths = "--vary model.hidden 3 4 5".split()
    _, first = trained(tmp_path, "first", *widths)
    assert len(kept(tmp_path)) == 3 + 2 + 2, "the data are prepared alike"
    said, second = trained(tmp_path, "second", *widths)
    assert TRACED not in said
    np.testing.assert_array_equal(first, second)


@pytest.mark.slow
def test_programs_with_code_from_outside_are_not_kept(tmp_path):
    (tmp_path / "own.py").write_text(OWN_CODE)
    trained(tmp_path, "first", "--model.activation", "own.py:double")
    assert kept(tmp_path) == []


@pytest.fixture
def keeping(tmp_path, monkeypatch):
    """As if this process were the command line's."""
    monkeypatch.setattr(executables, "_folder", tmp_path)
    monkeypatch.setattr(outside, "_IMPORTED", {})
    return tmp_path


def test_only_the_command_line_keeps_programs(tmp_path):
    executables.keep_in(tmp_path)
    assert executables._folder is None


def test_a_place_is_told_by_all_that_a_program_follows_from(keeping, monkeypatch):
    static = Static.of(Configuration(model=Model("mlp")))
    places = [executables._folder_of(static)]
    places.append(executables._folder_of(Static.of(Configuration(model=Model("linear")))))
    with monkeypatch.context() as patch:
        patch.setenv("XLA_FLAGS", "--xla_cpu_enable_fast_math=true")
        places.append(executables._folder_of(static))
    with monkeypatch.context() as patch:
        patch.setattr(executables, "_source", lambda: "other")
        places.append(executables._folder_of(static))
    with jax.default_matmul_precision("bfloat16"):
        places.append(executables._folder_of(static))
    assert len(set(places)) == len(places)
    assert executables._folder_of(static) == places[0]
    monkeypatch.setattr(outside, "_IMPORTED", {Path("own.py"): ""})
    assert executables._folder_of(static) is None


def test_what_was_not_used_for_longest_goes_first(keeping, monkeypatch):
    monkeypatch.setattr(executables, "MOST_BYTES", 250)
    now = time.time()
    for age, name in ((30, "old"), (20, "older than new"), (10, "new")):
        (keeping / name).write_bytes(b"x" * 100)
        os.utime(keeping / name, (now - age, now - age))
    for age, name in ((70, "forgotten"), (50, "asked for")):
        path = keeping / f"of {name}" / name
        path.parent.mkdir()
        path.touch()
        os.utime(path, (now - age * 24 * 3600, now - age * 24 * 3600))
    executables._make_room(keeping)
    assert {path.name for path in keeping.iterdir()} == {"older than new", "new", "of asked for"}
