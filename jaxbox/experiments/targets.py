"""What the thread would change about the targets: their scale, their law, or classes in their place."""

from typing import Any

from jaxbox.config import Configuration, grid
from jaxbox.experiments.settings import RATES, THREAD_STEPS, box, grids


def classification(full: bool = False) -> list[Configuration]:
    """Does a network learn where the box is if it has to name the place rather than a number?

    Claim: "turn it into a classification, and it learns" (an answer). Each position is a class of its own; a prediction
    is the mean of the classes' places under the probabilities (cell) or the most probable class's place (cell_mode).
    These two are trained alike and differ only in how their probabilities are read: a network that knows nothing
    predicts the mean in the one, and a place that is worse than the mean in the other.

    Command: python -m jaxbox.sweep classification --seeds 32
    Cost: 1.6 minutes on 2 CPU cores with 32 seeds.
    Outcome: at the rates 0.003 and 0.01 all 32 networks learn every class (R2 1.0000), where 19% [9, 35] of those
    with squared error predict the mean at 0.01; at 0.03 81% [65, 91] of the classifiers are dead, and 69% [51, 82]
    of the others. Read as the most probable place, a dead one has a median R2 of -0.8.
    """
    rates = {"optimizer.learning_rate": RATES}
    classes = {"task.targets": ["cell", "cell_mode"], "loss.name": ["cross_entropy"]}
    return grids(box(full), {"task.targets": ["symmetric"]} | rates, classes | rates)


def concentrated_targets(full: bool = False) -> list[Configuration]:
    """Is the mean predicted more often where most targets lie close to it?

    Claim: "the targets are concentrated about the middle, and that their variance is small is the cause" (a comment).
    The box's places follow a Beta distribution about the middle: crowded at the edges (concentration 0.5), uniform (1),
    and ever closer to the middle. R2 is under the same law, so that a narrow one makes no score better.

    Command: python -m jaxbox.sweep concentrated_targets --seeds 32
    Cost: 1.8 minutes on 2 CPU cores with 32 seeds.
    Outcome: at the rate 0.01 6% [2, 20] of the networks predict the mean where the places crowd at the edges, 12%
    [5, 28] where they are uniform, 69% [51, 82] at concentration 5 and 53% [36, 69] at 50: concentrated targets do
    collapse more often. At 0.003 none does at any concentration, and at 0.03 it is the other way round: 75% [58,
    87] at the edges, 22% [11, 39] at 50.
    """
    concentrations = {"data.law": ["beta"], "data.concentration": [0.5, 1.0, 5.0, 50.0]}
    return grid(box(full), concentrations | {"optimizer.learning_rate": RATES})


def transformed_targets(full: bool = False) -> list[Configuration]:
    """Does it help to transform the targets, or to equalise the images?

    Claim: "transform the target, or equalise the image's histogram" (an answer). Targets on other scales, two of them
    bent; and under noise images whose contrast is stretched or whose histogram is equalised. Without noise a box image
    has two values only, black and white, and both of these transforms leave it exactly as it is.

    Command: python -m jaxbox.sweep transformed_targets --seeds 32
    Cost: 2.4 minutes on 2 CPU cores with 32 seeds.
    Outcome: targets, yes; images, no. At 0.01 19% [9, 35] of the networks predict the mean on [-1, 1], 3% [1, 16]
    with standardised targets and none [0, 11] with logits, but 81% [65, 91] with quantiles, which lie on [0, 1]; at
    0.03 between 69% and all are lost with each. Under noise stretching and equalising change little at 0.01 (9% [3,
    24] and 19% [9, 35] beside 12% [5, 28]) and cost R2 at 0.003: 0.95 and 0.81 beside 0.98.
    """
    start = box(full, steps=THREAD_STEPS if full else 60)
    targets = {"task.targets": ["symmetric", "standardized", "quantile", "logit"], "optimizer.learning_rate": RATES}
    noise = {"task.noise": ["white"], "task.noise_level": [0.3]}
    inputs = {"task.inputs": ["unit", "stretched", "equalized"], "optimizer.learning_rate": [0.003, 0.01]}
    return grids(start, targets, noise | inputs)


def imbalanced_targets(full: bool = False) -> list[Configuration]:
    """Does a law that favours one corner drive the training error to 0 and leave the test error as large as the mean's?

    Claim: "with imbalanced targets the training error goes to 0 and the test error stays at the standard deviation" (an
    answer). A share of the examples comes from the top left quadrant, the rest from everywhere. Training sets of 100
    examples can be learned by heart, those of 10,000 hold every place: is it the imbalance or the number of examples?
    Compare `mse` of the places seen in training with `mse_uniform`, in which every place counts alike, of all.

    Command: python -m jaxbox.sweep imbalanced_targets --seeds 32
    Cost: 2.1 minutes on 2 CPU cores with 32 seeds.
    Outcome: true of few examples and an extreme imbalance. With 100 examples at 0.001, 99% of them from the corner,
    the mean squared error is 1e-5 on places seen in training and 87% of the targets' variance over all places
    counted alike (at a share of 90% 17%, at 50% 2%); with 10,000 examples these are 9%, 0.3% and less. None of
    these predicts the mean. At 0.01 imbalance does collapse networks: 88% [72, 95] at 99%, 59% [42, 74] at 90%, 16%
    [7, 32] at 50% and 12% [5, 28] without, with 10,000 examples.
    """
    # A batch cannot be larger than the smaller training set, and both are trained alike.
    start = box(full, batch_size=100)
    sizes = {"data.train_size": [100, 10_000]}
    shares = {"data.law": ["corner"], "data.corner_share": [0.0, 0.5, 0.9, 0.99]}
    return grid(start, sizes | shares | {"optimizer.learning_rate": [0.001, 0.01]})


def unit_targets(full: bool = False) -> list[Configuration]:
    """Does it matter on which scale the targets are?

    Claim: "scale the targets to [0, 1]" (a comment). Targets between -1 and 1, between 0 and 1, in pixels, and in
    pixels from the middle: they differ in spread by up to the image's size, and half of them have a mean that the
    network must learn first. R2 does not depend on the scale.

    Command: python -m jaxbox.sweep unit_targets --seeds 32
    Cost: 1.9 minutes on 2 CPU cores with 32 seeds.
    Outcome: the scale matters, and [0, 1] makes it worse: at the rate 0.01 81% [65, 91] of the networks predict a
    constant on [0, 1], 19% [9, 35] on [-1, 1], none [0, 11] in pixels from the middle and 25% [13, 42] in pixels
    from the corner. At 0.003 none does on any scale. Targets that need a mean to be learned first do worse than the
    same ones centred.
    """
    targets = {"task.targets": ["symmetric", "unit", "centred_pixels", "pixels"]}
    return grid(box(full), targets | {"optimizer.learning_rate": RATES})


def small_variance(full: bool = False) -> list[Configuration]:
    """Do more units die the smaller the targets' variance is, and does momentum add to it?

    Claim: "the smaller the targets' variance, the more relus die, and momentum makes it worse" (Arnekvist et al., 2020,
    who scale the targets). Here the law of the places narrows: with the range of places as 1 its variance is 1/12, 1/84
    and 1/1072 (in full 1/804) at the three concentrations. Momentum 0 is plain gradient descent; 0.9 takes steps ten
    times as long in the end, so that it is fair to compare it with ten times its rate without. Adam's own momentum, b1,
    is set to 0 likewise.

    Command: python -m jaxbox.sweep small_variance --seeds 32
    Cost: 2.1 minutes on 2 CPU cores with 32 seeds.
    Outcome: mixed. With momentum at the rate 1 it is the other way round: 91% [76, 97] of the networks have a dead
    layer at concentration 1, 56% [39, 72] at 10 and none [0, 11] at 100. With Adam at 0.01 12% [5, 28], 81% [65,
    91] and 31% [18, 49] are dead. Momentum does make it worse: Adam without it (b1 0) kills 0%, 3% and 0% [each
    within 0 to 16%], descent without it at the rate 1 16% [7, 32], 0% and 0%. At rates of 0.1 and less, momentum
    kills none.
    """
    law = {"data.law": ["beta"], "data.concentration": [1.0, 10.0, 100.0]}
    return _with_and_without_momentum(law, full)


def scaled_targets(full: bool = False) -> list[Configuration]:
    """Do more units die the smaller the scale of the targets is, and does momentum add to it?

    Claim: "the smaller the targets' variance, the more relus die, and momentum makes it worse" (Arnekvist et al.,
    2020), here by the scale alone, as they have it: of all three scales the mean is 0, and one unit is half an image, a
    standard deviation of the positions, or a pixel. The same rates and momenta as in `small_variance`.

    Command: python -m jaxbox.sweep scaled_targets --seeds 32
    Cost: 4.8 minutes on 2 CPU cores with 32 seeds.
    Outcome: true of Adam, whose steps are as long on every scale: with standard deviations of .47, 1 and 3.5 at 0.01
    19% [9, 35], 3% [1, 16] and 0% [0, 11] have a dead layer, without its momentum (b1 0) none. Of descent the reverse
    is true, whose gradients grow with the targets: at 0.1 with momentum 0%, 0% and 91% [76, 97], without 0%, 0% and 9%
    [3, 24]. Momentum makes it worse in each.
    """
    return _with_and_without_momentum({"task.targets": ["symmetric", "standardized", "centred_pixels"]}, full)


def _with_and_without_momentum(targets: dict[str, Any], full: bool) -> list[Configuration]:
    start = box(full, steps=THREAD_STEPS if full else 60)
    descent = {"optimizer.name": ["momentum"], "optimizer.momentum": [0.0, 0.9]}
    adam = {"optimizer.b1": [0.0, 0.9], "optimizer.learning_rate": [0.01]}
    return grids(start, targets | descent | {"optimizer.learning_rate": [0.01, 0.1, 1.0]}, targets | adam)
