"""A run that nobody trained, whose numbers can be worked out by hand."""

import numpy as np
import xarray

VARIANCE = np.array([0.25, 0.16])


def made_up_run():
    """Two configurations of four seeds: one at R2 = .9, .5, .04 and 0, one whose last two seeds did not finish."""
    targets = np.sqrt(VARIANCE) * np.array([[-1, -1], [1, 1], [-1, 1], [1, -1]])
    r2 = np.array([[0.9, 0.5, 0.04, 0.0], [0.05, -3.0, np.nan, np.nan]])
    last = np.array([[10, 10, 10, 10], [5, 10, -1, -1]])
    mse = np.full((2, 4, 3, 3, 2), np.nan)
    dead = np.full((2, 4, 3, 2), np.nan)
    for index, place in enumerate(np.searchsorted([0, 5, 10], last).reshape(-1)):
        member = divmod(index, 4)
        if last[member] >= 0:
            mse[(*member, place, 0)] = (1 - r2[member]) * VARIANCE
            dead[(*member, place)] = 0.5
    dead[0, 3, 2, 1] = 1.0
    finite = np.full((2, 4), True)
    finite[1, 0] = False
    dims = ("configuration", "seed")
    variables = {
        "mse": ((*dims, "step", "split", "axis"), mse),
        "dead_fraction": ((*dims, "step", "layer"), dead),
        "finite": (dims, finite),
        "last_step": (dims, last),
        "target": (("configuration", "position", "axis"), np.stack([targets, targets])),
        "seconds": (("configuration",), [1.25, 2.5]),
    }
    coordinates = {
        "configuration": [0, 1],
        "step": [0, 5, 10],
        "split": ["all", "seen", "unseen"],
        "axis": ["x", "y"],
        "optimizer.learning_rate": ("configuration", [0.1, 0.001]),
        "model.name": ("configuration", ["cnn", "mlp"]),
    }
    return xarray.Dataset(variables, coordinates)
