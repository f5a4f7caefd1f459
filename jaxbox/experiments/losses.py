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
    Cost: 1.7 minutes on 2 CPU cores with 32 seeds.
    Outcome: false. With a relu at the end MSE + 5 MSLE does collapse less often at high rates (47% [31, 64] against
    100% [89, 100] at 0.01, 66% [48, 80] against 100% at 0.03), but where MSE learns it is worse: median R2 0.60
    against 0.99 at 0.001, 0.70 against 0.98 at 0.003. With a sigmoid plain MSE learns in all seeds at 0.001 to 0.01
    (median R2 0.997 to 0.999), the sum in 29 of 32 at 0.01 (0.91), and at 0.03 both are lost in 28 and 31 seeds. An
    output that is dead says 0 for ever, whatever the loss.
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
    Cost: 80 seconds on 2 CPU cores with 32 seeds.
    Outcome: true. The mean of the targets is -0.19, their median -0.25. The constants of the dead networks at 0.03
    have a median of -0.18 and -0.20 (x, y; 9 networks) with squared error, -0.25 and -0.25 with absolute error
    (18), -0.24 and -0.24 with Huber's loss at delta 0.1 (17) and -0.18 and -0.19 at delta 1 (11). At 0.03 28% [16,
    45] predict a constant with squared, 56% [39, 72] with absolute error.
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
    Cost: 1.9 minutes on 2 CPU cores with 32 seeds.
    Outcome: true: at the rate 0.01 69% [51, 82] of the networks predict the mean with the normal likelihood, 44%
    [28, 61] at beta 0.5 and 22% [11, 39] at beta 1, beside 19% [9, 35] with squared error. At 0.003 hardly any
    does, but those with the likelihood are slow: median R2 0.90, at beta 0.5 0.97, at beta 1 0.9985, beside 0.9999.
    At 0.03 about nine in ten are lost with each, seven in ten with squared error.
    """
    losses = {"loss.name": ["mse", "gaussian_nll", "beta_nll"], "loss.beta": [0.5, 1.0]}
    return grid(box(full), losses | {"optimizer.learning_rate": RATES})
