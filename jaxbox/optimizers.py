"""Optimisers: the configuration's optimizer, whose floats may be traced -> an optax transformation.

Rows: `config.tables.OPTIMIZERS`, which also say which fields each one reads. Clipping and the learning rate's schedule
are no rule's business: a rule is given the clipped gradient and the rate of the step.

Weight decay is what PyTorch means by it: an L2 penalty in the gradient, but decoupled in AdamW and Lion, as in their
papers. It acts on kernels and biases alike.
"""

from typing import Protocol, runtime_checkable

import jax
import optax
from jaxtyping import Array

from jaxbox.config import Optimizer


@runtime_checkable
class Rule(Protocol):
    """What a row of the table of optimisers must be."""

    def __call__(self, optimizer: Optimizer) -> optax.GradientTransformation:
        """The update rule; floats of `optimizer` may be traced.

        It is made anew at each step, with that step's learning rate: its initial state must not depend on the rate.
        """
        ...


def sgd(optimizer: Optimizer) -> optax.GradientTransformation:
    """Gradient descent."""
    return _penalized(optimizer, optax.sgd(optimizer.learning_rate))


def momentum(optimizer: Optimizer) -> optax.GradientTransformation:
    """Heavy-ball momentum (Polyak, 1964)."""
    return _penalized(optimizer, optax.sgd(optimizer.learning_rate, momentum=optimizer.momentum))


def nesterov(optimizer: Optimizer) -> optax.GradientTransformation:
    """Nesterov's momentum (1983), with the gradient where the weights are, as Keras and PyTorch do."""
    return _penalized(optimizer, optax.sgd(optimizer.learning_rate, momentum=optimizer.momentum, nesterov=True))


def rmsprop(optimizer: Optimizer) -> optax.GradientTransformation:
    """RMSProp (Hinton, 2012), with epsilon added to the root, as in PyTorch."""
    rate, rho, epsilon = optimizer.learning_rate, optimizer.rho, optimizer.epsilon
    return _penalized(optimizer, optax.rmsprop(rate, decay=rho, eps=epsilon, eps_in_sqrt=False))


def adam(optimizer: Optimizer) -> optax.GradientTransformation:
    """Adam (Kingma and Ba, 2015); weight decay, if any, passes through its moments."""
    b1, b2, epsilon = optimizer.b1, optimizer.b2, optimizer.epsilon
    return _penalized(optimizer, optax.adam(optimizer.learning_rate, b1=b1, b2=b2, eps=epsilon))


def adamw(optimizer: Optimizer) -> optax.GradientTransformation:
    """AdamW (Loshchilov and Hutter, 2019): Adam, whose weights shrink by learning_rate times weight_decay each step."""
    b1, b2, epsilon, decay = optimizer.b1, optimizer.b2, optimizer.epsilon, optimizer.weight_decay
    return optax.adamw(optimizer.learning_rate, b1=b1, b2=b2, eps=epsilon, weight_decay=decay)


def adadelta(optimizer: Optimizer) -> optax.GradientTransformation:
    """Adadelta (Zeiler, 2012), whose own step is multiplied by the learning rate; 1 is the paper's."""
    rate, rho, epsilon = optimizer.learning_rate, optimizer.rho, optimizer.epsilon
    return _penalized(optimizer, optax.adadelta(rate, rho=rho, eps=epsilon))


def lion(optimizer: Optimizer) -> optax.GradientTransformation:
    """Lion (Chen et al., 2023): steps of one size, in the direction of the sign."""
    b1, b2, decay = optimizer.b1, optimizer.b2, optimizer.weight_decay
    return optax.lion(optimizer.learning_rate, b1=b1, b2=b2, weight_decay=decay)


def clipped(optimizer: Optimizer, rule: optax.GradientTransformation) -> optax.GradientTransformation:
    """The rule, on gradients that are scaled down to the norm clip_norm if they are longer (Pascanu et al., 2013)."""
    if _is_off(optimizer.clip_norm):
        return rule
    return optax.chain(optax.clip_by_global_norm(optimizer.clip_norm), rule)


def partly_frozen(optimizer: Optimizer, rule: optax.GradientTransformation) -> optax.GradientTransformation:
    """The rule, with updates of zero for what `optimizer.frozen` names."""
    if optimizer.frozen == "none":
        return rule
    biases = optax.masked(optax.set_to_zero(), lambda tree: jax.tree.map(lambda leaf: leaf.ndim == 1, tree))
    return optax.chain(rule, biases)


def _penalized(optimizer: Optimizer, rule: optax.GradientTransformation) -> optax.GradientTransformation:
    """The rule, on the gradient of the loss plus weight_decay / 2 times the sum of the squared weights."""
    if _is_off(optimizer.weight_decay):
        return rule
    return optax.chain(optax.add_decayed_weights(optimizer.weight_decay), rule)


def _is_off(value: float | Array) -> bool:
    """Whether a field that is `config.fields.OFF_AT_ZERO` is off: then it is a number, never a tracer."""
    return isinstance(value, float | int) and value == 0
