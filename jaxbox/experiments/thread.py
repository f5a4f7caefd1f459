"""The thread's question itself: does this network predict the mean, and which change of it does not?"""

import dataclasses

from jaxbox.config import Configuration, Model, Optimizer, Task


def thread() -> list[Configuration]:
    """The thread's question at 16 x 16, box 4: which networks predict the mean, and how often?

    Claim: "the network predicts the image's centre for ever; use another learning rate, SGD, sigmoids, or
    drop the convolutions". The linear model's limit of stability is 0.877 here, so that rate 1.0 diverges.

    Command: python -m jaxbox.sweep thread --seeds 64
    Cost: 2 minutes on 2 CPU cores with AVX-512, 9 seconds of them compilation; 2.7 minutes with --render.
    Outcome: at the rate 0.01 14 of 64 convolutional networks predict the mean (22%, 95% interval 14 to 33%), and those
    are the ones in which a whole ReLU layer has died; the others reach a median R2 of 0.9997. At 0.001 none of 64
    does. The linear model at rate 1.0 diverges in all 64, at 0.5 it reaches 0.996; the sigmoid network 0.9999.
    """
    base = Configuration(Task(height=16, width=16, box_size=4), steps=200, eval_every=20)
    networks = [
        (Model("cnn"), Optimizer("adam", learning_rate=0.01)),
        (Model("cnn"), Optimizer("adam", learning_rate=0.001)),
        (Model("linear"), Optimizer("sgd", learning_rate=1.0)),
        (Model("linear"), Optimizer("sgd", learning_rate=0.5)),
        (Model("mlp", activation="sigmoid"), Optimizer("adam", learning_rate=0.01)),
    ]
    return [dataclasses.replace(base, model=model, optimizer=optimizer) for model, optimizer in networks]


def thread_full() -> list[Configuration]:
    """The thread's setting in full: 32 x 32, box 5, 10000 examples, 1000 epochs; for a GPU.

    Claim: "it predicts the image's centre for ever", after as many epochs as were tried.

    Command: python -m jaxbox.sweep thread_full --seeds 64
    Cost: 78,000 steps a seed.
    """
    base = Configuration(Task(height=32, width=32, box_size=5), steps=78_000, eval_every=780)
    rates = (0.01, 0.001)
    return [dataclasses.replace(base, optimizer=Optimizer("adam", learning_rate=rate)) for rate in rates]


def base() -> list[Configuration]:
    """One configuration, every field at its default: the thread's network at 16 x 16; to set and vary fields of.

    Command: python -m jaxbox.sweep base --vary optimizer.learning_rate 1e-3 1e-2 --seeds 8
    """
    return [Configuration()]
