"""What other losses teach where squared error teaches the mean."""

from jaxbox.config import Configuration, grid
from jaxbox.experiments.settings import RATES, THREAD_STEPS, box


def msle(full: bool = False) -> list[Configuration]:
    """Does a squared error of logarithms beside the squared error keep a network from predicting the mean?

    Claim: "MSE + 5 MSLE leaves the mean, where MSE alone stays" (an answer). The logarithms, of numbers that are 1e-9
    larger, need targets and outputs that are not negative: targets in [0, 1], and a relu or a sigmoid at the end, with
    which plain squared error is tried, too. The sum has a far larger gradient than either of its parts: at a rate that
    suits the one the other may be slow, or lost, so that each is tried at four.

    Command: python -m jaxbox.sweep msle --seeds 32
    Cost: TODO
    Outcome: TODO
    """
    start = box(full, steps=THREAD_STEPS if full else 60, **{"task.targets": "unit"})
    losses = {"model.output": ["relu", "sigmoid"], "loss.name": ["mse", "mse_msle"]}
    return grid(start, losses | {"optimizer.learning_rate": [0.001, *RATES]})


def absolute_error(full: bool = False) -> list[Configuration]:
    """Which constant does a collapsed network predict: is it the one that its loss calls best?

    Claim: "squared error leads to the mean, absolute error to the median" (statistics). Half of the examples come from
    the top left quadrant and the rest from everywhere, so that the mean is half a pixel (in full a
    pixel) beside the median, and the absolute error is not flat between them, as it is at some other shares. Huber's
    loss is nearly squared error where its delta is large, and nearly absolute error where it is small. It is collapsed
    networks' constants that are compared; the larger rate is there to make more of them.

    Command: python -m jaxbox.sweep absolute_error --seeds 32
    Cost: TODO
    Outcome: TODO
    """
    start = box(full, **{"data.law": "corner", "data.corner_share": 0.5})
    losses = {"loss.name": ["mse", "mae", "huber"], "loss.delta": [0.1, 1.0]}
    return grid(start, losses | {"optimizer.learning_rate": [0.01, 0.03]})


def gaussian_nll(full: bool = False) -> list[Configuration]:
    """Does a network that also says how sure it is stay at a flat fit, as the mean with a large variance is one?

    Claim: "the normal likelihood gets stuck at a flat fit; weighing each example by a power of its variance cures it"
    (Seitzer et al., 2022). The likelihood divides an example's gradient by its variance, so that what is predicted
    badly counts less and less. A power of 0 is the likelihood itself; at 1 the mean has the gradient of squared error.

    Command: python -m jaxbox.sweep gaussian_nll --seeds 32
    Cost: TODO
    Outcome: TODO
    """
    losses = {"loss.name": ["mse", "gaussian_nll", "beta_nll"], "loss.beta": [0.5, 1.0]}
    return grid(box(full), losses | {"optimizer.learning_rate": RATES})
