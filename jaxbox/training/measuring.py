"""Measures of one member at an evaluation, from what its network predicts at all positions or at a sample of them."""

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Int

from jaxbox import task
from jaxbox.config import Configuration
from jaxbox.training import metrics, probes
from jaxbox.training.member import State
from jaxbox.training.metrics import Evaluated
from jaxbox.training.strata import Sample


def measure(
    configuration: Configuration,
    state: State,
    prediction: Float[Array, "2 N"],
    lit: list[Bool[Array, " _"]],
    seen: Bool[Array, " N"],
    step: Int[Array, ""],
    inside: list[Float[Array, "4 N _"]],
) -> dict[str, Array]:
    """Every row of `probes.curves` and `metrics.FINALS`, of one member, from all positions.

    Args:
        prediction, lit, inside: of `evaluation.predict`.
        seen: which positions are in the training set.
        step: how many updates were made.
    """
    targets, probability = _targets_and_law(configuration)
    found = Evaluated(prediction.T, targets, probability, seen, lit, state.failed_step, step, inside)
    rows = probes.curves(configuration) | metrics.FINALS
    return {name: row.function(found) for name, row in rows.items()}


def measure_sample(
    configuration: Configuration,
    sample: Sample,
    state: State,
    prediction: Float[Array, "2 N"],
    lit: list[Bool[Array, " _"]],
    seen: Bool[Array, " N"],
    step: Int[Array, ""],
    inside: list[Float[Array, "4 N _"]],
) -> dict[str, Array]:
    """As `measure`, from a sample of the positions, whose predictions come first, in its order.

    Curves are estimates, and the predictions that are returned NaN: nobody is to take what was not looked at for one.
    """
    targets, probability = _targets_and_law(configuration)
    shares, count = sample.shares.astype(np.float32), len(sample.index)
    weights = shares
    if probability is not None:
        weights = shares * probability[sample.index]
        weights = weights / weights.sum()
    found = Evaluated(
        prediction[:, :count].T,
        targets[sample.index],
        weights,
        seen[sample.index],
        lit,
        state.failed_step,
        step,
        [layer[:, :count] for layer in inside],
        sample,
        metrics.target_variance(targets, probability),
    )
    curves = {name: row.function(found) for name, row in probes.curves(configuration).items()}
    found = found._replace(predictions=jnp.full_like(prediction.T, jnp.nan), seen=seen)
    return curves | {name: row.function(found) for name, row in metrics.FINALS.items()}


def _targets_and_law(configuration: Configuration) -> tuple[Float[np.ndarray, "N 2"], metrics.Law]:
    """The targets, and the probabilities, of all positions."""
    # NumPy computes what depends on the targets alone: left to XLA, whether it is folded into a constant, and with it
    # the last bit, can differ from one compilation to the next.
    targets = task.targets(configuration.task, task.positions(configuration.task)).astype(np.float32)
    # A law that is uniform costs nothing: plain means, as if there were no law.
    even = configuration.data.law == "uniform"
    return targets, None if even else task.probability(configuration.task, configuration.data, jnp)
