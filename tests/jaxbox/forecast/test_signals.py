"""Signals without weights against those of networks that were drawn, in Flax's own layers and by jax.grad."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxbox import task as tasks
from jaxbox.config import Configuration, Model, Static, Task
from jaxbox.forecast import signals
from jaxbox.training import member

SEEDS = 400
CASES = [
    Configuration(Task(9, 8, 3, inputs="byte"), Model(features=(5, 7), kernel_size=3, initialization="he")),
    Configuration(Task(10, 10, 4), Model(features=(6,), kernel_size=5, dense=(4,), initial_scale=2.0)),
    Configuration(Task(8, 8, 2, inputs="inverted"), Model("mlp", hidden=(9, 5), initialization="lecun")),
    Configuration(Task(7, 7, 2), Model(features=(4, 3), kernel_size=3, stride=1, padding="VALID")),
]  # fmt: skip


def _drawn(configuration):
    """Of each seed: every kernel's square, and that of its gradient of the first output, meaned over the kernel."""
    place = tasks.positions(configuration.task)[tasks.position_count(configuration.task) // 2][None]
    image = jnp.asarray(tasks.inputs(configuration.task, tasks.render(configuration.task, place)), jnp.float32)

    def one(seed):
        weights = member.initialize(configuration, seed).weights

        def output(params):
            return member.merge(configuration, weights._replace(params=params))(image)[0, 0]

        def squares(tree):
            return jnp.stack([jnp.mean(leaf**2) for leaf in jax.tree.leaves(tree) if leaf.ndim > 1])

        return squares(weights.params), squares(jax.grad(output)(weights.params)), output(weights.params) ** 2

    return [np.asarray(each, float) for each in jax.jit(jax.vmap(one))(jnp.arange(SEEDS, dtype=jnp.uint32))]


@pytest.mark.parametrize(
    "configuration", [*CASES[1:3], *(pytest.param(case, marks=pytest.mark.slow) for case in CASES[::3])]
)
def test_signals_are_those_of_drawn_networks(configuration):
    """Within four standard errors. Two hidden layers: there the gradients' mean square is exact, too."""
    layers = signals.layers(configuration)
    kernels, gradients, outputs = _drawn(configuration)
    found = {"kernels": kernels, "gradients": gradients}
    said = {
        "kernels": [layer.deviation**2 for layer in layers],
        # The last kernel has a gradient of the first output in half of its units only: it has two.
        "gradients": [layer.gradient**2 / (2 if layer is layers[-1] else 1) for layer in layers],
    }
    for name, values in found.items():
        error = values.std(axis=0, ddof=1) / np.sqrt(SEEDS)
        order, own = np.argsort(values.mean(axis=0)), np.argsort(said[name])  # leaves are in the order of their names
        assert np.all(np.abs(values.mean(axis=0)[order] - np.array(said[name])[own]) < 4 * error[order]), name
    error = outputs.std(ddof=1) / np.sqrt(SEEDS)
    assert abs(outputs.mean() - layers[-1].spread ** 2) < 4 * error


def test_shapes_are_those_of_the_network():
    for configuration in CASES:
        leaves = jax.tree.leaves(member.abstract_state(Static.of(configuration)).params)
        kernels = sorted((leaf.shape[0], leaf.size) for leaf in leaves if leaf.ndim > 1)
        said = [(shape.units, shape.units * shape.fan_in) for shape in signals.shapes(configuration)]
        assert kernels == sorted(said)
