"""What a configuration is: a tree of frozen dataclasses, its traced and static parts, its text and its fingerprint.

**A float field is traced, every other field is static.** Configurations that differ in floats only
share one compiled program (a *group*); any other difference makes another group. Nothing here
imports JAX, so that the command line can answer before JAX is loaded.
"""

import dataclasses
import difflib
import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Self, TypeVar, get_args, get_origin, get_type_hints

Value = bool | int | float | str | tuple[int, ...]
Tree = TypeVar("Tree")


class ConfigurationError(ValueError):
    """A configuration that cannot be run; the message is one line: field, value, what is allowed."""


class RunError(ValueError):
    """A run folder that cannot be used; the message is one line."""


@dataclasses.dataclass(frozen=True)
class Task:
    """The image distribution. Lengths are in pixels, noise in units of the [0, 1] pixel scale."""

    height: int = 16
    """Rows of an image."""
    width: int = 16
    """Columns of an image."""
    box_size: int = 4
    """Side of the white box."""
    channels: int = 1
    """1 (grey) or 3 (the same box in each channel, independent noise)."""
    noise: str = "none"
    """none, white (level: standard deviation) or salt_pepper (level: probability that a pixel is replaced)."""
    noise_level: float = 0.0
    """Standard deviation or probability, see noise."""
    inputs: str = "unit"
    """Scale of the pixels that the network sees: unit [0, 1], byte [0, 255], inverted (1 - pixel) or
    standardized (population mean 0, variance 1)."""
    targets: str = "symmetric"
    """Scale of the targets: symmetric, the whole image is [-1, 1]."""
    train_size: int = 10_000
    """Examples in each seed's training set, positions drawn uniformly; 0 is an endless stream."""
    margin_left: int = 0
    """Columns at the left that the box never enters."""
    margin_right: int = 0
    """Columns at the right that the box never enters."""
    margin_top: int = 0
    """Rows at the top that the box never enters."""
    margin_bottom: int = 0
    """Rows at the bottom that the box never enters."""


@dataclasses.dataclass(frozen=True)
class Model:
    """The network. Kernels start Glorot-uniform and biases at zero, as in Keras."""

    name: str = "cnn"
    """A name in jaxbox.models.MODELS: cnn, linear, mlp."""
    features: tuple[int, ...] = (32, 64, 128)
    """Channels of each convolution (cnn)."""
    kernel_size: int = 5
    """Side of each convolution's kernel, in pixels (cnn)."""
    stride: int = 2
    """Stride of each convolution, in pixels (cnn)."""
    padding: str = "SAME"
    """SAME or VALID (cnn)."""
    hidden: int = 64
    """Hidden units (mlp)."""
    activation: str = "relu"
    """A name in jaxbox.layers.ACTIVATIONS: relu, sigmoid, tanh, gelu (cnn, mlp)."""


@dataclasses.dataclass(frozen=True)
class Loss:
    """What training minimises, averaged over the batch and the two outputs."""

    name: str = "mse"
    """A name in jaxbox.losses.LOSSES."""


@dataclasses.dataclass(frozen=True)
class Optimizer:
    """The update rule. Each rule reads the fields that it names in its docstring."""

    name: str = "adam"
    """A name in jaxbox.optimizers.OPTIMIZERS: sgd, momentum, adam."""
    learning_rate: float = 0.01
    """Step size."""
    momentum: float = 0.9
    """Decay of the velocity (momentum)."""
    b1: float = 0.9
    """Decay of the first moment (adam)."""
    b2: float = 0.999
    """Decay of the second moment (adam)."""
    epsilon: float = 1e-7
    """Added to the root of the second moment (adam); Keras's default."""


@dataclasses.dataclass(frozen=True)
class Configuration:
    """Everything about a member but its seed."""

    task: Task = Task()
    model: Model = Model()
    loss: Loss = Loss()
    optimizer: Optimizer = Optimizer()
    batch_size: int = 128
    """Examples a step."""
    shared_batches: bool = False
    """Train every seed on the batches of seed 0. Faster for small models and under noise, but seeds then differ in
    initial weights only: they are no independent replicates, and intervals leave out what the data contribute."""
    steps: int = 1000
    """Updates."""
    eval_every: int = 50
    """Steps between evaluations; the last step is always evaluated."""
    render: bool = False
    """Work on whole images even where windows would give the same numbers with less work."""

    def evaluation_steps(self) -> list[int]:
        """Steps at which a member is evaluated: 0, every `eval_every`, and the last."""
        return [*range(0, self.steps, self.eval_every), self.steps]


def flatten(tree: Any, prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Yield (dotted path, value) of every leaf field, in order of definition."""
    for field in dataclasses.fields(tree):
        value = getattr(tree, field.name)
        if dataclasses.is_dataclass(value):
            yield from flatten(value, f"{prefix}{field.name}.")
        else:
            yield prefix + field.name, value


def replace(tree: Tree, changes: Mapping[str, Any]) -> Tree:
    """A copy of `tree` with the leaves at the dotted paths of `changes` replaced.

    Raises:
        ConfigurationError: a path is not a leaf field; the nearest one is suggested.
    """
    known = dict(flatten(tree))
    for path in changes:
        choose(known, path, "field")
    return _replace(tree, changes, "")


def _replace(tree: Any, changes: Mapping[str, Any], prefix: str) -> Any:
    new = {}
    for field in dataclasses.fields(tree):
        path, value = prefix + field.name, getattr(tree, field.name)
        nested = dataclasses.is_dataclass(value)
        new[field.name] = _replace(value, changes, path + ".") if nested else changes.get(path, value)
    return dataclasses.replace(tree, **new)


def field_types(cls: Any = Configuration, prefix: str = "") -> dict[str, type]:
    """The declared type of every leaf field, by dotted path."""
    types = {}
    for name, kind in get_type_hints(cls).items():
        types |= field_types(kind, f"{prefix}{name}.") if dataclasses.is_dataclass(kind) else {prefix + name: kind}
    return types


TRACED = tuple(path for path, kind in field_types().items() if kind is float)


@dataclasses.dataclass(frozen=True)
class Static:
    """The static part of a configuration: hashable, equal within a group."""

    configuration: Configuration

    @classmethod
    def of(cls, configuration: Configuration) -> Self:
        return cls(replace(configuration, dict.fromkeys(TRACED, 0.0)))

    def with_traced(self, traced: Mapping[str, Any]) -> Configuration:
        """The configuration whose float fields are `traced`, which may be JAX tracers."""
        return replace(self.configuration, traced)


def traced(configuration: Configuration) -> dict[str, float]:
    """The float fields of a configuration, by dotted path."""
    leaves = dict(flatten(configuration))
    return {path: float(leaves[path]) for path in TRACED}


def choose(table: Mapping[str, Any], name: str, field: str) -> Any:
    """`table[name]`.

    Raises:
        ConfigurationError: `name` is not in the table; the message names the nearest entry.
    """
    if name in table:
        return table[name]
    near = difflib.get_close_matches(name, table, n=1, cutoff=0.5)
    hint = f" (did you mean {near[0]}?)" if near else ""
    raise ConfigurationError(f"{field}: unknown name {name!r}{hint}; allowed: {', '.join(table)}")


def parse_value(path: str, text: str) -> Value:
    """The value that `text` spells for the field at `path`; integers of a tuple are separated by commas.

    Raises:
        ConfigurationError: unknown field, or text that is not of the field's type.
    """
    kind = choose(field_types(), path, "field")
    try:
        if kind is bool:
            return {"true": True, "false": False}[text.lower()]
        if get_origin(kind) is tuple:
            return tuple(get_args(kind)[0](part) for part in text.split(","))
        return kind(text)
    except (KeyError, ValueError):
        name = "comma-separated int" if get_origin(kind) is tuple else kind.__name__
        raise ConfigurationError(f"{path}: {text!r} is not of type {name}") from None


def check(configuration: Configuration) -> None:
    """Refuse what no program could run; names of models, losses and so on are checked where their tables are.

    Raises:
        ConfigurationError: with the first field that is out of range.
    """
    task, model, optimizer = configuration.task, configuration.model, configuration.optimizer
    free_width = task.width - task.margin_left - task.margin_right
    free_height = task.height - task.margin_top - task.margin_bottom
    sizes = ("task.height", "task.width", "task.box_size", "model.kernel_size", "model.stride", "model.hidden")
    leaves = dict(flatten(configuration))
    for path, kind in field_types().items():
        _check_type(path, leaves[path], kind)
    for path in (*sizes, "batch_size", "steps", "eval_every"):
        _require(leaves[path] >= 1, path, leaves[path], "at least 1")
    for side in ("left", "right", "top", "bottom"):
        path = f"task.margin_{side}"
        _require(leaves[path] >= 0, path, leaves[path], "at least 0")
    room = min(free_width, free_height)
    _require(task.box_size <= room, "task.box_size", task.box_size, f"at most {room}, the image less its margins")
    _require(task.channels in (1, 3), "task.channels", task.channels, "1 or 3")
    _require(task.noise_level >= 0, "task.noise_level", task.noise_level, "at least 0")
    if task.noise == "salt_pepper":
        _require(task.noise_level <= 1, "task.noise_level", task.noise_level, "a probability, at most 1")
    _require(task.train_size >= 0, "task.train_size", task.train_size, "at least 0 (0 is an endless stream)")
    largest = task.train_size or configuration.batch_size
    limit = f"at most task.train_size, {largest}"
    _require(configuration.batch_size <= largest, "batch_size", configuration.batch_size, limit)
    _require(min(model.features, default=0) >= 1, "model.features", model.features, "one or more positive integers")
    _require(model.padding in ("SAME", "VALID"), "model.padding", model.padding, "SAME or VALID")
    _require(optimizer.learning_rate >= 0, "optimizer.learning_rate", optimizer.learning_rate, "at least 0")
    _require(optimizer.epsilon > 0, "optimizer.epsilon", optimizer.epsilon, "greater than 0")
    for path in ("optimizer.momentum", "optimizer.b1", "optimizer.b2"):
        _require(0 <= leaves[path] < 1, path, leaves[path], "at least 0 and less than 1")
    most = f"at most steps, {configuration.steps}"
    _require(configuration.eval_every <= configuration.steps, "eval_every", configuration.eval_every, most)


def _check_type(path: str, value: Any, kind: Any) -> None:
    expected = get_origin(kind) or kind
    accepted = (int, float) if expected is float else (expected,)
    if isinstance(value, bool) != (expected is bool) or not isinstance(value, accepted):
        raise ConfigurationError(f"{path}: {value!r} is not of type {expected.__name__}")
    if isinstance(value, float):
        _require(abs(value) < float("inf"), path, value, "a finite number")
    if isinstance(value, tuple):
        for item in value:
            _check_type(path, item, get_args(kind)[0])


def _require(condition: bool, path: str, value: Any, allowed: str) -> None:
    if not condition:
        raise ConfigurationError(f"{path}: {value} is not allowed; it must be {allowed}")


def to_dict(configuration: Configuration) -> dict[str, Any]:
    """Nested plain dictionaries, ready for JSON."""
    return dataclasses.asdict(configuration)


def from_dict(values: Mapping[str, Any], cls: Any = Configuration, prefix: str = "") -> Any:
    """The inverse of `to_dict`; fields left out take their defaults.

    Raises:
        ConfigurationError: an unknown key, or a value of the wrong type.
    """
    hints, arguments = get_type_hints(cls), {}
    for key, value in values.items():
        kind = choose(hints, key, f"field of {prefix or 'configuration'}")
        if dataclasses.is_dataclass(kind):
            arguments[key] = from_dict(value, kind, f"{prefix}{key}.")
        else:
            arguments[key] = tuple(value) if isinstance(value, list) else value
            _check_type(prefix + key, arguments[key], kind)
    return cls(**arguments)


def fingerprint(configurations: Sequence[Mapping[str, Any]], seeds: int) -> str:
    """SHA-256 of configurations as plain dictionaries, in order, and of the number of seeds."""
    text = json.dumps({"configurations": configurations, "seeds": seeds}, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


@dataclasses.dataclass(frozen=True)
class Plan:
    """What a run computes: configurations x seeds."""

    configurations: tuple[Configuration, ...]
    seeds: int

    @property
    def fingerprint(self) -> str:
        """Of what determines the numbers: the configurations, in order, and the number of seeds."""
        return fingerprint([to_dict(configuration) for configuration in self.configurations], self.seeds)

    def varied(self) -> dict[str, list[Any]]:
        """The fields that differ between configurations: dotted path -> value of each configuration."""
        rows = [dict(flatten(configuration)) for configuration in self.configurations]
        return {path: [row[path] for row in rows] for path in rows[0] if len({row[path] for row in rows}) > 1}
