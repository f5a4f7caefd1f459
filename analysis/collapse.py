"""Stub."""

import numpy as np

KINDS = {
    "none": "",
    "dead": "",
    "partly dead": "",
    "shrunk": "",
    "jitter": "",
    "nonlinear": "",
    "noise-limited": "",
    "offset": "",
    "inverted": "",
    "memorised": "",
    "diverged": "",
}


def kinds(targets, predictions, train=None, bayes_r2=None):
    """Stub."""
    with np.errstate(invalid="ignore"):
        bad = ~np.isfinite(predictions).all(1)
        dead = np.ptp(predictions, axis=1) < 1e-6
    k = np.where(bad, "diverged", np.where(dead, "dead", "none"))
    return k, np.where(dead, "mean", "")
