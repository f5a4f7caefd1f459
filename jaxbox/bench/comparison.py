"""What samples say: losses that must agree before anything is measured, medians with quartiles, paired ratios."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from jaxtyping import Float

from jaxbox.bench import arithmetic
from jaxbox.bench.process import Worker
from jaxbox.bench.sides import JAXBOX
from jaxbox.config import Configuration

FIRST_TOLERANCE, TOLERANCE = 1e-4, 1e-3
"""Relative difference of losses at the first step, where the weights are the same, and at the others."""


class LossError(RuntimeError):
    """A side whose losses are not jaxbox's; the message is one line."""


def check_losses(where: str, name: str, losses: Any, expected: Any) -> None:
    """Refuse a side that does not train the same network on the same batches with the same rule.

    Args:
        losses: (steps, seeds), of the first steps. It may hold more or fewer seeds than `expected`: those that both
            hold are compared.

    Raises:
        LossError: a loss that differs by more than float32 explains.
    """
    own, reference = np.array(losses), np.array(expected)
    own, reference = (array[:, : min(own.shape[1], reference.shape[1])] for array in (own, reference))
    tolerance = np.full((len(own), 1), TOLERANCE)
    tolerance[0] = FIRST_TOLERANCE
    wrong = ~(np.abs(own - reference) <= tolerance * np.abs(reference))
    if wrong.any():
        step, seed = np.argwhere(wrong)[0]
        values = f"{own[step, seed]:.7g}, jaxbox's {reference[step, seed]:.7g}"
        raise LossError(f"{where}: {name} does not do the same work: loss of seed {seed} at step {step} is {values}")


def record(worker: Worker) -> dict[str, Any]:
    """Everything that was measured of a side, ready for JSON."""
    facts, samples = worker.facts, worker.samples
    return {
        "seeds_measured": worker.seeds,
        "steps": worker.steps,
        "seconds": [sample["seconds"] for sample in samples],
        "evaluation_seconds": [sample["evaluation_seconds"] or 0.0 for sample in samples],
        "compile_seconds": facts["compile_seconds"],
        "peak_memory_bytes": samples[-1]["memory"],
        "losses": facts["losses"],
    }


def summary(case: dict[str, Any], configuration: Configuration, peak_flops: float) -> dict[str, Any]:
    """The case with what follows from its samples. A ratio is a side's time over jaxbox's in the same round."""
    case["flops_per_seed_step"] = arithmetic.step_flops(configuration)
    reference = _milliseconds(case["sides"][JAXBOX])
    for side in case["sides"].values():
        own = _milliseconds(side)
        rounds = min(len(own), len(reference))
        rate = 1e3 / float(np.median(own))
        side["ms_per_seed_step"] = _spread(own)
        side["seed_steps_per_second"] = rate
        side["times_jaxbox"] = _spread(own[:rounds] / reference[:rounds])
        side["share_of_peak"] = case["flops_per_seed_step"] * rate / peak_flops
        side["evaluation"] = _evaluation(side, configuration.eval_every)
    return case


def _milliseconds(record: Mapping[str, Any]) -> Float[np.ndarray, " rounds"]:
    """Milliseconds a seed-step, of each sample, without the evaluation."""
    seconds = np.array(record["seconds"]) - np.array(record["evaluation_seconds"])
    return 1e3 * np.maximum(seconds, 1e-9) / (record["steps"] * record["seeds_measured"])


def _spread(values: Float[np.ndarray, " n"]) -> dict[str, float]:
    """Median and quartiles."""
    return dict(zip(("lower", "median", "upper"), np.quantile(values, (0.25, 0.5, 0.75)).tolist(), strict=True))


def _evaluation(side: Mapping[str, Any], every: int) -> dict[str, float] | None:
    """Seconds that an evaluation takes of a seed, and its share of the time if there is one every `every` steps."""
    if not any(side["evaluation_seconds"]):
        return None
    seconds = float(np.median(side["evaluation_seconds"])) / side["seeds_measured"]
    steps = every * side["ms_per_seed_step"]["median"] / 1e3
    return {"seconds_per_seed": seconds, "every": every, "share": seconds / (seconds + steps)}
