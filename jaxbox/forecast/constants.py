"""The constants of the law, as `python -m analysis.report runs/fates --law` fits them to runs of `fates`,
`fates_unseen`, `fates_fresh` and `fates_wide`.

3232 settings of 160 programs, 32 members each; the page has their intervals.
"""

from jaxbox.forecast.law import Law

ADAM = Law(
    plateau={"": 2.47, "brightness": -1.04, "units": -0.438, "hidden": -0.713, "factors": 3.88},
    threshold={"": -2.22, "step": 3.42, "scale": -0.524, "shared": 3.11, "wide": 2.82, "carried": 2.58},
)
DESCENT = Law(plateau={"": 6.04}, threshold={"": -0.249, "rate": 2.59, "momentum": 0.851, "instability": 3.93})
"""Of gradient descent, with momentum and without."""
