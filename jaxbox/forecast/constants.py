"""The constants of the law, as `python -m analysis.report runs/fates --law` fits them to runs of `fates` and
`fates_unseen`.

2656 settings of 124 programs, 32 members each; the page has their intervals.
"""

from jaxbox.forecast.law import Law

ADAM = Law(
    plateau={"": 5.65, "brightness": -1.0, "positions": -0.469, "units": -0.927},
    threshold={"": -2.4, "step": 3.84, "scale": -0.638, "shared": 3.33},
)
DESCENT = Law(plateau={"": 5.46}, threshold={"": -0.263, "rate": 2.71, "momentum": 0.906, "instability": 4.37})
"""Of gradient descent, with momentum and without."""
