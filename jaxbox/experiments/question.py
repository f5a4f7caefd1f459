"""What is asked before anything is changed: does it happen, do the data say where the box is, is it overfitting?"""

from jaxbox.config import Configuration, grid
from jaxbox.experiments.settings import RATES, THREAD_STEPS, box, grids

BOXES = {16: [2, 5], 32: [2, 5, 20], 64: [2, 5, 20], 128: [2, 5, 20]}
"""Sides of boxes, by that of the image that they fit into."""
SMALL_BOXES = {16: [2, 5], 32: [5, 20], 64: [5]}
"""The same, as far as two cores train them within minutes."""


def question(full: bool = False) -> list[Configuration]:
    """Does the question's network predict the mean, and does that hang on the sizes that the question leaves out?

    Claim: "the network predicts the mean of the targets, and its loss sometimes rises" (the question). It does not say
    how large its images are, so images and boxes of several sizes are tried.

    Command: python -m jaxbox.sweep question --seeds 32
    Cost: TODO
    Outcome: TODO
    """
    # Every position is evaluated, of which large images have thousands.
    start = box(full) if full else box(steps=60, eval_every=12)
    sizes = (BOXES if full else SMALL_BOXES).items()
    products = [{"task.height": [size], "task.width": [size], "task.box_size": boxes} for size, boxes in sizes]
    return grids(start, *products)


def grey_channels(full: bool = False) -> list[Configuration]:
    """Is a grey image given as three equal channels harder to learn from than the same image in one channel?

    Claim: "three channels that hold the same grey are the trouble" (a comment). Three equal channels say nothing that
    one does not, but the first layer sums over them, which changes its first values and the pace at which it learns; so
    it is tried at three learning rates.

    Command: python -m jaxbox.sweep grey_channels --seeds 32
    Cost: TODO
    Outcome: TODO
    """
    return grid(box(full), {"task.channels": [1, 3], "optimizer.learning_rate": RATES})


def shuffled_labels(full: bool = False) -> list[Configuration]:
    """Does what the network does look like what it does when images and targets do not correspond?

    Claim: "check that the images and the targets correspond" (a comment). A control: where targets are permuted against
    images nothing can be learned but the mean; where half of the images are flipped left-right, x is lost and y is not.
    On true labels, seeds that learn show that the data of those that do not are in order.

    Command: python -m jaxbox.sweep shuffled_labels --seeds 32
    Cost: TODO
    Outcome: TODO
    """
    start = box(full, steps=THREAD_STEPS if full else 60)
    return grid(start, {"data.labels": ["true", "shuffled", "flipped"], "optimizer.learning_rate": RATES[:2]})


def one_example(full: bool = False) -> list[Configuration]:
    """From how many examples on does overfitting a few of them say anything about a network?

    Claim: "overfit a single example first, and go on to more once that works" (an answer). Training sets from one
    example up, judged on their own examples (`seen`) and on all positions. One example is fitted by a constant, so that
    even a network with a dead layer passes that test; from two positions on it cannot.

    Command: python -m jaxbox.sweep one_example --seeds 32
    Cost: TODO
    Outcome: TODO
    """
    sizes = (1, 8, 64, 512, 4096, 10_000) if full else (1, 8, 64, 10_000)
    start = box(full, steps=THREAD_STEPS if full else 60)
    # A batch cannot be larger than the training set.
    products = [{"data.train_size": [size], "batch_size": [min(size, 128)]} for size in sizes]
    return grids(start, *[product | {"optimizer.learning_rate": RATES} for product in products])


def overfitting(full: bool = False) -> list[Configuration]:
    """Is it overfitting or underfitting: do training sets and capacities decide whether the mean is predicted?

    Claim: "it overfits", or else "it underfits" (comments). Training sets from one that holds few positions to an
    endless stream, for the question's network and one of a quarter of its channels. A fifth of the positions is never
    trained on: overfitting is a good fit to `seen` beside a bad one to `unseen` positions; the mean is bad at both.

    Command: python -m jaxbox.sweep overfitting --seeds 32
    Cost: TODO
    Outcome: TODO
    """
    return grid(
        box(full),
        {
            "data.split": ["held_out"],
            "model.features": [(8, 16, 32), (32, 64, 128)],
            "data.train_size": [1000, 10_000, 0] if full else [128, 10_000, 0],
            "optimizer.learning_rate": RATES[:2],
        },
    )


def memorization(full: bool = False) -> list[Configuration]:
    """What does each architecture say of positions that it has never been trained on?

    Claim: "the network memorises its examples and does not generalise" (a comment). A random split cannot tell, since a
    training set soon holds every position; here a share of the positions is never trained on.

    Command: python -m jaxbox.sweep memorization --seeds 32
    Cost: TODO
    Outcome: TODO
    """
    networks = {"model.name": ["cnn", "mlp", "linear"], "optimizer.learning_rate": RATES[:2]}
    return grid(box(full), networks | {"data.split": ["held_out"], "data.held_out": [0.2, 0.5, 0.8]})
