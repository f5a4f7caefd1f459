"""Every named experiment is expanded, checked and built; its docstring says what it must."""

import jax
import jax.numpy as jnp
import pytest

from jaxbox import config, task
from jaxbox.config import Configuration
from jaxbox.experiments import EXPERIMENTS
from jaxbox.sweep.__main__ import main
from jaxbox.training import checks, groups, member

EXPERIMENT = pytest.mark.parametrize("name", EXPERIMENTS)


@EXPERIMENT
def test_every_configuration_is_distinct_checked_and_built(name):
    configurations = EXPERIMENTS[name]()
    assert len(set(configurations)) == len(configurations) > 0
    checks.check_sweep(configurations, seeds=2)
    for configuration in configurations:
        assert config.settle(configuration) == configuration, "it sets a field that it does not read"
        state = jax.eval_shape(lambda c=configuration: member.initialize(c, jnp.uint32(0)))
        head = state.params["head"]
        assert head["bias"].shape == (2,)


@EXPERIMENT
def test_the_docstring_gives_the_command(name):
    text = EXPERIMENTS[name].__doc__ or ""
    assert f"python -m jaxbox.sweep {name}" in text


@pytest.mark.parametrize("name", sorted(set(EXPERIMENTS) - {"base"}))
def test_the_docstring_gives_claim_and_cost(name):
    text = EXPERIMENTS[name].__doc__ or ""
    assert "Claim:" in text
    assert "Cost:" in text


def test_thread_holds_what_the_thread_compares():
    found = {(c.model.name, c.model.activation, c.optimizer.name, c.optimizer.learning_rate) for c in _thread()}
    assert {("cnn", "relu", "adam", 0.01), ("cnn", "relu", "adam", 0.001)} <= found
    assert ("mlp", "sigmoid") in {(model, activation) for model, activation, *_ in found}
    assert ("linear", "sgd", 1.0) in {(model, rule, rate) for model, _, rule, rate in found}
    assert {(c.task.height, c.task.width, c.task.box_size) for c in _thread()} == {(16, 16, 4)}
    assert min(c.steps for c in _thread()) >= 200


def _thread():
    return EXPERIMENTS["thread"]()


def test_thread_in_full_is_the_threads_setting():
    for c in EXPERIMENTS["thread"](full=True):
        assert (c.task.height, c.task.width, c.task.box_size, c.data.train_size) == (32, 32, 5, 10_000)
        assert c.steps == 1000 * (c.data.train_size // c.batch_size), "1000 epochs"
        assert len(groups.group([c], 2)[0].members()) == 2


def test_base_is_every_field_at_its_default():
    assert EXPERIMENTS["base"]() == [Configuration()]


@pytest.mark.slow
def test_thread_runs(tmp_path, capsys):
    words = ["thread", "--steps", "2", "--eval_every", "1", "--seeds", "2", "--out", str(tmp_path), "--name", "run"]
    assert main(words) == 0
    from jaxbox import store

    run = store.open_run(tmp_path / "run")
    count = len(_thread())
    assert dict(run.sizes) == {
        **{"configuration": count, "seed": 2, "step": 3, "axis": 2, "split": 3, "layer": 3},
        "position": task.position_count(_thread()[0].task),
    }
    assert run["mse"].sel(split="all").notnull().all()
    assert run["finite"].all()
