"""The constants of the law, as `python -m analysis.report runs/fates --law` fits them to a run of `fates`.

2016 settings of 84 programs, 32 members each; the page has their intervals.
"""

from jaxbox.forecast.law import Law

ADAM = Law(
    plateau={"": 4.94, "input": -1.02, "positions": -0.813},
    threshold={"": -2.68, "step": 4.21, "scale": -0.728},
)
DESCENT = Law(
    plateau={"": 6.86},
    threshold={"": 0.664, "rate": 3.02, "momentum": 0.933, "scale": 1.12, "input": -0.425},
)
"""Of gradient descent, with momentum and without."""
