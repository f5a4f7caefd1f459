"""What the thread would change about training: the rule, its learning rate, and how easy the problem is."""

from jaxbox.config import Configuration, grid
from jaxbox.experiments.settings import RATES, THREAD_STEPS, box, grids


def sgd_first(full: bool = False) -> list[Configuration]:
    """Does plain gradient descent learn where Adam predicts the mean, each at its own rates?

    Claim: "start with plain SGD, not with Adam" (an answer). Each rule over three rates, a factor of ten apart, whose
    middle one is usual for it: a rule that is compared at a single rate is judged by that rate.

    Command: python -m jaxbox.sweep sgd_first --seeds 32
    Cost: 80 seconds on 2 CPU cores with 32 seeds.
    Outcome: what decides is the rate, not the rule. None of 32 collapses (95% interval to 11%) with SGD at 0.1,
    momentum at 0.1 or Adam at 0.001, whose median R2 after 100 steps is 0.973, 0.9986 and 0.9998; ten times the
    first or the last of these rates loses 34% [20, 52] and 19% [9, 35], a tenth of any is slow.
    """
    rules = {"sgd": [0.01, 0.1, 1.0], "momentum": [0.001, 0.01, 0.1], "adam": [0.0001, 0.001, 0.01]}
    products = [{"optimizer.name": [rule], "optimizer.learning_rate": rates} for rule, rates in rules.items()]
    return grids(box(full), *products)


def learning_rates(full: bool = False) -> list[Configuration]:
    """At which learning rates does the question's network predict the mean?

    Claim: "the learning rate is too high", or "too low" (comments). Adam over four powers of ten, all else as in the
    question. Too low a rate has not left the mean yet and would with more steps; too high a rate never will.

    Command: python -m jaxbox.sweep learning_rates --seeds 32
    Cost: 70 seconds on 2 CPU cores with 32 seeds.
    Outcome: it is too high: none of 32 collapses up to 0.003 (95% interval to 11%), 19% [9, 35] at 0.01, 69% [51,
    82] at 0.03, 97% [84, 99] at 0.1, all with a dead layer. Too low is slow: R2 after 100 steps is 0.18 at 0.00001
    and 0.98 at 0.0001; the best is 0.003 (median 0.9999).
    """
    return grid(box(full), {"optimizer.learning_rate": [1e-5, 1e-4, 3e-4, 1e-3, 3e-3, 1e-2, 3e-2, 1e-1]})


def hundred_pixels(full: bool = False) -> list[Configuration]:
    """One dense layer on 100 x 100 pixels: is the learning rate all there is to it?

    Claim: "with SGD at a rate of 1 or 0.1 it works; at 0.001 to 0.00001 it predicts the mean" (the last answer). On
    pixels from 0 to 1 the linear model needs 19, 189, 1890 and 18,900 steps to R2 = 0.9 at the rates 1, 0.1, 0.01 and
    0.001, from zero weights, and with batches of 128 it is stable up to 1.59. On pixels from 0 to 255 it is up to
    0.00012 only, and on standardised ones up to 0.019, so that there the same rates mean something else.

    Command: python -m jaxbox.sweep hundred_pixels --seeds 32
    Cost: 20 seconds on 2 CPU cores with 32 seeds.
    Outcome: true for pixels in [0, 1]: after 2000 steps the median R2 is 0.9994, 0.997, 0.896, 0.21, 0.01 and -0.01
    at the rates 1 to 0.00001. But it is only the rate in units of the pixels' scale: standardised pixels diverge at
    1 and 0.1, and reach 0.90 at 0.01 and 0.68 at 0.001; pixels in [0, 255] diverge in every seed down to 0.001.
    """
    task = {"task.height": [100], "task.width": [100], "task.box_size": [5]}
    inputs = {"task.inputs": ["unit", "byte", "standardized"]}
    descent = {"model.name": ["linear"], "optimizer.name": ["sgd"]}
    rates = {"optimizer.learning_rate": [1.0, 0.1, 0.01, 0.001, 0.0001, 0.00001]}
    return grid(box(full, steps=20_000 if full else 2000), task | inputs | descent | rates)


def too_easy(full: bool = False) -> list[Configuration]:
    """Is the mean predicted less often when the problem is harder?

    Claim: "a problem that is too easy is hard to optimise" (a comment). The same network on harder problems: a smaller
    box with more positions and fewer lit pixels, and noise on every pixel.

    Command: python -m jaxbox.sweep too_easy --seeds 32
    Cost: 90 seconds on 2 CPU cores with 32 seeds.
    Outcome: harder is not safer. With a box of 2 none [0, 11] of the networks predicts the mean at 0.01 and 94%
    [80, 98] at 0.03; with a box of 4 these are 19% [9, 35] and 69% [51, 82]. White noise of 0.1 does 38% [23, 55]
    and none, of 0.3 12% [5, 28] and none: at the highest rate, noise on every pixel does keep the network from
    dying. At 0.003 none collapses in any of them.
    """
    start = box(full, steps=THREAD_STEPS if full else 60)
    rates = {"optimizer.learning_rate": RATES}
    smaller = {"task.box_size": [start.task.box_size, 2]}
    noisy = {"task.noise": ["white"], "task.noise_level": [0.1, 0.3]}
    return grids(start, smaller | rates, noisy | rates)
