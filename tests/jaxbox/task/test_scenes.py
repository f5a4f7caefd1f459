"""A scene of somebody's own: windows belong to the scene, not to there being no noise."""

import dataclasses
import sys
from types import SimpleNamespace

import jax.numpy as jnp
import numpy as np
import pytest

from jaxbox import sweep
from jaxbox import task as tasks
from jaxbox.config import Configuration, ConfigurationError, Data, Model, Optimizer, Task, tables
from jaxbox.task.scenes import box
from jaxbox.training import checks


def render(task, positions):
    """Two lit pixels on a diagonal."""
    boxes = box.render(dataclasses.replace(task, box_size=2), positions)
    xp = positions.__array_namespace__()
    column, row = positions[:, 0, None], positions[:, 1, None]
    off_diagonal = (xp.arange(task.width)[None] - column)[:, None, :] != (xp.arange(task.height)[None] - row)[
        :, :, None
    ]
    return xp.where(off_diagonal[..., None], xp.zeros_like(boxes), boxes)


DIAGONAL = SimpleNamespace(
    position_shape=box.position_shape, position=box.position, centre=box.centre, render=render, moments=box.moments
)
TASK = Task(height=5, width=6, box_size=2, scene="diagonal")
OWN = Configuration(
    TASK,
    Model("linear"),
    optimizer=Optimizer("sgd", 0.1),
    data=Data(train_size=12),
    batch_size=4,
    steps=2,
    eval_every=1,
)


@pytest.fixture(autouse=True)
def row(monkeypatch):
    here = f"{sys.modules[__name__].__name__}:DIAGONAL"
    reads = tuple(path for path in tables.SCENES["box"].reads if path != "render")
    monkeypatch.setitem(tables.SCENES, "diagonal", tables.Row(here, "two pixels", reads))


def test_a_noiseless_scene_that_has_no_windows_is_trained_on_its_own_images(tmp_path):
    assert TASK.noise == "none"
    assert not tables.takes_windows(OWN)
    ours, _ = tasks.example(TASK, jnp.arange(3), tasks.Draws(jnp.zeros((3, 5, 6, 1)), None), tables.uses_windows(OWN))
    assert np.asarray(ours).sum(axis=(1, 2, 3)).tolist() == [2, 2, 2]
    boxes = dataclasses.replace(OWN, task=dataclasses.replace(TASK, scene="box"))
    run = sweep.run([OWN, boxes], 1, name="run", out=tmp_path, quiet=True)
    # A linear model from the same weights: the prediction differs where pixels do.
    assert (run["mse"].sel(step=0, split="all")[0] != run["mse"].sel(step=0, split="all")[1]).all()


def test_render_is_not_read_there():
    with pytest.raises(
        ConfigurationError, match=r"render: True is not read by task.scene 'diagonal'; it is read by 'box'"
    ):
        checks.check_sweep([dataclasses.replace(OWN, render=True)], 1)
