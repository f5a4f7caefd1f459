"""What the field says today of the variance of targets, of momentum and of losses."""

from analysis.claims.claim import Claim, Comparison, Measured
from analysis.claims.comparing import MARGIN, RATE, at_rates, collapse


def _law(rule: str, concentration: float, **fields: float) -> dict[str, float | str]:
    named = {f"optimizer.{name}": value for name, value in fields.items()}
    return {"optimizer.name": rule, "data.concentration": concentration, **named}


CLAIMS = (
    Claim(
        name="small_variance_kills",
        text="The smaller the variance of the targets, the more relus die.",
        source="the field today (Arnekvist et al., 2020)",
        evidence=Measured(
            "small_variance",
            "dead layer rate",
            MARGIN,
            (
                Comparison("Adam, at the rate 0.01", _law("adam", 10.0, b1=0.9), _law("adam", 1.0, b1=0.9)),
                Comparison(
                    "momentum, at the rate 1",
                    _law("momentum", 10.0, momentum=0.9, learning_rate=1.0),
                    _law("momentum", 1.0, momentum=0.9, learning_rate=1.0),
                ),
            ),
        ),
        advice="Scale targets to a variance of about 1, and lower the rate if relus still die.",
        surprise=2,
    ),
    Claim(
        name="momentum_kills",
        text="Momentum makes relus die.",
        source="the field today (Arnekvist et al., 2020)",
        # A momentum of 0.9 takes steps ten times as long in the end: descent without it gets ten times the rate.
        evidence=Measured(
            "small_variance",
            "dead layer rate",
            MARGIN,
            (
                *(
                    Comparison(
                        f"Adam, concentration {concentration:g}, at the rate 0.01",
                        _law("adam", concentration, b1=0.9),
                        _law("adam", concentration, b1=0.0),
                    )
                    for concentration in (1.0, 10.0)
                ),
                Comparison(
                    "descent with steps as long in the end, at the rate 0.1",
                    _law("momentum", 1.0, momentum=0.9, learning_rate=0.1),
                    _law("momentum", 1.0, momentum=0.0, learning_rate=1.0),
                ),
            ),
        ),
        advice="If relus die under Adam, try it with a b1 of 0 before you change the network.",
        surprise=3,
    ),
    Claim(
        name="mean_or_median",
        text="A collapsed network predicts its loss's best constant: the mean, or the median for absolute error.",
        source="the field today (statistics)",
        # Half of the examples come from a corner, so that the two differ; each loss against the other at its own
        # constant. A third of the networks collapses there, so that one in ten of all is asked for.
        evidence=Measured(
            "absolute_error",
            "rate at the median",
            0.1,
            (
                Comparison(
                    "at the median, at the rate 0.03",
                    {"loss.name": "mae", RATE: 0.03},
                    {"loss.name": "mse", RATE: 0.03},
                ),
                Comparison(
                    "at the mean, at the rate 0.03",
                    {"loss.name": "mse", RATE: 0.03},
                    {"loss.name": "mae", RATE: 0.03},
                    statistic="rate at the mean",
                ),
            ),
        ),
        advice="Compare a constant prediction with the mean and the median: it tells which loss was trained on.",
        surprise=0,
    ),
    Claim(
        name="likelihood_gets_stuck",
        text="A network trained on the normal likelihood, with a variance of its own, gets stuck at the mean.",
        source="the field today (Seitzer et al., 2022)",
        evidence=collapse(
            "gaussian_nll", at_rates((0.003, 0.01), {"loss.name": "gaussian_nll"}, {"loss.name": "mse"}, "more")
        ),
        advice="Learn the mean by squared error first, and the variance after that.",
        surprise=1,
    ),
    Claim(
        name="weighing_cures_likelihood",
        text="Weighing each example by its variance frees a network that the normal likelihood keeps at the mean.",
        source="the field today (Seitzer et al., 2022)",
        evidence=collapse(
            "gaussian_nll",
            at_rates((0.01, 0.03), {"loss.name": "beta_nll", "loss.beta": 1.0}, {"loss.name": "gaussian_nll"}, "less"),
        ),
        advice="If you need a variance, weigh by it (beta 1), at a rate at which squared error learns.",
        surprise=1,
    ),
)
