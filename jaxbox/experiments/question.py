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
    Cost: 2.1 minutes on 2 CPU cores with 32 seeds.
    Outcome: at the question's rate a box of 5 on 16 x 16 pixels ends at the mean in 15 of 32 seeds (47%, 95%
    interval 31 to 64%), on 32 x 32 in 14 (44% [28, 61]), on 64 x 64 in 23 (72% [55, 84]); a box of 2 on 16 x 16 in
    none ([0, 11]), a box of 20 on 32 x 32 in 1 (3% [1, 16]). All of them have a dead layer; the others were at a
    median R2 of 0.99 or on their way after 60 steps. In none did the loss rise by a tenth between two evaluations.
    """
    # Windows evaluate every position, of which large images have thousands.
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
    Cost: 60 seconds on 2 CPU cores with 32 seeds.
    Outcome: no difference is shown: at the rate 0.01 19% [9, 35] of the networks on one channel predict the mean
    and 41% [26, 58] of those on three, at 0.03 69% [51, 82] and 53% [36, 69], at 0.003 none of either. What decides
    is the rate.
    """
    return grid(box(full), {"task.channels": [1, 3], "optimizer.learning_rate": RATES})


def shuffled_labels(full: bool = False) -> list[Configuration]:
    """Does what the network does look like what it does when images and targets do not correspond?

    Claim: "check that the images and the targets correspond" (a comment). A control: where targets are permuted against
    images nothing can be learned but the mean; where half of the images are flipped left-right, x is lost and y is not.
    On true labels, seeds that learn show that the data of those that do not are in order.

    Command: python -m jaxbox.sweep shuffled_labels --seeds 32
    Cost: 50 seconds on 2 CPU cores with 32 seeds.
    Outcome: on shuffled labels all 32 predict the mean, and at the rate 0.01 91% [76, 97] of them end with a dead
    layer: where there is nothing to learn, units die more often. With flipped images R2 is 0.50 (median; y alone is
    learned) in those that are not dead. On true labels 19% [9, 35] predict the mean at 0.01, and none at 0.003.
    """
    start = box(full, steps=THREAD_STEPS if full else 60)
    return grid(start, {"data.labels": ["true", "shuffled", "flipped"], "optimizer.learning_rate": RATES[:2]})


def one_example(full: bool = False) -> list[Configuration]:
    """From how many examples on does overfitting a few of them say anything about a network?

    Claim: "overfit a single example first, and go on to more once that works" (an answer). Training sets from one
    example up, judged on their own examples (`seen`) and on all positions. One example is fitted by a constant, so that
    even a network with a dead layer passes that test; from two positions on it cannot.

    Command: python -m jaxbox.sweep one_example --seeds 32
    Cost: 60 seconds on 2 CPU cores with 32 seeds.
    Outcome: the test cannot tell: a single example is fitted (mean squared error below 1e-3 on it) by all 32
    networks at 0.003, by 94% at 0.01 and 97% at 0.03. At 8 examples these are 100%, 78% and 28%, at 64 100%, 56%
    and 9%, at 10,000 100%, 34% and none. Dead layers: 31% [18, 49] at one example and the rate 0.01, 9% [3, 24],
    12% [5, 28] and 19% [9, 35] at 8, 64 and 10,000; none at 0.003. With 64 examples at 0.003 R2 over all 169 places
    is already 0.98.
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
    Cost: 90 seconds on 2 CPU cores with 32 seeds.
    Outcome: neither. The question's network at the rate 0.01 predicts the mean in 9% [3, 24], 19% [9, 35] and 12%
    [5, 28] of the seeds with 128, 10,000 and unlimited examples; at 0.003 none does, and its median R2 over all
    places, unseen ones included, is 0.994 with 128 examples and 0.999 with more. With a quarter of its channels no
    network collapses at either rate.
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
    Cost: 60 seconds on 2 CPU cores with 32 seeds.
    Outcome: no network does. With half of the places held out, median R2 over all places is 0.994 for the
    question's network at 0.003, 0.963 with one hidden layer and 0.936 for the linear one; with 80% held out 0.94,
    0.81 and 0.74. Those of the question's networks that predict the mean at 0.01 (19%, 16% and 9% of the seeds) do
    so on the places that they were trained on, too.
    """
    networks = {"model.name": ["cnn", "mlp", "linear"], "optimizer.learning_rate": RATES[:2]}
    return grid(box(full), networks | {"data.split": ["held_out"], "data.held_out": [0.2, 0.5, 0.8]})
