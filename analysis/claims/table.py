"""Every claim, in the order of the thread, and those that cannot be true together."""

from analysis.claims import answers_data, answers_training, comments, field, field_losses, information, linear, question
from analysis.claims.claim import Claim

SOURCES = (question, comments, answers_training, answers_data, linear, information, field, field_losses)

CLAIMS: dict[str, Claim] = {claim.name: claim for source in SOURCES for claim in source.CLAIMS}
"""By name."""

CONTRADICTIONS: tuple[tuple[str, str], ...] = (
    ("rate_too_high", "rate_too_low"),
    ("overfits", "underfits"),
    ("many_filters_hurt", "filters_cannot_hurt"),
    ("many_filters_hurt", "underfits"),
    ("capacity_hides_the_signal", "capacity_cannot_hurt"),
    ("standardizing_is_the_fault", "standardizing_is_the_cure"),
)
"""Pairs of which at most one is true. Where both are about the same number they compare the same configurations with
the same margin, so that runs cannot make both true."""
