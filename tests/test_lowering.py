"""Every program of the named experiments lowers for CUDA and for TPU, as those would run it; no such device is needed."""

from types import SimpleNamespace

import jax
import jax.numpy as jnp
import pytest

from jaxbox.experiments import EXPERIMENTS
from jaxbox.training import groups
from jaxbox.training.population import Population

PROGRAMS = {
    f"{name} {number}": group
    for name, experiment in EXPERIMENTS.items()
    for number, group in enumerate(groups.group(experiment(), 2))
}


@pytest.mark.parametrize("platform", ["cuda", "tpu"])
@pytest.mark.parametrize("name", PROGRAMS)
def test_it_lowers(name, platform):
    many = Population(PROGRAMS[name], members_per_chunk=2, devices=jax.devices()[:1])
    many.devices = [SimpleNamespace(platform=platform)]
    assert (many._rounds, many._members_per_round) == (1, 2), "all members of a device are in one round there"
    seeds, floats = many.inputs(many.group.members()[:2])
    step = jnp.int32(0)
    state, data = jax.eval_shape(many._initialize, seeds, floats), jax.eval_shape(many._prepare, seeds, floats, step)
    exported = jax.export.export(many.program, platforms=[platform])(state, data, seeds, floats, step, step)
    assert exported.platforms == (platform,)
    assert "stablehlo" in exported.mlir_module()
