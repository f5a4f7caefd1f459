"""What the thread would change about the network: fewer or no convolutions, other widths, depths and activations."""

from jaxbox.config import Configuration, grid
from jaxbox.experiments.settings import RATES, THREAD_STEPS, box, grids


def one_convolution(full: bool = False) -> list[Configuration]:
    """Is one convolution enough, and does having just one keep the network from predicting the mean?

    Claim: "a single convolution with a handful of small kernels is enough" (an answer). Four kernels of 3 x 3 at stride
    1 against the question's three layers, and against the first of these alone: is it the depth or the kernels?

    Command: python -m jaxbox.sweep one_convolution --seeds 32
    Cost: 30 seconds on 2 CPU cores with 32 seeds.
    Outcome: both single convolutions learn in all 32 seeds at every rate (none collapses, 95% interval to 11%;
    median R2 at least 0.9989), the question's three layers collapse in 19% [9, 35] at 0.01 and 69% [51, 82] at
    0.03. It is the depth: the first of its layers alone, with its 32 kernels of 5 x 5, learns as well as four small
    kernels do.
    """
    rates = {"optimizer.learning_rate": RATES}
    few = {"model.features": [(4,)], "model.kernel_size": [3], "model.stride": [1]}
    return grids(box(full), few | rates, {"model.features": [(32,), (32, 64, 128)]} | rates)


def without_convolutions(full: bool = False) -> list[Configuration]:
    """Do networks without convolutions learn what the convolutional one does not?

    Claim: "leave out the convolutions and it works" (an answer). One hidden layer, and none, against the question's
    network with the same optimiser at the same rates.

    Command: python -m jaxbox.sweep without_convolutions --seeds 32
    Cost: 30 seconds on 2 CPU cores with 32 seeds.
    Outcome: true at these rates: none of 32 networks without convolutions collapses at any rate (95% interval to
    11%; median R2 0.9991 or more with a hidden layer, 0.983 to 0.999 without), where the question's network does in
    19% [9, 35] at 0.01 and 69% [51, 82] at 0.03. At 0.003 it learns as well as they do.
    """
    return grid(box(full), {"model.name": ["cnn", "mlp", "linear"], "optimizer.learning_rate": RATES})


def linear_model(full: bool = False) -> list[Configuration]:
    """Does gradient descent find the linear solution, and how fast?

    Claim: "a linear model suffices: weigh every pixel with its column divided by the width" (an answer). Such weights,
    rightly scaled, are exact; here they are learned by SGD, below the limit of stability, which is 0.83 with batches of
    128 (in full 1.05), and by Adam. A linear model has no units that could die.

    Command: python -m jaxbox.sweep linear_model --seeds 32
    Cost: 4 seconds on 2 CPU cores with 32 seeds.
    Outcome: true: none of 32 seeds collapses at any of the rates (95% interval to 11%). After 300 steps the median
    R2 is 0.984 and 0.997 with SGD at 0.1 and 0.5, and 0.998 to 0.9999 with Adam.
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
    Cost: 90 seconds on 2 CPU cores with 32 seeds.
    Outcome: true as far as it goes: at the question's rate none [0, 11] of the networks with a quarter of its
    channels predicts the mean, 19% [9, 35] of those with its own and 56% [39, 72] with twice as many; at 0.03 47%
    [31, 64], 69% [51, 82] and 78% [61, 89]. At 0.003 none does at any width, so that it is width and rate together
    that kill.
    """
    start = box(full, steps=THREAD_STEPS if full else 60)
    widths = [(8, 16, 32), (32, 64, 128), (64, 128, 256)]
    return grid(start, {"model.features": widths, "optimizer.learning_rate": RATES})


def dense_layers(full: bool = False) -> list[Configuration]:
    """Do dense layers after the convolutions, small or large, keep the network from predicting the mean?

    Claim: "make the dense layers smaller" (an answer). A hidden dense layer of 16, 128 or 1024 units between the
    convolutions and the outputs, against none.

    Command: python -m jaxbox.sweep dense_layers --seeds 32
    Cost: 1.6 minutes on 2 CPU cores with 32 seeds.
    Outcome: smaller dense layers are better than larger ones, and none is about as good as a small one. At the rate
    0.01 19% [9, 35] of the networks predict the mean without a hidden dense layer, 9% [3, 24] with 16 units, 59%
    [42, 74] with 128 and 100% [89, 100] with 1024. At 0.003 none does with any; at 0.03 69% [51, 82] without and
    97% [84, 99] with one.
    """
    start = box(full, steps=THREAD_STEPS if full else 60)
    return grid(start, {"model.dense": [(), (16,), (128,), (1024,)], "optimizer.learning_rate": RATES})


def sigmoid_units(full: bool = False) -> list[Configuration]:
    """Do sigmoid units learn where relus die?

    Claim: "with sigmoids in the hidden layers it works" (an answer, whose network had no convolutions). Relus against
    sigmoids in the question's network and in one with a single hidden layer. A sigmoid cannot die as a relu does, but
    deep ones pass on small gradients: they may be slow where relus are dead.

    Command: python -m jaxbox.sweep sigmoid_units --seeds 32
    Cost: 1.7 minutes on 2 CPU cores with 32 seeds.
    Outcome: for one hidden layer both work, in all seeds at both rates. In the question's network sigmoids do not
    help: at the rate 0.01 41% [26, 58] are at the mean after 300 steps (not dead: they have not left it yet) and
    19% [9, 35] with relus; at 0.001 none is, with a median R2 of 0.95 beside 1.0000.
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
    Cost: 30 seconds on 2 CPU cores with 32 seeds.
    Outcome: neither: at the rates 0.003 to 0.03 no network of any width or depth collapses (95% interval to 11%);
    median R2 is 0.986 to 0.998 with 4 units and 0.9999 or more with 64 or 1024. At 0.1 a few of the larger ones do
    (3% [1, 16] with 1024, 6% [2, 20] with three layers of 64).
    """
    start = box(full, steps=THREAD_STEPS if full else 300)
    hidden = [(4,), (64,), (1024,), (4, 4, 4), (64, 64, 64)]
    return grid(start, {"model.name": ["mlp"], "model.hidden": hidden, "optimizer.learning_rate": [*RATES, 0.1]})
