"""The command line: what it plans, what it refuses (one line, code 2, nothing written), and the same from Python."""

import dataclasses
import gc
import inspect
import json
import subprocess
import sys
import threading
import weakref
from pathlib import Path
from types import SimpleNamespace

import jax
import processes
import pytest
import xarray
from cachetools import LRUCache

from jaxbox import config, store, sweep
from jaxbox.config import Configuration, ConfigurationError, Data, Model, Optimizer, RunError, Task
from jaxbox.experiments import EXPERIMENTS
from jaxbox.sweep import arguments, loop, programs
from jaxbox.sweep.__main__ import main
from jaxbox.sweep.part import Part
from jaxbox.sweep.signals import Stop
from jaxbox.training import checks, memory
from jaxbox.training.population import Population

TASK = Task(height=4, width=5, box_size=2)
TINY = Configuration(
    TASK, Model("linear"), optimizer=Optimizer("sgd", 0.1), data=Data(train_size=8), batch_size=4, steps=2, eval_every=1
)
WORDS = (
    "base --model.name linear --optimizer.name sgd --optimizer.learning_rate 0.1 --task.height 4 --task.width 5 "
    "--task.box_size 2 --data.train_size 8 --batch_size 4 --steps 2 --eval_every 1 --seeds 2"
).split()


def planned(*words):
    return arguments.plan(words, arguments.parse(words))


def test_without_an_experiment_it_plans_thread():
    plan = planned()
    assert plan.configurations == tuple(EXPERIMENTS["thread"]())
    assert plan.seeds == [range(64)]


def test_images_are_forced_by_a_flag_and_may_be_varied():
    assert all(configuration.render for configuration in planned("thread", "--render").configurations)
    assert not any(configuration.render for configuration in planned("thread", "--no-render").configurations)
    varied = planned("base", "--vary", "render", "true", "false").configurations
    assert [configuration.render for configuration in varied] == [True, False]


def test_any_field_is_set_in_every_configuration():
    plan = planned("thread", "--steps", "7", "--task.noise", "white", "--task.noise_level", "0.5", "--eval_every=3")
    expected = [
        dataclasses.replace(c, steps=7, eval_every=3, task=dataclasses.replace(c.task, noise="white", noise_level=0.5))
        for c in EXPERIMENTS["thread"]()
    ]
    assert list(plan.configurations) == expected


@pytest.mark.parametrize(("path", "text", "value"), [("model.features", ["2", "3"], (2, 3)), ("batch_size", ["9"], 9)])
def test_fields_that_are_not_words(path, text, value):
    (configuration,) = planned("base", f"--{path}", *text).configurations
    part = configuration.model.features if path == "model.features" else configuration.batch_size
    assert part == value


@pytest.mark.parametrize(
    "words",
    [
        ["--model.features", "4,8"],
        ["--model.features", "4", "8"],
        ["--model.features=4,8"],
        ["--model.features", "4,", "8"],
        ["--vary", "model.features", "4,8"],
        ["--vary", "model.features", "4 8"],
    ],
)
def test_several_integers_are_spelled_with_commas_or_spaces(words):
    (configuration,) = planned("base", *words, "--batch_size", "9").configurations
    assert (configuration.model.features, configuration.batch_size) == ((4, 8), 9)


def test_a_field_applies_to_the_configurations_that_read_it():
    plan = planned("thread", "--model.hidden", "7", "5")
    assert [c.model.hidden for c in plan.configurations] == [(64,), (64,), (64,), (64,), (7, 5)]
    words = ["base", "--vary", "task.noise", "none", "white", "--vary", "task.noise_level", "0", ".3"]
    pairs = [(c.task.noise, c.task.noise_level) for c in planned(*words).configurations]
    assert pairs == [("none", 0.0), ("white", 0.0), ("white", 0.3)], "without noise the level makes no difference"


def test_vary_takes_the_product():
    words = ["base", "--vary", "optimizer.learning_rate", "1e-3", "1e-2", "--vary", "model.features", "4", "4,8"]
    pairs = [(c.optimizer.learning_rate, c.model.features) for c in planned(*words).configurations]
    assert pairs == [(0.001, (4,)), (0.001, (4, 8)), (0.01, (4,)), (0.01, (4, 8))]


def test_vary_applies_to_every_configuration_of_an_experiment_without_repeats():
    words = ["thread", "--vary", "batch_size", "32", "64"]
    assert len(planned(*words).configurations) == 2 * len(EXPERIMENTS["thread"]())
    assert len(planned("base", "--vary", "batch_size", "32", "32").configurations) == 1


def outcome(capsys, *words):
    code = main(words)
    captured = capsys.readouterr()
    return code, captured.out, captured.err


def contents(folder):
    return {path: path.read_bytes() if path.is_file() else None for path in Path(folder).rglob("*")}


# The words after the tiny run's own, and what the one line must name.
BAD = {
    "unknown experiment": (["--experiment"], ["threat"], "experiment.*'threat'.*did you mean thread"),
    "unknown field": ([], ["--optimizer.learning_rte", "1"], "learning_rte.*did you mean --optimizer.learning_rate"),
    "unknown varied field": ([], ["--vary", "task.hight", "1", "2"], "task.hight.*did you mean task.height"),
    "word for a number": ([], ["--batch_size", "many"], "batch.size.*many|many.*batch.size"),
    "fraction for an integer": ([], ["--seeds", "1.5"], r"seeds.*1\.5|1\.5.*seeds"),
    "word for a float": ([], ["--optimizer.learning_rate", "fast"], "learning.rate.*fast|fast.*learning.rate"),
    "varied value of the wrong type": ([], ["--vary", "batch_size", "4", "x"], "batch_size: 'x' is not of type int"),
    "vary without values": ([], ["--vary", "batch_size"], "vary: 'batch_size'"),
    "box larger than the image": ([], ["--task.box_size", "5"], "task.box_size: 5 .*at most 4"),
    "batch larger than the training set": ([], ["--batch_size", "9"], "batch_size: 9 .*at most data.train_size, 8"),
    "seeds": ([], ["--seeds", "0"], "seeds: 0 .*at least 1"),
    "negative seeds": ([], ["--seeds", "-3"], "seeds: -3 .*at least 1"),
    "negative learning rate": ([], ["--optimizer.learning_rate", "-0.5"], r"optimizer.learning_rate: -0\.5"),
    "negative varied learning rate": ([], ["--vary", "optimizer.learning_rate", "0.1", "-1"], "learning_rate: -1"),
    "nan": ([], ["--optimizer.learning_rate", "nan"], "optimizer.learning_rate: nan"),
    "eval_every": ([], ["--eval_every", "3"], "eval_every: 3 .*at most steps, 2"),
    "unknown model": ([], ["--model.name", "lineer"], "model.name.*'lineer'.*did you mean linear"),
    "unknown noise": ([], ["--task.noise", "whit"], "task.noise.*'whit'.*did you mean white"),
    "unknown optimizer": ([], ["--optimizer.name", "adaam"], "optimizer.name.*'adaam'.*did you mean adam"),
    "option that nobody reads": (
        [],
        ["--task.noise_level", "2"],
        r"task.noise_level: 2\.0 is not read by task.noise 'none'",
    ),
    "default of what nobody reads": (
        [],
        ["--model.hidden", "64"],
        r"model.hidden: \(64,\) is not read by model.name 'linear'",
    ),
    "varied field that nobody reads": (
        [],
        ["--vary", "task.noise_level", "0", ".3", "1"],
        r"task.noise_level: 0\.0 is not read by task.noise 'none'",
    ),
    "height beyond any integer": ([], ["--task.height", "9" * 22], "task.height: 9+ .*at most 2147483647"),
    "image beyond memory": (
        [],
        ["--task.height", "100000000", "--task.width", "100000000"],
        r"task.height: 100000000 .* [\d,]+ bytes",
    ),
    "kernel beyond any integer": ([], ["--model.kernel_size", "9" * 22], "model.kernel_size: 9+ "),
    "units beyond any integer": ([], ["--model.hidden", "9" * 22], "model.hidden: 9+ "),
    "seeds beyond any integer": ([], ["--seeds", "99999999999"], "seeds: 99999999999 .*at most 2147483647"),
    "seeds beyond memory": ([], ["--seeds", "2147483647"], r"seeds: 2147483647 .* [\d,]+ bytes, and [\d,]+ are free"),
    "empty name": ([], ["--name", ""], "name: '' .*one component"),
    "name above": ([], ["--name", "../../x"], "name: '../../x' .*one component"),
    "name below": ([], ["--name", "a/b"], "name: 'a/b' .*one component"),
    "chunk": ([], ["--members_per_chunk", "0"], "members_per_chunk: 0"),
    "checkpoint_seconds": ([], ["--checkpoint_seconds", "-1"], "checkpoint_seconds: -1"),
    "checkpoint_seconds nan": ([], ["--checkpoint_seconds", "nan"], "checkpoint_seconds: nan"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_input_is_one_line_code_2_and_nothing_written(case, tmp_path, monkeypatch, capsys):
    instead, words, message = BAD[case]
    monkeypatch.chdir(tmp_path)
    base = [*words, *WORDS[1:]] if instead else [*WORDS, *words]
    code, out, err = outcome(capsys, *base)
    assert code == 2
    assert out == ""
    assert err.count("\n") == 1
    assert_matches(message, err)
    assert contents(tmp_path) == {}


def assert_matches(message, text):
    import re

    assert re.search(message, text), text


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    path = tmp_path_factory.mktemp("finished")
    assert main([*WORDS, "--out", str(path), "--name", "run"]) == 0
    return path / "run"


def test_the_command_and_python_give_the_same(finished, tmp_path):
    ours = sweep.run([TINY], 2, name="run", out=tmp_path, quiet=True, experiment="base")
    theirs = store.open_run(finished)
    xarray.testing.assert_identical(ours.drop_vars("seconds").load(), theirs.drop_vars("seconds").load())


def test_the_end_is_a_table_and_where_the_results_are(tmp_path, capsys):
    code, out, _ = outcome(capsys, *WORDS, "--out", str(tmp_path), "--name", "run")
    assert code == 0
    for word in ("collapsed", "R2", "dead layer", str(tmp_path / "run" / store.RESULTS)):
        assert word in out


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ([*WORDS, "--name", "run"], "exists.*--resume.*--overwrite"),
        (["--resume", "none"], "none is not a folder"),
        (["--resume", "empty"], "empty is not a run"),
        (["--resume", "half"], "half is not a run"),
        (["--resume", "run", "--seeds", "1"], "seeds: 1 is not allowed; it must be at least 2, which the run has"),
        (["--resume", "run", *WORDS, "--optimizer.learning_rate", "0.2"], r"optimizer.learning_rate 0\.1, not 0\.2"),
        (["--resume", "run", *WORDS, "--seeds", "3"], "seeds 2, not 3"),
        (["--resume", "run", "--optimizer.learning_rate", "0.2"], "run was made with "),
        (["--resume", "run", *WORDS, "--vary", "batch_size", "4", "2"], "1 configurations, not 2"),
        ([*WORDS, "--name", "empty-not", "--out", "photos/one"], "cannot be written"),
        ([*WORDS, "--name", "photos", "--overwrite"], "photos is not a run"),
        ([*WORDS, "--name", "half", "--overwrite"], "half is not a run"),
    ],
    ids=lambda value: " ".join(value[-4:]) if isinstance(value, list) else "",
)
def test_a_folder_that_cannot_be_used_is_refused_and_left_as_it_is(
    finished, tmp_path, monkeypatch, capsys, words, message
):
    import shutil

    shutil.copytree(finished, tmp_path / "run")
    shutil.copytree(finished, tmp_path / "half")
    (tmp_path / "half" / store.CONFIGURATION).unlink()
    (tmp_path / "empty").mkdir()
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "one").write_text("dear")
    monkeypatch.chdir(tmp_path)
    before = contents(tmp_path)
    code, out, err = outcome(capsys, *(["--out", "."] if "--out" not in words else []), *words)
    assert code == 2, err
    assert out == ""
    assert err.count("\n") == 1
    assert_matches(message, err)
    assert contents(tmp_path) == before


def test_resuming_a_finished_run_changes_nothing(finished, capsys):
    before = store.open_run(finished).load()
    for words in (["--resume", str(finished)], ["--resume", str(finished), *WORDS]):
        code, _, _ = outcome(capsys, *words)
        assert code == 0
        after = store.open_run(finished).load()
        xarray.testing.assert_identical(after.drop_vars("seconds"), before.drop_vars("seconds"))
    manifest = store.load_manifest(finished)
    assert len(manifest["sessions"]) == 3
    assert manifest["groups"][0]["compile_seconds"] > 0, "what the first session took to compile is kept"


def test_overwrite_replaces_a_run(tmp_path):
    sweep.run([TINY], 1, name="run", out=tmp_path, quiet=True)
    run = sweep.run([TINY], 2, name="run", out=tmp_path, overwrite=True, quiet=True)
    assert run.sizes["seed"] == 2
    assert [entry.name for entry in tmp_path.iterdir()] == ["run"]


def test_a_run_whose_folder_is_named_like_an_experiment_resumes(finished, tmp_path, monkeypatch, capsys):
    import shutil

    shutil.copytree(finished, tmp_path / "thread")
    monkeypatch.chdir(tmp_path)
    code, _, err = outcome(capsys, "--resume", "thread")
    assert code == 0, err


def test_a_name_that_no_system_takes_is_one_line(tmp_path, capsys):
    for words in (["--name", "a" * 300], ["--resume", str(tmp_path / ("a" * 300))]):
        code, out, err = outcome(capsys, *(WORDS if "--name" in words else ()), *words, "--out", str(tmp_path))
        assert (code, out, err.count("\n")) == (2, "", 1), err
    assert contents(tmp_path) == {}


def test_results_of_a_configuration_must_fit_padded_to_the_largest_but_not_those_of_all(tmp_path, monkeypatch):
    large = dataclasses.replace(TINY, task=Task(height=40, width=40, box_size=2))
    # One large member takes 14 kB, a small one .6 kB, padded as much as the large one.
    monkeypatch.setattr(memory, "free_bytes", lambda: 2**17)
    with pytest.raises(ConfigurationError, match=r"seeds: 8 .* the results of a configuration take"):
        sweep.run([large, TINY], 8, out=tmp_path, quiet=True)
    assert contents(tmp_path) == {}
    many = [dataclasses.replace(TINY, optimizer=Optimizer("sgd", rate / 1000)) for rate in range(1, 101)]
    checks.check_sweep(many, 2)


def test_a_run_goes_on_with_other_bits_only_where_it_is_told_to(tmp_path, capsys):
    sweep.run([TINY], 1, name="run", out=tmp_path, quiet=True)
    run, manifest = tmp_path / "run", json.loads((tmp_path / "run" / store.MANIFEST).read_text())
    manifest["begun_with"]["kind"] = "x86_64 of another kind"
    store.save_manifest(run, manifest)
    # There is nothing left to train, and hence nothing to refuse.
    assert outcome(capsys, "--resume", str(run))[0] == 0
    code, _, err = outcome(capsys, "--resume", str(run), "--seeds", "2")
    assert code == 2
    assert "was begun with kind x86_64 of another kind, here it is" in err
    assert "give --other_bits" in err
    code, _, err = outcome(capsys, "--resume", str(run), "--other_bits")
    assert code == 0
    assert "last bits will differ" in err
    assert store.load_manifest(run)["sessions"][-1]["other_bits"]["devices"] == len(jax.local_devices())


def test_a_run_that_was_begun_on_other_devices_says_how_to_have_as_many(tmp_path, capsys):
    sweep.run([TINY], 1, name="run", out=tmp_path, quiet=True)
    run, here = tmp_path / "run", len(jax.local_devices())
    manifest = json.loads((run / store.MANIFEST).read_text())
    manifest["begun_with"]["devices"] = here + 1
    store.save_manifest(run, manifest)
    code, _, err = outcome(capsys, "--resume", str(run), "--seeds", "2")
    assert code == 2
    assert f"devices {here + 1}, here it is {here}; give --worker_devices {here + 1}, or --other_bits" in err
    code, _, err = outcome(capsys, "--resume", str(run), "--worker_devices", str(here + 1))
    assert code == 2
    assert f"worker_devices: {here + 1} is not allowed; here are {here}" in err


def test_python_refuses_as_the_command_does(tmp_path):
    with pytest.raises(ConfigurationError, match="configurations: none given"):
        sweep.run(out=tmp_path)
    with pytest.raises(ConfigurationError, match="steps: 0"):
        sweep.run([dataclasses.replace(TINY, steps=0)], 1, out=tmp_path)
    with pytest.raises(RunError, match="not a folder"):
        sweep.run(resume=tmp_path / "none")
    with pytest.raises(ConfigurationError, match="model: 'cnn' is not allowed; it must be a Model"):
        sweep.run([Configuration(model="cnn")], 1, out=tmp_path)
    with pytest.raises(ConfigurationError, match=r"seeds: 2\.0 is not allowed; it must be an integer"):
        sweep.run([TINY], 2.0, out=tmp_path)
    assert contents(tmp_path) == {}


@pytest.mark.parametrize("shared", [False, pytest.param(True, marks=pytest.mark.slow)])
def test_an_endless_stream_trains_and_resumes(shared, tmp_path):
    stream = dataclasses.replace(TINY, data=Data(train_size=0, shared_batches=shared), steps=40)
    run = sweep.run([stream], 3, name="run", out=tmp_path, quiet=True)
    assert run["finite"].all()
    assert run["seen"].all(), "of an endless stream every position counts as seen"
    loss = run["loss"].isel(configuration=0)
    assert (loss.sel(step=40) < loss.sel(step=1)).all()
    again = sweep.run(resume=tmp_path / "run", quiet=True)
    xarray.testing.assert_identical(again.drop_vars("seconds").load(), run.drop_vars("seconds").load())


BEFORE = """
import jax, sys
jax.config.update("jax_platforms", "cpu")
jax.numpy.zeros(3).block_until_ready()
from jaxbox.training import devices
devices.cores = lambda: jax.local_device_count() + 3
from jaxbox.sweep.__main__ import main
from jaxbox.training import checks, memory
sys.exit(main(sys.argv[1:]))
"""


@pytest.mark.slow
def test_cores_that_stay_idle_because_jax_was_in_use_are_named(tmp_path):
    words = [sys.executable, "-c", BEFORE, *WORDS, "--out", str(tmp_path), "--name", "run"]
    done = subprocess.run(words, env=processes.environment(), capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    assert done.stderr.count("JAX was in use before this sweep, so 1 of 4 CPU cores train") == 1


def test_a_member_that_diverges_is_in_the_results_and_its_pair_is_not(tmp_path):
    rates = [0.1, 1e30]
    configurations = [dataclasses.replace(TINY, steps=4, optimizer=Optimizer("sgd", rate)) for rate in rates]
    run = sweep.run(configurations, 2, name="run", out=tmp_path, quiet=True)
    assert run["finite"].values.tolist() == [[True, True], [False, False]]
    assert run["failed_step"].values.tolist() == [[-1, -1], [1, 1]]


def test_list_names_experiments_and_tables(capsys):
    code, out, err = outcome(capsys, "--list")
    assert (code, err) == (0, "")
    for word in [*EXPERIMENTS, "cnn", "mlp", "sigmoid", "momentum", "salt_pepper", "standardized"]:
        assert word in out
    assert max(map(len, out.splitlines())) <= 80


def test_list_after_an_experiment_is_all_that_is_said_of_it(capsys):
    code, out, err = outcome(capsys, "thread", "--list")
    assert (code, err) == (0, "")
    assert out.rstrip() == inspect.getdoc(EXPERIMENTS["thread"])


@pytest.mark.parametrize("words", [["threat", "--list"], ["mine.py:thread", "--list"]])
def test_list_refuses_an_experiment_that_is_not_there(words, capsys):
    code, out, err = outcome(capsys, *words)
    assert (code, out) == (2, "")
    assert err.startswith("jaxbox.sweep: experiment: ")
    assert len(err.splitlines()) == 1


@pytest.mark.parametrize("words", [["--help"], ["thread", "--help"], ["--seeds", "4", "-h"]])
def test_help_is_help(words, capsys):
    with pytest.raises(SystemExit) as stop:
        main(words)
    assert not stop.value.code
    out = capsys.readouterr().out
    for word in ("--vary", "--resume", "--overwrite", "--optimizer.learning_rate", "--task.noise_level"):
        assert word in out


def python(program):
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60)
    return done.returncode, done.stdout, done.stderr


HEAVY = "print(sorted({name.split('.')[0] for name in sys.modules} & {'jax', 'flax', 'xarray', 'scipy', 'orbax'}))"


def test_help_imports_no_jax():
    program = f"import sys, runpy\nsys.argv = ['sweep', '--help']\ntry:\n    runpy.run_module('jaxbox.sweep', run_name='__main__')\nexcept SystemExit as stop:\n    print('code', stop.code)\n{HEAVY}"
    code, out, err = python(program)
    assert (code, err) == (0, "")
    assert out.splitlines()[-2:] in (["code 0", "[]"], ["code None", "[]"])


def test_a_refusal_by_the_command_line_imports_no_jax():
    program = f"import sys\nfrom jaxbox.sweep.__main__ import main\nprint(main(['threat']))\n{HEAVY}"
    code, out, err = python(program)
    assert code == 0
    assert "did you mean thread" in err
    assert out.splitlines() == ["2", "[]"]


@pytest.mark.slow
def test_programs_are_let_go_when_there_are_too_many(tmp_path, monkeypatch):
    there, alive, compile = weakref.WeakSet(), [], Population.compile

    def counted(self):
        there.add(self)
        alive.append(len(there))
        return compile(self)

    monkeypatch.setattr(Population, "compile", counted)
    monkeypatch.setattr(programs, "KEPT", 1)
    monkeypatch.setattr(programs, "_kept", LRUCache(1))
    gc.disable()
    try:
        sweep.run(
            config.grid(TINY, {"batch_size": [2, 3, 4, 5, 6, 7]}), 1, out=tmp_path, members_per_chunk=1, quiet=True
        )
    finally:
        gc.enable()
    assert len(alive) >= 6  # where one only is kept, one that was compiled early may be forgotten before its turn
    # One that is kept, one that trains, one that is compiled for the next group, one that nobody has collected yet.
    assert max(alive) <= 4


def test_a_run_like_the_last_one_compiles_nothing(tmp_path, monkeypatch):
    varied = config.grid(TINY, {"batch_size": [2, 3]})
    first = sweep.run(varied, 2, out=tmp_path, name="one", quiet=True)
    monkeypatch.setattr(Population, "compile", lambda self: pytest.fail("compiled again"))
    second = sweep.run(varied, 2, out=tmp_path, name="two", quiet=True)
    xarray.testing.assert_identical(first.drop_vars("seconds").drop_attrs(), second.drop_vars("seconds").drop_attrs())


def test_the_next_program_comes_after_this_one_and_what_goes_wrong_in_it_is_said_in_its_turn(
    tmp_path, monkeypatch, capsys
):
    compile, told = Population.compile, []

    def breaks(self):
        batch_size = self.group.static.configuration.batch_size
        told.append((batch_size, threading.current_thread() is threading.main_thread()))
        assert programs.underway()
        if batch_size == 3:
            raise ValueError("no such product")
        compile(self)
        told.append(f"{batch_size} is there")

    monkeypatch.setattr(Population, "compile", breaks)
    sweep.run(config.grid(TINY, {"batch_size": [5, 3, 6]}), 1, out=tmp_path, name="run")
    manifest = store.load_manifest(tmp_path / "run")
    assert manifest["status"] == "failed"
    assert [each["group"] for each in store.failures(tmp_path / "run")] == [1]
    assert "group 2, chunk 0 failed, try 3 of 3: ValueError: no such product" in capsys.readouterr().err
    # One whose turn it is is compiled at once; only then the next, beside it.
    assert told[:3] == [(5, True), "5 is there", (3, False)]
    assert told[3:] == [(3, True)] * 3 + [(6, True), "6 is there"]
    assert not programs.underway()


def test_whoever_asks_for_a_stop_does_not_wait_for_the_next_program():
    def cut(group):
        if group == 1:
            pytest.fail("waited for")
        stop.by = "SIGINT"
        return []

    stop = Stop()
    loop.train(SimpleNamespace(groups=[None, None], stop=stop, cut=cut), Part())


def test_a_command_that_ends_does_not_wait_for_a_program_that_is_still_compiled():
    leaves = """
import threading, time
from jaxbox import command_line
from jaxbox.sweep import programs
threading.Thread(target=time.sleep, args=(600,)).start()
programs._underway.add(None)
print("told")
command_line.own_process(lambda: 75)
"""
    done = subprocess.run([sys.executable, "-c", leaves], capture_output=True, text=True, timeout=120)
    assert (done.returncode, done.stdout, done.stderr) == (75, "told\n", "")
