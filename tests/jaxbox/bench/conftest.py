"""Small configurations of each network, which the tests of the comparison of speed share."""

import pytest

from jaxbox.config import Configuration, Data, Model, Optimizer, Task

TASK = Task(height=9, width=8, box_size=3)


@pytest.fixture(scope="session")
def configurations():
    """By model."""
    return {
        "linear": Configuration(
            TASK, Model("linear"), optimizer=Optimizer("sgd", 0.1), data=Data(train_size=64), batch_size=16
        ),
        "mlp": Configuration(TASK, Model("mlp", hidden=(6,)), data=Data(train_size=64), batch_size=16),
        "cnn": Configuration(
            TASK, Model("cnn", features=(3, 4), kernel_size=3), data=Data(train_size=64), batch_size=16
        ),
    }
