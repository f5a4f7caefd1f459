"""What the thread would change about the images: noise, distractors, and how pixels are scaled."""

from jaxbox.config import Configuration, grid
from jaxbox.experiments.settings import RATES, THREAD_STEPS, box


def noise(full: bool = False) -> list[Configuration]:
    """Is the mean predicted less often when there is noise on the images?

    Claim: "add noise, it helps the optimiser" (an answer). Gaussian noise, and pixels replaced by black or white, each
    weak and strong. How well anyone could do under the noise is known (`analysis.exact`): an R2 below 1 is not a fault
    of the network yet.

    Command: python -m jaxbox.sweep noise --seeds 32
    Cost: 2.1 minutes on 2 CPU cores with 32 seeds.
    Outcome: white noise helps at the highest rate only: at 0.03 none [0, 11] of 32 networks collapses with noise of
    0.1 or 0.3, beside 69% [51, 82] without; at 0.01 38% [23, 55] and 12% [5, 28] do, beside 19% [9, 35]. Salt and
    pepper make it worse: 22% [11, 39] and 59% [42, 74] at 0.01, 91% [76, 97] and 94% [80, 98] at 0.03. At 0.003
    none collapses with any noise.
    """
    start = box(full, steps=THREAD_STEPS if full else 60)
    noises = {"task.noise": ["none", "white", "salt_pepper"], "task.noise_level": [0.1, 0.3]}
    return grid(start, noises | {"optimizer.learning_rate": RATES})


def harder_task(full: bool = False) -> list[Configuration]:
    """Does the network learn a harder task where it predicts the mean in the easy one?

    Claim: "make the task harder, a red box among circles, and it learns" (an answer). The white box alone, in three
    equal channels, against a red box over circles of any colour, and a grey one over grey circles that only its shape
    tells from them. The harder tasks take more steps to learn, too: a network that has not left the mean by the end is
    told from a dead one by its dead layer.

    Command: python -m jaxbox.sweep harder_task --seeds 32
    Cost: 2 minutes on 2 CPU cores with 32 seeds.
    Outcome: not in general: at the question's rate 31% [18, 49] predict the mean with a red box among circles and
    38% [23, 55] with a grey one, 41% [26, 58] with the box alone in three channels; at 0.03 78% [61, 89], 62% [45,
    77] and 53% [36, 69]; at 0.003 none in any. Where they learn, R2 after 100 steps is lower: 0.995 and 0.85 beside
    0.9999 at 0.003.
    """
    start = box(full, **{"task.channels": 3})
    return grid(start, {"task.scene": ["box", "red_box", "grey_box"], "optimizer.learning_rate": RATES})


def standardized_pixels(full: bool = False) -> list[Configuration]:
    """Is it the scale of the pixels?

    Claim: "standardising the pixels is the fault, dividing them by 255 the cure" (an answer). Pixels in [0, 1] and in
    [0, 255]; standardised with one mean and deviation for all pixels, with those of each image (the same to the last
    digits where every image holds one box), and with those of each pixel; and a black box on white. All of these but
    the first two have a background that is not 0, which the weights of every unit see in every image.

    Command: python -m jaxbox.sweep standardized_pixels --seeds 32
    Cost: 1.7 minutes on 2 CPU cores with 32 seeds.
    Outcome: no: at the question's rate 9% [3, 24] of the networks predict the mean with standardised pixels,
    whether by all pixels or by each image's own, 6% [2, 20] by each pixel's, 3% [1, 16] with a black box on white,
    and 19% [9, 35] on [0, 1]. On [0, 255] none is dead, but at 0.01 22% [11, 39] are no better than the mean and
    the median R2 is 0.23. At 0.001 none collapses on any scale.
    """
    start = box(full, steps=THREAD_STEPS if full else 60)
    inputs = ["unit", "byte", "standardized", "image_standardized", "pixel_standardized", "inverted"]
    return grid(start, {"task.inputs": inputs, "optimizer.learning_rate": [0.001, 0.01]})


def dots(full: bool = False) -> list[Configuration]:
    """Which network finds, among dots drawn one over another, the one that was drawn first?

    Claim: "this is a task on which to see whether a network learns" (the last answer, whose task it is). The first dot
    is white, the three over it are grey and may hide it, so that no network can be right in every image. The question's
    network against one with a hidden layer and one without: what is linear in the pixels cannot ask for a grey.

    Command: python -m jaxbox.sweep dots --seeds 32
    Cost: 50 seconds on 2 CPU cores with 32 seeds.
    Outcome: the question's network can: median R2 0.958 after 100 steps at 0.003, where a hidden layer reaches 0.72
    and the linear model 0.49. But it is also the only one that predicts the mean: 47% [31, 64] at 0.01 and 88% [72,
    95] at 0.03, the others never (95% interval to 11%).
    """
    start = box(full, **{"task.scene": "dots"})
    return grid(start, {"model.name": ["cnn", "mlp", "linear"], "optimizer.learning_rate": RATES})
