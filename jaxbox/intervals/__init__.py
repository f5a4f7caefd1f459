"""Intervals for rates and for paired differences, at a fixed number of seeds and at all numbers at once.

NumPy and SciPy only. A sweep that adds seeds until something is decided stands on these, and so does `analysis`.
"""

from jaxbox.intervals.pairs import (
    Table,
    paired_means,
    paired_means_sequence,
    paired_rates,
    paired_rates_sequence,
)
from jaxbox.intervals.rates import Interval, clopper_pearson, rate_sequence, running, wilson

__all__ = [
    "Interval",
    "Table",
    "clopper_pearson",
    "paired_means",
    "paired_means_sequence",
    "paired_rates",
    "paired_rates_sequence",
    "rate_sequence",
    "running",
    "wilson",
]
