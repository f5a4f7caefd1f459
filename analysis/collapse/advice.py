"""One sentence a person can act on, for each kind and for where the constant is."""

from __future__ import annotations

CONSTANT = {
    "mean": "The mean is what squared error teaches when nothing else gets through: lower the learning rate or train "
    "longer, look for a layer whose units are all zero, and check in the loss that targets and outputs have one shape, "
    "since (n,) against (n, 1) broadcasts and teaches the mean.",
    "median": "The median is what absolute error teaches when nothing else gets through: lower the learning rate or "
    "train longer, look for a layer whose units are all zero, and check in the loss that targets and outputs have one "
    "shape.",
    "zero": "Zero is what a dead ReLU at the output gives, or a last layer at zero that never learned: make the output "
    "linear, and check that the last layer's gradient is not zero.",
    "minimum": "The targets' lower edge is where an output unit that saturates or dies stays: make the output linear, "
    "or scale the targets into the middle of its range and lower the learning rate.",
    "maximum": "The targets' upper edge is where an output unit that saturates stays: make the output linear, or scale "
    "the targets into the middle of its range and lower the learning rate.",
    "elsewhere": "A constant that is neither the targets' mean nor their median, zero or an edge is no optimum: "
    "training stopped early, or only a bias has learned; train longer, and check that targets are scaled as in "
    "training and that the gradient reaches the last layer.",
}
PLACES = {
    "mean": ", the targets' mean,",
    "median": ", the targets' median,",
    "zero": "",
    "minimum": ", the targets' minimum,",
    "maximum": ", the targets' maximum,",
    "elsewhere": "",
    "": "",
}
ADVICE = {
    "diverged": "Training has blown up: lower the learning rate, scale the inputs to about 1, or clip the gradient.",
    "noise-limited": "Nothing to fix: at this noise no predictor is better by more than 5 points of R2 (or by what "
    "{n} pairs can tell); a better R2 needs better inputs, not another network.",
    "partly dead": "{share:.0%} of the examples get {constant:.4g}{place} and are predicted worse than the rest: "
    "their inputs reach no active unit, so make the output linear, use a leaky activation or lower the learning rate.",
    "memorised": "R2 is {seen:.3g} on training pairs and {unseen:.3g} on others: use more or augmented data, a smaller "
    "network, weight decay or an earlier stop.",
    "inverted": "The prediction falls where the target rises: look for a sign or an axis that is flipped between "
    "training and use (1 - y, a reversed axis, a negated loss).",
    "shrunk": "The prediction follows the target at {scale:.2g} of the scale it should have: train longer, raise the "
    "learning rate or fix the scale of targets or outputs; multiplying by {stretch:.3g} about the mean gives R2 "
    "{reachable:.3g}.",
    "nonlinear": "The prediction knows something of the target ({information:.2g} nats) that no rescaling brings out: "
    "look for a lost sign, an absolute value, a periodic target or outputs in the wrong order.",
    "jitter": "The prediction has nothing to do with the target (at n = {n} chance makes rho^2 up to {level:.2g}): "
    "check that inputs, targets and predictions are in the same order, and that the inputs show the target at all.",
    "offset": "Subtract {bias:.4g} from the prediction and R2 is {unbiased:.3g}: look for a shift of the targets "
    "between training and use, or a last bias that does not learn.",
}


def advice(kind: str, constant_at: str, numbers: dict[str, float], copy_of: int | None = None) -> str:
    """The sentence for one coordinate.

    Args:
        kind: of `KINDS`.
        constant_at: a place, or "".
        numbers: what the sentences name: n, r2, rho, s, level, bias, unbiased, ..., from `Diagnosis`.
        copy_of: the coordinate whose output this one repeats.
    """
    if kind == "dead":
        text = CONSTANT[constant_at]
    elif kind == "none":
        text = _nothing_found(numbers)
    else:
        text = ADVICE[kind].format_map(numbers | {"place": PLACES[constant_at]})
    if copy_of is None:
        return text
    return f"{text} This output repeats that of coordinate {copy_of}: the two share a unit, or one is trained on both."


def _nothing_found(numbers: dict[str, float]) -> str:
    if numbers["level"] > 0.5:
        return f"Nothing found, but {numbers['n']:.0f} pairs are too few to tell; give 50 or more."
    if numbers["reachable"] - numbers["r2"] > 0.05:
        return (
            "No kind of collapse, but scale or offset are off: multiplying by {stretch:.3g} about the mean gives R2 "
            "{reachable:.3g}."
        ).format_map(numbers)
    if numbers["r2"] < 0.05:
        return "A weak relation, but more than chance, and on the right scale: more data or better inputs may help."
    return "Nothing to fix that these numbers show."
