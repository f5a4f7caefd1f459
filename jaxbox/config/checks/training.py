"""What no training can be: losses, data, steps, optimisers."""

from typing import Any

from jaxbox.config.errors import require
from jaxbox.config.fields import OFF_AT_ZERO, single
from jaxbox.config.sections import FROZEN, PROBES, Configuration


def check_loss(leaves: dict[str, Any]) -> None:
    """Refuse what no loss can be weighed with.

    Raises:
        ConfigurationError: with the field, its value and what is allowed.
    """
    for path in ("loss.delta", "loss.epsilon"):
        require(single(leaves[path]) > 0, path, leaves[path], "greater than 0, as a 32-bit float")
    for path in ("loss.alpha", "loss.beta"):
        require(leaves[path] >= 0, path, leaves[path], "at least 0")


def check_data(leaves: dict[str, Any]) -> None:
    """Refuse training sets without an example, and shares that are none.

    Raises:
        ConfigurationError: with the field, its value and what is allowed.
    """
    size, share, held_out = (leaves[f"data.{name}"] for name in ("train_size", "corner_share", "held_out"))
    require(size >= 0, "data.train_size", size, "at least 0 (0 is an endless stream)")
    concentration = leaves["data.concentration"]
    require(single(concentration) > 0, "data.concentration", concentration, "greater than 0, as a 32-bit float")
    require(0 <= share <= 1, "data.corner_share", share, "a share, from 0 to 1")
    require(0 <= single(held_out) < 1, "data.held_out", held_out, "a share, at least 0 and less than 1")
    if leaves["data.labels"] == "shuffled":
        field = "data.train_size" if size else "batch_size"
        require(leaves[field] >= 2, field, leaves[field], "at least 2 with data.labels shuffled")


def check_training(configuration: Configuration, leaves: dict[str, Any]) -> None:
    """Refuse steps, batches and rules that no training can have.

    Raises:
        ConfigurationError: with the field, its value and what is allowed.
    """
    for path in ("batch_size", "steps", "eval_every"):
        require(leaves[path] >= 1, path, leaves[path], "at least 1")
    largest = configuration.data.train_size or configuration.batch_size
    limit = f"at most data.train_size, {largest}"
    require(configuration.batch_size <= largest, "batch_size", configuration.batch_size, limit)
    most = f"at most steps, {configuration.steps}"
    require(configuration.eval_every <= configuration.steps, "eval_every", configuration.eval_every, most)
    frozen = leaves["optimizer.frozen"]
    require(frozen in FROZEN, "optimizer.frozen", frozen, f"one of {', '.join(FROZEN)}")
    require(leaves["probe"] in PROBES, "probe", leaves["probe"], f"one of {', '.join(PROBES)}")
    most = leaves["eval_positions"]
    require(most == 0 or most >= 2, "eval_positions", most, "at least 2, a pair of positions; or 0, which is all")
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
