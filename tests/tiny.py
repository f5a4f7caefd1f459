"""A configuration that trains in no time, for tests of what becomes of a run."""

from jaxbox.config import Configuration, Data, Model, Optimizer, Task

TINY = Configuration(
    Task(6, 5, 2),
    Model("linear"),
    optimizer=Optimizer("sgd", 0.1),
    data=Data(train_size=12),
    batch_size=4,
    steps=4,
    eval_every=2,
)
