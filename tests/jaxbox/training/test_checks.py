"""What cannot be trained is refused in one line, before anything is, and without taking the memory it would need."""

import dataclasses
import sys

import jax
import psutil
import pytest
from flax import nnx

from jaxbox import layers
from jaxbox.config import Configuration, ConfigurationError, Data, Model, Optimizer, Task, tables
from jaxbox.training import checks, evaluation, memory


def refused(match, changes, seeds=1):
    before = psutil.Process().memory_info().rss
    with pytest.raises(ConfigurationError, match=match) as caught:
        checks.check_sweep([dataclasses.replace(Configuration(), **changes)], seeds)
    assert "\n" not in str(caught.value)
    assert psutil.Process().memory_info().rss - before < 2**30, "less than a GiB was taken"


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"model": Model("cn")}, "model.name: unknown name 'cn'.*did you mean cnn"),
        ({"model": Model(activation="rely")}, "model.activation: unknown name 'rely'.*did you mean relu"),
        ({"optimizer": Optimizer("adm")}, "optimizer.name: unknown name 'adm'.*did you mean adam"),
        ({"task": Task(noise="whit")}, "task.noise: unknown name 'whit'.*did you mean white"),
        ({"model": Model(padding="VALID")}, "model: .*kernel_size 5 is larger"),
        ({"task": Task(box_size=17)}, "task.box_size: 17"),
        ({"task": Task(noise_level=2.0)}, r"task.noise_level: 2\.0 is not read by task.noise 'none'; .* 'white'"),
        (
            {"model": Model("linear", hidden=(999,))},
            r"model.hidden: \(999,\) is not read by model.name 'linear'; .* 'mlp'",
        ),
        ({"model": Model(kernel_size=32)}, "model.kernel_size: 32 .*at most 31"),
        ({"task": Task(height=4), "data": Data(split="quadrant")}, "data.split: quadrant .* 1 x 13 positions"),
        (
            {"data": Data(law="corner", corner_share=1.0, split="held_out", held_out=0.3)},
            r"data.held_out: 0\.3 .* some of the 49 positions of 169 are left that data.law corner draws",
        ),
    ],
)
def test_what_cannot_be_built_is_refused(changes, message):
    refused(message, changes)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"task": Task(height=10**22)}, f"task.height: {10**22} is not allowed; it must be at most 2147483647"),
        ({"task": Task(height=10**8, width=10**8)}, r"task.height: 100000000 .* bytes, and .* are free"),
        ({"model": Model(kernel_size=10**22)}, "model.kernel_size: 1.* at most 2147483647"),
        ({"model": Model(kernel_size=10**9)}, "model.kernel_size: 1000000000 .*at most 31"),
        ({"model": Model("mlp", hidden=(10**22,))}, "model.hidden: 1.* at most 2147483647"),
        ({"model": Model("mlp", hidden=(2 * 10**9,))}, r"model: mlp .* bytes, and .* are free"),
        ({"model": Model(features=(2 * 10**9,))}, r"model: cnn .* bytes, and .* are free"),
        ({"data": Data(train_size=2 * 10**9)}, r"data.train_size: 2000000000 .* bytes, and .* are free"),
        (
            {"task": Task(noise="white"), "data": Data(train_size=0), "batch_size": 10**8},
            r"batch_size: 100000000 .* bytes, and .* are free",
        ),
        ({"steps": 2 * 10**9, "eval_every": 1}, r"seeds: 1 is not allowed; the results .* bytes, and .* are free"),
    ],
)
def test_what_cannot_fit_is_refused_with_the_number_of_bytes(changes, message, monkeypatch):
    monkeypatch.setattr(memory, "free_bytes", lambda: 8 * 2**30)
    refused(message, changes)


def test_seeds_whose_results_cannot_fit_are_refused():
    refused(r"seeds: 999999999 is not allowed; the results .* take [\d,]+ bytes, and [\d,]+ are free", {}, 999_999_999)


def test_the_bytes_of_results_are_those_of_the_arrays():
    configuration = Configuration(Task(height=5, width=6, box_size=2), steps=10, eval_every=4)
    # At each of 4 evaluations 1 + 1 + 6 + 2 + 2 + 2 + 2 + 2 + 1 floats; then 1 + 4 + 4 bytes, and 20 x (2 floats and a bool).
    assert memory.result_bytes(configuration) == 4 * 19 * 4 + 9 + 20 * 9


class Picky(nnx.Module):
    """Takes images only, of 16 columns only."""

    def __init__(self, model, task, outputs, rngs):
        self.convolution = nnx.Conv(task.channels, 2, (3, 3), rngs=rngs)
        self.head = layers.Dense(16 * 16 * 2, outputs, rngs=rngs)

    def __call__(self, images):
        return self.head(self.convolution(images))


class Single(nnx.Module):
    """One output too few."""

    def __init__(self, model, task, outputs, rngs):
        self.head = layers.Dense(16 * 16, outputs - 1, rngs=rngs)

    def __call__(self, images):
        return self.head(images)


class Choosy(nnx.Module):
    """Looks at a traced field as if it were a number."""

    def __init__(self, model, task, outputs, rngs):
        self.head = layers.Dense(16 * 16, outputs + bool(task.noise_level > 0), rngs=rngs)

    def __call__(self, images):
        return self.head(images)


@pytest.mark.parametrize(
    ("network", "message"),
    [
        (
            "Single",
            r"model: the network own makes outputs of shape \(3, 1\) of three images; their targets and the loss need shape \(3, 2\)",
        ),
        ("Choosy", "model: the network own cannot be built .*TracerBoolConversionError"),
    ],
)
def test_a_network_that_would_fail_or_mislead_later_is_refused_now(network, message, monkeypatch):
    row = tables.Row(f"{sys.modules[__name__].__name__}:{network}", "for this test")
    monkeypatch.setitem(tables.MODELS, "own", row)
    # Broadcasting of one output against two is what a user's session would do.
    with jax.numpy_rank_promotion("allow"):
        refused(message, {"model": Model("own")})


@pytest.mark.parametrize(
    ("task", "reads", "message"),
    [
        (Task(width=15, height=15), (), "model: the network picky cannot be called .*TypeError: .*"),
        (Task(), ("render",), "model: the network picky cannot be called .*"),  # it says that it takes windows
        (Task(), (), None),
    ],
)
def test_the_network_is_called_on_what_the_task_will_hand_it(task, reads, message, monkeypatch):
    row = tables.Row(f"{sys.modules[__name__].__name__}:Picky", "for this test", reads)
    monkeypatch.setitem(tables.MODELS, "picky", row)
    chosen = {"task": task, "model": Model("picky")}
    if message:
        refused(message, chosen)
    else:
        checks.check_sweep([dataclasses.replace(Configuration(), **chosen)], 1)


def test_a_program_is_tried_once_a_group(monkeypatch):
    tried = []
    monkeypatch.setattr(checks, "check_program", tried.append)
    rates = [Configuration(optimizer=Optimizer(learning_rate=rate)) for rate in (0.1, 0.2, 0.3)]
    checks.check_sweep([*rates, dataclasses.replace(rates[0], batch_size=4)], 2)
    assert len(tried) == 2


@pytest.fixture
def traces(monkeypatch):
    """How often programs are traced, by a process that has traced none."""
    monkeypatch.setattr(checks, "_traced", {})
    found, evaluate = [], evaluation.evaluate
    monkeypatch.setattr(
        evaluation, "evaluate", lambda configuration, *values: found.append(1) or evaluate(configuration, *values)
    )
    return found


def tried(**model):
    checks.check_program(Configuration(Task(), Model("mlp", **model), optimizer=Optimizer(learning_rate=0.1)))


def test_a_program_is_traced_once_a_process_as_long_as_it_is_the_same(traces, monkeypatch):
    for hidden in ((5,), (5,), (6,), (5,)):
        tried(hidden=hidden)
    assert len(traces) == 2
    # Under the same names: other code, and another row. Neither may hide behind what was tried before.
    with monkeypatch.context() as patch:
        patch.setattr("jaxbox.models.mlp.MLP", Single)
        with pytest.raises(ConfigurationError, match="the network mlp makes outputs of shape"):
            tried(hidden=(5,))
    monkeypatch.setitem(tables.MODELS, "mlp", tables.MODELS["mlp"]._replace(place=f"{__name__}:Single"))
    with pytest.raises(ConfigurationError, match="the network mlp makes outputs of shape"):
        tried(hidden=(5,))


def test_a_file_of_the_same_name_in_another_folder_is_another_network(traces, tmp_path, monkeypatch):
    for place, outputs in (("good", 2), ("bad", 3)):
        (tmp_path / place).mkdir()
        (tmp_path / place / "own.py").write_text(
            "from jaxbox import layers\nfrom jaxbox.models.linear import Linear\n"
            f"class Net(Linear):\n    def __init__(self, model, task, outputs, *, rngs):\n"
            f"        super().__init__(model, task, {outputs}, rngs=rngs)\n"
        )
    own = Configuration(Task(7, 9, 2), Model("own.py:Net"))
    monkeypatch.chdir(tmp_path / "good")
    checks.check_program(own)
    checks.check_program(own)
    assert len(traces) == 2
    monkeypatch.chdir(tmp_path / "bad")
    with pytest.raises(ConfigurationError, match="of shape"):
        checks.check_program(own)


def test_an_accelerator_is_filled_by_what_the_compiled_program_needs():
    class Card:
        platform = "gpu"

        def memory_stats(self):
            return {"bytes_limit": 10_000}

    assert memory.affordable_members(Card(), 3, state_bytes=10, member_bytes=lambda: 700) == 7 * 3
    assert memory.affordable_members(Card(), 1, state_bytes=10, member_bytes=lambda: 10**6) == 1
    cpu = jax.devices("cpu")[0]
    assert memory.affordable_members(cpu, 2, memory.CACHE_BYTES // 5, lambda: 1 / 0) == 5 * 2
