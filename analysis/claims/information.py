"""The answer about mutual information, step by step; all but the first in the order of `analysis.audit`."""

import numpy as np

from analysis import audit
from analysis.audit import Verdict
from analysis.claims.claim import Claim, Computed
from analysis.information import discrete_information

ANSWER = "an answer, of mutual information"


def error_of_the_mean() -> Verdict:
    """An R2 of about 0 means no information: true of a constant, not of a prediction that is only too small."""
    targets, shrinkage = np.array([-1.0, 1.0]), 0.001
    predictions = shrinkage * targets
    return Verdict(
        step="an error as large as the mean's: I(Y;Yhat) = 0",
        claimed=0.0,
        true=discrete_information(targets, predictions).joint,
        verdict="conditional",
        counterexample=f"Yhat = {shrinkage:g} Y: its R2 is {1 - (1 - shrinkage) ** 2:.3f}, and it says all of Y",
        correction="A constant knows nothing. A prediction that is right but for its scale knows everything.",
    )


CLAIMS = (
    Claim(
        name="no_information_at_the_mean",
        text="A network whose error is that of the mean has no information about where the box is.",
        source=ANSWER,
        evidence=Computed((error_of_the_mean,)),
        advice="Look at the correlation beside the error: where it is high, only the scale is missing.",
        surprise=2,
    ),
    Claim(
        name="information_from_entropies",
        text="The information in a prediction is the targets' differential entropy less, at most, that of the error.",
        source=ANSWER,
        evidence=Computed((audit.differential_entropy,)),
        advice="Count places instead of using densities where the targets lie on a lattice.",
        surprise=2,
    ),
    Claim(
        name="error_is_variance",
        text="The entropy of the error is at most a Gaussian's, since the mean squared error is its variance.",
        source=ANSWER,
        evidence=Computed((audit.error_variance,)),
        advice="Take the bias off the error first: the bound gets tighter for nothing.",
    ),
    Claim(
        name="gaussian_bound_is_tighter",
        text="With a Gaussian's entropy for the targets' the bound is half the logarithm of variance over error.",
        source=ANSWER,
        evidence=Computed((audit.gaussian_entropy,)),
        advice="Do not put a larger entropy where a lower bound is wanted.",
        surprise=2,
    ),
    Claim(
        name="error_is_variance_plus_bias",
        text="The mean squared error is the variance of the predictions plus their squared bias.",
        source=ANSWER,
        evidence=Computed((audit.error_decomposition,)),
        advice="Use the decomposition with the covariance in it when you ask what your error is made of.",
        surprise=1,
    ),
    Claim(
        name="variance_bounds_error",
        text="The mean squared error is at least the variance of the predictions.",
        source=ANSWER,
        evidence=Computed((audit.variance_below_error,)),
        advice="Do not be wary of predictions that vary: right ones vary as much as the targets.",
        surprise=1,
    ),
    Claim(
        name="bias_bounds_error",
        text="The mean squared error is at least the squared bias.",
        source=ANSWER,
        evidence=Computed((audit.bias_below_error,)),
        advice="Compare the mean of your predictions with that of the targets: a constant repairs the difference.",
        surprise=0,
    ),
    Claim(
        name="bounds_from_parts",
        text="The predictions' variance, or their bias, in place of the error gives true lower bounds on information.",
        source=ANSWER,
        evidence=Computed((audit.bound_from_parts,)),
        advice="Check a bound on the predictor that knows nothing: it must come out as 0 there.",
        surprise=1,
    ),
    Claim(
        name="least_error_most_information",
        text="The error is least if and only if the information is most.",
        source=ANSWER,
        evidence=Computed((audit.error_against_information, audit.information_of_negated)),
        advice="Do not train for information where you want small errors, nor read one off the other.",
        surprise=2,
    ),
    Claim(
        name="wider_targets_more_information",
        text="Targets of larger variance make the predictions more informative.",
        source=ANSWER,
        evidence=Computed((audit.scale_of_targets,)),
        advice="Scale targets for the optimiser's sake only.",
        surprise=1,
    ),
    Claim(
        name="correlation_bounds_information",
        text="The information is at least what two Gaussians of the same correlation would share.",
        source=ANSWER,
        evidence=Computed((audit.correlation_bound,)),
        advice="Report the correlation as such, and information only where it is counted.",
        surprise=2,
    ),
)
