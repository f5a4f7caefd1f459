"""The premises of the law's variable, by simulation: which weights keep signals, and how far a step moves the output."""

import numpy as np
import pytest

WIDTHS = (40, 90, 60, 30)
DRAWS, RATE = 4000, 1e-4


def _relu(values):
    return np.maximum(values, 0)


def drawn(generator):
    """Weights of size sqrt(2 / fan-in), of the last layer 1 / sqrt(fan-in), which keep signals' size."""
    pairs = list(zip(WIDTHS, (*WIDTHS[1:], 1), strict=True))
    return [generator.normal(0, np.sqrt((1 if out == 1 else 2) / fan_in), (out, fan_in)) for fan_in, out in pairs]


def output(weights, inputs):
    values = inputs
    for layer in weights[:-1]:
        values = _relu(layer @ values)
    return (weights[-1] @ values)[0]


def test_such_weights_keep_the_size_of_signals():
    """Mean square of the output over that of the inputs: half of it, the last relu's, and within four standard errors."""
    generator = np.random.default_rng(0)
    inputs = generator.normal(size=WIDTHS[0])
    squares = np.array([output(drawn(generator), inputs) for _ in range(DRAWS)]) ** 2
    # Three relu layers, each of which halves what its weights have doubled.
    assert abs(squares.mean() - np.mean(inputs**2)) < 4 * squares.std() / np.sqrt(DRAWS)


@pytest.fixture(scope="module")
def moves():
    """Squares of drawn networks' outputs, and of how far each layer's step moves them, (draws, layers)."""
    generator = np.random.default_rng(0)
    inputs = generator.normal(size=WIDTHS[0])
    sizes, found = [], []
    for _ in range(DRAWS):
        weights = drawn(generator)
        before = output(weights, inputs)
        sizes.append(before**2)
        found.append(
            [(output(stepped(weights, layer, generator), inputs) - before) ** 2 for layer in range(len(WIDTHS))]
        )
    return np.array(sizes), np.array(found)


def stepped(weights, layer, generator):
    """With every weight of one layer moved by the rate, up or down."""
    step = RATE * generator.choice([-1, 1], weights[layer].shape)
    return [*weights[:layer], weights[layer] + step, *weights[layer + 1 :]]


@pytest.mark.parametrize("layer", range(len(WIDTHS)))
def test_a_step_moves_the_output_by_the_rate_times_the_root_of_fan_in(layer, moves):
    """Every weight of one layer by the rate, up or down: the output moves by rate x sqrt(fan-in / 2) of its own size, by
    the last layer's rate x sqrt(fan-in). So that all layers' together make up the law's `step`, but for a factor."""
    sizes, found = moves[0], moves[1][:, layer]
    said = RATE**2 * WIDTHS[layer] / (1 if layer == len(WIDTHS) - 1 else 2)
    # Four standard errors of a ratio of means, to first order; linearisation adds of the order of the rate.
    error = np.std(found / found.mean() - sizes / sizes.mean()) / np.sqrt(DRAWS)
    assert found.mean() / sizes.mean() == pytest.approx(said, rel=4 * error)


@pytest.mark.slow
def test_flipping_the_signs_of_inputs_changes_no_fate():
    """Adam's steps follow a flip of every sign: a network on flipped pixels is one with flipped first weights."""
    import jax
    import jax.numpy as jnp

    from jaxbox.config import change
    from jaxbox.experiments.settings import box
    from jaxbox.training import evaluation, member, sampling

    plain = box(steps=6, render=True, batch_size=16, **{"model.features": (4, 6), "data.train_size": 64})
    flipped = change(plain, {"task.inputs": "checkerboard", "render": False})
    seed = jnp.uint32(3)
    start = member.initialize(plain, seed)
    kernel = start.params["convolutions"][0]["kernel"]
    offset = np.add.outer(np.arange(5), np.arange(5)) % 2
    # SAME padding of 16 pixels puts one before them along each axis: the kernel's first pixel lies on an even square.
    turned = start.params | {"convolutions": dict(start.params["convolutions"])}
    turned["convolutions"][0] = turned["convolutions"][0] | {"kernel": kernel * (1 - 2 * offset)[None, :, :, None]}
    ends = {}
    for configuration, state in ((plain, start), (flipped, start._replace(params=turned))):
        data = sampling.prepare(configuration, seed, jnp.int32(0))
        train = jax.jit(member.train, static_argnums=0)
        state, _, _ = train(configuration, state, data, seed, jnp.int32(0), jnp.int32(6))
        ends[configuration] = np.asarray(evaluation.predict(configuration, state.weights)[0])
    start_predictions = np.asarray(evaluation.predict(plain, start.weights)[0])
    assert np.abs(ends[plain] - start_predictions).max() > 0.01
    # Products are summed in another order; six steps amplify a rounding by a few hundred at most.
    np.testing.assert_allclose(ends[flipped], ends[plain], atol=2e-4)
