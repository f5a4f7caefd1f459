"""The warning of a dying network: from activations of any framework, from shares, and what it refuses."""

import numpy as np
import pytest

from analysis.collapse import warning
from jaxbox.forecast import early

RANDOM = np.random.default_rng(0)


def layer(alive, units=20, pixels=()):
    """Activations of 30 examples, of a layer with so many units that are above zero somewhere."""
    values = -np.abs(RANDOM.normal(size=(30, *pixels, units)))
    for unit in range(alive):
        values.reshape(-1, units)[RANDOM.integers(values[..., 0].size), unit] = 1.0
    return values


def test_activations_and_shares_say_the_same():
    found = warning([layer(20, pixels=(3, 3)), layer(2), layer(15)], step=20)
    assert (found.layer, found.alive) == (1, 0.1)
    assert found.probability == early.dying(np.array([1.0, 0.1, 0.75]), 20)
    assert found == warning(alive=[1.0, 0.1, 0.75], step=20)
    assert found.low <= found.found <= found.high


def test_before_the_relu_or_after_it_is_the_same():
    before = [layer(3), layer(9)]
    assert warning(before) == warning([np.maximum(values, 0) for values in before])


def test_the_fewer_are_alive_the_worse_it_is():
    found = [warning(alive=[1.0, share]).probability for share in (1.0, 0.5, 0.2, 0.05, 0.0)]
    assert found == sorted(found)
    assert found[0] < 0.05
    assert found[-1] == 1.0
    advice = [warning(alive=[1.0, share]).advice for share in (1.0, 0.0)]
    assert advice[0].startswith("Nothing to fear")
    assert advice[1].startswith("Layer 1 is dead")


def test_what_the_law_expects_raises_it_or_lowers_it():
    low, plain, high = (warning(alive=[1.0, 0.5], step=20, expected=expected) for expected in (0.01, None, 0.99))
    assert low.probability < plain.probability < high.probability
    assert low.probability == early.dying(np.array([1.0, 0.5]), 20, 0.01)


@pytest.mark.parametrize(("with_law", "table"), [(False, early.CALIBRATION), (True, early.CALIBRATION_WITH_LAW)])
def test_calibration_covers_every_probability(with_law, table):
    edges = [row[0] for row in table]
    assert edges == sorted(edges)
    assert edges[-1] == 1.0
    for probability in np.linspace(0, 1, 101):
        found, low, high = early.calibrated(float(probability), with_law)
        assert 0 <= low <= found <= high <= 1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({}, "give one of them"),
        ({"activations": [layer(3)], "alive": [0.5]}, "give one of them"),
        ({"alive": []}, "of one layer or more"),
        ({"activations": []}, "of one layer or more"),
        ({"alive": [0.5, 1.5]}, "each share must be from 0 to 1"),
        ({"alive": [np.nan]}, "each share must be from 0 to 1"),
        ({"activations": [np.zeros(3)]}, r"activations\[0\] has the shape \(3,\)"),
        ({"activations": [layer(3), np.full((2, 2), np.inf)]}, r"activations\[1\]"),
        ({"alive": [0.5], "step": -1}, "step is -1"),
        ({"alive": [0.5], "expected": 30}, "expected is 30; it must be a rate from 0 to 1"),
        ({"alive": [0.5], "expected": float("nan")}, "expected is nan"),
    ],
)
def test_what_is_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        warning(**arguments)


def test_a_network_of_torch_that_dies_is_warned_of():
    """At a rate of 1 a narrow deep network is dead within steps, at .001 it is alive; its own activations say so."""
    torch = pytest.importorskip("torch")
    torch.manual_seed(0)
    inputs = torch.randn(200, 5).abs()
    targets = inputs.sum(1, keepdim=True)
    found = {}
    for rate in (1.0, 0.001):
        relus = [torch.nn.ReLU() for _ in range(3)]
        sizes = [(5, 8), (8, 8), (8, 8)]
        layers = [part for size, relu in zip(sizes, relus, strict=True) for part in (torch.nn.Linear(*size), relu)]
        network = torch.nn.Sequential(*layers, torch.nn.Linear(8, 1))
        optimizer = torch.optim.Adam(network.parameters(), rate)
        for _ in range(20):
            optimizer.zero_grad()
            torch.nn.functional.mse_loss(network(inputs), targets).backward()
            optimizer.step()
        kept, values = [], inputs
        for part in network:
            values = part(values)
            if isinstance(part, torch.nn.ReLU):
                kept.append(values.detach().numpy())
        found[rate] = warning(kept, step=20).probability
    assert found[1.0] > 0.5 > found[0.001]
