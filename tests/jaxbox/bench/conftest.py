"""Small configurations of each network, which the tests of the comparison of speed share."""

import pytest

from jaxbox.config import Configuration, Model, Optimizer, Task

TASK = Task(height=9, width=8, box_size=3, train_size=64)


@pytest.fixture(scope="session")
def configurations():
    """By model."""
    return {
        "linear": Configuration(TASK, Model("linear"), optimizer=Optimizer("sgd", 0.1), batch_size=16),
        "mlp": Configuration(TASK, Model("mlp", hidden=(6,)), batch_size=16),
        "cnn": Configuration(TASK, Model("cnn", features=(3, 4), kernel_size=3), batch_size=16),
    }
