"""Programs of the named experiments lower for CUDA and for TPU, as those would run them; no such device is needed."""

from types import SimpleNamespace

import jax
import jax.numpy as jnp
import pytest

from jaxbox.config import flatten, tables
from jaxbox.experiments import EXPERIMENTS
from jaxbox.training import groups
from jaxbox.training.population import Population


def programs():
    """Every program; those that name nothing new are for when there is more time."""
    seen = set()
    for name, experiment in EXPERIMENTS.items():
        for number, group in enumerate(groups.group(experiment(), 2)):
            names = {(path, value) for path, value in flatten(group.configurations[0][1]) if path in tables.TABLES}
            yield pytest.param(group, id=f"{name} {number}", marks=[pytest.mark.slow] if names <= seen else [])
            seen |= names


@pytest.mark.parametrize("group", list(programs()))
def test_it_lowers(group):
    many = Population(group, members_per_chunk=2, devices=jax.devices()[:1])
    many.devices = [SimpleNamespace(platform="cuda")]
    assert (many._rounds, many._members_per_round) == (1, 2), "all members of a device are in one round there"
    seeds, floats = many.inputs(many.group.members()[:2])
    step = jnp.int32(0)
    state, data = jax.eval_shape(many._initialize, seeds, floats), jax.eval_shape(many._prepare, seeds, floats, step)
    exported = jax.export.export(many.program, platforms=["cuda", "tpu"])(state, data, seeds, floats, step, step)
    assert exported.platforms == ("cuda", "tpu")
    assert "stablehlo" in exported.mlir_module()
