"""Programs of the named experiments lower for CUDA and for TPU, as those would run them; no such device is needed."""

from types import SimpleNamespace

import jax
import jax.numpy as jnp
import pytest
from programs_of_experiments import programs

from jaxbox.config import Configuration, Model, Plan, Task
from jaxbox.training import groups
from jaxbox.training.population import Population

MODELS = set()


def first_of_its_model(name, number, group):
    model = group.configurations[0][1].model.name
    return model not in MODELS and not MODELS.add(model)


@pytest.mark.parametrize("group", programs(first_of_its_model))
def test_it_lowers(group):
    assert lowered(group).platforms == ("cuda", "tpu")


def test_one_that_evaluates_a_sample_of_the_positions_lowers():
    task = Task(24, 24, 5, noise="white", noise_level=0.1)
    (group,) = groups.group(Plan.of([Configuration(task, Model("mlp", hidden=(3,)))], 2))
    assert Population(group, 2, jax.devices()[:1]).samples
    assert lowered(group).platforms == ("cuda", "tpu")


def lowered(group):
    many = Population(group, members_per_chunk=2, devices=jax.devices()[:1])
    many.devices = [SimpleNamespace(platform="cuda")]
    assert many.places[1:] == (1, 2), "all members of a device are in one round there"
    seeds, floats = many.inputs(many.group.members()[:2])
    step = jnp.int32(0)
    state, data = jax.eval_shape(many._initialize, seeds, floats), jax.eval_shape(many._prepare, seeds, floats, step)
    asked = step, step, *many.flags(whole=True)
    exported = jax.export.export(many.program, platforms=["cuda", "tpu"])(state, data, seeds, floats, *asked)
    assert "stablehlo" in exported.mlir_module()
    return exported
