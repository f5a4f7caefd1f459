"""Each update rule against its paper's equations in NumPy, with hyperparameters that are traced; decay and clipping."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxbox import config, optimizers
from jaxbox.config import Configuration, ConfigurationError, Data, Model, Optimizer, Static, Task, tables
from jaxbox.training import member, sampling

GRADIENTS = np.random.default_rng(0).normal(size=(6, 3))
START = np.array([0.5, -1.0, 2.0])
HYPERPARAMETERS = {
    **{"learning_rate": 0.07, "momentum": 0.8, "b1": 0.6, "b2": 0.95, "epsilon": 1e-3, "rho": 0.7},
    "weight_decay": 0.2,
}
DECOUPLED = ("adamw", "lion")


def sgd(weights, memory, gradient, step, *, learning_rate, **_):
    return weights - learning_rate * gradient, memory


def momentum(weights, velocity, gradient, step, *, learning_rate, momentum, **_):
    velocity = momentum * velocity + gradient
    return weights - learning_rate * velocity, velocity


def nesterov(weights, velocity, gradient, step, *, learning_rate, momentum, **_):
    """Sutskever et al. (2013), equations 3 and 4, seen from the point at which the gradient is taken."""
    behind = weights - momentum * velocity
    velocity = momentum * velocity - learning_rate * gradient
    return behind + velocity + momentum * velocity, velocity


def rmsprop(weights, square, gradient, step, *, learning_rate, rho, epsilon, **_):
    """Hinton (2012), lecture 6e."""
    square = rho * square + (1 - rho) * gradient**2
    return weights - learning_rate * gradient / (np.sqrt(square) + epsilon), square


def adam(weights, moments, gradient, step, *, learning_rate, b1, b2, epsilon, **_):
    """Algorithm 1 of Kingma and Ba (2015)."""
    first, second = moments if step > 1 else (0 * gradient, 0 * gradient)
    first = b1 * first + (1 - b1) * gradient
    second = b2 * second + (1 - b2) * gradient**2
    first_hat, second_hat = first / (1 - b1**step), second / (1 - b2**step)
    return weights - learning_rate * first_hat / (np.sqrt(second_hat) + epsilon), (first, second)


def adadelta(weights, squares, gradient, step, *, learning_rate, rho, epsilon, **_):
    """Algorithm 1 of Zeiler (2012)."""
    gradients, changes = squares if step > 1 else (0 * gradient, 0 * gradient)
    gradients = rho * gradients + (1 - rho) * gradient**2
    change = -np.sqrt(changes + epsilon) / np.sqrt(gradients + epsilon) * gradient
    return weights + learning_rate * change, (gradients, rho * changes + (1 - rho) * change**2)


def lion(weights, velocity, gradient, step, *, learning_rate, b1, b2, **_):
    """Algorithm 2 of Chen et al. (2023)."""
    direction = np.sign(b1 * velocity + (1 - b1) * gradient)
    return weights - learning_rate * direction, b2 * velocity + (1 - b2) * gradient


REFERENCES = {
    **{"sgd": sgd, "momentum": momentum, "nesterov": nesterov, "rmsprop": rmsprop},
    **{"adam": adam, "adamw": adam, "adadelta": adadelta, "lion": lion},
}


def reference(name, hyperparameters, gradients=GRADIENTS):
    """Weights after the gradients, from START, in float64."""
    weights, memory = START, np.zeros(len(START))
    rate, decay = hyperparameters["learning_rate"], hyperparameters["weight_decay"]
    for step, gradient in enumerate(gradients, start=1):
        shrunk = (1 - rate * decay) * weights if name in DECOUPLED else weights
        penalty = 0 if name in DECOUPLED else decay * weights
        weights, memory = REFERENCES[name](shrunk, memory, gradient + penalty, step, **hyperparameters)
    return weights


def walk(name, hyperparameters, gradients):
    """Weights after the gradients, from START."""
    optimizer = Optimizer(name, **hyperparameters)
    rule = optimizers.clipped(optimizer, tables.load("optimizer.name", name)(optimizer))
    weights = jnp.asarray(START, jnp.float32)
    state = rule.init(weights)
    for gradient in gradients:
        updates, state = rule.update(gradient, state, weights)
        weights = weights + updates
    return weights


@pytest.mark.parametrize("name", tables.OPTIMIZERS)
def test_rule_follows_its_equations(name):
    gradients = jnp.asarray(GRADIENTS, jnp.float32)
    together = jax.jit(jax.vmap(lambda floats: walk(name, floats, gradients)))
    # Two sets of hyperparameters in one program: every float is traced.
    other = {"learning_rate": 0.3, "momentum": 0.1, "b1": 0.1, "b2": 0.5, "rho": 0.5, "weight_decay": 0.05}
    sets = [HYPERPARAMETERS, HYPERPARAMETERS | other]
    ours = together({field: jnp.array([values[field] for values in sets]) for field in HYPERPARAMETERS})
    for row, values in zip(ours, sets, strict=True):
        # Some 40 roundings of 6e-8; Adam divides by 1 - b2, which carries 20 times that.
        np.testing.assert_allclose(row, reference(name, values), rtol=5e-5, atol=1e-6)


@pytest.mark.parametrize("name", tables.OPTIMIZERS)
def test_without_weight_decay_a_rule_is_that_of_its_paper(name):
    values = HYPERPARAMETERS | {"weight_decay": 0.0}
    ours = walk(name, values, jnp.asarray(GRADIENTS, jnp.float32))
    np.testing.assert_allclose(ours, reference(name, values), rtol=5e-5, atol=1e-6)


def test_every_rule_has_a_reference():
    assert set(tables.OPTIMIZERS) == set(REFERENCES)


@pytest.mark.parametrize("name", tables.OPTIMIZERS)
def test_weight_decay_shrinks_what_has_no_gradient(name):
    still = jnp.zeros((6, 3), jnp.float32)
    shrunk = walk(name, HYPERPARAMETERS, still)
    assert (np.abs(shrunk) < np.abs(START)).all()
    assert (np.sign(shrunk) == np.sign(START)).all()
    np.testing.assert_array_equal(walk(name, HYPERPARAMETERS | {"weight_decay": 0.0}, still), np.float32(START))
    if name in (*DECOUPLED, "sgd"):
        np.testing.assert_allclose(shrunk, START * (1 - 0.07 * 0.2) ** 6, rtol=1e-5)


def test_weight_decay_in_the_gradient_is_another_thing_than_decoupled():
    gradients = jnp.asarray(GRADIENTS, jnp.float32)
    adam, adamw = (walk(name, HYPERPARAMETERS, gradients) for name in ("adam", "adamw"))
    assert np.abs(adam - adamw).max() > 0.01


@pytest.mark.parametrize("limit", [0.5, 1.5, 100.0])
def test_clipping_scales_longer_gradients_down_to_the_limit(limit):
    norms = np.linalg.norm(GRADIENTS, axis=1, keepdims=True)
    assert norms.min() < 1.5 < norms.max() < 100
    expected = reference("momentum", HYPERPARAMETERS, GRADIENTS * np.minimum(1, limit / norms))
    traced = jax.jit(lambda limit: walk("momentum", HYPERPARAMETERS | {"clip_norm": limit}, jnp.float32(GRADIENTS)))
    np.testing.assert_allclose(traced(limit), expected, rtol=5e-6)
    if limit == 100:
        untouched = jax.jit(lambda: walk("momentum", HYPERPARAMETERS, GRADIENTS))()
        np.testing.assert_allclose(traced(limit), untouched, rtol=1.2e-7)  # one rounding: they are two programs


def test_clipping_is_by_the_norm_over_all_weights_and_before_weight_decay():
    optimizer = Optimizer("sgd", learning_rate=1.0, clip_norm=1.0, weight_decay=10.0)
    rule = optimizers.clipped(optimizer, optimizers.sgd(optimizer))
    weights = {"a": jnp.array([3.0]), "b": jnp.array([[0.5]])}
    gradient = {"a": jnp.array([30.0]), "b": jnp.array([[40.0]])}
    updates, _ = rule.update(gradient, rule.init(weights), weights)
    np.testing.assert_allclose(updates["a"], [-(0.6 + 30)], rtol=1e-6)
    np.testing.assert_allclose(updates["b"], [[-(0.8 + 5)]], rtol=1e-6)


def test_frozen_biases_stay_and_nothing_else_changes():
    free, frozen = (Optimizer("adam", learning_rate=0.1, frozen=name) for name in ("none", "biases"))
    weights = {"bias": jnp.array([3.0, 1.0]), "kernel": jnp.array([[0.5]])}
    gradient = {"bias": jnp.array([30.0, 2.0]), "kernel": jnp.array([[40.0]])}
    rules = [optimizers.partly_frozen(each, optimizers.adam(each)) for each in (free, frozen)]
    moved, kept = (rule.update(gradient, rule.init(weights), weights)[0] for rule in rules)
    assert np.all(moved["bias"] != 0)
    np.testing.assert_array_equal(kept["bias"], [0.0, 0.0])
    np.testing.assert_array_equal(kept["kernel"], moved["kernel"])


BASE = Configuration(
    Task(height=6, width=7, box_size=2), Model("linear"), data=Data(train_size=8), batch_size=4, steps=4, eval_every=2
)


def program(**options):
    """What training compiles with these options, and the numbers that it keeps."""
    static = Static.of(dataclasses.replace(BASE, optimizer=Optimizer(**options)))
    floats = {path: jnp.float32(0.5) for path in config.TRACED}

    def train(floats):
        traced, seed, step = static.with_traced(floats), jnp.uint32(0), jnp.int32(0)
        state = member.initialize(traced, seed)
        return member.train(traced, state, sampling.prepare(traced, seed, step), seed, step, jnp.int32(4))

    return str(jax.make_jaxpr(train)(floats))


def test_what_is_off_is_not_in_the_program_and_what_is_on_is_traced():
    plain = program()
    assert program(weight_decay=0.0, clip_norm=-0.0, decay_factor=0.5, rho=0.5, learning_rate=2.0) == plain
    for options in ({"weight_decay": 1e-4}, {"clip_norm": 3.0}, {"schedule": "cosine"}, {"warmup_steps": 2}):
        on = program(**options)
        assert on != plain
        assert len(on) > len(plain)
    assert program(weight_decay=1e-4, clip_norm=2.0) == program(weight_decay=1.0, clip_norm=0.5)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"weight_decay": -0.1}, r"optimizer.weight_decay: -0\.1 .*0, or as a 32-bit float greater"),
        ({"clip_norm": -1.0}, r"optimizer.clip_norm: -1\.0"),
        ({"clip_norm": 1e-60}, r"optimizer.clip_norm: 1e-60"),
        ({"rho": 1.0}, r"optimizer.rho: 1\.0 .*at least 0 and less than 1"),
        ({"decay_factor": 0.0}, r"optimizer.decay_factor: 0\.0 .*greater than 0"),
        ({"decay_factor": 1.5}, r"optimizer.decay_factor: 1\.5 .*at most 1"),
        ({"decay_every": 0}, "optimizer.decay_every: 0 .*at least 1"),
        ({"warmup_steps": -1}, "optimizer.warmup_steps: -1 .*at least 0"),
        ({"warmup_steps": 5}, "optimizer.warmup_steps: 5 .*at most steps, 4"),
        ({"schedule": "cosin"}, "optimizer.schedule: unknown name 'cosin'.*did you mean cosine"),
        ({"name": "adamw"}, r"optimizer.weight_decay: 0\.0 .*greater than 0 for adamw, which is adam without it"),
    ],
)
def test_what_is_out_of_range_is_refused_in_one_line(options, message):
    with pytest.raises(ConfigurationError, match=message) as caught:
        config.check_values(dataclasses.replace(BASE, optimizer=Optimizer(**options)))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"decay_every": 7}, "decay_every: 7 is not read by optimizer.schedule 'constant'; it is read by 'step'"),
        ({"name": "lion", "rho": 0.5}, r"rho: 0\.5 is not read by optimizer.name 'lion'; it is read by 'rmsprop'"),
    ],
)
def test_an_option_that_nobody_reads_is_refused(options, message):
    with pytest.raises(ConfigurationError, match=message):
        config.refuse_unread([dataclasses.replace(BASE, optimizer=Optimizer(**options))])
