"""What answers say of the data: noise, harder pictures, other targets, other scales of the pixels."""

from analysis.claims.claim import Claim, Comparison, Measured
from analysis.claims.comparing import MARGIN, RATE, WITHOUT_BOX, at_rates, collapse

CLEAN = {"task.noise": "none"}
SYMMETRIC = {"task.targets": "symmetric", "task.noise": "none"}
UNIT = {"task.inputs": "unit"}


def _corner(size: int, share: float) -> dict[str, float]:
    return {"data.train_size": size, "data.corner_share": share, RATE: 0.001}


CLAIMS = (
    Claim(
        name="noise_helps",
        text="Add noise to the images: it helps the optimiser away from the mean.",
        source="an answer, of noise",
        evidence=collapse(
            "noise",
            (
                *at_rates(
                    (0.01, 0.03), {"task.noise": "white", "task.noise_level": 0.1}, CLEAN, "less", of="white noise"
                ),
                *at_rates(
                    (0.03,),
                    {"task.noise": "salt_pepper", "task.noise_level": 0.1},
                    CLEAN,
                    "less",
                    of="salt and pepper",
                ),
            ),
        ),
        advice="Lower the rate rather than add noise, which also limits how well anything can do.",
        surprise=2,
    ),
    Claim(
        name="harder_task_learns",
        text="Make the task harder, a red box among circles, and it learns.",
        source="an answer, of a harder task",
        evidence=collapse(
            "harder_task",
            at_rates((0.01, 0.03), {"task.scene": "red_box"}, {"task.scene": "box"}, "less"),
            WITHOUT_BOX,
        ),
        advice="Do not make a task harder to learn it.",
        surprise=1,
    ),
    Claim(
        name="classification_learns",
        text="Turn it into a classification of places, and it learns.",
        source="an answer, of classification",
        evidence=collapse(
            "classification",
            at_rates((0.01, 0.03), {"task.targets": "cell"}, {"task.targets": "symmetric"}, "less"),
        ),
        advice="Classes buy some room in the rate, and no cure for one that is far too high.",
        surprise=1,
    ),
    Claim(
        name="transformed_targets_help",
        text="Transform the targets, and it leaves the mean.",
        source="an answer, of transforms",
        evidence=collapse(
            "transformed_targets",
            tuple(
                comparison
                for kind in ("standardized", "logit", "quantile")
                for comparison in at_rates(
                    (0.01,), {"task.targets": kind, "task.noise": "none"}, SYMMETRIC, "less", of=f"{kind} targets"
                )
            ),
        ),
        advice="Use a transform that centres the targets; one that moves their mean away from 0 does harm.",
        surprise=2,
    ),
    Claim(
        name="equalizing_helps",
        text="Equalise the histogram of the images, and it learns better.",
        source="an answer, of transforms",
        # Without noise a box image has two values, which equalising leaves alone: it is tried under noise. Five
        # hundredths of R2 are what would make anyone add a step to their pipeline.
        evidence=Measured(
            "transformed_targets",
            "R2",
            0.05,
            at_rates(
                (0.003, 0.01),
                {"task.inputs": "equalized", "task.noise": "white"},
                {"task.inputs": "unit", "task.noise": "white"},
                "more",
            ),
        ),
        advice="Leave the contrast as it is: stretching it stretches the noise.",
        surprise=1,
    ),
    Claim(
        name="imbalance",
        text="Targets that favour a corner drive the training error to 0 and leave the test error at the deviation.",
        source="an answer, of imbalance",
        # As against balanced targets; a fit that explains less than half of all places is near enough to the deviation.
        evidence=Measured(
            "imbalanced_targets",
            "useless fit rate",
            MARGIN,
            tuple(
                Comparison(f"{size} examples, at the rate 0.001", _corner(size, 0.99), _corner(size, 0.0))
                for size in (100, 10_000)
            ),
            settings=WITHOUT_BOX,
        ),
        advice="Judge over all places alike, and get more examples of the rare ones.",
        surprise=1,
    ),
    Claim(
        name="standardizing_is_the_fault",
        text="Standardised pixels are the fault: with pixels in [0, 1] it collapses less often.",
        source="an answer, of the pixels' scale",
        evidence=collapse(
            "standardized_pixels",
            tuple(
                comparison
                for kind, of in (("standardized", "by all pixels"), ("pixel_standardized", "by each pixel"))
                for comparison in at_rates((0.01,), {"task.inputs": kind}, UNIT, "more", of=f"standardised {of}")
            ),
        ),
        advice="Standardise the pixels or leave them in [0, 1], whichever you like.",
        surprise=1,
    ),
    Claim(
        name="dividing_by_255",
        text="Dividing the pixels by 255 is the cure.",
        source="an answer, of the pixels' scale",
        evidence=collapse("standardized_pixels", at_rates((0.001, 0.01), UNIT, {"task.inputs": "byte"}, "less")),
        advice="Divide by 255 so that the usual rates mean what they usually do, not to cure a collapse.",
        surprise=1,
    ),
    Claim(
        name="dots_tell",
        text="Dots show which networks learn: the convolutional one finds the first dot better than a linear one.",
        source="the last answer, of dots",
        # Five hundredths of R2 are seen in a plot of predictions against targets.
        evidence=Measured(
            "dots",
            "R2",
            0.05,
            at_rates((0.003, 0.01), {"model.name": "cnn"}, {"model.name": "linear"}, "more"),
            settings=WITHOUT_BOX,
        ),
        advice="Choose a task that a linear model cannot do before you compare networks on it.",
        surprise=1,
    ),
)
