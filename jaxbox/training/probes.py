"""The table of further measures that a run can ask for: `early` is what decides a network's fate in its first steps.

A relu's unit dies where a step shifts its pre-activation by more than it varies from image to image. Hence, by layer:
where pre-activations lie and how far they vary; how large and how positive the inputs are that all weights of a unit
share; how alike the signs of a unit's gradients are; and how long an update is.
"""

from collections.abc import Callable

import jax
import jax.numpy as jnp
import optax
from jaxtyping import Array, Float, PyTree

from jaxbox.config import Configuration
from jaxbox.training import metrics, strata
from jaxbox.training.metrics import CURVES, DROPPED, FINALS, SAMPLED, STEP_MEASURES, Evaluated, Law, Measure, Stepped

MEAN, SQUARE, POSITIVE, LIT = range(4)
"""Of `layers.Inside`: means over an image's pixels of x, x^2, max(x, 0) and x > 0."""


def gradient_alignment(gradient: PyTree[Array]) -> Float[Array, " kernels"]:
    """How alike the signs are of the gradients that a unit's weights have: 1 if all are equal, 0 if as many are
    positive as negative.

    |mean of the signs| over the weights into a unit, those with a gradient of 0 left out; then the mean over units that
    have any. One number an array of two axes or more, in the tree's order; its first axis counts units,
    as in `jaxbox.layers` (of Flax's own layers it would be the last).
    """
    kernels = [leaf for leaf in jax.tree.leaves(gradient) if leaf.ndim > 1]
    return jnp.stack([_alignment(leaf.reshape(len(leaf), -1)) for leaf in kernels])


def _alignment(gradient: Float[Array, "units inputs"]) -> Float[Array, ""]:
    count = jnp.sum(gradient != 0, axis=1)
    own = jnp.abs(jnp.sum(jnp.sign(gradient), axis=1)) / jnp.maximum(count, 1)
    return jnp.sum(own) / jnp.maximum(jnp.sum(count > 0), 1)


def _of_layers(function: Callable[[Float[Array, "4 N C"], Law], Float[Array, ""]]) -> Callable[[Evaluated], Array]:
    """The measure that is `function` of each layer; one NaN if there is no such layer."""

    def measure(found: Evaluated) -> Float[Array, " layers"]:
        return metrics.of_layers([function(inside, found.probability) for inside in found.inside])

    return measure


def _over_images(values: Float[Array, "N C"], probability: Law) -> Float[Array, " C"]:
    return metrics.mean(values.T, probability)


def _spread(inside: Float[Array, "4 N C"], probability: Law) -> Float[Array, ""]:
    mean, square = (_over_images(inside[row], probability) for row in (MEAN, SQUARE))
    return jnp.sqrt(jnp.mean(jnp.maximum(square - mean**2, 0)))


def _row(function: Callable[[Float[Array, "4 N C"], Law], Float[Array, ""]], units: str, description: str) -> Measure:
    return Measure(_of_layers(function), ("step", "layer"), units, description)


EARLY_STEPS: dict[str, Measure] = {
    "update_norm": Measure(
        lambda stepped: optax.tree.norm(stepped.updates),
        ("step",),
        "parameter",
        "probe early: Euclidean norm of the update, mean over the steps since the previous evaluation",
    ),
    "gradient_alignment": Measure(
        lambda stepped: gradient_alignment(stepped.gradient),
        ("step", "kernel"),
        "1",
        "probe early: size of the mean sign of the gradients of a unit's weights, mean over units and over the steps "
        "since the previous evaluation",
    ),
}
"""Of `Stepped`, averaged over the steps since the evaluation before."""
EARLY_CURVES: dict[str, Measure] = {
    "preactivation_mean": _row(
        lambda inside, law: jnp.mean(_over_images(inside[MEAN], law)),
        "activation",
        "probe early: mean of a ReLU layer's pre-activations over units, pixels and images",
    ),
    "preactivation_mean_spread": _row(
        lambda inside, law: jnp.std(_over_images(inside[MEAN], law)),
        "activation",
        "probe early: standard deviation over units of each unit's mean pre-activation",
    ),
    "preactivation_spread": _row(
        _spread,
        "activation",
        "probe early: standard deviation of a unit's pre-activation over pixels and images, root mean square",
    ),
    "activation_mean": _row(
        lambda inside, law: jnp.mean(_over_images(inside[POSITIVE], law)),
        "activation",
        "probe early: mean of a ReLU layer's outputs over units, pixels and images",
    ),
    "lit_share": _row(
        lambda inside, law: jnp.mean(_over_images(inside[LIT], law)),
        "1",
        "probe early: share of a ReLU layer's outputs that are above zero, over units, pixels and images",
    ),
}
"""Of `Evaluated`, at each evaluation."""
EARLY = EARLY_STEPS | EARLY_CURVES


def step_measures(probe: str) -> dict[str, Measure]:
    """The rows that are made from `Stepped`."""
    return STEP_MEASURES | (EARLY_STEPS if probe == "early" else {})


def curves(configuration: Configuration, windows: bool | None = None) -> dict[str, Measure]:
    """The rows that are made from `Evaluated` at each evaluation; `windows` as in `strata.samples`."""
    probed = EARLY_CURVES if configuration.probe == "early" else {}
    return CURVES | probed | (SAMPLED if strata.samples(configuration, windows) else {})


def all_measures(configuration: Configuration, windows: bool | None = None, drops: bool = False) -> dict[str, Measure]:
    """Every row of what a member of this configuration has, in a run that drops members or not; `windows` as in
    `strata.samples`."""
    dropped = {"dropped_step": DROPPED} if drops else {}
    return step_measures(configuration.probe) | curves(configuration, windows) | FINALS | dropped


def of_step(probe: str, stepped: Stepped) -> dict[str, Array]:
    """What is measured of a step."""
    return {name: row.function(stepped) for name, row in step_measures(probe).items()}
