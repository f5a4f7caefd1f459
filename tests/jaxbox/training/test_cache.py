"""The cache of compiled programs: a second process, or run in one, compiles none, and computes the same numbers."""

import json
import subprocess
import sys

import processes
import pytest

PROGRAM = """
import json, sys
import jax
from jax import monitoring
from jaxbox import sweep
from jaxbox.config import Configuration, Model, Task
from jaxbox.training import cache

cache.SHORTEST_SECONDS = 0.0
events = []
monitoring.register_event_listener(lambda name, **_: events.append(name.rsplit("/")[-1]))
configuration = Configuration(Task(6, 5, 2), Model("mlp", hidden=(3,)), batch_size=8, steps=4, eval_every=2)
run = sweep.run([configuration], seeds=3, out=sys.argv[1], name="run", quiet=True)
for again in sys.argv[2:]:
    events.clear()
    sweep.run([configuration], seeds=3, out=sys.argv[1], name=again, quiet=True)
folder = jax.config.jax_compilation_cache_dir
print(json.dumps([folder, events.count("cache_hits"), events.count("cache_misses"), run["prediction"].values.tolist()]))
"""


def outcome(tmp_path, name, *again, **environment):
    """(cache folder, hits, misses, predictions) of a sweep in a process of its own, or of the last where it runs again."""
    environment = processes.environment(keep=False) | {"JAX_ENABLE_COMPILATION_CACHE": "true", **environment}
    words = [sys.executable, "-c", PROGRAM, str(tmp_path / name), *again]
    done = subprocess.run(words, env=environment, capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


@pytest.mark.slow
def test_a_second_process_compiles_nothing_and_computes_the_same(tmp_path):
    home = str(tmp_path / "home")
    folder, hits, misses, first = outcome(tmp_path, "one", XDG_CACHE_HOME=home)
    assert folder.startswith(home)
    assert (hits, misses > 0) == (0, True)
    again, hits, more, second = outcome(tmp_path, "two", XDG_CACHE_HOME=home)
    assert (again, hits, more) == (folder, misses, 0)
    assert second == first


def test_a_second_run_in_one_process_compiles_nothing_either(tmp_path):
    _, hits, misses, _ = outcome(tmp_path, "two", "second", XDG_CACHE_HOME=str(tmp_path / "home"))
    assert (hits, misses) == (0, 0), "it has the programs still"


@pytest.mark.slow
def test_a_cache_that_cannot_be_written_is_done_without(tmp_path):
    (tmp_path / "file").touch()
    folder, hits, misses, _ = outcome(tmp_path, "run", XDG_CACHE_HOME=str(tmp_path / "file"))
    assert (folder, hits, misses) == (None, 0, 0)


@pytest.mark.slow
def test_where_jax_was_told_to_keep_programs_it_keeps_them(tmp_path):
    own = str(tmp_path / "own")
    assert outcome(tmp_path, "run", JAX_COMPILATION_CACHE_DIR=own)[0] == own
