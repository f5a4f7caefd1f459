"""What the question itself says."""

from analysis.claims import steps
from analysis.claims.claim import Claim, Comparison, Computed, Measured
from analysis.claims.comparing import WITHOUT_BOX

ASKER = "the question"


def size(pixels: int, box: int) -> dict[str, int]:
    """Fields of an image of this side and a box of that."""
    return {"task.height": pixels, "task.width": pixels, "task.box_size": box}


SIZES = ((16, 2), (16, 5), (32, 5), (64, 5))

CLAIMS = (
    Claim(
        name="predicts_the_mean",
        text="This network, trained by Adam at 0.01, ends up predicting the mean of the targets.",
        source=ASKER,
        # Once in five is what would make anyone with a single run doubt the network; the question leaves out its sizes.
        evidence=Measured(
            experiment="question",
            statistic="collapse rate",
            margin=0.2,
            comparisons=tuple(
                Comparison(f"a box of {box} on {pixels} x {pixels}, at the rate 0.01", size(pixels, box))
                for pixels, box in SIZES
            ),
            settings=WITHOUT_BOX,
        ),
        advice="Train a few seeds before you look for a cause: whether you see the mean at all is partly luck.",
        surprise=1,
    ),
    Claim(
        name="loss_rises",
        text="While it is trained its loss sometimes rises instead of falling.",
        source=ASKER,
        # The question says sometimes: one network in five that is seen to do it is enough.
        evidence=Measured(
            experiment="question",
            statistic="rising error rate",
            margin=0.2,
            comparisons=tuple(
                Comparison(f"a box of 5 on {pixels} x {pixels}, at the rate 0.01", size(pixels, 5))
                for pixels in (16, 32)
            ),
            settings=WITHOUT_BOX,
        ),
        advice="Look at the loss over all examples rather than a batch's before you read anything into a rise.",
        surprise=1,
    ),
    Claim(
        name="validation_tells",
        text="Images kept back at random tell whether the network generalises.",
        source=ASKER,
        evidence=Computed((steps.validation_is_new,)),
        advice="Count how many of the validation cases also occur in training, and hold out whole places instead.",
        surprise=2,
    ),
)
