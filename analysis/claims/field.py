"""What the field would try today of networks and pixels, and what it says of why."""

from analysis.claims.claim import Claim, Comparison, Measured
from analysis.claims.comparing import CHANNELS, MARGIN, RATE, WITH_LARGE, at_rates, collapse

FIELD = "the field today"
COORDINATES = {"model.name": "coordconv"}
CONVOLUTIONS = {"model.name": "cnn"}
NARROW, WIDE = ({"model.features": channels, "task.inputs": "unit"} for channels in CHANNELS)


CLAIMS = (
    Claim(
        name="rate_and_width_decide",
        text="How often it collapses says little without the learning rate and the width at which it was found.",
        source=FIELD,
        evidence=collapse(
            "collapse_map",
            (
                Comparison(
                    "the question's width, 0.01 for 0.001, at the rate 0.01", WIDE | {RATE: 0.01}, WIDE | {RATE: 0.001}
                ),
                Comparison(
                    "the question's width for a quarter, at the rate 0.01", WIDE | {RATE: 0.01}, NARROW | {RATE: 0.01}
                ),
            ),
        ),
        advice="Try any remedy at several rates and widths before you believe it.",
        surprise=0,
    ),
    Claim(
        name="coordinates_are_needed",
        text="Convolutions cannot tell where something is until they are given each pixel's coordinates.",
        source="the field today (Liu et al., 2018)",
        # Judged on places that were never trained on, as there; 200 steps are all that the small size has.
        evidence=Measured(
            "coordconv",
            "R2 on unseen places",
            0.05,
            tuple(
                comparison
                for split, of in (("held_out", "a fourth of the places held out"), ("quadrant", "a quadrant held out"))
                for comparison in at_rates(
                    (0.01,), COORDINATES | {"data.split": split}, CONVOLUTIONS | {"data.split": split}, "more", of=of
                )
            ),
        ),
        advice="Give coordinates to a network that must say places it has never been shown, and train it for long.",
        surprise=2,
    ),
    Claim(
        name="heat_map",
        text="Reading the place off a heat map, as the mean under its softmax, ends the collapse.",
        source="the field today (Nibali et al., 2018)",
        evidence=collapse(
            "soft_argmax",
            at_rates(
                (0.01, 0.03),
                {"model.name": "soft_argmax", "task.noise": "none"},
                {"model.name": "cnn", "task.noise": "none"},
                "less",
            ),
        ),
        advice="Let the network mark the place and compute the coordinates from the map.",
        surprise=1,
    ),
    Claim(
        name="asymmetric_start",
        text="Asymmetric first weights keep relus from dying.",
        source="the field today (Lu et al., 2019)",
        # Layers that are dead, not networks at the mean, are what it speaks of; one in five, as everywhere.
        evidence=Measured(
            "initialization",
            "dead layer rate",
            MARGIN,
            tuple(
                Comparison(
                    f"weights times {scale:g}, at the rate 0.01",
                    {"model.initialization": "asymmetric", "model.initial_scale": scale},
                    {"model.initialization": "glorot", "model.initial_scale": scale},
                    direction="less",
                )
                for scale in (1.0, 2.0)
            ),
        ),
        advice="Units that die in training are killed by the steps, not by the first weights: make the steps smaller.",
        surprise=2,
    ),
    Claim(
        name="batch_normalization",
        text="Batch normalisation ends the collapse.",
        source=FIELD,
        evidence=collapse(
            "normalization",
            at_rates(
                (0.01, 0.03),
                CONVOLUTIONS | {"model.normalization": "batch"},
                CONVOLUTIONS | {"model.normalization": "none"},
                "less",
            ),
            WITH_LARGE,
        ),
        advice="Put batch normalisation before the relus if you want a rate of 0.01 or more.",
        surprise=0,
    ),
    Claim(
        name="shortcuts",
        text="A deep network needs a path past each layer, or it collapses.",
        source=FIELD,
        evidence=collapse(
            "normalization",
            at_rates(
                (0.01, 0.03),
                {"model.name": "mlp", "model.shortcut": "identity"},
                {"model.name": "mlp", "model.shortcut": "none"},
                "less",
            ),
        ),
        advice="Add shortcuts for networks much deeper than eight layers, not against a rate that is too high.",
        surprise=1,
    ),
    Claim(
        name="standardizing_is_the_cure",
        text="Standardise the pixels: with a mean of 0 it collapses less often than on [0, 1].",
        source=FIELD,
        evidence=collapse(
            "standardized_pixels",
            tuple(
                comparison
                for kind, of in (("standardized", "by all pixels"), ("pixel_standardized", "by each pixel"))
                for comparison in at_rates(
                    (0.01,), {"task.inputs": kind}, {"task.inputs": "unit"}, "less", of=f"standardised {of}"
                )
            ),
        ),
        advice="Standardise if you like, and set the rate again afterwards.",
        surprise=1,
    ),
)
