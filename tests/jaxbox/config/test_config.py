"""What a configuration is: static and traced parts, text, fingerprint, and every refusal by field and value."""

import dataclasses
import json
import math

import pytest

from jaxbox import config
from jaxbox.config import Configuration, ConfigurationError, Loss, Model, Optimizer, Plan, Static, Task


def test_floats_are_traced_and_everything_else_is_static():
    floats = {path for path, value in config.flatten(Configuration()) if type(value) is float}
    assert set(config.TRACED) == floats
    assert {"task.noise_level", "optimizer.learning_rate", "optimizer.momentum", "optimizer.epsilon"} <= floats


def test_configurations_that_differ_in_floats_share_their_static_part():
    one = Configuration(Task(noise_level=0.1), optimizer=Optimizer(learning_rate=0.5))
    two = Configuration(Task(noise_level=0.2), optimizer=Optimizer(learning_rate=0.25, momentum=0.5))
    other = dataclasses.replace(one, batch_size=64)
    assert Static.of(one) == Static.of(two)
    assert hash(Static.of(one)) == hash(Static.of(two))
    assert Static.of(one) != Static.of(other)
    assert Static.of(one).with_traced(config.traced(two)) == two


@pytest.mark.parametrize("path", config.OFF_AT_ZERO)
def test_a_float_that_is_off_at_zero_is_static_there_and_traced_elsewhere(path):
    off, on, other = (config.replace(Configuration(), {path: value}) for value in (-0.0, 0.5, 1e-60))
    assert Static.of(off) == Static.of(Configuration()) != Static.of(on) == Static.of(other)
    tracers = {traced: object() for traced in config.TRACED}
    assert dict(config.flatten(Static.of(off).with_traced(tracers)))[path] == 0
    assert dict(config.flatten(Static.of(on).with_traced(tracers)))[path] is tracers[path]
    assert Static.of(Static.of(on).configuration) == Static.of(on)
    assert Static.of(on).with_traced(config.traced(on)) == on


def test_replace_sets_leaves_by_path_and_leaves_the_rest():
    changed = config.replace(Configuration(), {"task.height": 20, "batch_size": 7})
    assert changed == Configuration(Task(height=20), batch_size=7)
    assert Configuration() == Configuration(Task(), Model(), Loss(), Optimizer())


@pytest.mark.parametrize(
    ("path", "nearest"),
    [("optimizer.learning_rte", "optimizer.learning_rate"), ("task.hight", "task.height"), ("batchsize", "batch_size")],
)
def test_replace_suggests_the_nearest_field(path, nearest):
    with pytest.raises(ConfigurationError, match=f"{path}.*did you mean {nearest}") as caught:
        config.replace(Configuration(), {path: 1})
    assert "\n" not in str(caught.value)


def test_evaluations_are_at_the_start_every_so_often_and_at_the_end():
    steps = Configuration(steps=100, eval_every=40).evaluation_steps()
    assert steps == [0, 40, 80, 100]
    assert Configuration(steps=80, eval_every=40).evaluation_steps() == [0, 40, 80]
    assert Configuration(steps=1, eval_every=1).evaluation_steps() == [0, 1]


def test_json_gives_the_same_configuration_back():
    task = Task(channels=3, noise="white", noise_level=0.1 + 0.2)
    before = Configuration(task, Model("mlp", features=(1, 2)), batch_size=5)
    after = config.from_dict(json.loads(json.dumps(config.to_dict(before))))
    assert after == before
    assert isinstance(after.model.features, tuple)


def test_a_stored_width_of_the_days_when_there_was_one_is_a_tuple_of_it():
    assert config.from_dict({"model": {"hidden": 7}}) == Configuration(model=Model(hidden=(7,)))
    with pytest.raises(ConfigurationError, match=r"model\.hidden: True is not of type tuple"):
        config.from_dict({"model": {"hidden": True}})


def test_from_dict_fills_in_defaults_and_refuses_the_rest():
    assert config.from_dict({"task": {"height": 20}}) == Configuration(Task(height=20))
    with pytest.raises(ConfigurationError, match=r"task.*hieght.*did you mean height"):
        config.from_dict({"task": {"hieght": 20}})
    with pytest.raises(ConfigurationError, match=r"task\.height: '20' is not of type int"):
        config.from_dict({"task": {"height": "20"}})


@pytest.mark.parametrize(
    ("path", "text", "value"),
    [
        ("task.height", "12", 12),
        ("optimizer.learning_rate", "1e-3", 0.001),
        ("model.features", "4,8", (4, 8)),
        ("model.features", "4", (4,)),
        ("task.noise", "white", "white"),
        ("render", "true", True),
        ("render", "False", False),
    ],
)
def test_parse_value(path, text, value):
    parsed = config.parse_value(path, text)
    assert parsed == value
    assert type(parsed) is type(value)


@pytest.mark.parametrize(
    ("path", "text", "kind"),
    [
        ("task.height", "1.5", "int"),
        ("optimizer.b1", "high", "float"),
        ("model.features", "4,x", "comma-separated int"),
        ("render", "1", "bool"),
    ],
)
def test_parse_value_names_field_value_and_type(path, text, kind):
    with pytest.raises(ConfigurationError, match=f"{path}: '{text}' is not of type {kind}"):
        config.parse_value(path, text)


BAD = [
    ({"task.box_size": 17}, "task.box_size: 17"),
    ({"task.width": 8, "task.margin_left": 3, "task.margin_right": 2}, "task.box_size: 4"),
    ({"task.height": 0}, "task.height: 0"),
    ({"task.box_size": 0}, "task.box_size: 0"),
    ({"task.channels": 2}, "task.channels: 2"),
    ({"task.noise_level": -0.1}, r"task.noise_level: -0\.1"),
    ({"task.noise": "salt_pepper", "task.noise_level": 1.5}, r"task.noise_level: 1\.5"),
    ({"data.train_size": -1}, "data.train_size: -1"),
    ({"task.margin_top": -1}, "task.margin_top: -1"),
    ({"data.train_size": 100}, "batch_size: 128 .* at most data.train_size, 100"),
    ({"data.concentration": 0.0}, "data.concentration: 0.0 .*greater than 0"),
    ({"data.corner_share": 1.1}, "data.corner_share: 1.1 .*from 0 to 1"),
    ({"data.corner_share": -0.1}, "data.corner_share: -0.1"),
    ({"data.held_out": 1.0}, "data.held_out: 1.0 .*less than 1"),
    ({"data.held_out": 1 - 1e-12}, "data.held_out"),
    ({"data.held_out": -0.1}, "data.held_out: -0.1"),
    ({"data.labels": "shuffled", "data.train_size": 1, "batch_size": 1}, "data.train_size: 1 .*shuffled"),
    ({"data.labels": "shuffled", "data.train_size": 0, "batch_size": 1}, "batch_size: 1 .*shuffled"),
    ({"batch_size": 0}, "batch_size: 0"),
    ({"batch_size": True}, "batch_size: True is not of type int"),
    ({"batch_size": 4.0}, r"batch_size: 4\.0 is not of type int"),
    ({"steps": 0}, "steps: 0"),
    ({"eval_every": 0}, "eval_every: 0"),
    ({"eval_every": 1001}, "eval_every: 1001 .* at most steps, 1000"),
    ({"model.features": ()}, "model.features"),
    ({"model.features": (4, 0)}, "model.features"),
    ({"model.features": (4, "x")}, "model.features: 'x'"),
    ({"model.kernel_size": 0}, "model.kernel_size: 0"),
    ({"model.stride": 0}, "model.stride: 0"),
    ({"model.hidden": ()}, "model.hidden: .* one or more positive integers"),
    ({"model.hidden": (4, 0)}, "model.hidden"),
    ({"model.initial_scale": -1.0}, r"model.initial_scale: -1\.0"),
    ({"model.padding": "same"}, "model.padding: same"),
    ({"optimizer.learning_rate": -1.0}, r"optimizer.learning_rate: -1\.0"),
    ({"optimizer.learning_rate": math.nan}, "optimizer.learning_rate: nan .* finite"),
    ({"optimizer.learning_rate": math.inf}, "optimizer.learning_rate: inf .* finite"),
    ({"optimizer.momentum": 1.0}, "optimizer.momentum: 1"),
    ({"optimizer.b1": 1.0}, "optimizer.b1: 1"),
    ({"optimizer.b2": -0.5}, "optimizer.b2: -0.5"),
    ({"optimizer.epsilon": 0.0}, "optimizer.epsilon: 0"),
]


@pytest.mark.parametrize(("changes", "message"), BAD, ids=[str(changes) for changes, _ in BAD])
def test_check_names_the_field_and_the_value(changes, message):
    with pytest.raises(ConfigurationError, match=message) as caught:
        config.check_values(config.replace(Configuration(), changes))
    assert "\n" not in str(caught.value)


GOOD = [
    {"task.box_size": 16},
    {"data.train_size": 0},
    {"data.train_size": 128},
    {"data.train_size": 1, "batch_size": 1},
    {"data.held_out": 0.0, "data.corner_share": 1.0, "data.concentration": 1e-30},
    {"data.labels": "shuffled", "data.train_size": 2, "batch_size": 1},
    {"eval_every": 1000},
    {"optimizer.learning_rate": 0.0},
    {"optimizer.learning_rate": 1},
    {"task.noise": "salt_pepper", "task.noise_level": 1.0},
    {"task.noise": "white", "task.noise_level": 3.0},
    {"task.width": 9, "task.margin_left": 3, "task.margin_right": 2},
]


@pytest.mark.parametrize("changes", GOOD, ids=str)
def test_check_accepts_the_limits_themselves(changes):
    config.check_values(config.replace(Configuration(), changes))


def test_the_fingerprint_changes_with_all_that_determines_the_numbers():
    one, two = Configuration(), Configuration(Task(height=17))
    plans = [Plan.of((one, two), 2), Plan.of((two, one), 2), Plan.of((one,), 2), Plan.of((one, two), 3)]
    for path, value in config.flatten(one):
        other = value * 2 + 1 if isinstance(value, int | float) else value * 2 or (1,)
        plans.append(Plan.of((config.replace(one, {path: other}),), 2))
    assert len({plan.fingerprint for plan in plans}) == len(plans)
    assert Plan.of((Configuration(), Configuration(Task(height=17))), 2).fingerprint == plans[0].fingerprint


def test_varied_fields_and_their_values():
    plan = Plan.of((Configuration(), Configuration(Task(height=17)), Configuration(Task(height=17), batch_size=1)), 1)
    assert plan.varied() == {"task.height": [16, 17, 17], "batch_size": [128, 128, 1]}
    assert Plan.of((Configuration(),), 1).varied() == {}
