"""Training that looks at the weights once a stretch of steps instead of once a step, with the same results.

To keep the old weights where an update is not finite, every step must pass over all weights twice more; on CPU that is
a tenth of the time of linear networks and mlps. Almost every step is finite. So a stretch is taken on trust and looked
at in the end. A weight that is not finite stays so whatever is added to it, so that none has been, if the last ones are
finite, with every step's loss, gradient's norm and variables.

If something was not finite the stretch is taken again from where it began, half as long, until the step is found: a
member fails once. After that its weights stay, which is to take every step from the same ones.
"""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Bool, Float, Int

from jaxbox.config import Configuration
from jaxbox.training import member, probes, sampling
from jaxbox.training.member import Progress, State
from jaxbox.training.sampling import Drawn, Examples


class _Stretch(NamedTuple):
    """Where training is: what holds before step `first`, and up to where to try next."""

    progress: Progress
    first: Int[Array, ""]
    last: Int[Array, ""]


def train(
    configuration: Configuration,
    state: State,
    data: Drawn,
    seed: Int[Array, ""],
    first: Int[Array, ""],
    last: Int[Array, ""],
) -> tuple[State, Drawn, dict[str, Float[Array, "..."]]]:
    """As `member.train`, for one member: of many at once each would wait for those that are taken again."""

    def take(carried: tuple[State, Bool[Array, ""]], examples: Examples, keys: sampling.Keys, step: Any) -> Any:
        state, finite = carried
        new, optimizer_state, stepped = member.update(configuration, state, examples, keys, step)
        finite &= member.all_finite((stepped.loss, stepped.gradient_norm, new.variables))
        state = State(new.params, new.variables, optimizer_state, state.failed_step)
        return (state, finite), probes.of_step(configuration.probe, stepped)

    def attempt(stretch: _Stretch) -> _Stretch:
        (old, order, totals), first, tried = stretch
        begin = (old, jnp.bool_(True)), order, totals
        (new, finite), order, totals = member.take_steps(configuration, take, seed, data, begin, first, tried)
        finite &= member.all_finite(new.params)
        return _judged(stretch, (new, order, totals), finite, last)

    begin = state, data.order, member.no_measures(configuration, state)
    stretch = _Stretch(begin, first, jnp.where(state.failed_step < 0, last, jnp.minimum(first + 1, last)))
    (state, order, totals), *_ = lax.while_loop(lambda stretch: stretch.first < last, attempt, stretch)
    return state, data._replace(order=order), jax.tree.map(lambda total: total / (last - first), totals)


def _judged(stretch: _Stretch, found: Progress, finite: Bool[Array, ""], last: Int[Array, ""]) -> _Stretch:
    """What follows from a stretch that led to `found`: it stands, a shorter one is tried, or this step has failed."""
    old, first, tried = stretch
    running = old[0].failed_step < 0
    alone = tried - first == 1
    stands, goes_on = running & finite, (running & finite) | alone
    failed_step = jnp.where(running & ~finite & alone, first, old[0].failed_step)
    weights = _where(stands, found[0].weights, old[0].weights)
    optimizer_state = _where(goes_on, found[0].optimizer_state, old[0].optimizer_state)
    state = State(weights.params, weights.variables, optimizer_state, failed_step)
    progress = state, *_where(goes_on, found[1:], old[1:])
    begin = jnp.where(goes_on, tried, first)
    end = jnp.where(goes_on, last, first + (tried - first) // 2)
    return _Stretch(progress, begin, jnp.where(failed_step < 0, end, jnp.minimum(begin + 1, last)))


def _where(condition: Bool[Array, ""], new: Any, old: Any) -> Any:
    return jax.tree.map(lambda new, old: jnp.where(condition, new, old), new, old)
