"""Least squares and ridge regression on the very training sets of members, for what they say beside the members."""

import jax.numpy as jnp
import numpy as np
from jaxtyping import Float, Int
from sklearn.linear_model import RidgeCV

from analysis import closed_forms, linear
from analysis.comparison import known
from jaxbox import task as tasks
from jaxbox.config import Configuration
from jaxbox.training import sampling

FITS = ("ols", "ridge")
PENALTIES = np.logspace(-6, 2, 17)
"""Of ridge, times the size of the training set and the mean variance of a pixel; leave-one-out errors choose."""


def errors(own: Configuration, seeds: list[int]) -> Float[np.ndarray, "fit split seed"]:
    """Mean squared errors, of x and y together in squared target units, of FITS to the training sets of these seeds.

    Over the images that members are evaluated on, by the law of the positions, of seen and of unseen ones; NaN where
    there is no such position, for an endless stream, for labels that are not true, and without linear closed forms.
    """
    found = np.full((len(FITS), 2, len(seeds)), np.nan)
    known_of = closed_forms.has(own.task, closed_forms.LINEAR, own.data) and own.data.labels == "true"
    if not known_of or own.data.train_size < 2:
        return found
    every, targets = np.arange(tasks.position_count(own.task)), known.lattice(own.task)
    images, probability = known.evaluation_inputs(own.task, every), known.probability(own.task, own.data)
    for place, seed in enumerate(seeds):
        index, inputs = training_set(own, seed)
        penalty = _penalty(inputs, targets[index])
        fits = (
            linear.fit_ols(own.task, inputs, targets[index]),
            linear.fit_ridge(own.task, inputs, targets[index], penalty),
        )
        seen = np.isin(every, index)
        for fit, predictor in enumerate(fits):
            squares = ((predictor.predict(images) - targets) ** 2).sum(1)
            found[fit, :, place] = [_mean(squares[part], probability[part]) for part in (seen, ~seen)]
    return found


def _mean(squares: Float[np.ndarray, " n"], probability: Float[np.ndarray, " n"]) -> float:
    return float(probability @ squares / probability.sum()) if probability.any() else np.nan


def training_set(own: Configuration, seed: int) -> tuple[Int[np.ndarray, " n"], Float[np.ndarray, "n H W C"]]:
    """What a seed trains on: indices of positions, and inputs with the noise that each example keeps."""
    keys = sampling.keys_of(own, jnp.uint32(seed))
    index = np.asarray(sampling.training_set(own, keys))
    draws = tasks.draw_images(own.task, sampling.example_keys(keys.noise, jnp.arange(len(index))))
    return index, np.asarray(tasks.example(own.task, index, draws)[0], np.float64)


def _penalty(inputs: Float[np.ndarray, "n H W C"], targets: Float[np.ndarray, "n 2"]) -> float:
    flat = inputs.mean(3).reshape(len(inputs), -1)
    scale = len(flat) * max(float(np.var(flat, axis=0).mean()), float(np.finfo(float).tiny))
    chosen = RidgeCV(alphas=PENALTIES * scale).fit(flat, targets)
    return float(np.asarray(chosen.alpha_))
