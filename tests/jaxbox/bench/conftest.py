"""Small configurations of each network, which the tests of the comparison of speed share."""

import dataclasses

import pytest

from jaxbox.config import Configuration, Data, Model, Optimizer, Task

TASK = Task(height=9, width=8, box_size=3)


@pytest.fixture(scope="session")
def configurations():
    """By model; `drawn` is a linear one on a scene that draws."""
    return {
        "linear": Configuration(
            TASK, Model("linear"), optimizer=Optimizer("sgd", 0.1), data=Data(train_size=64), batch_size=16
        ),
        "mlp": Configuration(TASK, Model("mlp", hidden=(6,)), data=Data(train_size=64), batch_size=16),
        "cnn": Configuration(
            TASK, Model("cnn", features=(3, 4), kernel_size=3), data=Data(train_size=64), batch_size=16
        ),
        "coordconv": Configuration(
            TASK, Model("coordconv", features=(3, 4), kernel_size=3), data=Data(train_size=64), batch_size=16
        ),
        "soft_argmax": Configuration(
            TASK, Model("soft_argmax", features=(3,), kernel_size=4), data=Data(train_size=64), batch_size=16
        ),
        "drawn": Configuration(
            dataclasses.replace(TASK, scene="red_box", channels=3, smallest_box=2),
            Model("linear"),
            optimizer=Optimizer("sgd", 0.1),
            data=Data(train_size=64),
            batch_size=16,
        ),
    }
