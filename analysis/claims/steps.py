"""Steps of claims about linearity, descent, losses and splits: what is said of a number, and what the number is."""

import dataclasses

import numpy as np
from scipy.optimize import root_scalar

from analysis import dynamics, linear
from analysis.audit import Verdict
from jaxbox import task as tasks
from jaxbox.config import Task

SMALL = Task(height=16, width=16, box_size=4)
LAST_ANSWER = Task(height=100, width=100, box_size=5)
"""The last answer's size."""
SIZES = range(2, 7)
"""Sides of boxes that differ from image to image."""


def unscaled_ramp() -> Verdict:
    """Column divided by width as each pixel's weight, and no intercept."""
    columns = np.arange(SMALL.width) / SMALL.width
    images, x = _images(SMALL.width, SMALL.box_size)
    # The claim's own unit is the fraction of the width that lies left of the box's middle.
    error = images @ np.tile(columns, SMALL.height) - x
    return Verdict(
        step="weights column / width say x: mean squared error 0",
        claimed=0.0,
        true=float(np.mean(error**2)),
        verdict="false",
        counterexample="16 x 16, a box of 4: the sum over the box is 16 times the middle's, less a constant",
        correction="Divide by the box's area and shift: exact while every box is whole and of one size.",
    )


def scaled_ramp() -> Verdict:
    """The same weights divided by the area, with an intercept."""
    return Verdict(
        step="weights column / (width area), and an intercept: mean squared error 0",
        claimed=0.0,
        true=float(linear.ramp(SMALL).mse[0]),
        verdict="true",
        counterexample="none, while every box is whole and of one size",
        correction="The least weights that are exact are a staircase, not this ramp.",
    )


def clipped_ramp() -> Verdict:
    """The scaled weights on boxes that the image's edge cuts."""
    size, box = SMALL.width, SMALL.box_size
    starts = np.arange(-box // 2, size - box // 2 + 1)
    inside = np.clip(np.arange(box) + starts[:, None], 0, size - 1)
    lit = (inside == np.arange(box) + starts[:, None]).astype(float)
    middles = starts + box / 2
    # A box is never cut from above here: along y all b rows are lit, so that the area's 1 / b^2 leaves 1 / b.
    predicted = (lit * (inside + 0.5)).sum(axis=1) / box
    return Verdict(
        step="the scaled weights say x of boxes that leave the image by up to half: mean squared error 0",
        claimed=0.0,
        true=float(np.mean((predicted - middles) ** 2) / size**2),
        verdict="false",
        counterexample="16 x 16, a box of 4 that may leave by 2: half a box weighs half as much",
        correction="Exact weights need every box to have the same area.",
    )


def one_size_is_linear() -> Verdict:
    """What the best linear predictor leaves of x's variance, where all boxes are of one side."""
    return Verdict(
        step="boxes of one size: a linear predictor leaves none of the variance",
        claimed=0.0,
        true=float(linear.minimum_norm(SMALL).mse[0] / _variance(SMALL)),
        verdict="true",
        counterexample="none, while every box is whole and of one size",
        correction="Clean images of one size are linearly independent: any function of the place is linear in them.",
    )


def sizes_are_not_linear() -> Verdict:
    """The same where sides differ from image to image."""
    each = [_images(SMALL.width, side) for side in SIZES]
    images, x = (np.concatenate(parts) for parts in zip(*each, strict=True))
    # Each side is as probable as another, whatever its number of places.
    weight = np.concatenate([np.full(len(part), 1 / len(part)) for _, part in each]) / len(SIZES)
    centred = x - weight @ x
    design, root = np.column_stack([images, np.ones(len(images))]), np.sqrt(weight)
    solution = np.linalg.lstsq(design * root[:, None], centred * root, rcond=None)[0]
    return Verdict(
        step="boxes of several sizes: a linear predictor leaves none of the variance",
        claimed=0.0,
        true=float(weight @ (design @ solution - centred) ** 2 / (weight @ centred**2)),
        verdict="false",
        counterexample="16 x 16, sides from 2 to 6 with equal chance: what a lit pixel means depends on the side",
        correction="It is linear where all boxes are whole and of one size.",
    )


def descent_at_one() -> Verdict:
    """By what the fastest mode is multiplied in a step at rate 1: more than 1 is divergence."""
    largest = 2 / dynamics.max_stable_learning_rate(SMALL)
    there = dynamics.max_stable_learning_rate(LAST_ANSWER)
    return Verdict(
        step="SGD at rate 1 converges: no mode of the error grows by more than 1 a step",
        claimed=1.0,
        true=abs(1 - largest),
        verdict="conditional",
        counterexample=f"16 x 16, a box of 4: stable below {2 / largest:.3f} only",
        correction=f"It does at 100 x 100 and a box of 5, where the limit is {there:.2f}.",
    )


def small_rate_is_stuck() -> Verdict:
    """Steps that the last answer's layer needs at 0.001."""
    return Verdict(
        step="at 0.001 the layer stays at the mean: it never reaches R2 = 0.9",
        claimed=np.inf,
        true=float(dynamics.steps_to_r2(LAST_ANSWER, 0.001, 0.9).max()),
        verdict="false",
        counterexample="100 x 100, a box of 5, zero weights: the steps are finite, as many more as the rate is smaller",
        correction="At any stable rate the error falls at every step; steps times rate is what counts.",
    )


def pixel_scale_is_slow() -> Verdict:
    """How many more steps pixels in [0, 1] take than those in [0, 255], each at half of its limit."""
    unit, byte = (_steps_at_half_the_limit(dataclasses.replace(SMALL, inputs=kind)) for kind in ("unit", "byte"))
    return Verdict(
        step="small pixel values make it slow: divided by 255 it takes 255^2 times the steps",
        claimed=255.0**2,
        true=unit / byte,
        verdict="false",
        counterexample="16 x 16, each scale at half of its own limit: about as many steps",
        correction="The limit of the rate grows as the pixels shrink: only a rate that is kept fixed makes them slow.",
    )


def condition_is_why() -> Verdict:
    """The stable rate of white boxes on black as a multiple of that of black ones on white."""
    limits = [
        dynamics.max_stable_learning_rate(dataclasses.replace(LAST_ANSWER, inputs=kind))
        for kind in ("unit", "inverted")
    ]
    return Verdict(
        step="how the boxes overlap limits the rate: white on black and black on white alike",
        claimed=1.0,
        true=limits[0] / limits[1],
        verdict="false",
        counterexample="100 x 100, a box of 5: the same boxes, whose overlaps are the same, on another background",
        correction="A background other than 0 is in all images alike and makes one direction steep: centre the pixels.",
    )


def msle_constant() -> Verdict:
    """The best constant of MSE + 5 MSLE for targets that are uniform on [0, 1]."""
    # The derivative of (c - 1/2)^2 + 5 (ln c - E ln Y)^2 over 2, with E ln Y = -1; 1e-9 beside c is left out.
    best = root_scalar(lambda c: (c - 0.5) + 5 * (np.log(c) + 1) / c, bracket=(0.1, 0.9), xtol=1e-12).root
    return Verdict(
        step="MSE + 5 MSLE has the optimum of MSE: the best constant is the mean",
        claimed=0.5,
        true=float(best),
        verdict="conditional",
        counterexample="targets uniform on [0, 1]: the geometric mean, 1 / e = .368, pulls the constant down",
        correction="The optimum is the same only where the target can be predicted exactly.",
    )


def validation_is_new() -> Verdict:
    """The share of validation images whose place is in none of 8000 training images."""
    places = tasks.position_count(Task(height=32, width=32, box_size=5))
    return Verdict(
        step="a random split keeps validation images new: all of them",
        claimed=1.0,
        true=float((1 - 1 / places) ** 8000),
        verdict="false",
        counterexample="32 x 32, a box of 5: 8000 images of 784 places",
        correction="Hold out places, not images; without noise, images of one place are equal.",
    )


def _images(size: int, box: int) -> tuple[np.ndarray, np.ndarray]:
    """Every image with a whole box of this side, flattened, and the middle's x as a fraction of the width."""
    starts = np.arange(size - box + 1)
    rows = ((np.arange(size) >= starts[:, None]) & (np.arange(size) < starts[:, None] + box)).astype(float)
    images = rows[:, None, :, None] * rows[None, :, None, :]
    return images.reshape(len(starts) ** 2, -1), np.tile((starts + box / 2) / size, len(starts))


def _variance(task: Task) -> float:
    return float(np.var(tasks.targets(task, tasks.positions(task))[:, 0]))


def _steps_at_half_the_limit(task: Task) -> float:
    return float(dynamics.steps_to_r2(task, dynamics.max_stable_learning_rate(task) / 2, 0.9).max())
