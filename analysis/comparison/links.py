"""The chain of information of every member: which link does not hold, within the errors of its estimates."""

from collections.abc import Mapping

import numpy as np
from jaxtyping import Bool

from analysis.comparison.member_information import Z95

STANDARD_ERRORS = 4.0
"""Room for what is estimated: a link that holds is called broken once in 30,000 times, and there are thousands."""
ROUNDING = 1e-5
"""Nats: R(D) is certified to this."""

CHAIN = (
    ("entropy", "information_input"),
    ("information_input", "information"),
    ("information", "rate_distortion"),
    ("rate_distortion", "discrete_shannon"),
    ("discrete_shannon", "dithered"),
)
"""The first of each pair is at least the second."""


def broken(arrays: Mapping[str, np.ndarray], begun: Bool[np.ndarray, " seed"]) -> np.ndarray:
    """For each member and axis the first link that does not hold, as "entropy >= information_input"; empty if all do.

    Args:
        arrays: of `analysis.comparison.VARIABLES`, for one configuration: (seed, axis) or (axis,); and
            rate_distortion_low, R at an MSE that is STANDARD_ERRORS higher.
        begun: members that have an evaluation; the others have no chain.
    """
    found = np.full(arrays["mse"].shape, "", dtype=object)
    for upper, lower in reversed(CHAIN):
        high, low = _highest(arrays, upper), _lowest(arrays, lower)
        with np.errstate(invalid="ignore"):
            found[np.broadcast_to(low > high + ROUNDING, found.shape) & begun[:, None]] = f"{upper} >= {lower}"
    return found.astype(str)


def _highest(arrays: Mapping[str, np.ndarray], name: str) -> np.ndarray:
    if name == "information":
        # What the estimate misses near the entropy is in the upper end of its interval, beside 1.96 errors.
        return arrays["information_high"] + (STANDARD_ERRORS - Z95) * arrays["information_error"]
    return arrays[name] + STANDARD_ERRORS * arrays.get(f"{name}_error", 0.0)


def _lowest(arrays: Mapping[str, np.ndarray], name: str) -> np.ndarray:
    # R falls with the error, whose own error therefore lowers it.
    if name == "rate_distortion":
        return arrays["rate_distortion_low"]
    return arrays[name] - STANDARD_ERRORS * arrays.get(f"{name}_error", 0.0)
