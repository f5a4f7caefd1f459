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
    sample: Sample | None = None,
) -> dict[str, Array]:
    """Every row of `probes.curves` and `metrics.FINALS`, of one member, from all positions or from a sample of them.

    From a sample curves are estimates, and the predictions that are returned NaN: nobody is to take what was not looked
    at for one.

    Args:
        prediction, lit, inside: of `evaluation.predict`; those of a sample come first, in its order.
        seen: which positions are in the training set.
        step: how many updates were made.
    """
    targets, probability = _targets_and_law(configuration)
    looked = last = Evaluated(prediction.T, targets, probability, seen, lit, state.failed_step, step, inside)
    if sample is not None:
        looked, last = _of_sample(last, sample), last._replace(predictions=jnp.full_like(last.predictions, jnp.nan))
    curves = {name: row.function(looked) for name, row in probes.curves(configuration).items()}
    return curves | {name: row.function(last) for name, row in metrics.FINALS.items()}


def _of_sample(found: Evaluated, sample: Sample) -> Evaluated:
    """What was found where a sample looks, weighed so that means are estimates of those over all positions."""
    weights, count = sample.shares.astype(np.float32), len(sample.index)
    if found.probability is not None:
        weights = weights * found.probability[sample.index]
        weights = weights / weights.sum()
    return found._replace(
        predictions=found.predictions[:count],
        targets=found.targets[sample.index],
        probability=weights,
        seen=found.seen[sample.index],
        inside=[layer[:, :count] for layer in found.inside],
        sample=sample,
        target_variance=metrics.target_variance(found.targets, found.probability),
    )


def _targets_and_law(configuration: Configuration) -> tuple[Float[np.ndarray, "N 2"], metrics.Law]:
    """The targets, and the probabilities, of all positions."""
    # NumPy computes what depends on the targets alone: left to XLA, whether it is folded into a constant, and with it
    # the last bit, can differ from one compilation to the next.
    targets = task.targets(configuration.task, task.positions(configuration.task)).astype(np.float32)
    # A law that is uniform costs nothing: plain means, as if there were no law.
    even = configuration.data.law == "uniform"
    return targets, None if even else task.probability(configuration.task, configuration.data, jnp)
