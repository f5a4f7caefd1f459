"""What the best possible predictor does under noise: posterior, posterior mean, MMSE and I(Y;X).

Every clean image has the same energy, so the sum S of an image over a box (and over its channels) is
sufficient for the box's position Y (the matched filter: Kay, Fundamentals of Statistical Signal Processing
II, ch. 4). With N positions equally likely, the posterior is a softmax of box sums,

    p(Y = i | X) = exp(g S_i) / sum_j exp(g S_j),
    g = 1 / sigma^2 (white noise),    g = ln((1 - l) / f) + ln((1 - f) / l) (salt and pepper),

where l = p (1 - salt) is how often a lit pixel is lost and f = p salt how often a dark one is falsely lit: g is by how
much a 1 speaks more for a lit pixel than a 0 does, 2 ln((2 - p) / p) for equal shares. With pepper or salt alone g is
infinite: positions of the largest box sum are left, equally likely. Any other law of the positions adds its ln p to
g S, whether it factors over the axes or not. The estimate of least squared error is the posterior's mean, and (Cover
and Thomas, Elements of Information Theory, ch. 2)

    MMSE = E[Var(Y | X)],    I(Y;X) = H(Y) - E[H(Y | X)].

Both expectations are Monte Carlo averages over images of a conditional moment that is exact for each image:
averaging Var(Y | X) instead of the squared error removes the variance of Y given X (Rao-Blackwell). Guo, Shamai and
Verdu (2005) tie the two: dI/dsnr is half the MMSE of the clean *image*, snr = 1/sigma^2. Bayes itself falls back to
the mean near `threshold_level`, where predicting the mean is right and no fault. Information is in nats.
"""

import dataclasses
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, NamedTuple

import jax
import numpy as np
from jaxtyping import Array, Float, Int, Key
from scipy.optimize import root_scalar
from scipy.special import log_softmax, rel_entr

from analysis import closed_forms, laws
from analysis.laws import UNIFORM
from analysis.moments import box_sums
from jaxbox import task as tasks
from jaxbox.config import Data, Task, look_up

# The gain of noise at a level above 0.
GAINS: dict[str, Callable[[Task], float]] = {
    # Squaring a level below 1e-154 would underflow to zero.
    "white": lambda task: max(task.noise_level, LARGEST_GAIN**-0.5) ** -2,
    "salt_pepper": lambda task: _salt_pepper_gain(*_flips(task)),
}
# A box sum is known to about 1e-13: a gain beyond this would only amplify rounding. It stands for "no noise".
LARGEST_GAIN = 1e12
# Of pixels 0 and 1 box sums differ by at least 1, and e^-1000 is 0 in float64: any more would amplify rounding only.
LARGEST_GAIN_OF_BITS = 1e3
# 2^21 pixels are 16 MiB in float64, and a batch needs a few arrays of that size.
BATCH_PIXELS = 2**21


class Estimate(NamedTuple):
    """A Monte Carlo estimate and its standard error, of the same shape."""

    value: Float[np.ndarray, "*shape"]
    standard_error: Float[np.ndarray, "*shape"]


def posterior(task: Task, images: Float[Any, "n H W C"], data: Data = UNIFORM) -> Float[np.ndarray, "n P_y P_x"]:
    """p(position | image) in float64; sums to one over each image's positions.

    `images` are *inputs*, as `jaxbox.task.inputs` hands them to a network: the affine scale is undone here.
    float32 images are accepted: the posterior is computed in float64, of the image as it was rounded.
    Without noise ("none", or level 0) it is the limit of vanishing noise: the law among the positions of largest box
    sum, hence 1 at the position of a clean image. Clipped images are not of the task: S is not sufficient there.
    Time and memory grow as n H W C, whatever the box.

    Raises:
        ValueError: `images` is not (n, H, W, C) of the task or is not finite; the task cannot be run, or its law of
            the positions is not known.
    """
    return np.exp(_log_posterior(task, _pixels(task, images), data))


def posterior_mean(task: Task, images: Float[Any, "n H W C"], data: Data = UNIFORM) -> Float[np.ndarray, "n 2"]:
    """E[(x, y) | image], the estimate of least mean squared error, in the targets' units. See `posterior`."""
    return _moments(task, posterior(task, images, data))[0]


def posterior_mode(task: Task, images: Float[Any, "n H W C"], data: Data = UNIFORM) -> Float[np.ndarray, "n 2"]:
    """The (x, y) of the most probable position (MAP), the first of equals. See `posterior`."""
    scores = _scores(task, _pixels(task, images), data)
    best = scores.reshape(len(scores), -1).argmax(axis=1)
    return tasks.targets(task, tasks.position(task, best))


def mmse(task: Task, key: Key[Array, ""], samples: int, data: Data = UNIFORM) -> Estimate:
    """The least mean squared error of any predictor, (2,) for (x, y), in squared target units.

    Sample i's position and noise come from `fold_in(key, i)`, so more samples extend fewer. Time grows as
    samples H W C; memory is bounded by BATCH_PIXELS.

    Raises:
        ValueError: fewer than 2 samples, which have no standard error; the task cannot be run, or its law of the
            positions is not known.
    """
    return _average(task, data, key, samples, partial(_variances, task))


def information(task: Task, key: Key[Array, ""], samples: int, data: Data = UNIFORM) -> Estimate:
    """I(Y;X) in nats, (), between the position (x and y jointly) and the image. Cost and errors as `mmse`."""
    entropy = laws.joint_entropy(task, data)
    return _told(_average(task, data, key, samples, lambda log_posterior: entropy - _surprise(log_posterior, (1, 2))))


def coordinate_information(task: Task, key: Key[Array, ""], samples: int, data: Data = UNIFORM) -> Estimate:
    """I(x;X) and I(y;X) in nats, (2,). For x and y that are independent they add up to at most I(Y;X). As `mmse`."""
    entropies = laws.axis_entropies(task, data)
    return _told(_average(task, data, key, samples, lambda log_posterior: entropies - _marginals(log_posterior)))


def mmse_and_information(
    task: Task, key: Key[Array, ""], samples: int, data: Data = UNIFORM
) -> tuple[Estimate, Estimate]:
    """`mmse` and `coordinate_information` from the same images, in one pass: the numbers are those of each alone."""
    entropies = laws.axis_entropies(task, data)

    def both(log_posterior: Float[np.ndarray, "n P_y P_x"]) -> Float[np.ndarray, "n 4"]:
        return np.hstack([_variances(task, log_posterior), entropies - _marginals(log_posterior)])

    value, error = _average(task, data, key, samples, both)
    return Estimate(value[:2], error[:2]), _told(Estimate(value[2:], error[2:]))


def threshold_level(task: Task) -> float:
    """The noise level near which Bayes collapses towards the mean, all positions being equally likely.

    It is where b^2 C D = ln N, D the Kullback-Leibler divergence of a lit pixel from a dark one: the capacity per
    unit cost (Verdu 1990), which pulse-position modulation, here the box, attains. White: D = 1 / (2 sigma^2), so
    sigma = b sqrt(C / (2 ln N)); salt and pepper: D = (1 - p) ln((2 - p) / p) for equal shares. Sharp for many disjoint
    positions; overlapping boxes blur it (32 x 32, b = 4, white: R2 = .92 at 0.8 of it, .73 at it, .11 at twice it).

    Raises:
        ValueError: `task.noise` is "none"; pepper without salt, where a single lit pixel excludes all positions that
            do not cover it; the task has one position only; the task cannot be run.
    """
    closed_forms.require(task, closed_forms.BAYES)
    entropy = np.log(tasks.position_count(task))
    if entropy == 0:
        raise ValueError("task has 1 position; a threshold needs at least 2")
    divergence_needed = entropy / (closed_forms.box_side(task) ** 2 * task.channels)
    if task.noise == "white":
        return float(np.sqrt(1 / (2 * divergence_needed)))
    if task.noise == "salt_pepper":
        if task.salt == 0:
            raise ValueError("task.salt is 0.0; a threshold needs more than 0")

        def excess(level: float) -> float:
            lost, false = _flips(dataclasses.replace(task, noise_level=level))
            return float(rel_entr(1 - lost, false) + rel_entr(lost, 1 - false)) - divergence_needed

        return root_scalar(excess, bracket=(1e-300, 1.0), xtol=1e-15).root
    raise ValueError(f"task.noise is {task.noise!r}; a threshold needs white or salt_pepper")


def gain(task: Task) -> float:
    """g of the module's docstring: what multiplies a box sum, in [0, 1] pixels, in the log posterior.

    Raises:
        ConfigurationError: a task that cannot be run, or whose noise has no such form.
    """
    closed_forms.require(task, closed_forms.BAYES)
    if task.noise == "none" or task.noise_level == 0:
        return LARGEST_GAIN
    return look_up(GAINS, task.noise, "task.noise")(task)


def _flips(task: Task) -> tuple[float, float]:
    """Under salt and pepper, how often a lit pixel is lost and how often a dark one is falsely lit."""
    return task.noise_level * (1 - task.salt), task.noise_level * task.salt


def _salt_pepper_gain(lost: float, false: float) -> float:
    if min(lost, false) == 0:
        return LARGEST_GAIN_OF_BITS
    return float(np.log((1 - lost) / false) + np.log((1 - false) / lost))


def _pixels(task: Task, images: Float[Any, "n H W C"]) -> Float[np.ndarray, "n H W C"]:
    closed_forms.require(task, closed_forms.BAYES)
    array = np.asarray(images)
    expected = (task.height, task.width, task.channels)
    if array.ndim != 4 or array.shape[1:] != expected:
        raise ValueError(f"images has shape {array.shape}; it must be (n, {', '.join(map(str, expected))})")
    if not np.isfinite(array).all():
        raise ValueError("images holds NaN or infinity; every pixel must be finite")
    scale, offset = tasks.input_scale(task)
    return (array.astype(np.float64) - offset) / scale


def _log_posterior(task: Task, pixels: Float[np.ndarray, "n H W C"], data: Data) -> Float[np.ndarray, "n P_y P_x"]:
    return log_softmax(_scores(task, pixels, data), axis=(1, 2))


def _scores(task: Task, pixels: Float[np.ndarray, "n H W C"], data: Data) -> Float[np.ndarray, "n P_y P_x"]:
    """The log posterior but for a constant."""
    closed_forms.require(task, closed_forms.BAYES, data)
    sums = box_sums(task, pixels.sum(-1))
    # Less the largest first: gain times a sum may be so large that the differences drown in rounding.
    scores = gain(task) * (sums - sums.max((1, 2), keepdims=True))
    if laws.is_uniform(data):
        return scores
    # A probability that underflowed would be minus infinity, times 0 in an entropy.
    return scores + np.log(np.maximum(laws.probability(task, data), np.finfo(float).tiny))


def _moments(
    task: Task, probability: Float[np.ndarray, "n P_y P_x"]
) -> tuple[Float[np.ndarray, "n 2"], Float[np.ndarray, "n 2"]]:
    """Mean and variance of (x, y) under each posterior."""
    rows, columns = tasks.position_shape(task)
    grid = tasks.targets(task, tasks.positions(task)).reshape(rows, columns, 2)
    means, variances = [], []
    for marginal, coordinate in ((probability.sum(1), grid[0, :, 0]), (probability.sum(2), grid[:, 0, 1])):
        mean = marginal @ coordinate
        means.append(mean)
        # Around the mean, where no cancellation can make it negative.
        variances.append((marginal * (coordinate - mean[:, None]) ** 2).sum(1))
    return np.stack(means, axis=-1), np.stack(variances, axis=-1)


def _variances(task: Task, log_posterior: Float[np.ndarray, "n P_y P_x"]) -> Float[np.ndarray, "n 2"]:
    """Var(x | image) and Var(y | image)."""
    return _moments(task, np.exp(log_posterior))[1]


def _marginals(log_posterior: Float[np.ndarray, "n P_y P_x"]) -> Float[np.ndarray, "n 2"]:
    """H(. | image), of x and of y."""
    marginals = (np.exp(log_posterior).sum(axis) for axis in (1, 2))
    # An underflowed probability adds 0 to an entropy, whatever finite number stands for its logarithm.
    logarithms = (np.log(np.maximum(marginal, np.finfo(float).tiny)) for marginal in marginals)
    return np.stack([_surprise(logarithm, (1,)) for logarithm in logarithms], axis=-1)


def _surprise(log_probability: Float[np.ndarray, "n ..."], axes: tuple[int, ...]) -> Float[np.ndarray, " n"]:
    """The entropy over these axes."""
    return -(np.exp(log_probability) * log_probability).sum(axes)


def _told(estimate: Estimate) -> Estimate:
    """Information, which neither rounding nor chance makes negative."""
    return Estimate(np.maximum(estimate.value, 0.0), estimate.standard_error)


@partial(jax.jit, static_argnums=(0, 1, 5))
def _observe(
    static: Task,
    data: Data,
    noise_level: float | Float[Array, ""],
    key: Key[Array, ""],
    start: int | Int[Array, ""],
    size: int,
) -> Float[Array, "size H W C"]:
    task = dataclasses.replace(static, noise_level=noise_level)
    everywhere = jax.numpy.ones(tasks.position_count(task), bool)
    keys = jax.vmap(lambda i: jax.random.split(jax.random.fold_in(key, i)))(start + jax.numpy.arange(size))
    index: Int[Array, " size"] = jax.vmap(lambda k: tasks.draw(task, data, k, 1, everywhere)[0])(keys[:, 0])
    clean = tasks.render(task, tasks.position(task, index))
    # As one long row of pixels: short axes are unrolled, and compiling takes ten times as long for the same numbers.
    return tasks.observe(task, clean.reshape(size, 1, -1, 1), keys[:, 1]).reshape(clean.shape)


def _batches(task: Task, data: Data, key: Key[Array, ""], samples: int) -> Iterator[Float[np.ndarray, "n H W C"]]:
    """Observed images in [0, 1] pixels, `samples` in all, the last batch cut rather than compiled anew."""
    size = min(samples, max(1, BATCH_PIXELS // (task.height * task.width * task.channels)))
    static = dataclasses.replace(task, noise_level=0.0)
    # Judged on all positions, whichever are trained on.
    data = dataclasses.replace(data, split=UNIFORM.split)
    for start in range(0, samples, size):
        images = np.asarray(_observe(static, data, task.noise_level, key, start, size), np.float64)
        yield images[: samples - start]


def _average(
    task: Task, data: Data, key: Key[Array, ""], samples: int, statistic: Callable[[np.ndarray], np.ndarray]
) -> Estimate:
    """Mean over images of a function of the log posterior, merging batches as Chan, Golub and LeVeque (1983)."""
    closed_forms.require(task, closed_forms.BAYES, data)
    if samples < 2:
        raise ValueError(f"samples is {samples}; it must be at least 2")
    count, mean, squares = 0, np.float64(0.0), np.float64(0.0)
    for images in _batches(task, data, key, samples):
        values = statistic(_log_posterior(task, images, data))
        difference = values.mean(0) - mean
        total = count + len(values)
        squares = squares + ((values - values.mean(0)) ** 2).sum(0) + difference**2 * count * len(values) / total
        count, mean = total, mean + difference * len(values) / total
    return Estimate(np.asarray(mean), np.asarray(np.sqrt(squares / (samples - 1) / samples)))
