"""Whose fate is sealed at an evaluation: members of whom more training cannot change what is reported.

1. Frozen ones: a number of theirs stopped being finite, and their weights stay as they are.
2. Those with a ReLU layer that is **dead and at rest**. Let D be the parameters that its pre-activations depend on.
   Dead: these are all below zero, of every image, by more than rounding. (In the first such layer they may also be
   exactly 0, as where there are no lit pixels and no bias; relu's derivative at 0 is 0.) At rest: what the optimiser
   would add to D if there were no gradient, even twice that, changes no bit of D.

Of such a layer no later step changes anything. As long as D is as it is the layer gives zero for every image that
training can show, because the evaluation has shown all of them. Its derivative is zero there, and D reaches the loss
through the layer only, so D's gradient is exactly zero, whatever the loss and the clipping are. What moves D without a
gradient is the optimiser's own motion, and that grows from no step to the next. So D stays, and with it the layer; the
prediction is one and the same for all images, with an R2 of at most zero; and since all steps are bounded, the
parameters above, which go on, stay finite. `refusal` says where one of these premises does not hold.

Nothing of this asks for an earlier evaluation: it follows from the state alone, so that stops and growth do not matter.

Own motion, per parameter: of sgd and rmsprop there is none; of momentum and nesterov it is `momentum` times the one
before; of Adam, at step t, at most f(b1) / sqrt(f(b2)) times the one before, where f(b) = (b - b^(t+1)) / (1 - b^(t+1))
is what a moment shrinks by with its bias correction. As f grows with b, and f(b)^2 <= f(b^2), that is no more than 1
where b1^2 <= b2. Learning rates only fall, once they are warm. The factor of two is for rounding: the step that trains
may round an update otherwise than the one that is tried here.

Adam's motion fades like b1^t, and moves what is small for longest: a layer is at rest some 200 steps after its death.
"""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from jax.extend.core import Var
from jaxtyping import Array, Bool, Float, Int, PyTree

from jaxbox import task
from jaxbox.config import Configuration, flatten, outside, tables
from jaxbox.layers import Extent, looking_inside
from jaxbox.training import evaluation, member
from jaxbox.training.member import State, Weights

DEPTH = 1e-4
"""How far below zero a unit must be, as a share of the largest pre-activation of its own and of the layers below, whose
rounding comes up to it. Training and evaluation add up the same numbers in another order: sums of 1600 products (5 x 5
pixels, 64 channels) then differ by about sqrt(1600) u = 2e-6 of their terms."""

SEALABLE: dict[str, tuple[tuple[str, ...], str]] = {
    "task.noise": (("none",), "training shows images that the evaluation does not"),
    "task.scene": (
        ("box", "subpixel_box", "overhanging_box", "pixel"),
        "training shows images that the evaluation does not",
    ),
    "data.labels": (("true", "shuffled"), "training shows images that the evaluation does not"),
    "model.shortcut": (("none",), "what is below a dead layer has a way past it"),
    "model.normalization": (("none", "layer"), "running statistics go on changing"),
    "model.dropout": (("none",), "training sees other networks than the evaluation"),
    "loss.name": (
        ("mse", "mae", "huber", "log_cosh", "gaussian_nll", "cross_entropy"),
        "it can overflow where predictions are finite",
    ),
    "optimizer.name": (
        ("sgd", "momentum", "nesterov", "rmsprop", "adam"),
        "its own motion does not fade, or nothing bounds its steps",
    ),
    "optimizer.schedule": (("constant", "cosine", "step"), "the learning rate can grow again"),
}
"""By field: the names with which the second rule holds, and what any other would break; a name to come is refused."""
UNBOUNDED = ("sgd", "momentum", "nesterov")
"""Optimisers whose steps are as long as the gradient: what is above a dead layer can still diverge, unless clipped."""


def refusal(configuration: Configuration) -> str | None:
    """Why the second rule does not hold for members of this configuration; None where it does."""
    if why := _refusal_of_names(configuration):
        return why
    optimizer = configuration.optimizer
    if optimizer.name == "adam" and not optimizer.b1**2 < optimizer.b2:
        return f"optimizer.b1 {optimizer.b1}: without a gradient steps grow, unless its square is less than b2"
    return None


def _refusal_of_names(configuration: Configuration) -> str | None:
    """The same, of all that members of a group share."""
    values, optimizer = dict(flatten(configuration)), configuration.optimizer
    for field in tables.TABLES:
        if outside.is_outside(values[field]):
            return f"{field} {values[field]}: nothing is known of code of your own"
    for field, (names, why) in SEALABLE.items():
        if values[field] not in names:
            return f"{field} {values[field]}: {why}"
    read = tables.fields_read(configuration)
    if not any(values[field] == "relu" and field in read for field in ("model.activation", "model.output")):
        return f"model.name {configuration.model.name}: it has no relu layer that could die"
    if optimizer.weight_decay != 0:
        return f"optimizer.weight_decay {optimizer.weight_decay:g}: it moves what has no gradient"
    if optimizer.name in UNBOUNDED and optimizer.clip_norm == 0:
        return f"optimizer.name {optimizer.name}: steps of any length can overflow, unless there is a clip_norm"
    return None


def dropped_step(
    configuration: Configuration, state: State, dead_fraction: Float[Array, " layers"], step: Int[Array, ""]
) -> Int[Array, ""]:
    """`step` if the fate of a member is sealed at its evaluation there, by either rule, else -1.

    Args:
        configuration: its floats may be traced.
        dead_fraction: the measure of this name.
    """
    sealed = state.failed_step >= 0
    if _refusal_of_names(configuration) is None:
        look = (dead_fraction >= 1).any() & ~sealed
        sealed |= lax.cond(look, lambda: _dead_at_rest(configuration, state, step), lambda: jnp.array(False))
    return jnp.where(sealed, step, -1)


def _dead_at_rest(configuration: Configuration, state: State, step: Int[Array, ""]) -> Bool[Array, ""]:
    optimizer = configuration.optimizer
    fades = (step >= optimizer.warmup_steps) & ((optimizer.b1**2 < optimizer.b2) | (optimizer.name != "adam"))
    motion = member.own_motion(configuration, state, step)
    still = jax.tree.map(lambda leaf, added: (leaf + 2 * added == leaf).all(), state.params, motion)
    still, found = jnp.stack(jax.tree.leaves(still)), jnp.array(False)
    largest = jnp.float32(0)
    extents = _extents(configuration, state.weights)
    for number, (extent, below) in enumerate(zip(extents, parameters_below(configuration), strict=True)):
        highest, highest_but_zeros, size = extent
        # Above the first layer a number is 0 where other units give nothing, which may be a matter of rounding itself.
        deep = (highest if number else highest_but_zeros) < -DEPTH * jnp.maximum(size, largest)
        found |= deep.all() & still[np.array(below)].all()
        largest = jnp.maximum(largest, size.max())
    return found & fades


def _extents(configuration: Configuration, weights: Weights) -> list[Float[Array, "3 C"]]:
    """`layers.activation.extent` of each ReLU layer, of the images at all positions."""
    count = task.position_count(configuration.task)
    if tables.uses_windows(configuration):
        return _extents_at(configuration, weights, np.arange(count))
    size = min(configuration.batch_size, count)
    starts = np.arange(0, count, size)
    each = lax.map(
        lambda start: _extents_at(configuration, weights, jnp.minimum(start + jnp.arange(size), count - 1)), starts
    )
    return [layer.max(axis=0) for layer in each]


def _extents_at(configuration: Configuration, weights: Weights, index: Int[Any, " n"]) -> list[Float[Array, "3 C"]]:
    network: Any = member.merge(configuration, weights)
    drawn = evaluation.draws(configuration.task, index)
    with looking_inside(Extent):
        network(task.example(configuration.task, index, drawn, tables.uses_windows(configuration))[0])
    return evaluation.kept(network, Extent)


def parameters_below(configuration: Configuration) -> list[list[int]]:
    """Which leaves of the parameters each ReLU layer's pre-activations depend on, in the order of the network's calls.

    Found by following the network's own computation, in which every operation is taken to use all that it is given.
    """
    weights = jax.eval_shape(lambda: member.initialize(configuration, jnp.uint32(0))).weights
    # Windows are known before anything is traced; of images one says as much as all.
    all_positions = np.arange(task.position_count(configuration.task))
    shown = all_positions if tables.uses_windows(configuration) else jnp.arange(1)

    def extents(params: PyTree[Array]) -> list[Array]:
        return _extents_at(configuration, Weights(params, weights.variables), shown)

    program = jax.make_jaxpr(extents)(weights.params).jaxpr
    behind = {variable: {leaf} for leaf, variable in enumerate(program.invars)}
    for operation in program.eqns:
        given = [behind.get(each, set()) for each in operation.invars if isinstance(each, Var)]
        behind |= dict.fromkeys(operation.outvars, set().union(*given))
    return [sorted(behind[each]) for each in program.outvars]
