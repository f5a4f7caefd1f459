"""What no program could run is refused before JAX is loaded: types, ranges, names, options that nobody reads."""

from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any

from jaxbox.config import options, tables
from jaxbox.config.combinations import check_combination
from jaxbox.config.errors import ConfigurationError, require
from jaxbox.config.fields import OFF_AT_ZERO, check_type, defaults_of, flatten, replace, single, types_of
from jaxbox.config.sections import Configuration

LARGEST_INT = 2**31 - 1
"""Steps, seeds and sizes are 32-bit integers on the device."""
MOST_DISTRACTORS = 64
"""Each is a part of the compiled program."""


def check_values(configuration: Configuration) -> None:
    """Refuse a configuration that no program could run.

    Raises:
        ConfigurationError: with the first field whose value is of the wrong type, out of range or no known name.
    """
    _check_sections(configuration)
    leaves = dict(flatten(configuration))
    for path, kind in types_of(configuration).items():
        check_type(path, leaves[path], kind)
        for value in leaves[path] if isinstance(leaves[path], tuple) else (leaves[path],):
            small = not isinstance(value, int) or abs(value) <= LARGEST_INT
            require(small, path, value, f"at most {LARGEST_INT}")
    for field in tables.TABLES:
        tables.row(field, leaves[field])
    _check_task(leaves)
    _check_scene(leaves, tables.fields_read(configuration))
    _check_model(leaves)
    _check_loss(leaves)
    _check_data(leaves)
    _check_training(configuration, leaves)
    check_combination(leaves)


def _check_sections(configuration: Configuration) -> None:
    """Refuse what is no section: a name in its place, or a class with fields of its own that no name brings."""
    for name, base in options.sections().items():
        value = getattr(configuration, name)
        fits = isinstance(value, base) and type(value) is options.class_of(name, value)
        require(fits, name, repr(value), f"a {name.capitalize()}")


def _check_task(leaves: dict[str, Any]) -> None:
    for path in ("task.height", "task.width", "task.box_size", "task.subpixels", "task.smallest_box"):
        require(leaves[path] >= 1, path, leaves[path], "at least 1")
    for path in (*tables.MARGINS, "task.overhang", "task.distractors"):
        require(leaves[path] >= 0, path, leaves[path], "at least 0")
    require(leaves["task.channels"] in (1, 3), "task.channels", leaves["task.channels"], "1 or 3")
    level, salt = leaves["task.noise_level"], leaves["task.salt"]
    require(level >= 0, "task.noise_level", level, "at least 0")
    if leaves["task.noise"] == "salt_pepper":
        require(level <= 1, "task.noise_level", level, "a probability, at most 1")
    require(0 <= salt <= 1, "task.salt", salt, "a share, from 0 to 1")


def _check_scene(leaves: dict[str, Any], read: Collection[str]) -> None:
    """Refuse what does not fit into the image, of the fields that the scene reads."""
    left, right, top, bottom = (leaves[path] for path in tables.MARGINS)
    room = min(leaves["task.width"] - left - right, leaves["task.height"] - top - bottom)
    side = leaves["task.box_size"]
    if "task.box_size" in read:
        require(side <= room, "task.box_size", side, f"at most {room}, the image less its margins")
    else:
        require(room >= 1, "task.margin_left", left, "less: the margins leave no place in the image")
    if "task.smallest_box" in read:
        smallest = leaves["task.smallest_box"]
        require(smallest <= side, "task.smallest_box", smallest, f"at most task.box_size, {side}")
    if "task.overhang" in read:
        overhang = leaves["task.overhang"]
        require(2 * overhang <= side, "task.overhang", overhang, f"at most {side // 2}, half of task.box_size")
    if "task.distractors" in read:
        _check_distractors(
            leaves, side, 2 * side - leaves["task.smallest_box"] if "task.smallest_box" in read else side
        )
    if leaves["task.scene"] == "red_box":
        require(leaves["task.channels"] == 3, "task.channels", leaves["task.channels"], "3 with task.scene red_box")


def _check_distractors(leaves: dict[str, Any], side: int, largest: int) -> None:
    """Refuse more circles than could lie beside each other and the box, each in a square, going by areas."""
    height, width, count = leaves["task.height"], leaves["task.width"], leaves["task.distractors"]
    room = min(height, width)
    require(largest <= room, "task.box_size", side, f"less: circles of up to {largest} pixels do not fit into {room}")
    most = min((height * width - side**2) // largest**2, MOST_DISTRACTORS)
    require(count <= most, "task.distractors", count, f"at most {most}, as many as fit")


def _check_model(leaves: dict[str, Any]) -> None:
    for path in ("model.kernel_size", "model.stride"):
        require(leaves[path] >= 1, path, leaves[path], "at least 1")
    # A heat map can be made of the image itself.
    fewest = {"model.features": 0 if leaves["model.name"] == "soft_argmax" else 1, "model.hidden": 1, "model.dense": 0}
    for path, count in fewest.items():
        fine = len(leaves[path]) >= count and min(leaves[path], default=1) >= 1
        require(fine, path, leaves[path], f"{('any number of', 'one or more')[count]} positive integers")
    require(leaves["model.initial_scale"] >= 0, "model.initial_scale", leaves["model.initial_scale"], "at least 0")
    rate = leaves["model.dropout_rate"]
    require(0 <= single(rate) < 1, "model.dropout_rate", rate, "at least 0 and less than 1, as a 32-bit float")
    require(leaves["model.padding"] in ("SAME", "VALID"), "model.padding", leaves["model.padding"], "SAME or VALID")


def _check_loss(leaves: dict[str, Any]) -> None:
    for path in ("loss.delta", "loss.epsilon"):
        require(single(leaves[path]) > 0, path, leaves[path], "greater than 0, as a 32-bit float")
    for path in ("loss.alpha", "loss.beta"):
        require(leaves[path] >= 0, path, leaves[path], "at least 0")


def _check_data(leaves: dict[str, Any]) -> None:
    size, share, held_out = (leaves[f"data.{name}"] for name in ("train_size", "corner_share", "held_out"))
    require(size >= 0, "data.train_size", size, "at least 0 (0 is an endless stream)")
    concentration = leaves["data.concentration"]
    require(single(concentration) > 0, "data.concentration", concentration, "greater than 0, as a 32-bit float")
    require(0 <= share <= 1, "data.corner_share", share, "a share, from 0 to 1")
    require(0 <= single(held_out) < 1, "data.held_out", held_out, "a share, at least 0 and less than 1")
    if leaves["data.labels"] == "shuffled":
        field = "data.train_size" if size else "batch_size"
        require(leaves[field] >= 2, field, leaves[field], "at least 2 with data.labels shuffled")


def _check_training(configuration: Configuration, leaves: dict[str, Any]) -> None:
    for path in ("batch_size", "steps", "eval_every"):
        require(leaves[path] >= 1, path, leaves[path], "at least 1")
    largest = configuration.data.train_size or configuration.batch_size
    limit = f"at most data.train_size, {largest}"
    require(configuration.batch_size <= largest, "batch_size", configuration.batch_size, limit)
    most = f"at most steps, {configuration.steps}"
    require(configuration.eval_every <= configuration.steps, "eval_every", configuration.eval_every, most)
    _check_optimizer(leaves)


def _check_optimizer(leaves: dict[str, Any]) -> None:
    for path in ("optimizer.learning_rate", "optimizer.warmup_steps"):
        require(leaves[path] >= 0, path, leaves[path], "at least 0")
    for path in OFF_AT_ZERO:
        require(leaves[path] == 0 or single(leaves[path]) > 0, path, leaves[path], "0, or as a 32-bit float greater")
    for path in ("optimizer.momentum", "optimizer.b1", "optimizer.b2", "optimizer.rho"):
        require(0 <= single(leaves[path]) < 1, path, leaves[path], "at least 0 and less than 1, as a 32-bit float")
    for path in ("optimizer.epsilon", "optimizer.decay_factor"):
        require(single(leaves[path]) > 0, path, leaves[path], "greater than 0, as a 32-bit float")
    factor, every = leaves["optimizer.decay_factor"], leaves["optimizer.decay_every"]
    require(factor <= 1, "optimizer.decay_factor", factor, "at most 1")
    require(every >= 1, "optimizer.decay_every", every, "at least 1")
    warmup, steps = leaves["optimizer.warmup_steps"], leaves["steps"]
    require(warmup <= steps, "optimizer.warmup_steps", warmup, f"at most steps, {steps}")
    decay, rule = leaves["optimizer.weight_decay"], leaves["optimizer.name"]
    allowed = "greater than 0 for adamw, which is adam without it"
    require(decay > 0 or rule != "adamw", "optimizer.weight_decay", decay, allowed)


def refuse_unread(configurations: Sequence[Configuration], said: Collection[str] = ()) -> None:
    """Refuse a field that is set and that no configuration reads.

    Args:
        configurations: of one sweep.
        said: fields that count as set even where they have their default.

    Raises:
        ConfigurationError: with the field, its value, and the names that would read it.
    """
    read = frozenset().union(*map(tables.fields_read, configurations))
    for configuration in configurations:
        defaults = defaults_of(configuration)
        for path, value in flatten(configuration):
            if path not in read and (value != defaults[path] or path in said):
                raise ConfigurationError(_unread(path, value, configurations))


def _unread(path: str, value: Any, configurations: Sequence[Configuration]) -> str:
    for field, names in tables.readers(path).items():
        chosen = list(dict.fromkeys(dict(flatten(configuration))[field] for configuration in configurations))
        if any(name not in names for name in chosen):
            deaf, able = (", ".join(map(repr, some)) for some in ([n for n in chosen if n not in names], names))
            return f"{path}: {value} is not read by {field} {deaf}; it is read by {able}"
    raise AssertionError(path)


def settle(configuration: Configuration, keep: Collection[str] = ()) -> Configuration:
    """The configuration with every field that it does not read at its default: equal ones train equal networks.

    Args:
        keep: fields that stay as they are.
    """
    read, defaults = {*tables.fields_read(configuration), *keep}, defaults_of(configuration)
    return replace(configuration, {path: default for path, default in defaults.items() if path not in read})


def check_name(name: str) -> None:
    """Refuse a run's name that is no single component of a path.

    Raises:
        ConfigurationError: with the name and what is allowed.
    """
    fine = name not in ("", ".", "..") and Path(name).name == name and "\0" not in name
    require(fine, "name", repr(name), "one component of a path: not empty, without /")
