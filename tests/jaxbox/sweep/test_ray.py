"""Workers of a Ray cluster: they end with the bits of one process, whoever is killed, comes late, or has a bug."""

import json
import os
import signal
import subprocess
import sys
import time
from importlib.util import find_spec

import processes
import pytest
import xarray

from jaxbox import status, store
from jaxbox.sweep.__main__ import main

WORDS = [
    *"base --model.name mlp --model.hidden 8 --vary optimizer.name sgd adam --task.height 8 --task.width 8".split(),
    *"--data.train_size 64 --batch_size 16 --steps 240 --eval_every 40 --seeds 8 --members_per_chunk 2".split(),
    *"--name run --checkpoint_seconds 0 --worker_devices 1".split(),
]
ON_RAY = ["--on", "ray", "--workers", "2"]
DEADLINE = 300.0
needs_ray = pytest.mark.skipif(find_spec("ray") is None, reason="ray is not installed")


def start(folder, *words, program=("-m", "jaxbox.sweep"), **environment):
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    kept = {name: value for name, value in processes.environment(keep=False).items() if name != "RAY_ADDRESS"}
    return subprocess.Popen([sys.executable, *program, *words], cwd=folder, env=kept | environment, **pipes)


def results(folder):
    return store.open_run(folder / "runs" / "run").load().drop_vars("seconds")


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    folder = tmp_path_factory.mktemp("whole")
    code, _, err = processes.end(start(folder, *WORDS), DEADLINE)
    assert code == 0, err
    return results(folder)


def workers(folder):
    """Processes with a session that trains, the driver's left out."""
    files = (folder / "runs" / "run" / "sessions").glob("*.json")
    found = [json.loads(file.read_text()) for file in files if not file.name.startswith(".")]
    return [session["pid"] for session in found if session["devices"] and not session["ended"]]


def wait_for(condition, process):
    limit = time.monotonic() + DEADLINE
    while not condition():
        assert process.poll() is None, processes.end(process, DEADLINE)
        assert time.monotonic() < limit
        time.sleep(0.02)


def checkpoints(folder):
    return [path for path in (folder / "runs" / "run").glob("checkpoints/*/*/*") if path.name.isdigit()]


@needs_ray
@pytest.mark.slow
def test_a_worker_is_killed_and_the_run_ends_the_same(tmp_path, whole):
    process = start(tmp_path, *WORDS, *ON_RAY)
    wait_for(lambda: len(checkpoints(tmp_path)) >= 2, process)
    killed = workers(tmp_path)[0]
    os.kill(killed, signal.SIGKILL)
    code, _, err = processes.end(process, DEADLINE)
    assert code == 0, err
    xarray.testing.assert_identical(results(tmp_path), whole)
    manifest = store.load_manifest(tmp_path / "runs" / "run")
    assert manifest["status"] == "complete"
    ended = {session["pid"]: session["ended"] for session in manifest["sessions"]}
    assert not ended.pop(killed)
    assert any(ended.values())


@needs_ray
@pytest.mark.slow
@pytest.mark.parametrize("by", [signal.SIGKILL, signal.SIGINT])
def test_the_driver_is_killed_or_asked_to_stop_and_resumes(by, tmp_path, whole):
    process = start(tmp_path, *WORDS, *ON_RAY)
    wait_for(lambda: len(checkpoints(tmp_path)) >= 2, process)
    process.send_signal(by)
    code, _, err = processes.end(process, DEADLINE)
    assert code == (130 if by == signal.SIGINT else -by), err
    code, _, err = processes.end(
        start(tmp_path, "--resume", "runs/run", *ON_RAY, "--checkpoint_seconds", "0"), DEADLINE
    )
    assert code == 0, err
    xarray.testing.assert_identical(results(tmp_path), whole)


BUG = """
import sys
from jaxbox.models.linear import Linear
class Broken(Linear):
    def __init__(self, model, task, outputs, rngs):
        if sys.argv[0].endswith("default_worker.py") and task.height == 7:
            raise ZeroDivisionError("a bug")
        super().__init__(model, task, outputs, rngs)
"""


@needs_ray
@pytest.mark.slow
def test_a_bug_fails_its_chunks_and_the_rest_goes_on(tmp_path):
    (tmp_path / "mine.py").write_text(BUG)
    words = "base --model.name mine.py:Broken --vary task.height 6 7 --steps 4 --eval_every 2 --seeds 4 --name run"
    code, out, err = processes.end(start(tmp_path, *words.split(), *ON_RAY), DEADLINE)
    assert code == 1, err
    assert "python -m jaxbox.status runs/run says why" in out
    found = status.status(tmp_path / "runs" / "run")
    assert found.state == "failed"
    assert [group.finished for group in found.groups] == [4, 0]
    assert "ZeroDivisionError: a bug" in found.failures[0]
    assert (results(tmp_path)["last_step"].sel(configuration=0) == 4).all()


CLUSTER = """
import os, signal, sys, threading, time
from pathlib import Path
import psutil, ray
from ray.cluster_utils import Cluster
from jaxbox.sweep.__main__ import main

def checkpoints():
    return [path for path in Path("runs/run").glob("checkpoints/*/*/*") if path.name.isdigit()]

def disturb():
    while len(checkpoints()) < 2 and thread.is_alive():
        time.sleep(0.05)
    if what == "late":
        cluster.add_node(num_cpus=1)
    elif what == "machine":
        raylet = psutil.Process(first.all_processes["raylet"][0].process.pid)
        for process in [raylet, *raylet.children(recursive=True)]:
            process.kill()
        cluster.add_node(num_cpus=1)
    elif what == "raylet":
        os.kill(first.all_processes["raylet"][0].process.pid, signal.SIGKILL)
        cluster.add_node(num_cpus=1)

what = sys.argv[1]
cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 0, "include_dashboard": False})
first = cluster.add_node(num_cpus=1)
ray.init(address=cluster.address, log_to_driver=False, logging_level="ERROR")
codes = []
# Ray makes nodes in the main thread only.
thread = threading.Thread(target=lambda: codes.append(main(sys.argv[2:])))
thread.start()
disturb()
thread.join()
ray.shutdown()
cluster.shutdown()
sys.exit(codes[0])
"""


@needs_ray
@pytest.mark.slow
@pytest.mark.parametrize("what", ["late", "machine", "raylet"])
def test_machines_come_and_go(what, tmp_path, whole):
    process = start(tmp_path, what, *WORDS, *ON_RAY, program=("-c", CLUSTER), RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER="0")
    code, out, err = processes.end(process, DEADLINE)
    assert code == 0, (out[-2000:], err[-2000:])
    xarray.testing.assert_identical(results(tmp_path), whole)


@needs_ray
@pytest.mark.slow
def test_no_worker_comes_where_more_is_asked_for_than_there_is(tmp_path):
    impatient = "import sys\nfrom jaxbox.sweep import on_ray\nfrom jaxbox.sweep.__main__ import main\n"
    impatient += "on_ray.PATIENCE = 2.0\nsys.exit(main(sys.argv[1:]))"
    code, _, err = processes.end(
        start(tmp_path, *WORDS, *ON_RAY, "--worker_devices", "999", program=("-c", impatient)), DEADLINE
    )
    assert code == 2
    lines = [line for line in err.splitlines() if line]
    assert "workers: none of 2 came within 2 s; each asks for 999 CPU, and the cluster offers" in lines[-1]
    assert not (tmp_path / "runs").exists()


def test_without_ray_it_says_which_extra_has_it(tmp_path, monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "ray", None)
    assert main([*WORDS, "--out", str(tmp_path), "--on", "ray"]) == 2
    assert "on: ray is not allowed; it is not installed: pip install 'jaxbox[ray]'" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--on", "slurm"], "on: slurm is not allowed; it must be one of here, ray"),
        (["--workers", "2"], "workers: 2 is not allowed; it must be left out, unless --on ray"),
        (["--on", "ray", "--workers", "0"], "workers: 0 is not allowed; it must be at least 1"),
        (["--on", "ray", "--part", "0/2"], "part: 0/2 is not allowed with --on ray"),
        (["--worker_devices", "0"], "worker_devices: 0 is not allowed; it must be at least 1"),
    ],
)
def test_what_does_not_go_together_is_refused(words, said, tmp_path, capsys):
    assert main([*WORDS, "--out", str(tmp_path), *words]) == 2
    assert said in capsys.readouterr().err
    assert not list(tmp_path.iterdir())
