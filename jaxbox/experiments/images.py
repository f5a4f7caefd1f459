"""What the thread would change about the images: noise, distractors, and how pixels are scaled."""

from jaxbox.config import Configuration, grid
from jaxbox.experiments.settings import RATES, THREAD_STEPS, box


def noise(full: bool = False) -> list[Configuration]:
    """Is the mean predicted less often when there is noise on the images?

    Claim: "add noise, it helps the optimiser" (an answer). Gaussian noise, and pixels replaced by black or white, each
    weak and strong. How well anyone could do under the noise is known (`analysis.exact`): an R2 below 1 is not a fault
    of the network yet.

    Command: python -m jaxbox.sweep noise --seeds 32
    Cost: TODO
    Outcome: TODO
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
    Cost: TODO
    Outcome: TODO
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
    Cost: TODO
    Outcome: TODO
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
    Cost: TODO
    Outcome: TODO
    """
    start = box(full, **{"task.scene": "dots"})
    return grid(start, {"model.name": ["cnn", "mlp", "linear"], "optimizer.learning_rate": RATES})
