"""Stories that nobody measured, of every verdict and shape, for tests of what is told of claims."""

import math

import numpy as np

from analysis.audit import Verdict
from analysis.claims.claim import Claim, Comparison, Computed, Measured
from analysis.claims.runs import Placed
from analysis.claims.settings import SETTINGS
from analysis.claims.verdicts import Outcome, Story, verdict
from jaxbox.config import Configuration, change
from jaxbox.intervals import Interval

ONE, OTHER = {"optimizer.learning_rate": 0.001}, {"optimizer.learning_rate": 0.01}
TWO_SIDES = Comparison("in place of 0.01, at the rate 0.001", ONE, OTHER, direction="less")


def outcome(found, answer, sides=(0.125, 0.75), **options):
    """An outcome; `found` is the difference with both ends of its interval, or None without a run."""
    comparison = options.pop("comparison", TWO_SIDES)
    placed = {
        "claim": "made_up",
        "experiment": "width",
        "setting": "small",
        "statistic": "collapse rate",
        "margin": 0.2,
        "reason": False,
    }
    placed |= {name: options.pop(name) for name in list(options) if name in placed}
    configuration = change(Configuration(), dict(SETTINGS[placed["setting"]]))
    one = Placed(comparison=comparison, configurations=(configuration,), **placed)
    interval = None if found is None else Interval(*map(np.array, found))
    return Outcome(one, 24 if found else 0, sides if found else (), interval, answer, options.pop("take", None))


def measured(name, outcomes, **options):
    """The story of a claim that runs decide; its text and the others are made from its name."""
    first = outcomes[0].placed
    found: dict[bool, list[Comparison]] = {False: [], True: []}
    for each in outcomes:
        own = found[each.placed.reason]
        own += [each.placed.comparison] if each.placed.comparison not in own else []
    comparisons, reasons = map(tuple, found.values())
    settings = tuple(dict.fromkeys(each.placed.setting for each in outcomes))
    evidence = Measured("width", first.statistic, first.margin, comparisons, settings, reasons)
    return Story(_claim(name, evidence, **options), verdict(outcomes), tuple(outcomes))


def computed(name, steps, answer, **options):
    """The story of a claim that a computation decides."""
    evidence = Computed(tuple(lambda step=step: step for step in steps))
    return Story(_claim(name, evidence, **options), answer, steps=tuple(steps))


def _claim(name, evidence, **options):
    texts = {"text": f"Text of {name}.", "source": f"an answer, of {name}", "advice": f"Advice of {name}."}
    return Claim(name=name, evidence=evidence, **texts | options)


def every():
    """One story of each kind, in an order that is not the page's."""
    alone = Comparison("a box of 5, at the rate 0.01", OTHER, level=0.0)
    score = Comparison("SGD, at the rate 0.5", OTHER, level=0.85)
    equal = Comparison("wide, at the rate 0.03", ONE, OTHER, direction="equal")
    return [
        measured(
            "predicts_the_mean",
            [
                outcome((0.625, 0.4, 0.8), "true", (0.625,), comparison=alone),
                outcome((0.25, 0.1, 0.5), "true", (0.25,), comparison=alone, setting="epsilon"),
            ],
        ),
        measured("rate_too_high", [outcome((-0.625, -0.8, -0.4), "true")], surprise=0),
        measured("many_filters_hurt", [outcome((0.02, -0.1, 0.14), "false")], surprise=2),
        measured(
            "batch_normalization",
            [
                outcome((-0.5, -0.7, -0.3), "true"),
                outcome((0.1, 0.05, 0.3), "false", setting="second"),
            ],
            surprise=2,
        ),
        measured(
            "score",
            [
                outcome((0.1, 0.02, 0.13), "true", (0.95,), comparison=score, statistic="R2", margin=0.05),
                outcome(
                    (-0.3, -math.inf, math.inf), "", (0.55,), comparison=score, statistic="R2", margin=0.05, take=40
                ),
            ],
            surprise=3,
        ),
        measured("equal", [outcome((0.01, -0.1, 0.12), "true", comparison=equal)]),
        measured("reasoned", [outcome((-0.5, -0.7, -0.3), "true"), outcome((0.1, 0.0, 0.2), "false", reason=True)]),
        measured("not_run", [outcome(None, "")], surprise=2),
        computed(
            "steps",
            [
                Verdict("one size", 0.0, 0.0, "true", "none", "It is linear."),
                Verdict("many sizes", math.inf, 0.30987583, "false", "sides from 2 to 6", "It is not."),
            ],
            "conditional",
            surprise=3,
        ),
        computed(
            "a_step", [Verdict("bound", 5.25, 0.6931471, "conditional", "two values", "Holds if.")], "conditional"
        ),
    ]
