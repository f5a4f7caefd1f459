"""The comparison of speed: the same work on every side, turns, statistics, counts of operations, command line."""

import dataclasses
import json
import re
import subprocess
import sys

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxbox import bench, member, peers, sampling
from jaxbox.config import Configuration, Model, Optimizer, Task
from jaxbox.peers import arithmetic, cases, comparison, plot, problem, table
from jaxbox.peers.process import Worker, WorkerError

TASK = Task(height=9, width=8, box_size=3, train_size=64)
CONFIGURATIONS = {
    "linear": Configuration(TASK, Model("linear"), optimizer=Optimizer("sgd", 0.1), batch_size=16),
    "mlp": Configuration(TASK, Model("mlp", hidden=6), batch_size=16),
    "cnn": Configuration(TASK, Model("cnn", features=(3, 4), kernel_size=3), batch_size=16),
}
PEERS = ("flax", "jax-loop", "torch", "torch-threads", "torch-func", "keras")


# The same work.


def test_problem_holds_what_a_linear_member_trains_on():
    """Three steps of gradient descent in NumPy, on the problem's arrays, have the losses of member.train."""
    configuration, seed = CONFIGURATIONS["linear"], 1
    made = problem.make(configuration, 2)
    kernel, bias = (array.astype(np.float64) for array in made.layers[seed][0])
    state, seeds = member.initialize(configuration, jnp.uint32(seed)), jnp.uint32(seed)
    data = sampling.prepare(configuration, seeds, jnp.int32(0))
    for step, index in enumerate(made.first[seed]):
        images = made.images[index].reshape(len(index), -1)
        errors = images @ kernel.T + bias - made.targets[index]
        last = jnp.int32(step + 1)
        state, data, measures = member.train(configuration, state, data, seeds, jnp.int32(step), last)
        np.testing.assert_allclose(np.mean(errors**2), measures["loss"], rtol=1e-5)
        kernel -= 0.1 * errors.T @ images / len(index)
        bias -= 0.1 * errors.mean(axis=0)


def test_a_saved_problem_is_loaded_unchanged(tmp_path):
    made = problem.make(CONFIGURATIONS["cnn"], 2)
    made.save(tmp_path)
    loaded = problem.Problem.load(tmp_path, CONFIGURATIONS["cnn"])
    assert loaded.configuration == made.configuration
    arrays = ("images", "targets", "examples", "first", "layers")
    jax.tree.map(np.testing.assert_array_equal, *[[getattr(one, name) for name in arrays] for one in (made, loaded)])
    assert [kernel.shape for kernel, _ in loaded.layers[1]] == [(3, 3, 3, 1), (4, 3, 3, 3), (2, 3 * 2 * 4)]


def test_batches_begin_with_jaxbox_s_and_go_on_with_whole_shuffles():
    made = problem.make(CONFIGURATIONS["mlp"], 1)
    batches = problem.Batches(made, 0)
    taken = np.concatenate([batches.take(count) for count in (1, 2, 3, 5)])
    np.testing.assert_array_equal(taken[:3], made.first[0])
    for epoch in (taken[3:7], taken[7:11]):
        np.testing.assert_array_equal(np.sort(epoch.ravel()), np.sort(made.examples[0]))


def test_members_beyond_the_seeds_at_hand_are_copies():
    made = problem.make(CONFIGURATIONS["mlp"], 2).copies(5)
    assert [np.array_equal(made.examples[member], made.examples[0]) for member in range(5)] == [1, 0, 1, 0, 1]


def first_losses(name, model):
    """A side, and its losses in the first steps of two seeds."""
    side = peers.load(name)(problem.make(CONFIGURATIONS[model], 2), 2)
    return side, np.array([side.compared_losses(step) for step in range(problem.COMPARED_STEPS)])


@pytest.fixture(scope="module", params=CONFIGURATIONS)
def reference(request):
    """A model and jaxbox's losses."""
    return request.param, first_losses("jaxbox", request.param)[1]


@pytest.mark.parametrize("name", PEERS)
def test_every_peer_has_jaxbox_s_losses_and_goes_on_training(name, reference):
    if peers.PEERS[name].missing(on_gpu=False):
        pytest.skip(peers.PEERS[name].missing(on_gpu=False))
    model, expected = reference
    side, losses = first_losses(name, model)
    np.testing.assert_allclose(losses, expected, rtol=1e-4)
    later = [side.run(4) for _ in range(5)][-1]
    assert later.shape == (2,)
    assert np.all(later < losses[0])
    assert side.memory()["host"] > 2**20


def test_images_instead_of_windows_give_the_same_losses_and_jaxbox_evaluates():
    windowed, losses = first_losses("jaxbox", "linear")
    rendered, others = first_losses("jaxbox-rendered", "linear")
    np.testing.assert_allclose(losses, others, rtol=1e-4)
    assert rendered.configuration.render
    assert not windowed.configuration.render
    assert windowed.idle() > 0
    assert windowed.step == problem.COMPARED_STEPS, "an evaluation is no step"


def test_with_shared_batches_seed_0_has_the_same_losses():
    (own, losses), (shared, others) = first_losses("jaxbox", "linear"), first_losses("jaxbox-shared", "linear")
    assert (own.seeds, shared.seeds) == (2, 2)
    assert others.shape == (problem.COMPARED_STEPS, 1)
    np.testing.assert_allclose(losses[:, :1], others, rtol=1e-4)
    comparison.check_losses("here", "jaxbox-shared", others, losses)
    # The other seed has weights of its own, and the data of seed 0.
    assert not np.allclose(shared.run(1), own.run(1), rtol=1e-2)


@pytest.mark.parametrize(("step", "error", "refused"), [(0, 5e-5, 0), (0, 5e-4, 1), (2, 5e-4, 0), (2, 5e-3, 1)])
def test_a_loss_that_differs_is_refused(step, error, refused):
    expected = np.random.default_rng(0).uniform(0.1, 1, (3, 4))
    losses = expected[:, :2].copy()
    losses[step, 1] *= 1 + error
    if not refused:
        comparison.check_losses("here", "torch", losses, expected)
        return
    with pytest.raises(comparison.LossError, match=f"^here: torch does not .* seed 1 at step {step}"):
        comparison.check_losses("here", "torch", losses, expected)


def test_a_loss_that_is_not_a_number_is_refused():
    with pytest.raises(comparison.LossError):
        comparison.check_losses("here", "torch", [[np.nan]], [[0.5]])


# Turns.


class Counted:
    """A side that takes `seconds` a sample and writes its name into `log`."""

    def __init__(self, name, seconds, log):
        self.name, self.seconds, self.log, self.spent = name, seconds, log, 0.0

    def sample(self):
        self.log.append(self.name)
        self.spent += self.seconds


def test_sides_take_turns_and_a_slow_one_sits_out():
    log = []
    bench.alternate([Counted("a", 1, log), Counted("b", 9, log), Counted("c", 2, log)], rounds=4, budget=10)
    assert "".join(log) == "abcabcacac"


# Operations.


def met(size, kernel_size, stride):
    """Pairs of output and tap that meet a pixel, one by one; TensorFlow puts the odd zero of SAME behind."""
    outputs = -(-size // stride)
    before = max((outputs - 1) * stride + kernel_size - size, 0) // 2
    pixels = [output * stride + tap - before for output in range(outputs) for tap in range(kernel_size)]
    return sum(0 <= pixel < size for pixel in pixels)


@pytest.mark.parametrize("size", [1, 4, 5, 8, 16, 25])
@pytest.mark.parametrize(("kernel_size", "stride"), [(5, 2), (3, 1), (2, 2), (4, 3), (1, 2)])
def test_taps_are_those_that_meet_the_image(size, kernel_size, stride):
    assert arithmetic.taps(size, kernel_size, stride) == met(size, kernel_size, stride)


def test_operations_of_a_step_are_counted_one_by_one():
    first = met(9, 3, 2) * met(8, 3, 2) * 1 * 3
    second = met(5, 3, 2) * met(4, 3, 2) * 3 * 4
    head = 3 * 2 * 4 * 2
    assert arithmetic.layer_products(CONFIGURATIONS["cnn"]) == [first, second, head]
    assert arithmetic.step_flops(CONFIGURATIONS["cnn"]) == 2 * 16 * (2 * first + 3 * (second + head))
    assert arithmetic.step_flops(CONFIGURATIONS["linear"]) == 2 * 16 * 2 * 72 * 2
    assert arithmetic.step_flops(CONFIGURATIONS["mlp"]) == 2 * 16 * (2 * 72 * 6 + 3 * 6 * 2)


def test_xla_counts_as_many_operations_of_a_dense_network():
    configuration = dataclasses.replace(CONFIGURATIONS["mlp"], model=Model("mlp", hidden=64), batch_size=64)

    def loss(weights, images, targets):
        hidden = jax.nn.relu(images @ weights[0])
        return jnp.mean((hidden @ weights[1] - targets) ** 2)

    shapes = (72, 64), (64, 2), (64, 72), (64, 2)
    first, second, images, targets = (jax.ShapeDtypeStruct(shape, jnp.float32) for shape in shapes)
    cost = jax.jit(jax.grad(loss)).lower((first, second), images, targets).compile().cost_analysis()
    assert cost["flops"] == pytest.approx(arithmetic.step_flops(configuration), rel=0.05)


# Statistics, table, picture.


def side(seconds, idle=0.0, seeds=2, steps=10):
    return {
        "seeds_measured": seeds,
        "steps": steps,
        "seconds": list(seconds),
        "idle_seconds": [idle] * len(seconds),
        "compile_seconds": 1.5,
        "peak_memory_bytes": {"host": 3 * 2**20},
        "losses": [[1.0]],
    }


def measured(seeds=8, model="linear", size=32):
    sides = {"jaxbox": side((3.0, 5.0, 2.0), idle=1.0), "torch": side((8.0, 2.0)), "flax": side((0.5,) * 3)}
    case = {"model": model, "size": size, "seeds": seeds, "sides": sides, "failed": {"keras": "out of memory"}}
    return comparison.summary(case, CONFIGURATIONS["linear"], 1e6)


def test_medians_quartiles_and_paired_ratios():
    sides = measured()["sides"]
    own, other = np.array([2.0, 4.0, 1.0]), np.array([8.0, 2.0])
    assert sides["jaxbox"]["ms_per_seed_step"]["median"] == pytest.approx(1e3 * 2.0 / 20)
    assert sides["jaxbox"]["ms_per_seed_step"]["upper"] == pytest.approx(1e3 * np.percentile(own, 75) / 20)
    assert sides["torch"]["times_jaxbox"]["median"] == pytest.approx(np.median(other / own[:2]))
    assert sides["torch"]["times_jaxbox"]["lower"] == pytest.approx(np.percentile([4.0, 0.5], 25))
    assert sides["torch"]["seed_steps_per_second"] == pytest.approx(20 / 5.0)
    assert sides["torch"]["share_of_peak"] == pytest.approx(4.0 * 2 * 16 * 2 * 72 * 2 / 1e6)
    assert sides["jaxbox"]["evaluation"] == {"seconds_per_seed": 0.5, "every": 50, "share": pytest.approx(0.5 / 5.5)}
    assert sides["torch"]["evaluation"] is None


def test_who_wins_and_who_fails_is_said():
    lines = table.remarks({"cases": [measured()], "skipped": {"torch-graphs": "needs a GPU"}})
    assert lines[0].startswith("linear 32 x 32, 8 seeds: flax wins, 4.00 ")
    assert not [line for line in lines if "torch wins" in line]
    assert "linear 32 x 32, 8 seeds: keras failed: out of memory" in lines
    assert lines[-1] == "skipped torch-graphs: needs a GPU"


@pytest.mark.parametrize("suffix", plot.SUFFIXES)
def test_the_picture_names_what_it_shows(suffix, tmp_path):
    path = tmp_path / f"throughput{suffix}"
    plot.draw([measured(seeds, model) for seeds in (1, 8) for model in ("linear", "cnn")], path)
    assert path.stat().st_size > 1000
    if suffix == ".svg":
        text = path.read_text()
        for words in ("jaxbox", "torch", "flax", "seeds", "seed-steps per second", "cnn, 32 × 32 pixels"):
            assert words in text


def test_every_side_has_a_look_of_its_own():
    for looks in (plot.COLOURS, plot.MARKERS, plot.DASHES):
        assert len(set(looks)) == len(looks) >= len(peers.PEERS)


# Processes.


def started(program, tmp_path, name="flax"):
    return Worker(name, CONFIGURATIONS["linear"], 2, 0.01, tmp_path, command=(sys.executable, "-c", program))


def test_what_a_failed_process_says_last_is_kept(tmp_path):
    with pytest.raises(WorkerError, match=r"^MemoryError: too much$"):
        started("raise MemoryError('too much')", tmp_path)


def test_a_process_ends_with_its_worker(tmp_path):
    program = 'import sys; input(); print(\'{"seeds": 2, "steps": 3}\', flush=True); sys.stdin.read()'
    with started(program, tmp_path) as worker:
        assert (worker.seeds, worker.steps) == (2, 3)
        assert worker.process.poll() is None
    assert worker.process.poll() is not None


def test_a_side_in_a_process_of_its_own(tmp_path):
    made = problem.make(CONFIGURATIONS["linear"], 2)
    made.save(tmp_path)
    with Worker("jax-loop", CONFIGURATIONS["linear"], 8, 0.01, tmp_path) as worker:
        worker.sample()
        worker.sample()
    assert worker.seeds == 2, "it loops over seeds, so two are enough"
    assert worker.samples[0]["seconds"] > 0
    assert worker.spent == sum(sample["seconds"] for sample in worker.samples)
    index = made.first[0][0]
    loss = np.mean((made.images[index].reshape(16, -1) @ made.layers[0][0][0].T - made.targets[index]) ** 2)
    assert worker.facts["losses"][0][0] == pytest.approx(loss, rel=1e-5)


# The command line, with sides that only pretend.


class Pretender:
    """A worker without a process; `losses` and `broken` are by name, `calls` is what happened."""

    losses, broken, interrupt_at = {}, {}, 10**9
    calls: list

    def __init__(self, name, configuration, seeds, seconds, folder, affordable=None):
        self.calls.append(("start", name, seeds))
        if name in self.broken:
            raise WorkerError(self.broken[name])
        self.name, self.samples, self.spent = name, [], 0.0
        affordable = 10**6 if name == "jaxbox" else 2
        self.seeds, self.steps = min(seeds, affordable), 5
        losses = [[self.losses.get(name, 1.0)]] * 3
        self.facts = {"losses": losses, "affordable": affordable, "devices": ["cpu:0"], "compile_seconds": 0.1}

    def sample(self):
        if len([call for call in self.calls if call[0] == "sample"]) == self.interrupt_at:
            raise KeyboardInterrupt
        self.calls.append(("sample", self.name, self.seeds))
        self.samples.append({"seconds": 0.5, "idle_seconds": None, "memory": {"host": 2**20}})

    def product_flops(self):
        return 1e9

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.calls.append(("end", self.name, self.seeds))


@pytest.fixture
def pretender(monkeypatch):
    cls = type("OneTest", (Pretender,), {"calls": [], "losses": {}, "broken": {}})
    monkeypatch.setattr(cases, "Worker", cls)
    return cls


WORDS = "--models linear --sizes 16 --peers torch flax --rounds 2 --seeds 2 8 64".split()


def outcome(capsys, *words):
    code = bench.main(words)
    captured = capsys.readouterr()
    return code, captured.out, captured.err


@pytest.fixture
def torch_is_there(monkeypatch):
    monkeypatch.setitem(peers.PEERS, "torch", peers.PEERS["torch"]._replace(needs=()))


@pytest.mark.usefixtures("torch_is_there")
def test_what_is_printed_and_what_is_written(pretender, capsys, tmp_path):
    out, picture = tmp_path / "new" / "bench.json", tmp_path / "bench.pdf"
    code, text, _ = outcome(capsys, *WORDS, "--out", str(out), "--plot", str(picture))
    assert code == 0
    content = json.loads(out.read_text())
    assert content["complete"]
    assert [case["seeds"] for case in content["cases"]] == [2, 8, 64]
    assert set(content["cases"][0]["sides"]) == {"jaxbox", "torch", "flax"}
    assert len(content["cases"][2]["sides"]["torch"]["seconds"]) == 2
    assert {"git", "versions", "processor", "cores", "memory_bytes", "devices", "product_flops"} <= set(content)
    assert content["cases"][2]["sides"]["jaxbox"]["times_jaxbox"]["median"] == 1
    assert str(out) in text
    assert "linear 16 x 16, 64 seeds" in text
    assert picture.stat().st_size > 1000
    # A peer that cannot afford more members is not started again.
    starts = [call[1:] for call in pretender.calls if call[0] == "start"]
    assert starts == [("jaxbox", 2), ("jaxbox", 8), ("jaxbox", 64), ("torch", 2), ("flax", 2)]
    turns = [call[1:] for call in pretender.calls if call[0] == "sample"]
    assert turns == 2 * [("jaxbox", 2), ("torch", 2), ("flax", 2), ("jaxbox", 8), ("jaxbox", 64)]
    assert len([call for call in pretender.calls if call[0] == "end"]) == len(starts)


@pytest.mark.usefixtures("torch_is_there")
def test_a_side_that_does_other_work_stops_everything(pretender, capsys, tmp_path):
    pretender.losses = {"flax": 0.9}
    code, text, errors = outcome(capsys, *WORDS, "--out", str(tmp_path / "bench.json"))
    assert (code, text) == (1, "")
    assert errors.splitlines()[-1].startswith("jaxbox.bench: linear 16 x 16: flax does not do the same work")
    assert not list(tmp_path.iterdir())
    ends = [call for call in pretender.calls if call[0] == "end"]
    assert len(ends) == len([call for call in pretender.calls if call[0] == "start"])


def test_peers_that_are_missing_or_fail_are_named(pretender, capsys, tmp_path, monkeypatch):
    monkeypatch.setitem(peers.PEERS, "torch", peers.PEERS["torch"]._replace(needs=("no_such_package",)))
    pretender.broken = {"flax": "MemoryError: too much"}
    code, text, _ = outcome(capsys, *WORDS, "--out", str(tmp_path / "bench.json"))
    assert code == 0
    assert "skipped torch: not installed: no_such_package" in text
    assert "linear 16 x 16, 2 seeds: flax failed: MemoryError: too much" in text
    content = json.loads((tmp_path / "bench.json").read_text())
    assert content["skipped"] == {"torch": "not installed: no_such_package"}
    assert list(content["cases"][0]["sides"]) == ["jaxbox"]


@pytest.mark.usefixtures("torch_is_there")
def test_an_interruption_leaves_what_was_measured(pretender, capsys, tmp_path):
    pretender.interrupt_at = 4
    code, _, errors = outcome(capsys, *WORDS, "--out", str(tmp_path / "bench.json"))
    assert code == 130
    assert errors.splitlines()[-1] == "jaxbox.bench: stopped"
    content = json.loads((tmp_path / "bench.json").read_text())
    assert not content["complete"]
    assert [case["seeds"] for case in content["cases"]] == [2, 8]
    assert ("end", "jaxbox", 64) in pretender.calls


BAD = {
    "unknown model": ("--models cnm", "models: unknown name 'cnm'.*did you mean cnn"),
    "unknown peer": ("--peers torhc", "peers: unknown name 'torhc'.*did you mean torch"),
    "unknown option": ("--seed 3", "did you mean --seeds"),
    "no seeds": ("--seeds 0", "seeds: 0 is not allowed"),
    "word for a number": ("--sizes big", "sizes.*big|big.*sizes"),
    "no rounds": ("--rounds 0", "rounds: 0 is not allowed"),
    "no time": ("--seconds nan", "seconds: nan is not allowed"),
    "unknown kind of picture": ("--plot x.gif", "plot: x.gif must end in"),
    "box that does not fit": ("--models linear --sizes 4", "task.box_size: 5 is not allowed"),
    "file that is there": ("--out {there}", "there.json exists; --overwrite"),
    "folder that cannot be": ("--out {there}/bench.json", "cannot be written"),
}


@pytest.mark.parametrize(("words", "message"), BAD.values(), ids=BAD)
def test_bad_input_is_refused_in_one_line(words, message, pretender, capsys, tmp_path):
    there = tmp_path / "there.json"
    there.write_text("{}")
    words = words.format(there=there).split()
    out = () if "--out" in words else ("--out", str(tmp_path / "new.json"))
    code, text, errors = outcome(capsys, *words, *out)
    assert (code, text) == (2, "")
    assert len(errors.splitlines()) == 1
    assert re.search(message, errors), errors
    assert there.read_text() == "{}"
    assert not pretender.calls


def test_quick_changes_only_what_is_not_said(tmp_path):
    out = ("--out", str(tmp_path / "bench.json"))
    quick, own = bench.parse(["--quick", *out]), bench.parse(["--quick", "--sizes", "16", *out])
    assert (quick.sizes, own.sizes) == ((32,), (16,))
    assert quick.rounds == own.rounds == 3
    assert bench.parse([*out]).rounds == 5


def test_help_comes_without_jax():
    program = "import sys; from jaxbox import bench\ntry: bench.main(['--help'])\nfinally: print('jax' in sys.modules)"
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert result.stdout.splitlines()[-1] == "False"
    assert "--quick" in result.stdout
