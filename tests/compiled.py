"""The library's functions as one compiled program each: called one by one, their operations would be compiled singly."""

from functools import partial

import jax
from flax import nnx

from jaxbox import task
from jaxbox.training import evaluation, member, sealing

initialize = jax.jit(member.initialize, static_argnums=0)
evaluate = jax.jit(evaluation.evaluate, static_argnums=0)
dropped_step = jax.jit(sealing.dropped_step, static_argnums=0)
extents = jax.jit(sealing._extents, static_argnums=0)
own_motion = jax.jit(member.own_motion, static_argnums=0)
render = jax.jit(task.render, static_argnums=0)
call = nnx.jit(lambda network, inputs: network(inputs))


@partial(jax.jit, static_argnums=0)
def outputs(configuration, weights, images):
    """What the network with these weights says of images."""
    return member.merge(configuration, weights)(images)


def built(constructor, *values, seed=0, **options):
    """The network that `constructor` makes of these values."""
    return nnx.jit(lambda: constructor(*values, rngs=nnx.Rngs(params=seed), **options))()
