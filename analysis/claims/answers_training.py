"""What answers say of the network and of its training: fewer layers, other units, other rules and rates."""

from analysis.claims.claim import Claim, Comparison, Measured
from analysis.claims.comparing import CHANNELS, MARGIN, RATE, WITH_LARGE, at_rates, collapse

CONVOLUTIONS = {"model.name": "cnn"}
DENSE = {"model.name": "mlp"}

CLAIMS = (
    Claim(
        name="convolutions_hurt",
        text="Leave out the convolutions and it works.",
        source="an answer, of networks without convolutions",
        evidence=collapse(
            "without_convolutions",
            at_rates((0.003, 0.01), DENSE, CONVOLUTIONS, "less"),
            WITH_LARGE,
        ),
        advice="Try a small dense network beside yours: it tells a fault of the data from one of the network.",
        surprise=1,
    ),
    Claim(
        name="one_convolution_suffices",
        text="One convolution with a handful of small kernels is enough, and does not collapse.",
        source="an answer, of a single convolution",
        evidence=collapse(
            "one_convolution",
            at_rates((0.01, 0.03), {"model.features": (4,)}, {"model.features": CHANNELS[1]}, "less"),
        ),
        advice="Start from the shallowest network that can do it, and deepen that.",
    ),
    Claim(
        name="linear_model_suffices",
        text="A linear model suffices: descent finds weights on the pixels that say where the box is.",
        source="an answer, of a linear model",
        # Nine tenths of the variance are what anyone would call working: less is refuted, and what is surely over
        # 0.85 is granted.
        evidence=Measured(
            "linear_model",
            "R2",
            0.05,
            (
                Comparison("SGD, at the rate 0.1", {"optimizer.name": "sgd", RATE: 0.1}, level=0.85),
                Comparison("SGD, at the rate 0.5", {"optimizer.name": "sgd", RATE: 0.5}, level=0.85),
                Comparison("Adam, at the rate 0.01", {"optimizer.name": "adam", RATE: 0.01}, level=0.85),
            ),
        ),
        advice="Train the linear model as a baseline: it cannot die, and costs seconds.",
    ),
    Claim(
        name="sgd_first",
        text="Start with plain SGD rather than with Adam.",
        source="an answer, of SGD",
        evidence=collapse(
            "sgd_first",
            tuple(
                Comparison(
                    f"SGD at 0.1, at the rate {rate:g} for Adam",
                    {"optimizer.name": "sgd", RATE: 0.1},
                    {"optimizer.name": "adam", RATE: rate},
                    direction="less",
                )
                for rate in (0.001, 0.01)
            ),
            WITH_LARGE,
        ),
        advice="Give each rule the rate that is usual for it before you compare rules.",
        surprise=1,
    ),
    Claim(
        name="smaller_dense_layers",
        text="Make the dense layers smaller.",
        source="an answer, of smaller dense layers",
        evidence=collapse(
            "dense_layers", at_rates((0.01, 0.03), {"model.dense": (16,)}, {"model.dense": (128,)}, "less")
        ),
        advice="Leave out the dense layer before the outputs, or make it small, if you must keep the rate.",
    ),
    Claim(
        name="sigmoids_work",
        text="Sigmoids in the hidden layers in place of relus make it work.",
        source="an answer, of sigmoids",
        evidence=collapse(
            "sigmoid_units",
            tuple(
                Comparison(
                    f"{where} convolutions, at the rate 0.01",
                    {"model.name": name, "model.activation": "sigmoid", RATE: 0.01},
                    {"model.name": name, "model.activation": "relu", RATE: 0.01},
                    direction="less",
                )
                for name, where in (("mlp", "without"), ("cnn", "with"))
            ),
        ),
        advice="Do not trade relus for sigmoids in a deep network: what cannot die can still be slow.",
        surprise=1,
    ),
    Claim(
        name="capacity_hides_the_signal",
        text="Too much capacity hides the signal: a larger hidden layer collapses more often.",
        source="an answer, of too much capacity",
        evidence=collapse(
            "capacity", at_rates((0.01, 0.03), {"model.hidden": (1024,)}, {"model.hidden": (64,)}, "more")
        ),
        advice="Do not shrink a dense network to cure a collapse.",
    ),
    Claim(
        name="capacity_cannot_hurt",
        text="More units in a hidden layer cannot hurt.",
        source="an answer, of more capacity",
        evidence=collapse(
            "capacity", at_rates((0.01, 0.03), {"model.hidden": (1024,)}, {"model.hidden": (64,)}, "equal")
        ),
        advice="Widen a dense network freely, and check the rate when you do.",
    ),
    Claim(
        name="filters_cannot_hurt",
        text="More filters in the convolutions cannot hurt.",
        source="an answer, of more capacity",
        evidence=collapse(
            "width",
            at_rates((0.003, 0.01), {"model.features": CHANNELS[1]}, {"model.features": CHANNELS[0]}, "equal"),
            WITH_LARGE,
        ),
        advice="Lower the rate when you widen the convolutions.",
        surprise=2,
    ),
    Claim(
        name="one_example_first",
        text="Overfit a single example first: a network that does so can go on to all of them.",
        source="an answer, of overfitting one example",
        # If the test told anything, the shares that pass it and that fit all examples would be about the same.
        evidence=Measured(
            "one_example",
            "fitted rate",
            MARGIN,
            at_rates((0.003, 0.01), {"data.train_size": 1}, {"data.train_size": 10_000}, "equal"),
        ),
        advice="Overfit eight examples with different targets: one is fitted by a constant, dead or not.",
        surprise=2,
    ),
    Claim(
        name="msle_escapes",
        text="MSE + 5 MSLE leaves the mean where MSE alone stays there.",
        source="an answer, of MSE + 5 MSLE",
        evidence=collapse(
            "msle",
            tuple(
                comparison
                for output, rates in (("relu", (0.003, 0.01)), ("sigmoid", (0.01,)))
                for comparison in at_rates(
                    rates,
                    {"model.output": output, "loss.name": "mse_msle"},
                    {"model.output": output, "loss.name": "mse"},
                    "less",
                    of=f"a {output} at the end",
                )
            ),
        ),
        advice="Keep squared error, and leave the outputs without a relu.",
        surprise=2,
    ),
    Claim(
        name="sgd_at_one_works",
        text="With SGD at a rate of 1 or 0.1 a dense layer on 100 x 100 pixels works.",
        source="the last answer, of learning rates",
        # Nine tenths of the variance, as for the linear model; the scale of the pixels is left open by the sentence.
        evidence=Measured(
            "hundred_pixels",
            "R2",
            0.05,
            (
                *at_rates((1.0, 0.1), {"task.inputs": "unit"}, None, "more", 0.85, of="pixels in [0, 1]"),
                *at_rates((0.1,), {"task.inputs": "standardized"}, None, "more", 0.85, of="standardised pixels"),
            ),
            # Its size is the claim's own, and plain descent reads no epsilon.
            settings=("small",),
        ),
        advice="A rate means nothing without the scale of the inputs: change one, and you must change the other.",
        surprise=1,
    ),
    Claim(
        name="small_rates_stay",
        text="With SGD at 0.001 to 0.00001 the same layer predicts the mean.",
        source="the last answer, of learning rates",
        # More often than not, by a margin that a handful of runs would show.
        evidence=Measured(
            "hundred_pixels",
            "collapse rate",
            MARGIN,
            (
                *at_rates((0.001, 0.00001), {"task.inputs": "unit"}, None, "more", 0.5, of="pixels in [0, 1]"),
                *at_rates((0.001,), {"task.inputs": "standardized"}, None, "more", 0.5, of="standardised pixels"),
            ),
            settings=("small",),
        ),
        advice="Watch whether the error still falls: slow looks like stuck, and wants more steps or a larger rate.",
        surprise=1,
    ),
)
