"""What the thread would change about the network: fewer or no convolutions, other widths, depths and activations."""

from jaxbox.config import Configuration, grid
from jaxbox.experiments.settings import RATES, THREAD_STEPS, box, grids


def one_convolution(full: bool = False) -> list[Configuration]:
    """Is one convolution enough, and does having just one keep the network from predicting the mean?

    Claim: "a single convolution with a handful of small kernels is enough" (an answer). Four kernels of 3 x 3 at stride
    1 against the question's three layers, and against the first of these alone: is it the depth or the kernels?

    Command: python -m jaxbox.sweep one_convolution --seeds 32
    Cost: TODO
    Outcome: TODO
    """
    rates = {"optimizer.learning_rate": RATES}
    few = {"model.features": [(4,)], "model.kernel_size": [3], "model.stride": [1]}
    return grids(box(full), few | rates, {"model.features": [(32,), (32, 64, 128)]} | rates)


def without_convolutions(full: bool = False) -> list[Configuration]:
    """Do networks without convolutions learn what the convolutional one does not?

    Claim: "leave out the convolutions and it works" (an answer). One hidden layer, and none, against the question's
    network with the same optimiser at the same rates.

    Command: python -m jaxbox.sweep without_convolutions --seeds 32
    Cost: TODO
    Outcome: TODO
    """
    return grid(box(full), {"model.name": ["cnn", "mlp", "linear"], "optimizer.learning_rate": RATES})


def linear_model(full: bool = False) -> list[Configuration]:
    """Does gradient descent find the linear solution, and how fast?

    Claim: "a linear model suffices: weigh every pixel with its column divided by the width" (an answer). Such weights,
    rightly scaled, are exact; here they are learned by SGD, below the limit of stability, which is 0.83 with batches of
    128 (in full 1.05), and by Adam. A linear model has no units that could die.

    Command: python -m jaxbox.sweep linear_model --seeds 32
    Cost: TODO
    Outcome: TODO
    """
    linear = {"model.name": ["linear"]}
    descent = {"optimizer.name": ["sgd"], "optimizer.learning_rate": [0.1, 0.5]}
    adam = {"optimizer.learning_rate": RATES}
    start = box(full) if full else box(steps=300, eval_every=10)
    return grids(start, linear | descent, linear | adam)


def width(full: bool = False) -> list[Configuration]:
    """Does a wider network predict the mean more often?

    Claim: "only a few of the 32 filters learn anything; so many do harm" (a comment). A quarter of the question's
    channels, the question's, and twice as many. Adam moves every weight by about the learning rate at first, so that a
    unit with more inputs is moved further: each width is tried at three rates.

    Command: python -m jaxbox.sweep width --seeds 32
    Cost: TODO
    Outcome: TODO
    """
    start = box(full, steps=THREAD_STEPS if full else 60)
    widths = [(8, 16, 32), (32, 64, 128), (64, 128, 256)]
    return grid(start, {"model.features": widths, "optimizer.learning_rate": RATES})


def dense_layers(full: bool = False) -> list[Configuration]:
    """Do dense layers after the convolutions, small or large, keep the network from predicting the mean?

    Claim: "make the dense layers smaller" (an answer). A hidden dense layer of 16, 128 or 1024 units between the
    convolutions and the outputs, against none.

    Command: python -m jaxbox.sweep dense_layers --seeds 32
    Cost: TODO
    Outcome: TODO
    """
    start = box(full, steps=THREAD_STEPS if full else 60)
    return grid(start, {"model.dense": [(), (16,), (128,), (1024,)], "optimizer.learning_rate": RATES})


def sigmoid_units(full: bool = False) -> list[Configuration]:
    """Do sigmoid units learn where relus die?

    Claim: "with sigmoids in the hidden layers it works" (an answer, whose network had no convolutions). Relus against
    sigmoids in the question's network and in one with a single hidden layer. A sigmoid cannot die as a relu does, but
    deep ones pass on small gradients: they may be slow where relus are dead.

    Command: python -m jaxbox.sweep sigmoid_units --seeds 32
    Cost: TODO
    Outcome: TODO
    """
    # At the question's rate convolutions with sigmoids need hundreds of steps to be learned or lost.
    start = box(full, steps=THREAD_STEPS if full else 300)
    rates = [0.001, *RATES] if full else [0.001, 0.01]
    activations = {"model.activation": ["relu", "sigmoid"]}
    return grid(start, {"model.name": ["cnn", "mlp"]} | activations | {"optimizer.learning_rate": rates})


def capacity(full: bool = False) -> list[Configuration]:
    """Does more capacity hurt, help, or neither?

    Claim: "too much capacity hides the signal", and "more capacity cannot hurt" (two answers). Hidden layers of 4, 64
    and 1024 units, and three layers of 4 and of 64, without convolutions: narrow and deep relu networks may be constant
    before they are trained.

    Command: python -m jaxbox.sweep capacity --seeds 32
    Cost: TODO
    Outcome: TODO
    """
    start = box(full, steps=THREAD_STEPS if full else 300)
    hidden = [(4,), (64,), (1024,), (4, 4, 4), (64, 64, 64)]
    return grid(start, {"model.name": ["mlp"], "model.hidden": hidden, "optimizer.learning_rate": [*RATES, 0.1]})
