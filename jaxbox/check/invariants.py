"""What must hold for every configuration, whatever its names are. Each is a function of a small one (`cases`)."""

import dataclasses
import itertools
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from jaxbox import config, store, task
from jaxbox.check.cases import with_other_floats
from jaxbox.check.programs import advanced, alone, population_of
from jaxbox.config import Configuration, tables
from jaxbox.task import scenes
from jaxbox.task.inputs import AffineInputs
from jaxbox.training import checks, member, outputs, probes, sampling

# Four steps of sums of at most 150 products: 600 u is 4e-5 of numbers of size 1; Adam's quotients carry ten times that.
RELATIVE, ABSOLUTE = 1e-3, 5e-4
# Adam's .01 but for: gradient descent, whose stable rate is about 1, ten times less with momentum; Lion, all of whose
# steps are as long as Adam's longest; Adadelta, whose own rate is 1.
RATES = {"sgd": 0.3, "momentum": 0.05, "nesterov": 0.05, "lion": 0.001, "adadelta": 1.0}
DESCENT = ("sgd", "momentum", "nesterov")
MOST_STEPS = 2000
ALL_NUMBERS = (-np.inf, np.inf)
RANGES = {"relu": (0, np.inf), "softplus": (0, np.inf), "sigmoid": (0, 1), "tanh": (-1, 1)}
"""Of outputs: no network says more of a target that lies outside. Other scales than symmetric go with their own."""


class Broken(AssertionError):
    """An invariant that does not hold; the message says how."""


def require(holds: Any, how: str) -> None:
    """Raise Broken unless it holds."""
    if not holds:
        raise Broken(how)


def can_be_run(case: Configuration, folder: Path) -> None:
    """builds, is called, trains and evaluates while its floats are traced"""
    checks.check_sweep([case], seeds=1)


def shapes_and_types(case: Configuration, folder: Path) -> None:
    """predicts (x, y) of every position, all in 32 bits"""
    weights, measures = alone(case, 0)
    expected = (task.position_count(case.task), 2)
    require(measures["prediction"].shape == expected, f"predictions {measures['prediction'].shape}, not {expected}")
    require(measures["mse"].shape == (3, 2), f"mse has shape {measures['mse'].shape}")
    leaves = jax.tree.leaves_with_path((weights, measures))
    wide = [jax.tree_util.keystr(path) for path, leaf in leaves if leaf.dtype.itemsize > 4]
    require(not wide, f"float64 has leaked into {', '.join(wide)}")
    for name, row in probes.all_measures(case).items():
        require(measures[name].dtype == row.dtype, f"{name} is {measures[name].dtype}, not {row.dtype}")


def finite(case: Configuration, folder: Path) -> None:
    """stays finite"""
    weights, measures = alone(case, 0)
    numbers = {"weights": weights, **{name: measures[name] for name in ("loss", "prediction")}}
    numbers["mse"] = measures["mse"][0]
    for path, leaf in jax.tree.leaves_with_path(numbers):
        require(np.isfinite(leaf).all(), f"{jax.tree_util.keystr(path)} is not finite after {case.steps} steps")


def every_weight_moves(case: Configuration, folder: Path) -> None:
    """every parameter has a gradient"""
    weights, measures = alone(case, 0)
    require(measures["gradient_norm"] > 0, "the gradient is zero")
    before = jax.tree.leaves_with_path(member.initialize(case, jnp.uint32(0)).params)
    after = jax.tree.leaves(weights.params)
    still = [jax.tree_util.keystr(path) for (path, old), new in zip(before, after, strict=True) if (old == new).all()]
    require(not still, f"not moved by any step: {', '.join(still)}")


def the_seed_decides(case: Configuration, folder: Path) -> None:
    """is the same again from the same seed, and another from another"""
    # Of one program: what is drawn while it is traced, by NumPy or by Python, is in there for good.
    one, other = alone(case, 0)[1]["loss"], alone(case, 1)[1]["loss"]
    require(float(one) != float(other), f"seeds 0 and 1 have the same loss, {float(one)}")
    first, second = (member.initialize(case, jnp.uint32(0)).weights for _ in range(2))
    equal(first, second, "built twice from one seed")


def windows_are_images(case: Configuration, folder: Path) -> None:
    """gives the same on windows as on images, if it takes windows"""
    rendered = dataclasses.replace(case, render=True)
    require(not tables.uses_windows(rendered), "it works on windows though it was told to render")
    if tables.takes_windows(case):
        require(tables.uses_windows(case), "it does not work on windows")
        close(alone(rendered, 0), alone(case, 0), "on images and on windows")


def alone_as_in_a_population(case: Configuration, folder: Path) -> None:
    """is the same alone as among others with other seeds and floats"""
    many = population_of(case)
    state, measures = advanced(many, (0, case.steps))
    for row, (index, seed) in enumerate(many.chunks()[0]):
        own = [case, with_other_floats(case)][index]
        found = jax.tree.map(lambda leaf, row=row: leaf[row], (state.weights, measures))
        close(found, alone(own, seed), "in a population and alone")


def survives_a_checkpoint(case: Configuration, folder: Path) -> None:
    """goes on from a checkpoint, bit for bit"""
    many, numbers = population_of(case), itertools.count()

    def through_disk(state: Any) -> Any:
        chunk = folder / f"chunk-{next(numbers)}"
        store.save_checkpoint(chunk, 2, {"state": jax.device_get(state)})
        saved: Any = store.load_checkpoint(chunk / "2", {"state": many.abstract_state})
        return many.fill(saved["state"])

    whole, resumed = advanced(many, (0, 2, case.steps)), advanced(many, (0, 2, case.steps), through_disk)
    equal(whole, resumed, "at one stretch and through a checkpoint")


def learns_eight_examples(case: Configuration, folder: Path) -> None:
    """learns eight examples by heart: a squared error under a tenth of the targets' variance"""
    # Beside that of the targets that are out of the outputs' range.
    affine = isinstance(tables.load("task.inputs", case.task.inputs), AffineInputs)
    scale = task.input_scale(case.task).scale if affine else 1.0
    # Plain gradient descent is stable for inputs of about unit size only; what divides by the gradient's size always
    # is, but need not stay where it came to: hence the best of three looks.
    rate = RATES.get(case.optimizer.name, 0.01) / (scale**2 if case.optimizer.name in DESCENT else 1)
    changes = {"optimizer.learning_rate": rate, "task.noise_level": min(case.task.noise_level, 0.01)}
    if case.optimizer.schedule not in ("constant", "step"):  # these do not ask how many steps there are
        changes["steps"] = MOST_STEPS
    # One after the other: most have learned at the first look.
    for steps in (500, 1000, MOST_STEPS):
        found = _learned(case, *alone(config.replace(case, changes), 0, steps))
        if found.error < found.most:
            return
    raise Broken(f"after {MOST_STEPS} steps its error is {found.error:.3g}, not below {found.most:.3g}")


class _Learned(NamedTuple):
    """An error on the examples, and below what it is one of a network that knows them."""

    error: float
    most: float


def _learned(case: Configuration, weights: Any, measures: Mapping[str, Any]) -> _Learned:
    targets = task.targets(case.task, task.positions(case.task))
    variance = targets.var(axis=0).mean()
    if case.data.labels != "true":
        # What is taught wrongly is not what it is judged by: then its loss counts, which equal images with unlike
        # labels keep up.
        return _Learned(float(measures["loss"]), 0.5 * variance)
    symmetric = case.task.targets == "symmetric"
    out_of_reach = targets - targets.clip(*RANGES.get(case.model.output if symmetric else "identity", ALL_NUMBERS))
    floor = (out_of_reach[measures["seen"]] ** 2).mean()
    # A relu's output that is dead for an example never learns it: then it must only be better than a constant.
    share = 1 if case.model.output == "relu" else 0.1
    # At the positions of its examples the evaluation's images are these very examples, unless the scene draws others.
    drawn = scenes.draws(case.task)
    error = _error_on_examples(case, weights) if drawn else float(measures["mse"][1].mean())
    return _Learned(error, floor + share * variance)


def _error_on_examples(case: Configuration, weights: Any) -> float:
    """Mean squared error over the examples that seed 0 trains on."""
    keys = sampling.keys_of(case, jnp.uint32(0))
    index = sampling.training_set(case, keys)
    draws = task.draw_images(case.task, sampling.example_keys(keys.noise, jnp.arange(index.size)))
    network: Any = member.merge(case, weights)
    found = outputs.predictions(case, network(task.example(case.task, index, draws)[0]))
    return float(jnp.mean((found - task.targets(case.task, task.position(case.task, index))) ** 2))


INVARIANTS: tuple[Callable[[Configuration, Path], None], ...] = (
    *(can_be_run, shapes_and_types, finite, every_weight_moves, the_seed_decides, windows_are_images),
    *(alone_as_in_a_population, survives_a_checkpoint, learns_eight_examples),
)
"""In the order of what they cost. Their docstrings say in a few words what holds."""


def close(one: Any, other: Any, when: str) -> None:
    """Refuse trees of which a number differs by more than rounding does."""
    _compare(one, other, when, lambda a, b: np.allclose(a, b, RELATIVE, ABSOLUTE, equal_nan=True))


def equal(one: Any, other: Any, when: str) -> None:
    """Refuse trees that differ in a bit."""
    _compare(one, other, when, lambda a, b: np.array_equal(a, b, equal_nan=True))


def _compare(one: Any, other: Any, when: str, same: Callable[[Any, Any], bool]) -> None:
    require(jax.tree.structure(one) == jax.tree.structure(other), f"other arrays {when}")
    for (path, left), right in zip(jax.tree.leaves_with_path(one), jax.tree.leaves(other), strict=True):
        if left.shape != right.shape or not same(left, right):
            gap = np.nanmax(np.abs(np.subtract(left, right, dtype=float))) if left.shape == right.shape else "shape"
            raise Broken(f"{jax.tree_util.keystr(path)} differs {when}, by {gap}")
