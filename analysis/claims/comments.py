"""What comments and replies say: the network, its training and its data are each suspected once."""

from analysis.claims import steps
from analysis.claims.claim import Claim, Comparison, Computed, Measured
from analysis.claims.comparing import CHANNELS, MARGIN, RATE, WITH_LARGE, WITHOUT_BOX, at_rates, collapse

COMMENT = "a comment"

CLAIMS = (
    Claim(
        name="grey_channels",
        text="Three channels that all hold the same grey picture make it collapse.",
        source=COMMENT,
        evidence=collapse("grey_channels", at_rates((0.01, 0.03), {"task.channels": 3}, {"task.channels": 1}, "more")),
        advice="Leave the channels as they are and look at the learning rate.",
    ),
    Claim(
        name="images_do_not_match",
        text="It behaves as if images and targets did not correspond.",
        source=COMMENT,
        # If that were so, true labels would do as shuffled ones do, give or take what a retry would hide.
        evidence=collapse(
            "shuffled_labels", at_rates((0.003, 0.01), {"data.labels": "true"}, {"data.labels": "shuffled"}, "equal")
        ),
        advice="Shuffle the targets on purpose: if nothing changes, they did not match before.",
    ),
    Claim(
        name="rate_too_high",
        text="Adam's rate of 0.01 is too high: a lower one ends the collapse.",
        source=COMMENT,
        evidence=collapse(
            "learning_rates",
            tuple(
                Comparison(f"in place of 0.01, at the rate {rate:g}", {RATE: rate}, {RATE: 0.01}, direction="less")
                for rate in (0.001, 0.003)
            ),
            WITH_LARGE,
        ),
        advice="Divide the learning rate by three, and by three again, before you change anything else.",
        surprise=0,
    ),
    Claim(
        name="rate_too_low",
        text="Adam's rate of 0.01 is too low: a higher one gets it away from the mean.",
        source=COMMENT,
        evidence=collapse(
            "learning_rates",
            (Comparison("in place of 0.01, at the rate 0.03", {RATE: 0.03}, {RATE: 0.01}, direction="less"),),
            WITH_LARGE,
        ),
        advice="Do not raise the rate of a network that is stuck from the first steps on.",
        surprise=0,
    ),
    Claim(
        name="many_filters_hurt",
        text="So many filters do harm: with a quarter of them it collapses less often.",
        source=COMMENT,
        evidence=collapse(
            "width",
            at_rates((0.003, 0.01), {"model.features": CHANNELS[1]}, {"model.features": CHANNELS[0]}, "more"),
            WITH_LARGE,
        ),
        advice="Lower the rate when you widen a network, since Adam moves every weight alike.",
        surprise=2,
    ),
    Claim(
        name="concentrated_targets",
        text="Targets that crowd about the middle are why it predicts their mean.",
        source=COMMENT,
        evidence=collapse(
            "concentrated_targets",
            at_rates((0.01, 0.03), {"data.concentration": 5.0}, {"data.concentration": 1.0}, "more"),
        ),
        advice="Look at how your targets are spread, but change the rate first.",
        surprise=2,
    ),
    Claim(
        name="too_easy",
        text="The problem is too easy to be optimised well: a harder one collapses less often.",
        source=COMMENT,
        evidence=collapse(
            "too_easy",
            (
                *at_rates(
                    (0.01, 0.03),
                    {"task.box_size": 2, "task.noise": "none"},
                    {"task.box_size": 4, "task.noise": "none"},
                    "less",
                    of="a smaller box",
                ),
                *at_rates(
                    (0.03,),
                    {"task.noise": "white", "task.noise_level": 0.1},
                    {"task.box_size": 4, "task.noise": "none"},
                    "less",
                    of="noise on every pixel",
                ),
            ),
            WITHOUT_BOX,
        ),
        advice="Keep the problem easy while you look for what is wrong.",
        surprise=2,
    ),
    Claim(
        name="unit_targets",
        text="Scaling the targets to [0, 1] helps.",
        source=COMMENT,
        evidence=collapse(
            "unit_targets",
            at_rates((0.01, 0.03), {"task.targets": "unit"}, {"task.targets": "symmetric"}, "less"),
            WITH_LARGE,
        ),
        advice="Centre the targets, so that there is no mean to be learned before anything else.",
        surprise=3,
    ),
    Claim(
        name="overfits",
        text="It overfits: it learns the places that it was shown and is lost at all others.",
        source=COMMENT,
        # Against no such network at all; one in five would be worth a remedy.
        evidence=Measured(
            "overfitting",
            "overfitted rate",
            MARGIN,
            tuple(
                Comparison(
                    f"{size} examples, at the rate {rate:g}",
                    {"model.features": CHANNELS[1], "data.train_size": size, RATE: rate},
                )
                for size, rate in ((128, 0.003), (10_000, 0.01))
            ),
        ),
        advice="Compare the error on training cases with the mean's: a network at the mean on both does not overfit.",
    ),
    Claim(
        name="underfits",
        text="It underfits: with more capacity it would leave the mean.",
        source=COMMENT,
        evidence=collapse(
            "overfitting",
            at_rates(
                (0.003, 0.01),
                {"model.features": CHANNELS[1], "data.train_size": 10_000},
                {"model.features": CHANNELS[0], "data.train_size": 10_000},
                "less",
            ),
        ),
        advice="Do not enlarge a network that is stuck at the mean.",
    ),
    Claim(
        name="memorizes",
        text="It memorises its examples and does not generalise to other places.",
        source=COMMENT,
        # Five hundredths of R2 more on places trained on than on others is what a plot of both would show.
        evidence=Measured(
            "memorization",
            "generalization gap",
            0.05,
            at_rates((0.003, 0.01), {"model.name": "cnn", "data.held_out": 0.5}, None, "more"),
        ),
        advice="Hold out whole places and compare: only a difference there is memorising.",
    ),
    Claim(
        name="problem_is_linear",
        text="The problem is linear: weights on the pixels can say where the box is.",
        source=COMMENT,
        evidence=Computed((steps.one_size_is_linear, steps.sizes_are_not_linear)),
        advice="Fit least squares first: where it does as well as a network can, no network is needed.",
    ),
)
