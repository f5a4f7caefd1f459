"""A configuration that version 0.2 has stored opens with its fields where they are now."""

import json

import pytest

from jaxbox import config
from jaxbox.config import Configuration, ConfigurationError, Data, Model, Task

STORED = """{
 "task": {"height": 6, "width": 6, "box_size": 2, "channels": 1, "noise": "none", "noise_level": 0.0, "inputs": "unit",
  "targets": "symmetric", "train_size": 20, "margin_left": 0, "margin_right": 0, "margin_top": 0, "margin_bottom": 0,
  "scene": "box"},
 "model": {"name": "linear", "features": [32, 64, 128], "kernel_size": 5, "stride": 2, "padding": "SAME", "hidden": 64,
  "activation": "relu"},
 "loss": {"name": "mse", "delta": 1.0, "alpha": 5.0, "epsilon": 1e-09, "beta": 0.5},
 "optimizer": {"name": "adam", "learning_rate": 0.01, "momentum": 0.9, "b1": 0.9, "b2": 0.999, "epsilon": 1e-07,
  "rho": 0.9, "weight_decay": 0.0, "clip_norm": 0.0, "schedule": "constant", "warmup_steps": 0, "decay_every": 100,
  "decay_factor": 0.1},
 "batch_size": 8, "shared_batches": true, "steps": 6, "eval_every": 3, "render": false
}"""
"""Of the configuration.json of a run of 0.2.0."""


def test_what_was_stored_opens_with_its_values():
    expected = Configuration(
        Task(height=6, width=6, box_size=2),
        Model("linear"),
        data=Data(train_size=20, shared_batches=True),
        batch_size=8,
        steps=6,
        eval_every=3,
        eval_positions=0,
    )
    stored = json.loads(STORED)
    assert config.from_dict(config.migrated(stored)) == expected
    assert stored == json.loads(STORED), "a fingerprint is of what was stored"


def test_what_is_stored_now_stays_as_it_is():
    values = config.to_dict(Configuration(data=Data(train_size=7, law="beta")))
    assert config.migrated(values) == values
    assert config.migrated({"task": 3}) == {"task": 3, "eval_positions": 0}


@pytest.mark.parametrize("path", ["train_size", "shared_batches"])
def test_in_python_the_old_place_is_refused(path):
    with pytest.raises(TypeError, match=f"unexpected keyword argument '{path}'"):
        (Task if path == "train_size" else Configuration)(**{path: 1})
    with pytest.raises(ConfigurationError, match=r"did you mean data\.train_size"):
        config.replace(Configuration(), {"task.train_size": 1})
