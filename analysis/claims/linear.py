"""Claims about linearity, descent and losses that a computation decides."""

from analysis.claims import steps
from analysis.claims.claim import Claim, Computed

CLAIMS = (
    Claim(
        name="column_weights",
        text="Giving every pixel the weight column / width reads off the box's place exactly.",
        source="an answer, of a linear model",
        evidence=Computed((steps.unscaled_ramp, steps.scaled_ramp, steps.clipped_ramp)),
        advice="Write down the solution by hand if you can: it shows what scale and shift the network must find.",
        surprise=1,
    ),
    Claim(
        name="sgd_at_one_converges",
        text="Plain descent at a rate of 1 converges.",
        source="the last answer, of learning rates",
        evidence=Computed((steps.descent_at_one,)),
        advice="Compute the limit from your own inputs: it is 2 over the largest eigenvalue of their second moments.",
        surprise=2,
    ),
    Claim(
        name="small_rates_are_stuck",
        text="At small rates the linear model is stuck at the mean.",
        source="the last answer, of learning rates",
        evidence=Computed((steps.small_rate_is_stuck,)),
        advice="Train ten times as long before you call a network stuck that has no units to die.",
        surprise=1,
    ),
    Claim(
        name="pixels_make_it_slow",
        text="It is slow because pixel values are small and the problem is badly conditioned.",
        source="an answer, of the pixels' scale",
        evidence=Computed((steps.pixel_scale_is_slow, steps.condition_is_why)),
        advice="Make the background 0, or subtract the mean image: then the usual rates are stable.",
        surprise=3,
    ),
    Claim(
        name="msle_keeps_the_optimum",
        text="Adding 5 MSLE to MSE leaves the optimum where it is.",
        source="an answer, of MSE + 5 MSLE",
        evidence=Computed((steps.msle_constant,)),
        advice="Ask of every loss which constant it calls best: that is where a stuck network will be.",
        surprise=2,
    ),
)
