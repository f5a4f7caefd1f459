"""Gradient descent on the linear model, exactly: what it has learned after t steps, and at which rates it is stable.

The model is weights and a bias, from zero, on the loss averaged over examples and the two outputs. With x~ the input
and a 1 appended for the bias, the gradient of an output's parameters is M w - E[x~ y], M = E[x~ x~^T], so along each
eigenvector of M the error shrinks by 1 - rate * eigenvalue a step (LeCun, Kanter and Solla 1991):

    MSE(t) = MSE(infinity) + sum_k excess_k (1 - rate eigenvalue_k)^(2t),    stable iff rate < 2 / largest eigenvalue.

M splits by parity (see `analysis.moments`), with inputs s x + o, noise variance v, C channels, N positions:

- A coordinate less its mean lives on (even, odd) modes, which neither the background nor the bias touches. There the
  eigenvalues are C s^2 t_y t_x / N + v, products of the two axes' eigenvalues, and MSE(infinity) is that of `lmmse`.
- The mean, the background and the bias share the (even, even) modes: a diagonal plus rank two. It decides the
  stable rate (a background makes one eigenvalue huge), and the MSE only where the mean target is not 0.

Targets may be in any scale that is affine in (x, y). Errors shrink alike in each; in target units they begin at what a
prediction of 0 in that scale stands for (the image's corner for [0, 1]), and 0 above means that.

Minibatches of B: the error contracts in mean square if rate < 2 / ((1 - 1/B) largest eigenvalue + q / B), where
E[|x~|^2 x~ x~^T] <= q M. Clean images have one norm, so q = |x~|^2; noise makes it fluctuate, and q a little larger.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int

from analysis import closed_forms
from analysis.moments import (
    Modes,
    axis_modes,
    axis_targets,
    channel,
    r_squared,
    target_mean,
    target_variance,
)
from jaxbox import task as tasks
from jaxbox.config import ConfigurationError, Task

# A dense eigenproblem of this side takes 200 MiB and most of a minute; about 140 x 140 positions.
LARGEST_DENSE = 5000
# Below this a mean target is rounding, and adds less than 1e-24 to an MSE.
NEGLIGIBLE_MEAN = 1e-12


class _Decay(NamedTuple):
    """MSE(t) = floor + sum of excess (1 - rate curvature)^(2t)."""

    curvature: Float[np.ndarray, " n"]
    excess: Float[np.ndarray, " n"]
    floor: float


class _Block(NamedTuple):
    """M on the (even, even) modes, the rest of the background and the bias: diag(diagonal) + a a^T - b b^T."""

    diagonal: Float[np.ndarray, " n"]
    plus: Float[np.ndarray, " n"]
    minus: Float[np.ndarray, " n"]

    def dense(self) -> Float[np.ndarray, "n n"]:
        if len(self.diagonal) > LARGEST_DENSE:
            allowed = f"at most {LARGEST_DENSE}, about a quarter of the positions"
            raise ValueError(f"task: {len(self.diagonal)} coupled modes; the closed form needs {allowed}")
        return np.diag(self.diagonal) + np.outer(self.plus, self.plus) - np.outer(self.minus, self.minus)

    def largest(self) -> float:
        """The largest eigenvalue, by bisection on how many exceed a number. O(n)."""
        low, high = 0.0, float(self.diagonal.max() + self.plus @ self.plus)
        # The bracket halves to the last bit of any eigenvalue above 2^-100 of the trace.
        for _ in range(150):
            middle = (low + high) / 2
            low, high = (middle, high) if self.exceeding(middle) else (low, middle)
        return high

    def exceeding(self, value: float) -> int:
        """How many eigenvalues exceed `value`, by Haynsworth's inertia theorem; degenerate ones need no care."""
        gap = self.diagonal - value
        gap[gap == 0] = np.finfo(float).tiny ** 0.5
        updates = np.stack([self.plus, self.minus])
        complement = np.diag([-1.0, 1.0]) - updates / gap @ updates.T
        return int(np.sum(gap > 0) + np.sum(np.linalg.eigvalsh(complement) > 0)) - 1


def spectrum(task: Task) -> Float[np.ndarray, " inputs"]:
    """The H W C + 1 eigenvalues of M, descending; they sum to E|x~|^2. O((N/4)^3), up to about 140 x 140 positions.

    Raises:
        ValueError: a task that cannot be run, has no closed form or has too many positions.
    """
    closed_forms.require(task, closed_forms.LINEAR)
    coupled, free = _coupled(task), _free_curvatures(task)
    inside = np.concatenate([np.linalg.eigvalsh(coupled.dense()), *free])
    outside = np.full(_dimension(task) - len(inside), channel(task).variance)
    # Clean images leave eigenvalues of exactly 0, which rounding may make negative.
    return np.sort(np.maximum(np.concatenate([inside, outside]), 0))[::-1]


def glorot_variance(task: Task) -> float:
    """Of each weight that a linear network starts with, Glorot-uniform from H W C inputs to two outputs."""
    return 2 / (_dimension(task) - 1 + 2)


def mean_squared_error(
    task: Task,
    learning_rate: float,
    steps: Sequence[int] | Int[np.ndarray, " steps"],
    start_variance: float = 0.0,
) -> Float[np.ndarray, "steps 2"]:
    """Expected MSE of (x, y) after each number of full-batch steps from zero weights and bias, in exact arithmetic.

    In squared target units, whatever scale the steps are taken in; weights, bias and their variance are in that scale.

    With a `start_variance` weights start random instead, independent of mean 0 and this variance, the bias at 0, and
    the expectation is over these starts as well, in O((N/4)^3). What descent unlearns slowly is then the start itself:
    it adds to the MSE

        variance sum_k (1 - v_k[bias]^2) eigenvalue_k (1 - rate eigenvalue_k)^(2t),    v_k the eigenvectors of M.

    O(H^3 + W^3 + N len(steps)), and O((N/4)^3) where the mean target is not 0 (unequal margins, targets in [0, 1]; up
    to about 140 x 140 positions). Above the stable rate the result may still fall, when nothing excites the unstable
    mode; any rounding or random start would. It overflows to infinity where it diverges.

    Raises:
        ValueError: a rate or a variance that is negative or not finite, steps that are not integers from 0, or a task
            that cannot be run or has no closed form.
    """
    closed_forms.require(task, closed_forms.DESCENT)
    _check_rate(learning_rate)
    if not 0 <= start_variance < np.inf:
        raise ValueError(f"start_variance is {start_variance}; it must be at least 0 and finite")
    checked = _checked_steps(steps)
    errors = np.stack([_error(decay, learning_rate, checked) for decay in _decays(task)], axis=-1)
    if not start_variance:
        return errors
    of_start = _error(_start(task, start_variance), learning_rate, checked)
    return errors + np.square(_target_scale(task)[1])[None] * of_start[:, None]


def max_stable_learning_rate(task: Task, batch_size: int | None = None) -> float:
    """The rate below which (minibatch) gradient descent converges from any start. O(H^3 + W^3).

    Full batch (None): 2 / largest eigenvalue of M; above it, all but a null set of starts diverge. Minibatch of
    independent examples: 2 / ((1 - 1/B) largest eigenvalue + q / B), see the module. It suffices for contraction in
    mean square, and is sharp at B = 1 on clean images. Halve either for a loss that sums over the outputs.

    Raises:
        ValueError: a batch size below 1, or a task that cannot be run or has no closed form.
    """
    closed_forms.require(task, closed_forms.DESCENT)
    if batch_size is not None and batch_size < 1:
        raise ValueError(f"batch_size is {batch_size}; it must be at least 1, or None for the full batch")
    largest = max([_coupled(task).largest(), *(values.max(initial=0) for values in _free_curvatures(task))])
    share = 0 if batch_size is None else 1 / batch_size
    return 2 / ((1 - share) * largest + share * (_squared_norm(task) + _fluctuation(task)))


def steps_to_r2(task: Task, learning_rate: float, r2: float) -> Int[np.ndarray, "2"]:
    """The first step at which R2 of (x, y) reaches `r2`. Cost as `mean_squared_error`, times the digits of the answer.

    Raises:
        ValueError: a rate that is 0 or not stable, an R2 that is never reached, a coordinate that is constant, or a
            task that cannot be run or has no closed form.
    """
    closed_forms.require(task, closed_forms.DESCENT)
    _check_rate(learning_rate)
    stable = max_stable_learning_rate(task)
    if not 0 < learning_rate < stable:
        raise ValueError(f"learning_rate is {learning_rate}; it must be greater than 0 and less than {stable:.6g}")
    decays = _decays(task)
    limit = r_squared(task, np.array([decay.floor for decay in decays])).min()
    allowed = (1 - r2) * target_variance(task)
    if not all(decay.floor < mse for decay, mse in zip(decays, allowed, strict=True)):
        raise ValueError(f"r2 is {r2}; it must be less than {limit:.6g}, the limit of infinitely many steps")
    return np.array([_first_step(decay, learning_rate, mse) for decay, mse in zip(decays, allowed, strict=True)])


def _decays(task: Task) -> tuple[_Decay, _Decay]:
    (along_y, along_x), (x, y), mean = axis_modes(task), axis_targets(task), target_mean(task)
    for_x = _deviation(task, along_y[0], along_x[1], x - mean[0])
    for_y = _deviation(task, along_x[0], along_y[1], y - mean[1])
    to_learn = mean - _target_scale(task)[0]
    if np.abs(to_learn).max() < NEGLIGIBLE_MEAN:
        return for_x, for_y
    constant = _constant(task)
    for_x, for_y = (
        _Decay(
            np.concatenate([part.curvature, constant.curvature]),
            np.concatenate([part.excess, level**2 * constant.excess]),
            part.floor,
        )
        for part, level in zip((for_x, for_y), to_learn, strict=True)
    )
    return for_x, for_y


def _target_scale(task: Task) -> tuple[Float[np.ndarray, "2"], Float[np.ndarray, "2"]]:
    """What 0 in the scale of the task's targets is in target units, of x and y, and how many target units 1 more is."""
    zero, one = np.asarray(tasks.target_kind(task).decode(task, np.array([[0.0, 0.0], [1.0, 1.0]])))
    return zero, one - zero


def _deviation(task: Task, even: Modes, odd: Modes, deviation: Float[np.ndarray, " P_odd"]) -> _Decay:
    """Learning a coordinate less its mean, which varies along the odd axis only."""
    curvature = _curvature(task, even, odd)
    signal = np.outer(even.vectors.sum(axis=0), odd.vectors.T @ deviation).ravel()
    share, unlearnable = signal**2 / tasks.position_count(task), channel(task).variance / curvature
    return _Decay(curvature, share * (1 - unlearnable), float(share @ unlearnable))


def _constant(task: Task) -> _Decay:
    """Learning the constant 1, which the bias can do but shares with the mean image."""
    curvature, vectors = np.linalg.eigh(_coupled(task).dense())
    return _Decay(curvature, curvature * vectors[-1] ** 2, 0.0)


def _start(task: Task, variance: float) -> _Decay:
    """Unlearning random weights of this variance; the bias starts at 0."""
    values, vectors = np.linalg.eigh(_coupled(task).dense())
    free = np.concatenate(_free_curvatures(task))
    outside = np.full(_dimension(task) - len(values) - len(free), channel(task).variance)
    # Clean images leave eigenvalues of exactly 0, which rounding may make negative.
    curvature = np.maximum(np.concatenate([values, free, outside]), 0)
    weights = np.pad(1 - vectors[-1] ** 2, (0, len(free) + len(outside)), constant_values=1)
    return _Decay(curvature, variance * weights * curvature, 0.0)


def _curvature(task: Task, along_y: Modes, along_x: Modes) -> Float[np.ndarray, " n"]:
    seen = channel(task)
    gain = task.channels * seen.scale**2 / tasks.position_count(task)
    return gain * np.outer(along_y.values, along_x.values).ravel() + seen.variance


def _free_curvatures(task: Task) -> list[Float[np.ndarray, " n"]]:
    """The eigenvalues that the background and the bias leave alone: all parities but (even, even)."""
    along_y, along_x = axis_modes(task)
    return [_curvature(task, along_y[i], along_x[j]) for i, j in ((0, 1), (1, 0), (1, 1))]


def _coupled(task: Task) -> _Block:
    """Coordinates: the (even, even) modes; what is left of the all-ones image; the bias."""
    seen, ((even_y, _), (even_x, _)) = channel(task), axis_modes(task)
    values = np.outer(even_y.values, even_x.values).ravel()
    ones = np.outer(even_y.vectors.sum(axis=0), even_x.vectors.sum(axis=0)).ravel()
    flat = closed_forms.box_side(task) ** 2 * ones / np.sqrt(values)
    mean = np.sqrt(values) * ones / tasks.position_count(task)
    rest, gain = task.height * task.width - flat @ flat, np.sqrt(task.channels)
    # The all-ones image may lie in the span of the boxes (b divides both sides): then nothing is left of it.
    left = [np.sqrt(rest)] if rest > 1e-9 * task.height * task.width else []
    scaled = gain * seen.scale * mean
    plus = np.concatenate([scaled + gain * seen.offset * flat, gain * seen.offset * np.array(left), [1.0]])
    minus = np.pad(scaled, (0, len(left) + 1))
    diagonal = np.concatenate([_curvature(task, even_y, even_x), [seen.variance] * len(left), [0.0]])
    return _Block(diagonal, plus, minus)


def _dimension(task: Task) -> int:
    return task.height * task.width * task.channels + 1


def _squared_norm(task: Task) -> float:
    """E|x~|^2, the trace of M."""
    seen, lit, pixels = channel(task), closed_forms.box_side(task) ** 2, task.height * task.width
    clean = seen.scale**2 * lit + 2 * seen.scale * seen.offset * lit + seen.offset**2 * pixels
    return task.channels * (clean + seen.variance * pixels) + 1


def _fluctuation(task: Task) -> float:
    """A bound on E[|x~|^2 x~ x~^T] - E|x~|^2 M, as a multiple of M.

    White (Isserlis' theorem): the difference is 2 v (v I' + E[m' m^T + m m'^T]), m the mean input given the position,
    primes for a 0 at the bias. Salt and pepper, pixels o and s + o, the latter with probability q: the difference is
    (s + 2 o) v E[m 1'^T + 1' m^T + s diag(1 - 2 q)]. In both, M = E[m m^T] + v I' bounds the cross terms by
    2 |a b| <= k a^2 + b^2 / k, with the best k.
    """
    variance, dimension = channel(task).variance, _dimension(task) - 1
    if variance == 0:
        return 0.0
    if task.noise == "white":
        signal = _squared_norm(task) - 1 - dimension * variance
        return variance + np.sqrt(variance**2 + 4 * signal * variance)
    if task.noise == "salt_pepper":
        scale, offset = tasks.input_scale(task)
        contrast = abs(scale) * (1 - task.noise_level)
        return abs(scale + 2 * offset) / 2 * (contrast + np.sqrt(contrast**2 + 4 * variance * dimension))
    raise ConfigurationError(f"task.noise: {task.noise!r} has no bound on its fluctuation")


def _error(decay: _Decay, learning_rate: float, steps: Int[np.ndarray, " steps"]) -> Float[np.ndarray, " steps"]:
    progress = learning_rate * decay.curvature
    # log|1 - progress|, without rounding away the slow modes; a mode learned in one step would be log 0.
    shift = np.maximum(np.where(progress < 1, -progress, progress - 2), np.nextafter(-1, 0))
    logarithm, excited = np.log1p(shift), decay.excess > 0
    with np.errstate(over="ignore"):
        left = [decay.excess[excited] @ np.exp(2 * step * logarithm[excited]) for step in steps.astype(float)]
    return decay.floor + np.array(left)


def _first_step(decay: _Decay, learning_rate: float, mse: float) -> int:
    """By bisection: at a stable rate the error falls at every step."""

    def reached(step: int) -> bool:
        return bool(_error(decay, learning_rate, np.array([step]))[0] <= mse)

    low, high = -1, 0
    while not reached(high):
        low, high = high, 2 * high + 1
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if reached(middle) else (middle, high)
    return high


def _check_rate(learning_rate: float) -> None:
    if not 0 <= learning_rate < np.inf:
        raise ValueError(f"learning_rate is {learning_rate}; it must be at least 0 and finite")


def _checked_steps(steps: Sequence[int] | Int[np.ndarray, " steps"]) -> Int[np.ndarray, " steps"]:
    array = np.asarray(steps)
    if array.ndim != 1 or array.dtype.kind not in "iu" or array.min(initial=0) < 0:
        raise ValueError(f"steps is {steps}; it must be a sequence of integers from 0")
    return array
