"""Real networks that fail: PyTorch and Keras where they are installed, and a population of jaxbox."""

import jax
import numpy as np
import pytest

from analysis.collapse import diagnose, kinds

RANDOM = np.random.default_rng(0)
INPUTS = RANDOM.standard_normal((400, 3)).astype(np.float32)
WEIGHTS = np.array([[1.0, 0.5], [-0.7, 1.0], [0.3, -0.2]], np.float32)
TARGETS = INPUTS @ WEIGHTS + 2


def trained_in_torch(activation, bias, rate=0.05, steps=300):
    torch = pytest.importorskip("torch")
    torch.manual_seed(0)
    last = torch.nn.Linear(16, 2)
    network = torch.nn.Sequential(torch.nn.Linear(3, 16), torch.nn.ReLU(), last, activation(torch.nn))
    with torch.no_grad():
        last.bias.fill_(bias)
    inputs, targets = torch.from_numpy(INPUTS), torch.from_numpy(TARGETS)
    optimizer = torch.optim.Adam(network.parameters(), rate)
    for _ in range(steps):
        optimizer.zero_grad()
        torch.nn.functional.mse_loss(network(inputs), targets).backward()
        optimizer.step()
    with torch.no_grad():
        return network(inputs).numpy()


def test_a_relu_at_the_output_dies_in_torch():
    for found in diagnose(TARGETS, trained_in_torch(lambda nn: nn.ReLU(), -50.0)):
        assert (found.kind, found.constant_at, found.constant) == ("dead", "zero", 0)
        assert "make the output linear" in found.advice


def test_without_it_the_network_learns_in_torch():
    assert [found.kind for found in diagnose(TARGETS, trained_in_torch(lambda nn: nn.Identity(), 0.0))] == ["none"] * 2


def test_a_relu_below_zero_is_partly_dead_in_torch():
    predictions = trained_in_torch(lambda nn: nn.ReLU(), 2.0) - 2  # targets that ReLU cannot reach, had they mean 0
    for found in diagnose(TARGETS - 3, np.maximum(predictions - 1, 0)):
        assert (found.kind, found.constant_at) == ("partly dead", "zero")


def test_targets_of_another_shape_teach_the_mean_in_torch():
    torch = pytest.importorskip("torch")
    torch.manual_seed(0)
    network = torch.nn.Sequential(torch.nn.Linear(3, 16), torch.nn.ReLU(), torch.nn.Linear(16, 1))
    inputs, targets = torch.from_numpy(INPUTS), torch.from_numpy(TARGETS[:, 0])
    optimizer = torch.optim.Adam(network.parameters(), 0.01)
    for _ in range(500):
        optimizer.zero_grad()
        # (n, 1) - (n,) is (n, n): every prediction is compared with every target.
        ((network(inputs) - targets) ** 2).mean().backward()
        optimizer.step()
    with torch.no_grad():
        (found,) = diagnose(TARGETS[:, 0], network(inputs).numpy())
    assert abs(found.r2) < 0.01
    assert found.kind in ("shrunk", "jitter", "dead", "nonlinear")
    assert found.variance_ratio < 0.01


def test_a_relu_at_the_output_dies_in_keras(monkeypatch):
    monkeypatch.setenv("KERAS_BACKEND", "jax")
    keras = pytest.importorskip("keras")
    keras.utils.set_random_seed(0)
    network = keras.Sequential(
        [
            keras.layers.Input((3,)),
            keras.layers.Dense(16, activation="relu"),
            keras.layers.Dense(2, activation="relu", bias_initializer=keras.initializers.Constant(-50.0)),
        ]
    )
    network.compile(optimizer=keras.optimizers.Adam(0.01), loss="mse")
    with jax.numpy_rank_promotion("allow"):  # Keras broadcasts biases
        network.fit(INPUTS, TARGETS, epochs=3, verbose=0)
        predictions = network.predict(INPUTS, verbose=0)
    for found in diagnose(TARGETS, predictions):
        assert (found.kind, found.constant_at) == ("dead", "zero")


def test_a_population_of_jaxbox(tmp_path, monkeypatch):
    """The thread's network at ten times its learning rate, which kills layers, and at a tenth, at which all learn."""
    jaxbox = pytest.importorskip("jaxbox")
    monkeypatch.chdir(tmp_path)
    task, model = jaxbox.Task(height=8, width=8, box_size=2), jaxbox.Model("mlp", hidden=(16,))
    sweep = [
        jaxbox.Configuration(
            *(task, model),
            optimizer=jaxbox.Optimizer(learning_rate=rate),
            data=jaxbox.Data(train_size=25),
            batch_size=25,
            steps=400,
            eval_every=400,
        )
        for rate in (1.0, 3e-3)
    ]
    run = jaxbox.run(sweep, seeds=16, name="rates")
    for configuration in range(2):
        predictions = run["prediction"].values[configuration]
        for axis in range(2):
            targets = run["target"].values[configuration, :, axis]
            found = kinds(targets, predictions[..., axis], run["seen"].values[configuration])
            dead = np.ptp(predictions[..., axis], axis=1) == 0
            print(configuration, axis, dict(zip(*np.unique(found.kind, return_counts=True), strict=True)))
            assert np.all((found.kind == "dead") == dead)
            r2 = run["r2"].values[configuration, :, -1, axis]
            assert np.all(r2[dead] < 0.05)
            if configuration == 1:
                # 25 of 49 positions are all that it has seen: it learns these, and not always the others.
                assert np.all(np.isin(found.kind, ["memorised", "none"]))
