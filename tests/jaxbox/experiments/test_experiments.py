"""Every named experiment is expanded, checked, built and run for two steps; its docstring says what it must."""

import inspect

import jax
import numpy as np
import pytest
from programs_of_experiments import programs

from jaxbox import config, experiments
from jaxbox.config import Configuration, ConfigurationError
from jaxbox.experiments import EXPERIMENTS
from jaxbox.sweep.__main__ import main
from jaxbox.training import checks
from jaxbox.training.population import Population

EXPERIMENT = pytest.mark.parametrize("name", EXPERIMENTS)
CLAIMS = sorted(set(EXPERIMENTS) - {"base"})
SIZES = {name: ([False, True] if "full" in inspect.signature(EXPERIMENTS[name]).parameters else [False])
         for name in EXPERIMENTS}  # fmt: skip


@pytest.mark.parametrize(("name", "full"), [(name, full) for name, sizes in SIZES.items() for full in sizes])
def test_every_configuration_is_distinct_and_sets_only_what_it_reads(name, full):
    configurations = experiments.configurations(name, full)
    assert len(set(configurations)) == len(configurations) > 0
    for configuration in configurations:
        config.check_values(configuration)
        assert config.settle(configuration) == configuration, "it sets a field that it does not read"


@EXPERIMENT
def test_the_docstring_gives_the_command(name):
    text = EXPERIMENTS[name].__doc__ or ""
    assert f"python -m jaxbox.sweep {name}" in text


@pytest.mark.parametrize("name", CLAIMS)
def test_the_docstring_gives_claim_cost_and_outcome(name):
    lines = (inspect.getdoc(EXPERIMENTS[name]) or "").splitlines()
    said = {line.partition(":")[0] for line in lines if ":" in line}
    assert {"Claim", "Command", "Cost", "Outcome"} <= said
    assert lines[0].endswith("?"), "the first line says what is asked"


NAMES = set()


def first_of_its_names(name, number, group):
    """Programs of the same names differ in sizes alone, and take most of their time to be traced."""
    fields = config.flatten(group.configurations[0][1])
    names = tuple((path, value) for path, value in fields if isinstance(value, str))
    return number == 0 and names not in NAMES and not NAMES.add(names)


@pytest.mark.parametrize("group", programs(first_of_its_names))
def test_every_program_can_be_built_trained_and_evaluated(group):
    checks.check_sweep([configuration for _, configuration in group.configurations], seeds=2)


@pytest.mark.slow
@pytest.mark.parametrize("group", programs(lambda name, number, group: True))
def test_every_program_runs_for_two_steps(group):
    many = Population(group, members_per_chunk=2, devices=jax.devices()[:1])
    seeds, floats = many.inputs(many.chunks()[0])
    state, data = many.initialize(seeds, floats), many.prepare(seeds, floats, 0)
    before = jax.device_get(state.params)
    state, _, measures = many.advance(state, data, seeds, floats, 0, 2)
    assert np.isfinite(measures["loss"]).all()
    assert not all(jax.tree.leaves(jax.tree.map(np.array_equal, before, jax.device_get(state.params))))


def test_thread_holds_what_the_thread_compares():
    found = {(c.model.name, c.model.activation, c.optimizer.name, c.optimizer.learning_rate) for c in _thread()}
    assert {("cnn", "relu", "adam", 0.01), ("cnn", "relu", "adam", 0.001)} <= found
    assert ("mlp", "sigmoid") in {(model, activation) for model, activation, *_ in found}
    assert ("linear", "sgd", 1.0) in {(model, rule, rate) for model, _, rule, rate in found}
    assert {(c.task.height, c.task.width, c.task.box_size) for c in _thread()} == {(16, 16, 4)}
    assert min(c.steps for c in _thread()) >= 200


def _thread():
    return EXPERIMENTS["thread"]()


def test_the_full_thread_is_the_threads_setting():
    for c in EXPERIMENTS["thread"](full=True):
        assert (c.task.height, c.task.width, c.task.box_size, c.data.train_size) == (32, 32, 5, 10_000)
        assert c.steps == 1000 * (c.data.train_size // c.batch_size), "1000 epochs"


def test_base_is_every_field_at_its_default():
    assert EXPERIMENTS["base"]() == [Configuration()]


def test_a_full_size_is_refused_where_there_is_none(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine.py").write_text(
        "from jaxbox import Configuration\n\n\ndef tiny():\n    return [Configuration()]\n"
    )
    assert experiments.configurations("mine.py:tiny") == [Configuration()]
    with pytest.raises(ConfigurationError, match=r"^full: True is not allowed; it must be left out with mine.py:tiny"):
        experiments.configurations("mine.py:tiny", full=True)


@pytest.mark.slow
@pytest.mark.parametrize("name", EXPERIMENTS)
def test_every_experiment_runs_by_name(name, tmp_path, capsys):
    words = [name, "--steps", "2", "--eval_every", "1", "--seeds", "2", "--out", str(tmp_path), "--name", "run"]
    assert main(words) == 0
    from jaxbox import store

    run = store.open_run(tmp_path / "run")
    assert run.sizes["configuration"] >= 1
    assert run["mse"].sel(split="all").notnull().all()
