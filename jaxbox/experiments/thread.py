"""The thread's question itself: does this network predict the mean, and which change of it does not?"""

import dataclasses

from jaxbox.config import Configuration, Model, Optimizer
from jaxbox.experiments.settings import box


def thread(full: bool = False) -> list[Configuration]:
    """The thread's question at 16 x 16, box 4: which networks predict the mean, and how often?

    Claim: "the network predicts the image's centre for ever; use another learning rate, SGD, sigmoids, or
    drop the convolutions". The linear model's limit of stability is 0.877 here, so that rate 1.0 diverges.
    In full, at 32 x 32, box 5, for 1000 epochs, that limit is 1.16, and 1.0 is below it.

    Command: python -m jaxbox.sweep thread --seeds 64
    Cost: 2 minutes on 2 CPU cores with AVX-512, 9 seconds of them compilation; 2.7 minutes with --render.
    Outcome: at the rate 0.01 14 of 64 convolutional networks predict the mean (22%, 95% interval 14 to 33%), and those
    are the ones in which a whole ReLU layer has died; the others reach a median R2 of 0.9997. At 0.001 none of 64
    does. The linear model at rate 1.0 diverges in all 64, at 0.5 it reaches 0.996; the sigmoid network 0.9999.
    """
    start = box(full, steps=78_000 if full else 200)
    networks = [
        (Model("cnn"), Optimizer("adam", learning_rate=0.01)),
        (Model("cnn"), Optimizer("adam", learning_rate=0.001)),
        (Model("linear"), Optimizer("sgd", learning_rate=1.0)),
        (Model("linear"), Optimizer("sgd", learning_rate=0.5)),
        (Model("mlp", activation="sigmoid"), Optimizer("adam", learning_rate=0.01)),
    ]
    return [dataclasses.replace(start, model=model, optimizer=optimizer) for model, optimizer in networks]


def base(full: bool = False) -> list[Configuration]:
    """One configuration, every field at its default: the thread's network at 16 x 16; to set and vary fields of.

    In full it is the thread's own size.

    Command: python -m jaxbox.sweep base --vary optimizer.learning_rate 1e-3 1e-2 --seeds 8
    """
    return [box(full) if full else Configuration()]
