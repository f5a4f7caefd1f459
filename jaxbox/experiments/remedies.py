"""Ours and the field's: where networks collapse, and the layers and first weights that are said to prevent it."""

from jaxbox.config import Configuration, grid
from jaxbox.experiments.settings import RATES, THREAD_STEPS, box, grids

PAPER_RATES = (0.0005, 0.001, 0.01)
"""Those that Liu et al. (2018) tried for their convolutional network; CoordConv got the last."""


def collapse_map(full: bool = False) -> list[Configuration]:
    """Over learning rate, width and scale of the pixels: where is the mean predicted, and how sharp is the border?

    Claim: "a rate of collapse says little without the learning rate and the width that it was found at" (ours). Each
    channel count of the question's network is divided by four, by two and by one; pixels are in [0, 1] or standardised.

    Command: python -m jaxbox.sweep collapse_map --seeds 32
    Cost: 90 seconds on 2 CPU cores with 32 seeds.
    Outcome: at 0.001 and 0.003 no network collapses, at any width, on either scale (95% interval to 11%). At 0.01
    0%, 0% and 19% [9, 35] do on [0, 1], from the narrowest to the question's, and 0%, 6% [2, 20] and 9% [3, 24] on
    standardised pixels; at 0.03 47% [31, 64], 88% [72, 95] and 69% [51, 82] beside 38% [23, 55], 19% [9, 35] and 9%
    [3, 24]. Standardised pixels collapse less often in wide networks.
    """
    start = box(full, steps=THREAD_STEPS if full else 60)
    widths = [(8, 16, 32), (16, 32, 64), (32, 64, 128), *([(64, 128, 256)] if full else [])]
    rates = [0.0003, 0.001, 0.003, 0.01, 0.03, 0.1] if full else [0.001, *RATES]
    fields = {"task.inputs": ["unit", "standardized"], "model.features": widths}
    return grid(start, fields | {"optimizer.learning_rate": rates})


def coordconv(full: bool = False) -> list[Configuration]:
    """Does it take coordinates as channels to say where something is, of places that were never trained on?

    Claim: "convolutions fail at this, and learn it as soon as they are given each pixel's coordinates" (Liu et al.,
    2018, arXiv 1807.03247). Their two networks, splits, weight decay and rates: a fourth of the places is held out at
    random, or the bottom right quadrant is; `mse` of unseen places is what counts. They show a single lit pixel where
    the middle of the box is here, and train 10 steps an epoch for 100 epochs, which is the full size. Their network for
    the quadrant is another one, deeper, with batch normalisation; here both splits have the one with a dense layer.

    Command: python -m jaxbox.sweep coordconv --seeds 32
    Cost: 80 seconds on 2 CPU cores with 32 seeds.
    Outcome: not decided at the small size, where 200 steps are too few for CoordConv: its median R2 over all places
    is at most 0.41, on places that it was trained on no better than on others. The network with a dense layer
    reaches 0.99 at 0.01 where a fourth of the places is held out, with a mean squared error of 0.0065 on unseen and
    0.0009 on seen ones, and 0.86 where the quadrant is (0.14 beside 0.0009 there: it does not carry over). At 0.001
    no CoordConv network is still at the mean with the random split, at 0.01 16% [7, 32] are; it has no units that
    could die.
    """
    paper = {"task.height": 64, "task.width": 64, "task.box_size": 9, "batch_size": 256}
    small = {"task.box_size": 3, "batch_size": 32}
    shared = {"task.targets": "unit", "model.kernel_size": 3, "model.initialization": "he"}
    start = box(full, steps=1000 if full else 200, **(paper if full else small), **shared)
    splits = {"data.split": ["held_out", "quadrant"], "data.held_out": [0.25]}
    training = {"optimizer.weight_decay": [1e-5], "optimizer.learning_rate": PAPER_RATES}
    told = {"model.name": ["coordconv"], "model.features": [(8, 8, 8, 8)], "model.activation": ["identity"]}
    convolutions = {"model.features": [(16, 16, 16, 16)], "model.stride": [1], "model.pooling": ["max"]}
    dense = {"model.dense": [(64,)]}
    return grids(start, told | splits | training, convolutions | dense | splits | training)


def soft_argmax(full: bool = False) -> list[Configuration]:
    """Does a network whose answer is a place by construction predict the mean, too?

    Claim: "read the coordinates off a heat map, as the mean place of its softmax" (ours, after Nibali et al., 2018). An
    even heat map is the image's middle: this network, too, can be stuck at the mean. With and without noise, against
    the question's network.

    Command: python -m jaxbox.sweep soft_argmax --seeds 32
    Cost: 60 seconds on 2 CPU cores with 32 seeds.
    Outcome: no heat map is stuck: none of 32 collapses at any rate, with noise or without (95% interval to 11%),
    beside 19% [9, 35] and 69% [51, 82] of the question's networks at 0.01 and 0.03 without noise. Under noise it is
    the better one, too: median R2 0.997 beside 0.92 at 0.01. With noise, 12% [5, 28] of the question's networks
    collapse at 0.01 and none at 0.03.
    """
    start = box(full, steps=THREAD_STEPS if full else 60)
    noises = {"task.noise": ["none", "white"], "task.noise_level": [0.3], "optimizer.learning_rate": RATES}
    place = {"model.name": ["soft_argmax"], "model.features": [(8,)], "model.kernel_size": [3]}
    return grids(start, noises, place | noises)


def initialization(full: bool = False) -> list[Configuration]:
    """Do the weights' first values decide whether units die?

    Claim: "an asymmetric initialisation keeps relus from dying" (Lu et al., 2019, of deep and narrow networks that are
    dead before they are trained). Five rules, each with its weights halved, as they are, and doubled, at the question's
    learning rate: the question's network is wide, and its units die while it is trained.

    Command: python -m jaxbox.sweep initialization --seeds 32
    Cost: 90 seconds on 2 CPU cores with 32 seeds.
    Outcome: the asymmetric one does not help here: 19% [9, 35] of the networks have a dead layer with it, as with
    Glorot's. Orthogonal and LeCun's do: 0% [0, 11] and 3% [1, 16]. Weights twice as large are worse with Glorot's
    (47% [31, 64] dead), half as large no worse with any.
    """
    start = box(full, steps=THREAD_STEPS if full else 60)
    rules = ["glorot", "he", "lecun", "orthogonal", "asymmetric"]
    return grid(start, {"model.initialization": rules, "model.initial_scale": [0.5, 1.0, 2.0]})


def normalization(full: bool = False) -> list[Configuration]:
    """Do normalisation layers keep the convolutional network from dying, and shortcuts a deep one?

    Claim: "normalise the hidden layers, or give them residual connections" (ours: the field's own answer). The
    question's network with and without, and eight narrow dense layers with and without a path past each. A unit
    that is normalised over the batch is above zero in some examples, unless the shift that it learns prevents that; and
    where a layer has a path past it, its death is not that of the network.

    Command: python -m jaxbox.sweep normalization --seeds 32
    Cost: 80 seconds on 2 CPU cores with 32 seeds.
    Outcome: batch normalisation ends the collapse: none of 32 networks at any rate (95% interval to 11%), beside
    19% [9, 35] and 69% [51, 82] without at 0.01 and 0.03; but after 60 steps it is behind at 0.003 (median R2 0.963
    beside 0.9994). With layer normalisation no layer dies either, but it is slower still (0.86 at 0.003): 9% [3,
    24] and 50% [34, 66] have not left the mean at 0.01 and 0.03. The deep dense network does not collapse at any
    rate, and shortcuts make it slower (0.93 beside 0.997 at 0.003).
    """
    start = box(full, steps=THREAD_STEPS if full else 60)
    rates = {"optimizer.learning_rate": RATES}
    layers = {"model.normalization": ["none", "layer", "batch"]}
    deep = {"model.name": ["mlp"], "model.hidden": [(32,) * 8], "model.shortcut": ["none", "identity"]}
    return grids(start, layers | rates, deep | rates)
